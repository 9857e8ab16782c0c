"""A group of jobs in the SQLite ledger: few statements, however many workspaces it is about.

- Each statement hands the interpreter to other threads and has to get it back; beside a busy event
  loop that costs far more than the statement. So rows of all workspaces of a group are written
  together, many rows a statement, and what is asked is asked for all of them at once.
- :class:`Memory` keeps the rows and heads of workspaces that were written to lately, so that most
  groups ask nothing. It is good while no other connection has changed the file
  (``PRAGMA data_version``, asked inside the transaction) and nothing else was done on this one.
- What a group changes is remembered once it is committed, not before.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import apsw

from aimem_relay.ledger import rows
from aimem_relay.ledger.plan import Plan, WorkspaceState, replicas_in
from aimem_relay.ledger.port import Change, Due, Head, Job
from crdt.entry import Entry
from crdt.vector import Vector

_MOST_HEADS = 100_000
"""So many heads are remembered; with more, all are forgotten."""
_MOST_ROWS = 64
"""So many rows are written by one statement, or a smaller power of two."""

_INSERT_ENTRIES = f"INSERT INTO entries (workspace, {rows.ENTRY_COLUMNS})"
_INSERT_CHECKPOINTS = f"INSERT INTO checkpoints (workspace, {rows.CHECKPOINT_COLUMNS})"
_INSERT_HEADS = "INSERT OR REPLACE INTO heads (workspace, replica, seq, reach, digest, version)"
_INSERT_TOKENS = "INSERT OR REPLACE INTO tokens (workspace, log, token)"
_INSERT_KEYS = "INSERT INTO authored (workspace, key, at)"
_INSERT_STATES = f"INSERT INTO workspaces ({rows.WORKSPACE_COLUMNS})"
_OR_UPDATE_STATES = (
    " ON CONFLICT (number) DO UPDATE SET replica = excluded.replica, log = excluded.log,"
    " version = excluded.version, last = excluded.last,"
    " last_checkpoint = excluded.last_checkpoint, count = excluded.count, size = excluded.size"
)
_INSERT_THOUGHTS = (
    "INSERT INTO thoughts (workspace, thought, records, size, sealed, due, aside, leased_until)"
)


class Memory:
    """What the writing connection knows of the file without asking."""

    def __init__(self) -> None:
        self.states: dict[str, WorkspaceState] = {}
        self.heads: dict[str, dict[str, Head]] = {}
        """For each workspace some heads; with number 0 those of replicas that are not there."""
        self._count = 0
        self._data_version = 0

    def check(self, connection: apsw.Connection) -> None:
        """Forget everything if another connection has changed the file; call it within a
        transaction that writes."""
        found = connection.pragma("data_version")
        if found != self._data_version or self._count > _MOST_HEADS:
            self.forget()
            self._data_version = found

    def forget(self) -> None:
        """Forget everything: something else was done with the file."""
        self.states.clear()
        self.heads.clear()
        self._count = 0

    def learn(self, workspace: str, heads: Iterable[Head]) -> None:
        """Remember heads, as they are in the file."""
        known = self.heads.setdefault(workspace, {})
        before = len(known)
        known.update((head.replica, head) for head in heads)
        self._count += len(known) - before

    def committed(self, plans: Iterable[Plan]) -> None:
        """Remember what was changed, now that it is on disk."""
        for plan in plans:
            self.states[plan.after.workspace] = plan.after
            self.learn(plan.after.workspace, plan.heads)


def store(
    connection: apsw.Connection, memory: Memory, groups: Mapping[str, Sequence[Job]], due: Due
) -> tuple[list[Plan], list[Change]]:
    """Store the jobs of some workspaces. Once that is committed, ``memory`` is to be told."""
    memory.check(connection)
    plans = _plans(connection, memory, groups)
    _decide(connection, plans)
    changes = [plan.finish() for plan in plans]
    write(connection, plans, changes, due)
    return plans, changes


def write(
    connection: apsw.Connection, plans: Sequence[Plan], changes: Sequence[Change], due: Due
) -> None:
    """Write what finished plans say."""
    entries, checkpoints, heads, tokens, keys, thoughts = [], [], [], [], [], []
    for plan, change in zip(plans, changes, strict=True):
        number = plan.before.number
        for record in plan.records:
            item = record.item
            if isinstance(item, Entry):
                digest = plan.digests[item.replica, item.seq]
                entries.append((number, *rows.entry_row(record.position, item, digest)))
            else:
                checkpoints.append((number, *rows.checkpoint_row(record.position, item)))
        for head in change.heads:
            replica = bytes.fromhex(head.replica)
            heads.append((number, replica, head.seq, head.reach, head.digest, change.version))
        tokens += [(number, bytes.fromhex(log), token) for log, token in plan.tokens.items()]
        keys += [(number, key, at) for key, at in plan.new_keys.items()]
        for thought, growth in plan.growth.items():
            is_due = not growth.sealed and (
                growth.records >= due.records or growth.size >= due.size
            )
            counts = (growth.records, growth.size, growth.sealed, is_due)
            thoughts.append((number, bytes.fromhex(thought), *counts, 0, 0))
    states = [_state_row(plan.after) for plan in plans if plan.after is not plan.before]
    _insert(connection, _INSERT_ENTRIES, entries)
    _insert(connection, _INSERT_CHECKPOINTS, checkpoints)
    _insert(connection, _INSERT_HEADS, heads)
    _insert(connection, _INSERT_TOKENS, tokens)
    _insert(connection, _INSERT_KEYS, keys)
    _insert(connection, _INSERT_THOUGHTS, thoughts, _or_grow(due))
    _insert(connection, _INSERT_STATES, states, _OR_UPDATE_STATES)


def named_heads(
    connection: apsw.Connection, names: Iterable[tuple[int, str]]
) -> Iterator[tuple[int, Head]]:
    """Those heads that are there, of replicas named by their workspace's number and their id."""
    for number, replica, seq, reach, digest in connection.execute(
        "SELECT h.workspace, h.replica, h.seq, h.reach, h.digest FROM json_each(?) n JOIN heads h"
        " ON h.workspace = n.value ->> 0 AND h.replica = unhex(n.value ->> 1)",
        (json.dumps([*names]),),
    ):
        yield number, Head(replica.hex(), seq, reach, digest)


