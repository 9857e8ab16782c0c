"""The ledger of a single relay: one SQLite file.

- One thread writes, two read, each with connections of its own; the event loop never waits for the
  disk. ``synchronous=FULL`` and the write-ahead log: what is committed is on disk, whatever comes.
- A group takes few statements, however many workspaces it is about (``sqlite_group.py``).
- All of a group is one ``BEGIN IMMEDIATE`` transaction, so that several processes on one machine,
  a relay and a command of its operator, may have the file open.
- Disk full, file locked, input or output error: :class:`LedgerDown`, and nothing has changed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import apsw

from aimem_relay.ledger import migrations, rows
from aimem_relay.ledger import sqlite_read as reading
from aimem_relay.ledger import sqlite_write as writing
from aimem_relay.ledger.plan import by_workspace
from aimem_relay.ledger.port import (
    Change,
    Committed,
    Copy,
    Due,
    DueThought,
    Job,
    LedgerDown,
    LedgerError,
    Outcome,
    Skipped,
    ThoughtRecords,
)
from aimem_relay.ledger.sqlite_group import Memory, store
from crdt.entry import Checkpoint
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector

APPLICATION_ID = 0x41494D4C
"""``AIML``: marks the file as a ledger (PRAGMA application_id)."""
BUSY_TIMEOUT_MS = 5_000
_READERS = 2
_START_ATTEMPTS = 20

T = TypeVar("T")


class SqliteLedger:
    """A ledger in a SQLite file.

    Args:
        path: the file; it is made if it is not there.
        due: when a thought is worth a checkpoint.
    """

    def __init__(self, path: Path, due: Due | None = None) -> None:
        self._path = path
        self._due = due or Due()
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-write")
        self._read_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="ledger-read")
        self._local = threading.local()
        self._connections: list[apsw.Connection] = []
        self._memory = Memory()
        self._closed = False

    async def start(self) -> None:
        """Open the file and bring its schema up to date.

        Raises:
            LedgerError: if it is not a ledger, or was written by a newer version.
        """
        for attempt in range(_START_ATTEMPTS):
            try:
                return await self._run(self._write_thread, self._prepare)
            except LedgerDown:
                # Two processes that make one file lock each other out, and SQLite does not wait.
                if attempt == _START_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Finish what was begun and close the file."""
        self._closed = True
        for threads in (self._write_thread, self._read_threads):
            await asyncio.to_thread(threads.shutdown)
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    async def check(self) -> None:
        """Make sure that the file can be written."""
        await self._write(lambda connection: None)

    async def commit(self, jobs: Sequence[Job]) -> Committed:
        """Store a group of jobs in one transaction."""
        return await self._run(self._write_thread, lambda: self._commit(jobs))

    async def open(self, workspace: str) -> Copy:
        """What is known of a workspace; it is made if it is not there."""
        copy = await self._read(lambda connection: _copy(connection, workspace))
        if copy is None:
            await self._write(lambda connection: writing.made(connection, workspace))
            return await self.open(workspace)
        return copy

    async def read(
        self, workspace: str, after: Cursor, known: Vector, most: int, most_bytes: int
    ) -> Slice:
        """The next records behind a cursor."""
        return await self._read(
            lambda connection: reading.read(connection, workspace, after, known, most, most_bytes)
        )

    async def tail(
        self, workspace: str, since: int, after: int, most: int, most_bytes: int
    ) -> Change:
        """What has changed since a version."""
        return await self._read(
            lambda connection: reading.tail(connection, workspace, since, after, most, most_bytes)
        )

    async def versions(self, workspaces: Sequence[str]) -> Mapping[str, int]:
        """The versions of those workspaces that are there."""
        return await self._read(
            lambda connection: {
                state.workspace: state.version
                for workspace in workspaces
                if (state := reading.state_of(connection, workspace)) is not None
            }
        )

    async def workspaces(self) -> Sequence[str]:
        """The ids of all workspaces."""
        return await self._read(reading.workspaces)

    async def token(self, workspace: str, log: str) -> bytes:
        """The token last stored from a peer's log; empty for none."""
        return await self._read(lambda connection: reading.token(connection, workspace, log))

    async def size(self, workspace: str) -> int:
        """How many bytes the records of a workspace count for."""
        state = await self._read(lambda connection: reading.state_of(connection, workspace))
        return 0 if state is None else state.size

    async def renew(self, workspace: str) -> Change:
        """Give the workspace another replica id and log id."""
        return await self._write(lambda connection: writing.renew(connection, workspace))

    async def due(self, most: int, lease_ms: int) -> Sequence[DueThought]:
        """Thoughts that are worth a checkpoint."""
        return await self._write(
            lambda connection: writing.due_thoughts(connection, most, lease_ms)
        )

    async def records_of(self, workspace: str, thought: str) -> ThoughtRecords:
        """Everything that is held of a thought."""
        return await self._read(
            lambda connection: reading.records_of(connection, workspace, thought)
        )

    async def replace(
        self, workspace: str, thought: str, upto: int, checkpoint: Checkpoint
    ) -> Change | None:
        """Put one checkpoint in the place of a thought's records up to a position."""
        return await self._write(
            lambda connection: writing.replace(
                connection, workspace, thought, upto, checkpoint, self._due
            )
        )

    async def set_aside(self, workspace: str, thought: str) -> None:
        """Never tell that this thought is due again."""
        await self._write(lambda connection: writing.set_aside(connection, workspace, thought))

    def _prepare(self) -> None:
        with _explained(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _migrate(self._connection(), self._path)

    def _commit(self, jobs: Sequence[Job]) -> Committed:
        places = by_workspace(jobs)
        groups = {one: [jobs[place] for place in there] for one, there in places.items()}
        try:
            plans, changes = self._transact(
                "BEGIN IMMEDIATE",
                lambda connection: store(connection, self._memory, groups, self._due),
            )
        except BaseException:
            self._memory.forget()
            raise
        self._memory.committed(plans)
        outcomes: list[Outcome] = [Skipped()] * len(jobs)
        for plan, there in zip(plans, places.values(), strict=True):
            for place, outcome in zip(there, plan.outcomes, strict=True):
                outcomes[place] = outcome
        return Committed(tuple(outcomes), tuple(changes))

    async def _read(self, ask: Callable[[apsw.Connection], T]) -> T:
        return await self._run(self._read_threads, lambda: self._transact("BEGIN", ask))

    async def _write(self, change: Callable[[apsw.Connection], T]) -> T:
        def work() -> T:
            self._memory.forget()
            return self._transact("BEGIN IMMEDIATE", change)

        return await self._run(self._write_thread, work)

    def _transact(self, begin: str, work: Callable[[apsw.Connection], T]) -> T:
        with _explained(self._path):
            connection = self._connection()
            connection.execute(begin)
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = apsw.Connection(str(self._path))
            connection.set_busy_timeout(BUSY_TIMEOUT_MS)
            connection.execute(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32000"
            ).fetchall()  # Execution stops at each answer until it is read.
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        if self._closed:
            raise LedgerDown("The ledger is closed.")
        return await asyncio.get_running_loop().run_in_executor(threads, work)


def _copy(connection: apsw.Connection, workspace: str) -> Copy | None:
    state = reading.state_of(connection, workspace)
    if state is None:
        return None
    return rows.copy_of(state, reading.heads_of(connection, state.number))


def _migrate(connection: apsw.Connection, path: Path) -> None:
    known = migrations.load("sqlite")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version, owner, tables_there = connection.execute(
            "SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)"
            " FROM pragma_user_version, pragma_application_id"
        ).get
        if owner != APPLICATION_ID and (owner or version or tables_there):
            raise LedgerError(f"{path} is not a ledger: it belongs to another program.")
        for migration in migrations.missing(known, version):
            connection.execute(migration.sql)
            connection.execute(f"PRAGMA user_version = {migration.number}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Tell what passes from what somebody has to repair."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise LedgerError(f"{path} is damaged, or not a ledger: {error}") from error
    except (
        apsw.BusyError,
        apsw.CantOpenError,
        apsw.FullError,
        apsw.IOError,
        apsw.LockedError,
        apsw.NoMemError,
        apsw.PermissionsError,
        apsw.ReadOnlyError,
        OSError,
    ) as error:
        raise LedgerDown(f"{path} cannot be read or written just now: {error}") from error
