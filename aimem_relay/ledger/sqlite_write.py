"""What the SQLite ledger writes beside groups, each inside a transaction."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace as with_values

import apsw

from aimem_relay.ledger import rows
from aimem_relay.ledger.plan import Plan, WorkspaceState, change_of
from aimem_relay.ledger.port import Change, Due, DueThought
from aimem_relay.ledger.sqlite_group import named_heads, write
from aimem_relay.ledger.sqlite_read import existing
from crdt.entry import Checkpoint
from crdt.vector import Vector


def made(connection: apsw.Connection, workspace: str) -> WorkspaceState:
    """A workspace's row; made if it is not there."""
    connection.execute(
        "INSERT INTO workspaces (id, replica, log, version, last, last_checkpoint, count, size)"
        " VALUES (?, ?, ?, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING",
        (bytes.fromhex(workspace), secrets.token_bytes(16), secrets.token_bytes(16)),
    )
    return existing(connection, workspace)


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
    named = named_heads(connection, [(state.number, replica) for replica in checkpoint.vector])
    plan = Plan(before, {head.replica: head for _, head in named}, ())
    plan.put(checkpoint)
    change = plan.finish()
    write(connection, [plan], [change], due)
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
    connection.execute(
        "UPDATE workspaces SET replica = ?, log = ?, version = ? WHERE number = ?",
        (bytes.fromhex(after.replica), bytes.fromhex(after.log), after.version, after.number),
    )
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
