"""The ledger of a cluster: PostgreSQL, which any number of pods share.

- A group is one transaction: lock its workspaces in the order of their ids (pods that lock in
  other orders wait for each other for ever), look up what may be there already, write all tables by
  one statement, commit. Four round trips where everything follows what is held.
- Positions are given out under that lock. A serial column would not do: its numbers become visible
  out of order, and whoever follows the log would miss some.
- A transaction that stands still, as that of a pod that was stopped, is ended by the server after
  ``timeout``, so that it does not keep its workspaces locked.
- Whatever is not the fault of a job is :class:`LedgerDown`: no connection, a crash, a time-out, a
  server that only reads. What was answered before is on disk; what was not may be committed again.
- Connect to PostgreSQL itself or through a pooler that gives a connection to a whole session.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace as with_values
from functools import partial
from typing import TYPE_CHECKING

from aimem_relay.ledger import postgres_statements as sql
from aimem_relay.ledger import postgres_tables as tables
from aimem_relay.ledger import rows
from aimem_relay.ledger.plan import Plan, by_workspace, change_of
from aimem_relay.ledger.port import (
    Change,
    Committed,
    Copy,
    Due,
    DueThought,
    Job,
    LedgerDown,
    LedgerError,
    NoWorkspace,
    Outcome,
    Skipped,
    ThoughtRecords,
)
from crdt.entry import Checkpoint
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector

if TYPE_CHECKING:
    import asyncpg

    from aimem_relay.ledger.postgres_tables import Connection

_GRACE_S = 5
"""So much longer than the server does this side wait until it gives up a statement."""
_FAULT_OF_THE_JOB = ("22", "23", "54")
"""Classes of SQLSTATE: data, constraints, limits of the program."""
_WRONG_SETTINGS = ("0A", "28", "3D", "42")
"""Classes of SQLSTATE that at the start mean that somebody has to change something."""


class PostgresLedger:
    """A ledger in a PostgreSQL database.

    Args:
        url: ``postgresql://user:password@host:port/database``, or as libpq takes it.
        due: when a thought is worth a checkpoint.
        connections: how many connections there may be at a time.
        timeout: seconds after which what takes longer counts as failed.

    Raises:
        LedgerError: if the package that speaks to PostgreSQL is not installed.
    """

    def __init__(
        self, url: str, due: Due | None = None, *, connections: int = 8, timeout: float = 15
    ) -> None:
        try:
            import asyncpg
        except ImportError as error:
            raise LedgerError(
                "A PostgreSQL ledger needs the package asyncpg, which is not installed."
                " Run: pip install 'aimem[cluster]'."
            ) from error
        self._asyncpg = asyncpg
        self._url = url
        self._due = due or Due()
        self._connections = connections
        self._timeout = timeout
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def start(self) -> None:
        """Connect and bring the schema up to date.

        Raises:
            LedgerError: if that is not possible as things are set up.
        """
        try:
            connection = await self._asyncpg.connect(self._url, timeout=self._timeout)
            try:
                await tables.migrate(connection)
            finally:
                await connection.close(timeout=self._timeout)
            self._pool = await self._asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._connections,
                timeout=self._timeout,
                command_timeout=self._timeout + _GRACE_S,
                init=partial(tables.set_up, timeout=self._timeout),
                reset=tables.leave_as_it_is,
            )
        except LedgerError:
            raise
        except Exception as error:
            state = getattr(error, "sqlstate", None)
            if state is None and isinstance(error, ValueError):
                raise LedgerError("The URL of PostgreSQL is not valid.") from error
            if state is not None and state[:2] in _WRONG_SETTINGS:
                raise LedgerError(f"PostgreSQL refuses: {error}.") from error
            raise self._down(error) from error

    async def close(self) -> None:
        """Finish what was begun and close the connections."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def check(self) -> None:
        """Make sure that the server answers, and can write."""
        async with self._connection() as connection:
            if await connection.fetchval("SELECT pg_is_in_recovery()"):
                raise LedgerDown("PostgreSQL only reads: it is a standby.")

    async def commit(self, jobs: Sequence[Job]) -> Committed:
        """Store a group of jobs in one transaction."""
        groups = {
            workspace: [jobs[place] for place in places]
            for workspace, places in by_workspace(jobs).items()
        }
        while True:
            async with self._transaction() as connection:
                plans = await tables.plans_for(connection, groups)
                if plans is not None:
                    changes = await self._store(connection, plans)
                    break
            # Outside, as rows that are made wait for each other's transactions in any order.
            await self._make(list(groups))
        outcomes: list[Outcome] = [Skipped()] * len(jobs)
        for plan, places in zip(plans, by_workspace(jobs).values(), strict=True):
            for place, outcome in zip(places, plan.outcomes, strict=True):
                outcomes[place] = outcome
        return Committed(tuple(outcomes), tuple(changes))

    async def open(self, workspace: str) -> Copy:
        """What is known of a workspace; it is made if it is not there."""
        while True:
            async with self._connection() as connection:
                found = await connection.fetch(sql.COPY, bytes.fromhex(workspace), -1)
            if found:
                return rows.copy_of(tables.state_of(found[0]), tables.heads_in(found))
            await self._make([workspace])

    async def read(
        self, workspace: str, after: Cursor, known: Vector, most: int, most_bytes: int
    ) -> Slice:
        """The next records behind a cursor."""
        async with self._snapshot() as connection:
            state, heads = await tables.existing(connection, workspace)
            vector = Vector({head.replica: head.seq for head in heads})
            found = await tables.next_checkpoints(
                connection, state.number, after.checkpoint, known, most, most_bytes
            )
            if found.positions:
                checkpoints = await connection.fetch(
                    sql.CHECKPOINTS_AT, state.number, found.positions
                )
                more = found.more or await connection.fetchval(
                    sql.HAS_ENTRIES, state.number, after.entry
                )
                return Slice(
                    [rows.checkpoint_of(tuple(row)) for row in checkpoints],
                    (),
                    Cursor(found.at, after.entry),
                    rows.left_behind(state, after.entry, more=more),
                    vector,
                )
            entries = await connection.fetch(
                sql.NEXT_ENTRIES,
                state.number,
                after.entry,
                json.dumps(dict(known)),
                most + 1,
                most_bytes,
            )
        more = bool(entries) and entries[0]["found"] > min(len(entries), most)
        entries = entries[:most]
        end = entries[-1]["position"] if more else max(after.entry, state.last)
        return Slice(
            (),
            [rows.entry_of(tuple(row)[:-1]) for row in entries],
            Cursor(found.at, end),
            rows.left_behind(state, end, more=more),
            vector,
        )

    async def tail(
        self, workspace: str, since: int, after: int, most: int, most_bytes: int
    ) -> Change:
        """What has changed since a version."""
        async with self._snapshot() as connection:
            state, heads = await tables.existing(connection, workspace, since)
            behind, newest = await tables.newest_records(
                connection, state.number, after, most, most_bytes
            )
        return Change(
            workspace=workspace,
            replica=state.replica,
            log=state.log,
            since=since,
            version=state.version,
            behind=behind,
            last=state.last,
            last_checkpoint=state.last_checkpoint,
            count=state.count,
            size=state.size,
            heads=tuple(heads),
            records=tuple(newest),
        )

    async def versions(self, workspaces: Sequence[str]) -> Mapping[str, int]:
        """The versions of those workspaces that are there."""
        async with self._connection() as connection:
            found = await connection.fetch(sql.VERSIONS, [bytes.fromhex(w) for w in workspaces])
        return {row["id"].hex(): row["version"] for row in found}

    async def workspaces(self) -> Sequence[str]:
        """The ids of all workspaces."""
        async with self._connection() as connection:
            found = await connection.fetch(sql.WORKSPACES)
        return [row["id"].hex() for row in found]

    async def token(self, workspace: str, log: str) -> bytes:
        """The token last stored from a peer's log; empty for none."""
        async with self._connection() as connection:
            row = await connection.fetchrow(sql.TOKEN, bytes.fromhex(workspace), bytes.fromhex(log))
        if row is None:
            raise NoWorkspace(workspace)
        return row["token"] or b""

    async def size(self, workspace: str) -> int:
        """How many bytes the records of a workspace count for."""
        async with self._connection() as connection:
            return await connection.fetchval(sql.SIZE, bytes.fromhex(workspace)) or 0

    async def renew(self, workspace: str) -> Change:
        """Give the workspace another replica id and log id."""
        async with self._transaction() as connection:
            before, _ = await tables.locked(connection, workspace)
            after = with_values(
                before,
                replica=secrets.token_hex(16),
                log=secrets.token_hex(16),
                version=before.version + 1,
            )
            await connection.execute(
                sql.RENEW, before.number, bytes.fromhex(after.replica), bytes.fromhex(after.log)
            )
        return change_of(before, after, (), ())

    async def due(self, most: int, lease_ms: int) -> Sequence[DueThought]:
        """Thoughts that are worth a checkpoint."""
        now = int(time.time() * 1000)
        async with self._connection() as connection:
            await connection.execute(sql.FORGET_KEYS, now - rows.KEY_LIFE_MS)
            leased = await connection.fetch(sql.TAKE_DUE, now + lease_ms, now, most)
        return [DueThought(row["id"].hex(), row["thought"].hex()) for row in leased]

    async def records_of(self, workspace: str, thought: str) -> ThoughtRecords:
        """Everything that is held of a thought."""
        async with self._snapshot() as connection:
            state, _ = await tables.existing(connection, workspace)
            where = (state.number, bytes.fromhex(thought))
            checkpoints = await connection.fetch(sql.THOUGHT_CHECKPOINTS, *where)
            entries = await connection.fetch(sql.THOUGHT_ENTRIES, *where)
        return ThoughtRecords(
            state.last,
            [rows.checkpoint_of(tuple(row)) for row in checkpoints],
            [rows.entry_of(tuple(row)) for row in entries],
        )

    async def replace(
        self, workspace: str, thought: str, upto: int, checkpoint: Checkpoint
    ) -> Change | None:
        """Put one checkpoint in the place of a thought's records up to a position."""
        async with self._transaction() as connection:
            state, heads = await tables.locked(connection, workspace, checkpoint.vector)
            where = (state.number, bytes.fromhex(thought), upto)
            entries = await connection.fetch(sql.REPLACE_ENTRIES, *where)
            checkpoints = await connection.fetch(sql.REPLACE_CHECKPOINTS, *where)
            if not entries and not checkpoints:
                return None
            replaced = [Vector({row["replica"].hex(): row["seq"] for row in entries})]
            replaced += [Vector.from_bytes(row["vector"]) for row in checkpoints]
            rows.check_covers(checkpoint, replaced)
            fewer = sum(row["count"] for row in entries) + len(checkpoints)
            freed = sum(row["size"] for row in [*entries, *checkpoints])
            await connection.execute(sql.COUNT_ANEW, *where, self._due.records, self._due.size)
            before = with_values(state, count=state.count - fewer, size=state.size - freed)
            plan = Plan(before, heads, ())
            plan.put(checkpoint)
            change = plan.finish()
            await tables.write(connection, [plan], [change], self._due)
        return change

    async def set_aside(self, workspace: str, thought: str) -> None:
        """Never tell that this thought is due again."""
        async with self._connection() as connection:
            row = await connection.fetchrow(
                sql.SET_ASIDE, bytes.fromhex(workspace), bytes.fromhex(thought)
            )
        if row is None:
            raise NoWorkspace(workspace)

    async def _store(self, connection: Connection, plans: Sequence[Plan]) -> list[Change]:
        await tables.decide(connection, plans)
        changes = [plan.finish() for plan in plans]
        await tables.write(connection, plans, changes, self._due)
        return changes

    async def _make(self, workspaces: Sequence[str]) -> None:
        async with self._connection() as connection:
            await connection.execute(
                sql.MAKE,
                [bytes.fromhex(workspace) for workspace in workspaces],
                [secrets.token_bytes(16) for _ in workspaces],
                [secrets.token_bytes(16) for _ in workspaces],
            )

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with self._explained():
            if self._pool is None:
                raise LedgerDown("The ledger is closed.")
            async with self._pool.acquire(timeout=self._timeout) as connection:
                yield connection

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        # Named, as a server may have another default: after a lock was waited for, the next
        # statement has to see what its holder has committed.
        async with (
            self._connection() as connection,
            connection.transaction(isolation="read_committed"),
        ):
            yield connection

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, TimeoutError, self._asyncpg.InterfaceError) as error:
            if isinstance(error, ValueError):
                raise
            raise self._down(error) from error
        except self._asyncpg.PostgresError as error:
            if (error.sqlstate or "")[:2] in _FAULT_OF_THE_JOB:
                raise
            raise self._down(error) from error

    def _down(self, error: Exception) -> LedgerDown:
        # Its words may hold what was to be stored; its name never does.
        return LedgerDown(f"PostgreSQL does not answer as it should: {type(error).__name__}.")
