"""What the SQLite ledger writes, each on a connection that is inside a transaction."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace as with_values

import apsw

from aimem_relay.ledger import rows
from aimem_relay.ledger.plan import Plan, WorkspaceState, change_of, replicas_in
from aimem_relay.ledger.port import Change, Due, DueThought, Head, Job
from aimem_relay.ledger.sqlite_read import existing
from crdt.entry import Checkpoint, Entry
from crdt.vector import Vector

_ENTRY_PLACES = ", ".join("?" * (len(rows.ENTRY_COLUMNS.split(",")) + 1))
_CHECKPOINT_PLACES = ", ".join("?" * (len(rows.CHECKPOINT_COLUMNS.split(",")) + 1))


def made(connection: apsw.Connection, workspace: str) -> WorkspaceState:
    """A workspace's row; made if it is not there."""
    connection.execute(
        "INSERT INTO workspaces (id, replica, log, version, last, last_checkpoint, count, size)"
        " VALUES (?, ?, ?, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
        (bytes.fromhex(workspace), secrets.token_bytes(16), secrets.token_bytes(16)),
    )
    return existing(connection, workspace)


def store(
    connection: apsw.Connection, workspace: str, jobs: Sequence[Job], due: Due
) -> tuple[Plan, Change]:
    """Store the jobs of one workspace."""
    before = made(connection, workspace)
    number = before.number
    plan = Plan(
        before, _named_heads(connection, number, {before.replica, *replicas_in(jobs)}), jobs
    )
    plan.decide(
        _held(connection, number, plan.names),
        {thought: _vectors(connection, number, thought) for thought in plan.thoughts},
        [key for key in plan.keys if _is_known(connection, number, key)],
    )
    open_ends = plan.open_ends
    if open_ends:
        plan.advance(_held_behind(connection, number, open_ends))
    change = plan.finish()
    _write(connection, plan, change, due)
    return plan, change


def replace(
    connection: apsw.Connection,
    workspace: str,
    thought: str,
    upto: int,
    checkpoint: Checkpoint,
    due: Due,
) -> Change | None:
    """Put one checkpoint in the place of a thought's records up to a position."""
    state = existing(connection, workspace)
    where = (state.number, bytes.fromhex(thought), upto)
    gone = "workspace = ? AND thought = ? AND position <= ?"
    entries = list(
        connection.execute(
            "SELECT max(seq), replica, count(*), sum(size) FROM entries"
            f" WHERE {gone} GROUP BY replica",
            where,
        )
    )
    checkpoints = list(
        connection.execute(f"SELECT size, vector FROM checkpoints WHERE {gone}", where)
    )
    if not entries and not checkpoints:
        return None
    replaced = [Vector({replica.hex(): seq for seq, replica, _, _ in entries})]
    replaced += [Vector.from_bytes(vector) for _, vector in checkpoints]
    rows.check_covers(checkpoint, replaced)
    for table in ("entries", "checkpoints"):
        connection.execute(f"DELETE FROM {table} WHERE {gone}", where)
    fewer = sum(count for _, _, count, _ in entries) + len(checkpoints)
    freed = sum(size for _, _, _, size in entries) + sum(size for size, _ in checkpoints)
    before = with_values(state, count=state.count - fewer, size=state.size - freed)
    connection.execute(
        "UPDATE thoughts SET records = left.records, size = left.size, due = NOT sealed"
        " AND NOT aside AND (left.records >= ?4 OR left.size >= ?5), leased_until = 0"
        " FROM (SELECT count(*) AS records, coalesce(sum(size), 0) AS size FROM entries"
        " WHERE workspace = ?1 AND thought = ?2 AND position > ?3) AS left"
        " WHERE workspace = ?1 AND thought = ?2",
        (*where, due.records, due.size),
    )
    plan = Plan(before, _named_heads(connection, state.number, set(checkpoint.vector)), ())
    plan.put(checkpoint)
    change = plan.finish()
    _write(connection, plan, change, due)
    return change


def renew(connection: apsw.Connection, workspace: str) -> Change:
    """Give a workspace other ids."""
    before = existing(connection, workspace)
    after = with_values(
        before,
        replica=secrets.token_hex(16),
        log=secrets.token_hex(16),
        version=before.version + 1,
    )
    _write_state(connection, after)
    return change_of(before, after, (), ())


def due_thoughts(connection: apsw.Connection, most: int, lease_ms: int) -> list[DueThought]:
    """Take a lease on thoughts that are worth a checkpoint."""
    now = int(time.time() * 1000)
    connection.execute("DELETE FROM authored WHERE at < ?", (now - rows.KEY_LIFE_MS,))
    leased = list(
        connection.execute(
            "UPDATE thoughts SET leased_until = ?1 WHERE (workspace, thought) IN (SELECT workspace,"
            " thought FROM thoughts WHERE due AND leased_until <= ?2 ORDER BY leased_until LIMIT"
            " ?3) RETURNING (SELECT id FROM workspaces WHERE number = workspace), thought",
            (now + lease_ms, now, most),
        )
    )
    return [DueThought(workspace.hex(), thought.hex()) for workspace, thought in leased]


