"""What is particular to the ledger in a file."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from aimem_relay.ledger.port import Job, LedgerDown, LedgerError, NoWorkspace
from aimem_relay.ledger.postgres import PostgresLedger
from aimem_relay.ledger.sqlite import SqliteLedger
from crdt.entry import Entry
from crdt.session.events import EntriesReceived
from crdt.session.replica import Cursor
from crdt.vector import Vector
from tests.relay.ledger import load

WORKSPACE = "ab" * 16
REPLICA = "cd" * 16


def job(seq: int, update: bytes = b"x") -> Job:
    entry = Entry(REPLICA, seq, "1" * 32, update, 1, "Ann")
    return Job(WORKSPACE, EntriesReceived(seq, b"", [entry]))


async def started(file: Path) -> SqliteLedger:
    ledger = SqliteLedger(file)
    await ledger.start()
    return ledger


async def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    connection = apsw.Connection(str(file))
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(LedgerError, match="another program"):
        await started(file)
    (tmp_path / "text").write_text("not a database " * 100)
    with pytest.raises(LedgerError, match="not a ledger"):
        await started(tmp_path / "text")


async def test_a_file_of_a_newer_relay_is_refused_untouched(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    await (await started(file)).close()
    connection = apsw.Connection(str(file))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(LedgerError, match="newer version"):
        await started(file)
    assert file.read_bytes() == before


async def test_several_processes_may_have_the_file_open(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    ledgers = await asyncio.gather(*(started(file) for _ in range(3)))
    copies = await asyncio.gather(*(ledger.open(WORKSPACE) for ledger in ledgers))
    assert all(copy == copies[0] for copy in copies)
    replicas = [secrets.token_hex(16) for _ in ledgers]
    await asyncio.gather(
        *(
            load.commit_groups(ledger, replica, 10, [WORKSPACE])
            for ledger, replica in zip(ledgers, replicas, strict=True)
        )
    )
    last = await ledgers[0].open(WORKSPACE)
    assert last.vector() == Vector(dict.fromkeys(replicas, 10 * load.PER_GROUP))
    assert last.last == last.count == 3 * 10 * load.PER_GROUP
    for ledger in ledgers:
        await ledger.close()


async def test_a_full_disk_stores_nothing_and_passes(tmp_path: Path) -> None:
    ledger = await started(tmp_path / "ledger.db")
    await ledger.commit([job(1)])

    def limit(pages: str) -> Callable[[apsw.Connection], object]:
        return lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").get

    await ledger._write(limit("1"))
    before = await ledger.open(WORKSPACE)
    with pytest.raises(LedgerDown):
        await ledger.commit([job(2), job(3, bytes(100_000))])
    assert await ledger.open(WORKSPACE) == before
    await ledger._write(limit("1000000"))
    committed = await ledger.commit([job(2), job(3, bytes(100_000))])
    assert committed.changes[0].last == 3
    await ledger.close()


async def test_a_file_that_is_locked_means_not_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_relay.ledger.sqlite.BUSY_TIMEOUT_MS", 1)
    ledger = await started(tmp_path / "ledger.db")
    other = apsw.Connection(str(tmp_path / "ledger.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerDown):
        await ledger.commit([job(1)])
    with pytest.raises(LedgerDown):
        await ledger.check()
    other.execute("ROLLBACK")
    other.close()
    await ledger.check()
    assert (await ledger.commit([job(1)])).changes[0].last == 1
    await ledger.close()
    with pytest.raises(LedgerDown, match="closed"):
        await ledger.check()


async def test_what_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    ledger = await started(tmp_path / "ledger.db")
    with pytest.raises(NoWorkspace, match=WORKSPACE):
        await ledger.read(WORKSPACE, Cursor(), Vector(), 1, 1)
    for ask in (ledger.renew(WORKSPACE), ledger.set_aside(WORKSPACE, "1" * 32)):
        with pytest.raises(NoWorkspace):
            await ask
    assert await ledger.size(WORKSPACE) == 0
    await ledger.close()


async def test_a_ledger_goes_on_with_other_ids_after_a_backup_was_put_back(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ledger.db"
    ledger = await started(file)
    await ledger.commit([job(1)])
    before = await ledger.open(WORKSPACE)
    await ledger.renew(WORKSPACE)
    after = await ledger.open(WORKSPACE)
    assert {before.replica, before.log}.isdisjoint({after.replica, after.log})
    assert (after.vector(), after.last) == (before.vector(), before.last)
    await ledger.close()


async def test_a_copy_takes_changes_in_order_and_says_when_one_is_missing(
    tmp_path: Path,
) -> None:
    ledger = await started(tmp_path / "ledger.db")
    copy = await ledger.open(WORKSPACE)
    changes = [(await ledger.commit([job(seq)])).changes[0] for seq in (1, 2, 3)]
    assert not copy.apply(changes[1])
    assert (copy.version, copy.last, copy.vector()) == (0, 0, Vector())
    assert copy.apply(changes[0])
    assert copy.apply(changes[0])
    assert copy.apply(changes[1])
    assert copy.vector() == Vector({REPLICA: 2})
    assert copy.apply(await ledger.tail(WORKSPACE, copy.version, copy.last, 10, 10_000))
    assert copy.apply(changes[2])
    assert copy == await ledger.open(WORKSPACE)
    await ledger.close()


def test_without_the_package_for_postgresql_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(LedgerError, match=r"pip install 'aimem\[cluster\]'"):
        PostgresLedger("postgresql://nowhere")
