"""What a session reads from the file: the port of :mod:`crdt.session.replica`.

- Each read sees one committed moment, whoever has written it: nothing leaves before it is on disk.
- Before a slice is given out the witness notes how far this file had come (see ``identity``), so
  that an older file put in its place is found out.
- The ids are those of the moment when the session began. Once the file has taken others, reading
  fails, and the session has to end.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from aimem_tui.store import checkpoints, identity, log, receiving
from aimem_tui.store.connection import Database
from aimem_tui.store.whereabouts import Witness
from crdt.entry import Checkpoint, Entry
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector

_RECORD_OVERHEAD = 200
_LOOKED_AT = 20_000
"""How many entries that the peer has are passed over in one read."""


@dataclass(frozen=True, slots=True)
class _Count:
    """How many entries were behind a position when the log ended at ``end``."""

    after: int
    end: int
    entries: int


class StoreReplica:
    """A workspace's file as a session sees it.

    One for each session, used by one thread at a time, which is not inside a write transaction.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._identity = identity.of(database.read())
        self._witness = Witness(self._identity.replica)
        self._count: _Count | None = None

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        return self._identity.workspace

    @property
    def replica(self) -> str:
        """The id under which this file makes entries."""
        return self._identity.replica

    @property
    def log(self) -> str:
        """The log id."""
        return self._identity.log

    def vector(self) -> Vector:
        """Exactly what this file has."""
        return log.vector(self._committed())

    def reach(self) -> Vector:
        """For each replica the highest number of the vector, the log and all checkpoints."""
        return log.reach(self._committed())

    def digest(self, replica: str, seq: int) -> bytes:
        """The digest of an entry; empty where it is not known any more."""
        return log.digest(self._committed(), replica, seq)

    def resume_token(self, log: str) -> bytes:
        """The token last stored from another copy's log; empty for none."""
        return receiving.resume_token(self._committed(), log)

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        """The next records behind a cursor; see the port.

        Raises:
            IdentityChanged: if the file has taken other ids since.
            StorageError: if the file cannot be read.
        """
        self._committed()
        with self._database.snapshot() as connection:
            identity.check_current(connection, self._identity.log)
            found = self._read(connection, after, known, most, most_bytes)
            end = log.last_position(connection)
        self._witness.note(end)
        return found

    def _read(
        self,
        connection: apsw.Connection,
        after: Cursor,
        known: Vector,
        most: int,
        most_bytes: int,
    ) -> Slice:
        vector = log.vector(connection)
        found: list[Checkpoint] = []
        at, size = after.checkpoint, 0
        for position, covered in connection.execute(
            "SELECT position, vector FROM checkpoints WHERE position > ? ORDER BY position", (at,)
        ):
            if not known.covers(Vector.from_bytes(covered)):
                checkpoint = checkpoints.at(connection, position)
                size += len(checkpoint.state) + _RECORD_OVERHEAD
                if found and (size > most_bytes or len(found) == most):
                    break
                found.append(checkpoint)
            at = position
        if found:
            states = connection.execute(
                "SELECT count(*) FROM checkpoints WHERE position > ?", (at,)
            ).get
            left = int(states) + self._left(connection, after.entry, after.entry, 0)
            return Slice(found, (), Cursor(at, after.entry), left, vector)
        if known.covers(log.reach(connection)):
            # What has come from the peer itself: nothing of it needs to be looked at.
            position = max(after.entry, log.last_position(connection))
            return Slice((), (), Cursor(at, position), 0, vector)
        entries: list[Entry] = []
        last: Entry | None = None
        position, looked, size = after.entry, 0, 0
        for record in log.behind(connection, after.entry, _LOOKED_AT):
            entry = record.entry
            if entry.seq > known[entry.replica]:
                size += len(entry.update) + _RECORD_OVERHEAD
                if entries and (size > most_bytes or len(entries) == most):
                    break
                entries.append(entry)
            position, looked, last = record.position, looked + 1, entry
        left = self._left(connection, after.entry, position, looked)
        if left and not entries and last is not None:
            # Nothing would mean the end of the log.
            entries.append(last)
        return Slice((), entries, Cursor(at, position), left, vector)

    def _left(self, connection: apsw.Connection, before: int, after: int, looked: int) -> int:
        """About how many entries are behind ``after``, ``looked`` entries behind ``before``.

        They are counted once; counting a large log for each batch would take longer than sending.
        """
        end = int(connection.execute("SELECT max(position) FROM log").get or 0)
        count = self._count
        if count is not None and count.after == before:
            entries = count.entries + max(0, end - count.end) - looked
        else:
            entries = connection.execute(
                "SELECT count(*) FROM log WHERE position > ?", (after,)
            ).get
        left = 0 if end <= after else max(1, int(entries))
        self._count = _Count(after, end, left)
        return left

    def _committed(self) -> apsw.Connection:
        """This thread's connection, which sees only what is committed."""
        if self._database.is_writing():
            raise RuntimeError("a session reads what is not committed")
        return self._database.read()