def set_aside(connection: apsw.Connection, workspace: str, thought: str) -> None:
    """Never tell again that a thought is due."""
    connection.execute(
        "INSERT INTO thoughts (workspace, thought, records, size, sealed, aside, due, leased_until)"
        " VALUES (?, ?, 0, 0, 0, 1, 0, 0) ON CONFLICT DO UPDATE SET aside = 1, due = 0",
        (existing(connection, workspace).number, bytes.fromhex(thought)),
    )


def _named_heads(connection: apsw.Connection, number: int, replicas: set[str]) -> dict[str, Head]:
    heads = {}
    for replica in replicas:
        row = connection.execute(
            "SELECT seq, reach, digest FROM heads WHERE workspace = ? AND replica = ?",
            (number, bytes.fromhex(replica)),
        ).fetchone()
        if row is not None:
            heads[replica] = Head(replica, *row)
    return heads


def _held(
    connection: apsw.Connection, number: int, names: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], bytes]:
    digests = {}
    for replica, seq in names:
        row = connection.execute(
            "SELECT digest FROM entries WHERE workspace = ? AND replica = ? AND seq = ?",
            (number, bytes.fromhex(replica), seq),
        ).fetchone()
        if row is not None:
            digests[replica, seq] = row[0]
    return digests


def _held_behind(
    connection: apsw.Connection, number: int, ends: Mapping[str, int]
) -> dict[tuple[str, int], bytes]:
    return {
        (replica, seq): digest
        for replica, end in ends.items()
        for seq, digest in connection.execute(
            "SELECT seq, digest FROM entries WHERE workspace = ? AND replica = ? AND seq > ?",
            (number, bytes.fromhex(replica), end),
        )
    }


def _vectors(connection: apsw.Connection, number: int, thought: str) -> list[Vector]:
    return [
        Vector.from_bytes(vector)
        for (vector,) in connection.execute(
            "SELECT vector FROM checkpoints WHERE workspace = ? AND thought = ?",
            (number, bytes.fromhex(thought)),
        )
    ]


def _is_known(connection: apsw.Connection, number: int, key: bytes) -> bool:
    found = connection.execute(
        "SELECT 1 FROM authored WHERE workspace = ? AND key = ?", (number, key)
    )
    return found.fetchone() is not None


def _write(connection: apsw.Connection, plan: Plan, change: Change, due: Due) -> None:
    number = plan.before.number
    entries, checkpoints = [], []
    for position, item in ((record.position, record.item) for record in plan.records):
        if isinstance(item, Entry):
            digest = plan.digests[item.replica, item.seq]
            entries.append((number, *rows.entry_row(position, item, digest)))
        else:
            checkpoints.append((number, *rows.checkpoint_row(position, item)))
    connection.executemany(
        f"INSERT INTO entries (workspace, {rows.ENTRY_COLUMNS}) VALUES ({_ENTRY_PLACES})", entries
    )
    connection.executemany(
        f"INSERT INTO checkpoints (workspace, {rows.CHECKPOINT_COLUMNS})"
        f" VALUES ({_CHECKPOINT_PLACES})",
        checkpoints,
    )
    connection.executemany(
        "INSERT OR REPLACE INTO heads (workspace, replica, seq, reach, digest, version)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (number, bytes.fromhex(h.replica), h.seq, h.reach, h.digest, change.version)
            for h in change.heads
        ],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO tokens (workspace, log, token) VALUES (?, ?, ?)",
        [(number, bytes.fromhex(log), token) for log, token in plan.tokens.items()],
    )
    connection.executemany(
        "INSERT INTO authored (workspace, key, at) VALUES (?, ?, ?)",
        [(number, key, at) for key, at in plan.new_keys.items()],
    )
    connection.executemany(
        "INSERT INTO thoughts (workspace, thought, records, size, sealed, aside, due, leased_until)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 0, NOT ?5 AND (?3 >= ?6 OR ?4 >= ?7), 0)"
        " ON CONFLICT DO UPDATE SET records = records + excluded.records,"
        " size = size + excluded.size, sealed = sealed OR excluded.sealed,"
        " due = NOT aside AND NOT (sealed OR excluded.sealed)"
        " AND (records + excluded.records >= ?6 OR size + excluded.size >= ?7)",
        [
            (
                number,
                bytes.fromhex(thought),
                growth.records,
                growth.size,
                growth.sealed,
                due.records,
                due.size,
            )
            for thought, growth in plan.growth.items()
        ],
    )
    _write_state(connection, plan.after)


def _write_state(connection: apsw.Connection, state: WorkspaceState) -> None:
    connection.execute(
        "UPDATE workspaces SET replica = ?, log = ?, version = ?, last = ?, last_checkpoint = ?,"
        " count = ?, size = ? WHERE number = ?",
        (
            bytes.fromhex(state.replica),
            bytes.fromhex(state.log),
            state.version,
            state.last,
            state.last_checkpoint,
            state.count,
            state.size,
            state.number,
        ),
    )
