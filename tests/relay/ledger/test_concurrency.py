"""Several pods on one PostgreSQL: the order of commits is the order of positions, without a gap."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from aimem_relay.ledger.port import Job, LedgerDown, LedgerError, NoWorkspace, Record
from aimem_relay.ledger.postgres import PostgresLedger
from crdt.entry import Checkpoint
from crdt.session.events import CheckpointsReceived, EntriesReceived
from crdt.session.replica import Cursor
from crdt.vector import Vector
from tests.relay.ledger import load
from tests.relay.ledger.test_crash import last_line, start_load, whole_log
from tests.services import Postgres


async def test_pods_that_commit_to_the_same_workspaces_leave_no_gap(postgres_url: str) -> None:
    workspaces = [secrets.token_hex(16) for _ in range(4)]
    replicas = [secrets.token_hex(16) for _ in range(4)]
    ledger = PostgresLedger(postgres_url)
    await ledger.start()
    # Two processes, and two pools in this one; none of them waits for another for ever.
    processes = [
        await start_load("postgres", postgres_url, replica, 20, *workspaces)
        for replica in replicas[:2]
    ]
    other = PostgresLedger(postgres_url)
    await other.start()
    done = asyncio.gather(
        *(last_line(process) for process in processes),
        load.commit_groups(ledger, replicas[2], 20, workspaces),
        load.commit_groups(other, replicas[3], 20, workspaces),
    )
    followed = {workspace: await follow(other, workspace, 400) for workspace in workspaces}
    numbers = await done
    for process in processes:
        assert await process.wait() == 0
    assert numbers[:2] == [100, 100]
    for workspace in workspaces:
        log = await whole_log(ledger, workspace)
        assert [position for position, _ in log] == list(range(1, 401))
        for replica in replicas:
            assert [e.seq for _, e in log if e.replica == replica] == list(range(1, 101))
        assert [(record.position, record.item) for record in followed[workspace]] == log
        copy = await ledger.open(workspace)
        assert copy.vector() == Vector(dict.fromkeys(replicas, 100))
        assert (copy.last, copy.count) == (400, 400)
    await ledger.close()
    await other.close()


async def follow(ledger: PostgresLedger, workspace: str, upto: int) -> list[Record]:
    """What a pod learns that reads the tail again and again while others commit."""
    copy = await ledger.open(workspace)
    records: list[Record] = []
    change = await ledger.tail(workspace, copy.version, 0, 10**6, 10**9)
    while True:
        assert copy.apply(change)
        assert change.behind == (records[-1].position if records else 0)
        records += change.records
        assert len(records) == copy.last == sum(copy.vector().values())
        if copy.last >= upto:
            return records
        change = await ledger.tail(workspace, copy.version, copy.last, 10**6, 10**9)


async def test_a_pod_that_stands_still_with_a_workspace_locked_is_passed_over(
    postgres_url: str,
) -> None:
    workspace, replica = secrets.token_hex(16), secrets.token_hex(16)
    stopped = PostgresLedger(postgres_url, timeout=0.3)
    other = PostgresLedger(postgres_url, timeout=5)
    for ledger in (stopped, other):
        await ledger.start()
    await other.open(workspace)
    with pytest.raises(LedgerDown):
        async with stopped._transaction() as connection:
            await connection.execute("SELECT * FROM workspaces FOR UPDATE")
            # It does nothing more; the other one gets its turn all the same.
            job = Job(workspace, EntriesReceived(1, b"", [load.entry(replica, 1)]))
            await other.commit([job])
            await connection.execute("SELECT 1")
    assert (await stopped.open(workspace)).last == 1
    for ledger in (stopped, other):
        await ledger.close()


async def test_a_statement_that_takes_too_long_is_given_up(postgres_url: str) -> None:
    workspace, replica = secrets.token_hex(16), secrets.token_hex(16)
    holder = PostgresLedger(postgres_url)
    waiting = PostgresLedger(postgres_url, timeout=0.2)
    for ledger in (holder, waiting):
        await ledger.start()
    await holder.open(workspace)
    job = Job(workspace, EntriesReceived(1, b"", [load.entry(replica, 1)]))
    async with holder._transaction() as connection:
        await connection.execute("SELECT * FROM workspaces FOR UPDATE")
        with pytest.raises(LedgerDown):
            await waiting.commit([job])
    assert (await waiting.commit([job])).changes[0].last == 1
    for ledger in (holder, waiting):
        await ledger.close()


async def test_a_thought_that_is_due_is_told_to_one_pod_at_a_time(postgres_url: str) -> None:
    pods = [PostgresLedger(postgres_url) for _ in range(3)]
    for pod in pods:
        await pod.start()
    workspace, replica = secrets.token_hex(16), secrets.token_hex(16)
    entries = [load.entry(replica, seq) for seq in range(1, 1_201)]
    await pods[0].commit([Job(workspace, EntriesReceived(1, b"", entries))])
    told = await asyncio.gather(*(pod.due(10, 60_000) for pod in pods))
    thoughts = [one.thought for of_pod in told for one in of_pod]
    assert sorted(thoughts) == [f"{n:032x}" for n in range(3)]
    assert await pods[0].due(10, 60_000) == []
    held = await pods[0].records_of(workspace, thoughts[0])
    checkpoint = Checkpoint(thoughts[0], b"state", Vector({replica: 1_200}))
    changes = await asyncio.gather(
        *(pod.replace(workspace, thoughts[0], held.upto, checkpoint) for pod in pods)
    )
    assert sum(change is not None for change in changes) == 1
    for pod in pods:
        await pod.close()


async def test_everything_says_that_the_ledger_is_down_while_it_is(
    postgres: Postgres, postgres_url: str
) -> None:
    workspace, replica = secrets.token_hex(16), secrets.token_hex(16)
    ledger = PostgresLedger(postgres_url)
    await ledger.start()
    await ledger.open(workspace)
    await asyncio.to_thread(postgres.stop)
    checkpoint = Checkpoint("1" * 32, b"", Vector({replica: 1}))
    job = Job(workspace, CheckpointsReceived(1, b"", [checkpoint]))
    asked = [
        lambda: ledger.check(),
        lambda: ledger.commit([job]),
        lambda: ledger.open(workspace),
        lambda: ledger.read(workspace, Cursor(), Vector(), 1, 1),
        lambda: ledger.tail(workspace, 0, 0, 1, 1),
        lambda: ledger.versions([workspace]),
        lambda: ledger.workspaces(),
        lambda: ledger.token(workspace, replica),
        lambda: ledger.size(workspace),
        lambda: ledger.renew(workspace),
        lambda: ledger.due(1, 1),
        lambda: ledger.records_of(workspace, "1" * 32),
        lambda: ledger.replace(workspace, "1" * 32, 1, checkpoint),
        lambda: ledger.set_aside(workspace, "1" * 32),
        lambda: PostgresLedger(postgres_url).start(),
    ]
    for ask in asked:
        with pytest.raises(LedgerDown):
            await ask()
    await asyncio.to_thread(postgres.start)
    assert (await ledger.commit([job])).changes[0].last == 1
    await ledger.close()
    with pytest.raises(LedgerDown, match="closed"):
        await ledger.check()


async def test_pods_that_start_at_once_make_the_schema_once(postgres_url: str) -> None:
    pods = [PostgresLedger(postgres_url) for _ in range(4)]
    await asyncio.gather(*(pod.start() for pod in pods))
    workspace = secrets.token_hex(16)
    copies = await asyncio.gather(*(pod.open(workspace) for pod in pods))
    assert all(copy == copies[0] for copy in copies)
    for pod in pods:
        await pod.close()


async def test_a_schema_from_a_newer_relay_is_refused(postgres_url: str) -> None:
    ledger = PostgresLedger(postgres_url)
    await ledger.start()
    async with ledger._connection() as connection:
        await connection.execute("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(LedgerError, match="newer version"):
        await PostgresLedger(postgres_url).start()
    await ledger.close()


@pytest.mark.parametrize("database", ["none", ""])
async def test_what_is_set_up_wrongly_is_said_at_the_start(
    postgres_url: str, database: str
) -> None:
    url = f"{postgres_url.rpartition('/')[0]}/{database}" if database else "mysql://here"
    with pytest.raises(LedgerError):
        await PostgresLedger(url).start()


async def test_what_is_not_there_is_said_to_be_missing(postgres_url: str) -> None:
    ledger = PostgresLedger(postgres_url)
    await ledger.start()
    workspace = secrets.token_hex(16)
    with pytest.raises(NoWorkspace, match=workspace):
        await ledger.read(workspace, Cursor(), Vector(), 1, 1)
    with pytest.raises(NoWorkspace):
        await ledger.token(workspace, "0" * 32)
    with pytest.raises(NoWorkspace):
        await ledger.set_aside(workspace, "0" * 32)
    with pytest.raises(NoWorkspace):
        await ledger.renew(workspace)
    assert await ledger.size(workspace) == 0
    await ledger.close()
