"""What the SQLite ledger reads, each on a connection that is inside a transaction."""

from __future__ import annotations

import json

import apsw

from aimem_relay.ledger import rows
from aimem_relay.ledger.plan import WorkspaceState
from aimem_relay.ledger.port import Change, Head, NoWorkspace, Record, ThoughtRecords
from crdt.entry import Checkpoint, Entry
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector


def state_of(connection: apsw.Connection, workspace: str) -> WorkspaceState | None:
    """A workspace's row; None where it is not there."""
    row = connection.execute(
        f"SELECT {rows.WORKSPACE_COLUMNS} FROM workspaces WHERE id = ?",
        (bytes.fromhex(workspace),),
    ).fetchone()
    return None if row is None else rows.workspace_of(row)


def workspaces(connection: apsw.Connection) -> list[str]:
    """The ids of all workspaces."""
    found = connection.execute("SELECT id FROM workspaces ORDER BY id")
    return [workspace.hex() for (workspace,) in found]


def existing(connection: apsw.Connection, workspace: str) -> WorkspaceState:
    """A workspace's row.

    Raises:
        NoWorkspace: if it is not there.
    """
    state = state_of(connection, workspace)
    if state is None:
        raise NoWorkspace(workspace)
    return state


def heads_of(connection: apsw.Connection, number: int, since: int = -1) -> list[Head]:
    """The heads of a workspace that have changed since a version."""
    return [
        Head(replica.hex(), seq, reach, digest)
        for replica, seq, reach, digest in connection.execute(
            "SELECT replica, seq, reach, digest FROM heads WHERE workspace = ? AND version > ?",
            (number, since),
        )
    ]


def read(
    connection: apsw.Connection,
    workspace: str,
    after: Cursor,
    known: Vector,
    most: int,
    most_bytes: int,
) -> Slice:
    """The next records behind a cursor."""
    state = existing(connection, workspace)
    vector = Vector({head.replica: head.seq for head in heads_of(connection, state.number)})
    checkpoints: list[Checkpoint] = []
    at, size, more = after.checkpoint, 0, False
    for row in connection.execute(
        f"SELECT {rows.CHECKPOINT_COLUMNS} FROM checkpoints"
        " WHERE workspace = ? AND position > ? ORDER BY position",
        (state.number, after.checkpoint),
    ):
        if not known.covers(Vector.from_bytes(row[3])):
            size += row[1]
            if checkpoints and (size > most_bytes or len(checkpoints) == most):
                more = True
                break
            checkpoints.append(rows.checkpoint_of(row))
        at = row[0]
    if checkpoints:
        more = more or _has_entries(connection, state.number, after.entry)
        left = rows.left_behind(state, after.entry, more=more)
        return Slice(checkpoints, (), Cursor(at, after.entry), left, vector)
    entries: list[Entry] = []
    position, size = after.entry, 0
    for row in connection.execute(
        # The join is from the entries outwards, so they come in the order of their index.
        "WITH known AS MATERIALIZED (SELECT unhex(key) AS replica, value AS seq FROM json_each(?))"
        f" SELECT {', '.join(f'e.{name.strip()}' for name in rows.ENTRY_COLUMNS.split(','))}"
        " FROM entries e LEFT JOIN known k ON k.replica = e.replica"
        " WHERE e.workspace = ? AND e.position > ? AND (k.seq IS NULL OR e.seq > k.seq)"
        " ORDER BY e.position LIMIT ?",
        (json.dumps(dict(known)), state.number, after.entry, most + 1),
    ):
        size += row[3]
        if entries and (size > most_bytes or len(entries) == most):
            left = rows.left_behind(state, position, more=True)
            return Slice((), entries, Cursor(at, position), left, vector)
        entries.append(rows.entry_of(row))
        position = row[0]
    return Slice((), entries, Cursor(at, max(after.entry, state.last)), 0, vector)


def tail(
    connection: apsw.Connection, workspace: str, since: int, after: int, most: int, most_bytes: int
) -> Change:
    """What has changed since a version, and the newest records behind a position."""
    state = existing(connection, workspace)
    number = state.number
    newest: list[int] = []
    size, behind = 0, after
    for position, one in connection.execute(
        "SELECT position, size FROM entries WHERE workspace = ?1 AND position > ?2"
        " UNION ALL SELECT position, size FROM checkpoints WHERE workspace = ?1 AND position > ?2"
        " ORDER BY position DESC LIMIT ?3",
        (number, after, most + 1),
    ):
        size += one
        if size > most_bytes or len(newest) == most:
            behind = position
            break
        newest.append(position)
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
        heads=tuple(heads_of(connection, number, since)),
        records=_records(connection, number, behind) if newest else (),
    )


def records_of(connection: apsw.Connection, workspace: str, thought: str) -> ThoughtRecords:
    """All records of a thought."""
    state = existing(connection, workspace)
    where = (state.number, bytes.fromhex(thought))
    return ThoughtRecords(
        state.last,
        [
            rows.checkpoint_of(row)
            for row in connection.execute(
                f"SELECT {rows.CHECKPOINT_COLUMNS} FROM checkpoints"
                " WHERE workspace = ? AND thought = ? ORDER BY position",
                where,
            )
        ],
        [
            rows.entry_of(row)
            for row in connection.execute(
                f"SELECT {rows.ENTRY_COLUMNS} FROM entries"
                " WHERE workspace = ? AND thought = ? ORDER BY position",
                where,
            )
        ],
    )


def token(connection: apsw.Connection, workspace: str, log: str) -> bytes:
    """The token last stored from a peer's log; empty for none."""
    row = connection.execute(
        "SELECT token FROM tokens WHERE workspace = ? AND log = ?",
        (existing(connection, workspace).number, bytes.fromhex(log)),
    ).fetchone()
    return b"" if row is None else row[0]


def _has_entries(connection: apsw.Connection, number: int, after: int) -> bool:
    found = connection.execute(
        "SELECT 1 FROM entries WHERE workspace = ? AND position > ? LIMIT 1", (number, after)
    )
    return found.fetchone() is not None


def _records(connection: apsw.Connection, number: int, behind: int) -> tuple[Record, ...]:
    records = [
        Record(row[0], rows.entry_of(row))
        for row in connection.execute(
            f"SELECT {rows.ENTRY_COLUMNS} FROM entries WHERE workspace = ? AND position > ?",
            (number, behind),
        )
    ]
    records += [
        Record(row[0], rows.checkpoint_of(row))
        for row in connection.execute(
            f"SELECT {rows.CHECKPOINT_COLUMNS} FROM checkpoints"
            " WHERE workspace = ? AND position > ?",
            (number, behind),
        )
    ]
    return tuple(sorted(records, key=lambda record: record.position))
