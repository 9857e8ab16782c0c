"""How the PostgreSQL ledger loads what its plans ask for, and writes what they say.

Each function runs on a connection that is inside a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from aimem_relay.ledger import migrations, rows
from aimem_relay.ledger import postgres_statements as sql
from aimem_relay.ledger.plan import Plan, WorkspaceState, replicas_in
from aimem_relay.ledger.port import Change, Due, Head, Job, LedgerError, NoWorkspace, Record
from crdt.entry import Entry
from crdt.vector import Vector

if TYPE_CHECKING:
    import asyncpg

    # What a pool gives stands in for the connection that it wraps.
    Connection: TypeAlias = (
        asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    )

SCHEMA = "aimem_relay"
_MIGRATION_LOCK = 0x41494D454D
_COPY_FROM = 64
"""From so many rows on, COPY is worth a round trip of its own."""
_ENTRY_COLUMNS = ["workspace", *rows.ENTRY_COLUMNS.split(", ")]
_STATE_COLUMNS = len(rows.WORKSPACE_COLUMNS.split(","))


@dataclass(frozen=True, slots=True)
class NextCheckpoints:
    """Which checkpoints come next behind a cursor."""

    positions: Sequence[int]
    at: int
    """Everything up to this position was looked at."""
    more: bool
    """Whether others are behind."""


async def set_up(connection: Connection, timeout: float) -> None:
    """Make a new connection ready.

    Args:
        timeout: seconds that a statement, or a pause within a transaction, may last.
    """
    most = f"{timeout * 1000:.0f}ms"
    await connection.execute(
        f"SET search_path = {SCHEMA};"
        f"SET statement_timeout = '{most}';"
        f"SET idle_in_transaction_session_timeout = '{most}'"
    )
    # What is stricter, as to wait for a standby, stays as it is.
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )


async def leave_as_it_is(connection: Connection) -> None:
    """In place of the statements that would undo ``set_up`` after each use of a connection."""


async def migrate(connection: Connection) -> None:
    """Bring the schema up to date; of several pods that start at once, one does.

    Raises:
        LedgerError: if it is newer, or the server may lose what it says is stored.
    """
    if await connection.fetchval("SHOW fsync") == "off":
        raise LedgerError(
            "PostgreSQL runs with fsync off: after a crash, what it has said is stored may be"
            " gone. Set fsync = on in postgresql.conf."
        )
    known = migrations.load("postgres")
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        if not await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", SCHEMA):
            await connection.execute(f"CREATE SCHEMA {SCHEMA}")
        await connection.execute(f"SET LOCAL search_path = {SCHEMA}")
        await connection.execute(sql.VERSION_TABLE)
        version = await connection.fetchval("SELECT max(number) FROM schema_version") or 0
        for migration in migrations.missing(known, version):
            await connection.execute(migration.sql)
            await connection.execute("INSERT INTO schema_version VALUES ($1)", migration.number)


async def plans_for(
    connection: Connection, groups: Mapping[str, Sequence[Job]]
) -> list[Plan] | None:
    """Lock the workspaces and begin a plan for each; None where one of them is not there."""
    named, replicas = [], []
    for workspace, jobs in groups.items():
        for replica in replicas_in(jobs):
            named.append(bytes.fromhex(workspace))
            replicas.append(bytes.fromhex(replica))
    states: dict[str, WorkspaceState] = {}
    heads: dict[str, dict[str, Head]] = {workspace: {} for workspace in groups}
    for row in await connection.fetch(
        sql.LOCK, [bytes.fromhex(workspace) for workspace in groups], named, replicas
    ):
        workspace = row["id"].hex()
        if workspace not in states:
            states[workspace] = state_of(row)
        head = _head_of(row)
        if head is not None:
            heads[workspace][head.replica] = head
    if len(states) < len(groups):
        return None
    return [Plan(states[one], heads[one], jobs) for one, jobs in groups.items()]


async def decide(connection: Connection, plans: Sequence[Plan]) -> None:
    """Answer what the plans ask, and let them decide."""
    digests = await _digests(
        connection, sql.HELD, [(plan, *name) for plan in plans for name in plan.names]
    )
    vectors: dict[int, dict[str, list[Vector]]] = {}
    thoughts = [(plan, thought) for plan in plans for thought in plan.thoughts]
    if thoughts:
        for row in await connection.fetch(
            sql.VECTORS,
            [plan.before.number for plan, _ in thoughts],
            [bytes.fromhex(thought) for _, thought in thoughts],
        ):
            of_thought = vectors.setdefault(row["workspace"], {})
            of_thought.setdefault(row["thought"].hex(), []).append(Vector.from_bytes(row["vector"]))
    known: dict[int, list[bytes]] = {}
    keys = [(plan, key) for plan in plans for key in plan.keys]
    if keys:
        for row in await connection.fetch(
            sql.KNOWN_KEYS, [plan.before.number for plan, _ in keys], [key for _, key in keys]
        ):
            known.setdefault(row["workspace"], []).append(row["key"])
    for plan in plans:
        number = plan.before.number
        plan.decide(digests.get(number, {}), vectors.get(number, {}), known.get(number, []))
    behind = await _digests(
        connection,
        sql.HELD_BEHIND,
        [(plan, *end) for plan in plans for end in plan.open_ends.items()],
    )
    for plan in plans:
        if plan.before.number in behind:
            plan.advance(behind[plan.before.number])


async def write(
    connection: Connection, plans: Sequence[Plan], changes: Sequence[Change], due: Due
) -> None:
    """Write what finished plans say."""
    changed = [plan.after for plan in plans if plan.after is not plan.before]
    heads = [
        (plan.before.number, head, change.version)
        for plan, change in zip(plans, changes, strict=True)
        for head in change.heads
    ]
    tokens = [(plan.before.number, *token) for plan in plans for token in plan.tokens.items()]
    growth = [(plan.before.number, *one) for plan in plans for one in plan.growth.items()]
    entries, checkpoints = _new_rows(plans)
    if len(entries) >= _COPY_FROM:
        await connection.copy_records_to_table(
            "entries", records=entries, columns=_ENTRY_COLUMNS, schema_name=SCHEMA
        )
        entries = []
    await connection.execute(
        sql.WRITE,
        [state.number for state in changed],
        [state.version for state in changed],
        [state.last for state in changed],
        [state.last_checkpoint for state in changed],
        [state.count for state in changed],
        [state.size for state in changed],
        [number for number, _, _ in heads],
        [bytes.fromhex(head.replica) for _, head, _ in heads],
        [head.seq for _, head, _ in heads],
        [head.reach for _, head, _ in heads],
        [head.digest for _, head, _ in heads],
        [version for _, _, version in heads],
        [number for number, _, _ in tokens],
        [bytes.fromhex(log) for _, log, _ in tokens],
        [token for _, _, token in tokens],
        [number for number, _, _ in growth],
        [bytes.fromhex(thought) for _, thought, _ in growth],
        [one.records for _, _, one in growth],
        [one.size for _, _, one in growth],
        [one.sealed for _, _, one in growth],
        due.records,
        due.size,
        *_columns(entries, 13),
    )
    if checkpoints:
        await connection.execute(sql.WRITE_CHECKPOINTS, *_columns(checkpoints, 10))
    keys = [(plan.before.number, *key) for plan in plans for key in plan.new_keys.items()]
    if keys:
        await connection.execute(sql.WRITE_KEYS, *_columns(keys, 3))


async def existing(
    connection: Connection, workspace: str, since: int = -1
) -> tuple[WorkspaceState, list[Head]]:
    """A workspace's row, and its heads that have changed since a version.

    Raises:
        NoWorkspace: if it is not there.
    """
    found = await connection.fetch(sql.COPY, bytes.fromhex(workspace), since)
    if not found:
        raise NoWorkspace(workspace)
    return state_of(found[0]), heads_in(found)


async def locked(
    connection: Connection, workspace: str, replicas: Iterable[str] = ()
) -> tuple[WorkspaceState, dict[str, Head]]:
    """A workspace's row, locked, and the heads of some replicas.

    Raises:
        NoWorkspace: if it is not there.
    """
    named = [bytes.fromhex(replica) for replica in replicas]
    one = bytes.fromhex(workspace)
    found = await connection.fetch(sql.LOCK, [one], [one] * len(named), named)
    if not found:
        raise NoWorkspace(workspace)
    return state_of(found[0]), {head.replica: head for head in heads_in(found)}


async def next_checkpoints(
    connection: Connection, number: int, after: int, known: Vector, most: int, most_bytes: int
) -> NextCheckpoints:
    """Choose from the vectors alone: a page of states might not fit into memory."""
    positions: list[int] = []
    at, size = after, 0
    async for row in connection.cursor(sql.CHECKPOINT_VECTORS, number, after, prefetch=most + 1):
        if not known.covers(Vector.from_bytes(row["vector"])):
            size += row["size"]
            if positions and (size > most_bytes or len(positions) == most):
                return NextCheckpoints(positions, at, more=True)
            positions.append(row["position"])
        at = row["position"]
    return NextCheckpoints(positions, at, more=False)


async def newest_records(
    connection: Connection, number: int, after: int, most: int, most_bytes: int
) -> tuple[int, list[Record]]:
    """The newest records behind a position, without a hole, and behind which position they are."""
    behind, size, count = after, 0, 0
    for row in await connection.fetch(sql.NEWEST_SIZES, number, after, most + 1):
        size += row["size"]
        if size > most_bytes or count == most:
            behind = row["position"]
            break
        count += 1
    if not count:
        return behind, []
    entries = await connection.fetch(sql.ENTRIES_BEHIND, number, behind)
    checkpoints = await connection.fetch(sql.CHECKPOINTS_BEHIND, number, behind)
    records = [Record(row["position"], rows.entry_of(tuple(row))) for row in entries]
    records += [Record(row["position"], rows.checkpoint_of(tuple(row))) for row in checkpoints]
    return behind, sorted(records, key=lambda record: record.position)


def state_of(row: asyncpg.Record) -> WorkspaceState:
    """The workspace at the beginning of a row."""
    return rows.workspace_of(tuple(row)[:_STATE_COLUMNS])


def heads_in(found: Iterable[asyncpg.Record]) -> list[Head]:
    """The heads that stand beside a workspace, one in each row."""
    return [head for row in found if (head := _head_of(row)) is not None]


def _head_of(row: asyncpg.Record) -> Head | None:
    if row["head"] is None:
        return None
    return Head(row["head"].hex(), row["seq"], row["reach"], row["digest"])


async def _digests(
    connection: Connection, statement: str, names: Sequence[tuple[Plan, str, int]]
) -> dict[int, dict[tuple[str, int], bytes]]:
    """Digests by the workspace's number and the entry's name."""
    digests: dict[int, dict[tuple[str, int], bytes]] = {}
    if names:
        for row in await connection.fetch(
            statement,
            [plan.before.number for plan, _, _ in names],
            [bytes.fromhex(replica) for _, replica, _ in names],
            [seq for _, _, seq in names],
        ):
            name = (row["replica"].hex(), row["seq"])
            digests.setdefault(row["workspace"], {})[name] = row["digest"]
    return digests


def _new_rows(plans: Sequence[Plan]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    entries, checkpoints = [], []
    for plan in plans:
        number = plan.before.number
        for record in plan.records:
            item = record.item
            if isinstance(item, Entry):
                digest = plan.digests[item.replica, item.seq]
                entries.append((number, *rows.entry_row(record.position, item, digest)))
            else:
                checkpoints.append((number, *rows.checkpoint_row(record.position, item)))
    return entries, checkpoints


def _columns(table: Sequence[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return list(zip(*table, strict=True)) if table else [()] * width
