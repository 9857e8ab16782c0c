"""What was answered is there after any crash."""

from __future__ import annotations

import asyncio
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from aimem_relay.committer import CommitLimits, Committer
from aimem_relay.ledger.port import Job, Ledger, LedgerDown, Stored
from aimem_relay.ledger.postgres import PostgresLedger
from aimem_relay.ledger.sqlite import SqliteLedger
from crdt.entry import Entry
from crdt.session.events import EntriesReceived
from crdt.session.replica import Cursor
from crdt.vector import Vector
from tests.relay.ledger import load
from tests.services import Postgres

ROOT = Path(__file__).resolve().parents[3]


async def start_load(kind: str, where: str, replica: str, groups: int, *names: str) -> Process:
    """A process that commits, and prints up to which number it was answered."""
    arguments = ["-m", "tests.relay.ledger.load", kind, where, replica, str(groups), *names]
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=PIPE)


async def last_line(process: Process, most: int | None = None) -> int:
    """The number of the last line, or of line ``most``."""
    assert process.stdout is not None
    last, lines = 0, 0
    async for line in process.stdout:
        last, lines = int(line), lines + 1
        if lines == most:
            break
    return last


async def whole_log(ledger: Ledger, workspace: str) -> list[tuple[int, Entry]]:
    """All entries of a workspace with their positions."""
    change = await ledger.tail(workspace, -1, 0, 10**6, 10**9)
    read: list[Entry] = []
    cursor = Cursor()
    while True:
        found = await ledger.read(workspace, cursor, Vector(), 100, 1 << 20)
        cursor = found.cursor
        read += found.entries
        if not found.entries:
            break
    assert [record.item for record in change.records] == read
    return [(record.position, entry) for record, entry in zip(change.records, read, strict=True)]


@pytest.mark.parametrize("groups", [1, 7, 20])
async def test_a_relay_killed_while_it_commits_keeps_what_it_has_answered(
    tmp_path: Path, groups: int
) -> None:
    file, replica, workspace = tmp_path / "ledger.db", secrets.token_hex(16), "ab" * 16
    process = await start_load("sqlite", str(file), replica, 0, workspace)
    answered = await last_line(process, most=groups)
    process.kill()
    # What it still managed to print was answered, too.
    answered = max(answered, await last_line(process))
    await process.wait()
    assert answered >= groups * load.PER_GROUP
    ledger = SqliteLedger(file)
    await ledger.start()
    log = await whole_log(ledger, workspace)
    assert len(log) >= answered
    # A group is there as a whole or not at all.
    assert len(log) % load.PER_GROUP == 0
    assert log == [(seq, load.entry(replica, seq)) for seq in range(1, len(log) + 1)]
    copy = await ledger.open(workspace)
    assert copy.vector() == Vector({replica: len(log)})
    await ledger.close()


class Pod:
    """A committer on its own connections, and connections that keep it busy."""

    def __init__(self, url: str, workspace: str, numbers: range) -> None:
        self.ledger = PostgresLedger(url, connections=2)
        self.troubled, self.well = asyncio.Event(), asyncio.Event()
        self.committer = Committer(
            self.ledger,
            on_health=self.heard,
            limits=CommitLimits(first_delay=0.02, most_delay=0.1),
        )
        self.workspace = workspace
        self.replicas = {number: secrets.token_hex(16) for number in numbers}
        self.stopping = False
        self.stored: dict[int, int] = {}

    def heard(self, problem: str) -> None:
        (self.troubled if problem else self.well).set()
        (self.well if problem else self.troubled).clear()

    async def machine(self, number: int) -> None:
        """Three jobs at a time, until it is enough; all are stored in the end."""
        replica, seq = self.replicas[number], 0
        while not self.stopping:
            waiting = []
            for _ in range(3):
                seq += 1
                event = EntriesReceived(seq, b"", [load.entry(replica, seq)])
                waiting.append(self.committer.submit(Job(self.workspace, event, number, replica)))
            assert all(isinstance(one, Stored) for one in await asyncio.gather(*waiting))
            self.stored[number] = seq


async def test_what_postgresql_has_answered_is_there_after_it_crashed(
    postgres: Postgres, postgres_url: str
) -> None:
    shared, other = secrets.token_hex(16), secrets.token_hex(16)
    pods = [
        Pod(postgres_url, shared, range(1, 4)),
        Pod(postgres_url, shared, range(4, 7)),
        Pod(postgres_url, other, range(7, 9)),
    ]
    for pod in pods:
        await pod.ledger.start()
        pod.committer.start()
    async with asyncio.TaskGroup() as machines:
        for pod in pods:
            for number in pod.replicas:
                machines.create_task(pod.machine(number))
        for _ in range(2):
            await asyncio.to_thread(postgres.stop, "immediate")
            for pod in pods:
                await pod.troubled.wait()
                with pytest.raises(LedgerDown):
                    await pod.ledger.check()
            await asyncio.to_thread(postgres.start)
            for pod in pods:
                await pod.well.wait()
        for pod in pods:
            pod.stopping = True
    for workspace in (shared, other):
        log = await whole_log(pods[0].ledger, workspace)
        assert [position for position, _ in log] == list(range(1, len(log) + 1))
        here = [pod for pod in pods if pod.workspace == workspace]
        for pod in here:
            for number, replica in pod.replicas.items():
                mine = [entry for _, entry in log if entry.replica == replica]
                stored = range(1, pod.stored[number] + 1)
                assert mine == [load.entry(replica, seq) for seq in stored]
        assert len(log) == sum(sum(pod.stored.values()) for pod in here)
    for pod in pods:
        await pod.committer.close()
        await pod.ledger.close()