def _plans(
    connection: apsw.Connection, memory: Memory, groups: Mapping[str, Sequence[Job]]
) -> list[Plan]:
    """Begin a plan for each workspace; those that are not there are made."""
    strange = [workspace for workspace in groups if workspace not in memory.states]
    if strange:
        _meet(connection, memory, strange)
    states = memory.states
    wanted = {
        workspace: {states[workspace].replica, *replicas_in(jobs)}
        for workspace, jobs in groups.items()
    }
    unknown = [
        (states[workspace].number, workspace, replica)
        for workspace, replicas in wanted.items()
        for replica in replicas.difference(memory.heads.get(workspace, ()))
    ]
    if unknown:
        workspaces = {number: workspace for number, workspace, _ in unknown}
        for _, workspace, replica in unknown:
            memory.learn(workspace, [Head(replica, 0, 0, b"")])
        for number, head in named_heads(connection, [(n, replica) for n, _, replica in unknown]):
            memory.learn(workspaces[number], [head])
    return [
        Plan(
            states[workspace],
            {replica: memory.heads[workspace][replica] for replica in wanted[workspace]},
            jobs,
        )
        for workspace, jobs in groups.items()
    ]


def _meet(connection: apsw.Connection, memory: Memory, workspaces: Sequence[str]) -> None:
    """Remember the rows of workspaces; made where they are not there."""
    new = [
        (bytes.fromhex(workspace), secrets.token_bytes(16), secrets.token_bytes(16), 0, 0, 0, 0, 0)
        for workspace in workspaces
    ]
    columns = rows.WORKSPACE_COLUMNS.removeprefix("number, ")
    _insert(connection, f"INSERT INTO workspaces ({columns})", new, " ON CONFLICT DO NOTHING")
    for row in connection.execute(
        f"SELECT {rows.WORKSPACE_COLUMNS} FROM workspaces"
        " WHERE id IN (SELECT unhex(value) FROM json_each(?))",
        (json.dumps(workspaces),),
    ):
        state = rows.workspace_of(row)
        memory.states[state.workspace] = state


