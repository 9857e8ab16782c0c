"""Storing what other copies send.

- All events of a call are one transaction, the token of the peer's log included: after a crash the
  token says exactly what is here.
- An entry that is in the log already, or that the vector covers, is passed over. Under the same
  name with another digest it is a fork; so is anything that says more about this file's own
  replica than it has made.
- The vector advances over entries without a hole, and by what a peer says when caught up.
- A checkpoint is stored beside those that are there, unless all it covers is here already. It
  deletes nothing.
- What changes a thought marks it stale; the projector takes it up like any other change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import apsw

from aimem_tui.store import checkpoints, identity, log
from aimem_tui.store.connection import Database
from crdt.entry import Checkpoint, Entry
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.session.incoming import Fork
from crdt.vector import Vector

Storable: TypeAlias = EntriesReceived | CheckpointsReceived | CaughtUp


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a peer's events."""

    events: int = 0
    """How many were stored, in their order."""
    mark: int = 0
    """Of the last of them, to be acknowledged; 0 if none was stored."""
    entries: int = 0
    """How many entries were new."""
    checkpoints: int = 0
    """How many checkpoints brought something new."""
    thoughts: frozenset[str] = frozenset()
    """What these changed."""


class Forked(Fork):
    """An event holds another entry under a name that is known here.

    Neither it nor what followed was stored.
    """

    def __init__(self, fork: Fork, received: Received) -> None:
        super().__init__(fork.replica, fork.seq)
        self.received = received
        """What was stored before it."""


@dataclass(slots=True)
class _Tally:
    events: int = 0
    mark: int = 0
    entries: int = 0
    checkpoints: int = 0
    thoughts: set[str] = field(default_factory=set)


def receive(
    database: Database, peer_log: str, events: Sequence[Storable], *, log_id: str = ""
) -> Received:
    """Store what a session has reported, in one transaction.

    Args:
        peer_log: the id of the sender's log.
        log_id: the id of this file's log when the session began. What was checked against a copy
            that has given up a replica since does not fit into this one.

    Raises:
        Forked: at the first event that holds a fork; what came before it is stored.
        IdentityChanged: if ``log_id`` is given and is not the present one; nothing is stored.
        StorageError: if the file cannot be written; nothing is stored.
    """
    tally = _Tally()
    fork: Fork | None = None
    with database.write() as connection:
        if log_id:
            identity.check_current(connection, log_id)
        for event in events:
            try:
                _store(connection, event, tally)
            except Fork as found:
                fork = found
                break
            tally.events += 1
            tally.mark = event.mark
            connection.execute(
                "INSERT OR REPLACE INTO tokens VALUES (?, ?)", (peer_log, event.token)
            )
    received = Received(
        tally.events, tally.mark, tally.entries, tally.checkpoints, frozenset(tally.thoughts)
    )
    if fork is not None:
        raise Forked(fork, received)
    return received


def resume_token(connection: apsw.Connection, peer_log: str) -> bytes:
    """The token last stored from a peer's log; empty for none."""
    found = connection.execute("SELECT token FROM tokens WHERE log = ?", (peer_log,)).get
    return found or b""


def _store(connection: apsw.Connection, event: Storable, tally: _Tally) -> None:
    match event:
        case EntriesReceived():
            entries = _new_entries(connection, event.entries)
            if entries:
                log.insert(connection, entries)
            tally.entries += len(entries)
            tally.thoughts.update(entry.thought for entry in entries)
        case CheckpointsReceived():
            for checkpoint in event.checkpoints:
                _not_ahead_of_ours(connection, checkpoint.vector)
            stored = _put_new(connection, event.checkpoints)
            tally.checkpoints += len(stored)
            tally.thoughts.update(stored)
        case CaughtUp():
            _not_ahead_of_ours(connection, event.vector)
            _adopt(connection, event.vector)


def _new_entries(connection: apsw.Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Those that are not here yet.

    Raises:
        Fork: if one is here with another digest, or bears a name that only this file gives out.
    """
    held_to, reach = dict(log.vector(connection)), dict(log.reach(connection))
    own = log.own_replica(connection)
    new: dict[tuple[str, int], Entry] = {}
    for entry in entries:
        replica, seq = name = (entry.replica, entry.seq)
        held = None
        if seq <= reach.get(replica, 0):
            held = log.by_name(connection, replica, seq)
        if held is not None and held.digest() != entry.digest():
            raise Fork(replica, seq)
        if held is None and seq > held_to.get(replica, 0):
            if replica == own:
                raise Fork(replica, seq)
            new.setdefault(name, entry)
    return [*new.values()]


def _put_new(connection: apsw.Connection, received: Sequence[Checkpoint]) -> list[str]:
    """Store the checkpoints that bring something new; returns of which thoughts they are."""
    held = log.vector(connection)
    numbers = log.thought_numbers(connection, (one.thought for one in received))
    stored = []
    for checkpoint in received:
        number = numbers[checkpoint.thought]
        covered = [held, *checkpoints.vectors_of(connection, number)]
        if not any(vector.covers(checkpoint.vector) for vector in covered):
            checkpoints.put(connection, checkpoint)
            log.mark_stale(connection, [number])
            stored.append(checkpoint.thought)
    return stored


def _adopt(connection: apsw.Connection, vector: Vector) -> None:
    held = log.vector(connection)
    more = {replica: seq for replica, seq in vector.items() if seq > held[replica]}
    log.extend_reach(connection, more)
    numbers = log.replica_numbers(connection, more)
    for replica, seq in more.items():
        number = numbers[replica]
        connection.execute("UPDATE vectors SET seq = ? WHERE replica = ?", (seq, number))
        log.advance(connection, number)


def _not_ahead_of_ours(connection: apsw.Connection, vector: Vector) -> None:
    own = log.own_replica(connection)
    if own in vector and vector[own] > log.own_seq(connection):
        raise Fork(own, vector[own])