def _decide(connection: apsw.Connection, plans: Sequence[Plan]) -> None:
    """Answer what the plans ask, and let them decide."""
    digests = _digests(
        connection, "=", [(plan.before.number, *name) for plan in plans for name in plan.names]
    )
    vectors: dict[int, dict[str, list[Vector]]] = {}
    thoughts = [(plan.before.number, thought) for plan in plans for thought in plan.thoughts]
    if thoughts:
        for number, thought, vector in connection.execute(
            "SELECT c.workspace, c.thought, c.vector FROM json_each(?) n JOIN checkpoints c"
            " ON c.workspace = n.value ->> 0 AND c.thought = unhex(n.value ->> 1)",
            (json.dumps(thoughts),),
        ):
            of_thought = vectors.setdefault(number, {})
            of_thought.setdefault(thought.hex(), []).append(Vector.from_bytes(vector))
    known: dict[int, list[bytes]] = {}
    keys = [(plan.before.number, key.hex()) for plan in plans for key in plan.keys]
    if keys:
        for number, key in connection.execute(
            "SELECT a.workspace, a.key FROM json_each(?) n JOIN authored a"
            " ON a.workspace = n.value ->> 0 AND a.key = unhex(n.value ->> 1)",
            (json.dumps(keys),),
        ):
            known.setdefault(number, []).append(key)
    for plan in plans:
        number = plan.before.number
        plan.decide(digests.get(number, {}), vectors.get(number, {}), known.get(number, []))
    behind = _digests(
        connection,
        ">",
        [(plan.before.number, *end) for plan in plans for end in plan.open_ends.items()],
    )
    for plan in plans:
        if plan.before.number in behind:
            plan.advance(behind[plan.before.number])


def _digests(
    connection: apsw.Connection, compare: str, names: Sequence[tuple[int, str, int]]
) -> dict[int, dict[tuple[str, int], bytes]]:
    """Digests by the workspace's number and the entry's name."""
    digests: dict[int, dict[tuple[str, int], bytes]] = {}
    if names:
        for number, replica, seq, digest in connection.execute(
            "SELECT e.workspace, e.replica, e.seq, e.digest FROM json_each(?) n JOIN entries e"
            " ON e.workspace = n.value ->> 0 AND e.replica = unhex(n.value ->> 1)"
            f" AND e.seq {compare} n.value ->> 2",
            (json.dumps(names),),
        ):
            digests.setdefault(number, {})[replica.hex(), seq] = digest
    return digests


def _insert(
    connection: apsw.Connection, into: str, table: Sequence[tuple[Any, ...]], tail: str = ""
) -> None:
    """Write rows, many by one statement. Their numbers are powers of two, so that few different
    statements are prepared and each is kept."""
    at, count = 0, _MOST_ROWS
    while at < len(table):
        while count > len(table) - at:
            count //= 2
        places = f"({', '.join('?' * len(table[0]))})"
        connection.execute(
            f"{into} VALUES {', '.join([places] * count)}{tail}",
            [value for row in table[at : at + count] for value in row],
        )
        at += count


def _or_grow(due: Due) -> str:
    records, size = "records + excluded.records", "size + excluded.size"
    return (
        f" ON CONFLICT DO UPDATE SET records = {records}, size = {size},"
        " sealed = sealed OR excluded.sealed, due = NOT aside AND NOT (sealed OR excluded.sealed)"
        f" AND ({records} >= {due.records:d} OR {size} >= {due.size:d})"
    )


def _state_row(state: WorkspaceState) -> tuple[Any, ...]:
    """The values of ``WORKSPACE_COLUMNS``."""
    return (
        state.number,
        bytes.fromhex(state.workspace),
        bytes.fromhex(state.replica),
        bytes.fromhex(state.log),
        state.version,
        state.last,
        state.last_checkpoint,
        state.count,
        state.size,
    )
