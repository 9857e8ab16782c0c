"""What a pod knows of one workspace while somebody is connected to it.

- The :class:`~aimem_relay.ledger.port.Copy`: vector, tips and positions, kept current by applying
  the ledger's changes in their order. A change that does not follow is not guessed at: what is
  missing is asked for.
- The ring: the newest records, raw, as they were committed. Connections that keep up are served
  from it, all from the same slice, which is encoded once. Who is further behind reads the ledger.
- Who is connected, and where they are (:mod:`aimem_relay.presence`).
- Nothing gets in here before it is committed, and nothing leaves but from here and the ledger: that
  is what makes every connection get the ledger's order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from aimem_relay.ledger.port import Change, Copy, Record
from aimem_relay.presence import Presence
from crdt.entry import Checkpoint, Entry
from crdt.session.replica import Cursor, NotReady, Slice
from crdt.vector import Vector
from crdt.wire.codec import Batch

if TYPE_CHECKING:
    from aimem_relay.connection import Connection

RING_RECORDS = 256
RING_BYTES = 256 << 10
"""The ring's bounds once the newest change was passed on; that one is kept whole until then."""

OnChange: TypeAlias = Callable[[Change], None]
OnPresence: TypeAlias = Callable[[str, bytes], None]


class Ring:
    """The newest records of a workspace, all that are behind a position.

    Args:
        start: the last position of the workspace so far.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        """Of all records behind this position none is missing here."""
        self._records: list[Record] = []
        self._positions: list[int] = []
        self._size = 0

    def extend(self, change: Change, before: int) -> None:
        """Take in what a change brings.

        Args:
            before: the last position before the change.
        """
        if change.behind > before:
            self._clear(change.behind)
        newest = self._positions[-1] if self._positions else self.start
        for record in change.records:
            if record.position > newest:
                self._records.append(record)
                self._positions.append(record.position)
                self._size += record.size

    def trim(self) -> None:
        """Let go of what is older than the bounds allow."""
        drop, size = 0, self._size
        while len(self._records) - drop > RING_RECORDS or size > RING_BYTES:
            size -= self._records[drop].size
            drop += 1
        if drop:
            self.start = self._positions[drop - 1]
            self._size = size
            del self._records[:drop], self._positions[:drop]

    def _clear(self, start: int) -> None:
        self.start, self._size = start, 0
        self._records.clear()
        self._positions.clear()

    def __reversed__(self) -> Iterator[Record]:
        return reversed(self._records)

    def behind(self, position: int) -> list[Record]:
        """The records behind a position that is not before ``start``."""
        return self._records[bisect_right(self._positions, position) :]


class Room:
    """One workspace on this pod.

    Args:
        copy: as the ledger told it.
        most_presences: how many presences are kept.
    """

    def __init__(self, copy: Copy, most_presences: int) -> None:
        self.workspace = copy.workspace
        self.copy = copy
        self.presence = Presence(most_presences)
        self.connections: dict[int, Connection] = {}
        """Those that are let in, by their numbers."""
        self.full = False
        """Whether the workspace has used up its space."""
        self.guests = 0
        """How many need this room without being connections."""
        self.behind = False
        """Whether the ledger has what is not here yet."""
        self.catching_up = False
        self.empty_since: int | None = None
        """Since when nobody needs this room, ms."""
        self.next_turn = 0.0
        """When everybody here may be sent what is new, at the earliest."""
        self.next_presence = 0
        """When everybody may be sent presence, ms."""
        self.showing = False
        """Whether that is going to happen."""
        self.unsaid: dict[str, bytes] = {}
        """Presences of this pod that the other pods are still to be told."""
        self.committed_at = 0.0
        """When the oldest change was committed that was not yet passed on; 0 for none."""
        self._ring = Ring(copy.last)
        self._vectors: dict[int, Vector] = {}
        self._slices: dict[tuple[int, int, int], Slice] = {}
        self._followers: list[OnChange] = []
        self._presence_followers: list[OnPresence] = []

    @property
    def in_use(self) -> bool:
        """Whether anybody needs this room."""
        return bool(self.connections or self.guests)

    # The copy

    def apply(self, change: Change) -> bool:
        """Take in a change; what is known already changes nothing.

        Returns:
            False where something in between is missing, or the log is another one.
        """
        copy = self.copy
        if change.log == copy.log and change.version <= copy.version:
            return True
        last, vector = copy.last, copy.vector()
        if not copy.apply(change):
            return False
        self._ring.extend(change, last)
        self._slices.clear()
        made_by: set[str] = set()
        entries_only = change.behind <= last
        for record in change.records:
            if isinstance(record.item, Entry):
                made_by.add(record.item.replica)
            else:
                entries_only = False
        if entries_only and made_by.issuperset([head.replica for head in change.heads]):
            self._vectors[last] = vector
        else:
            self._vectors.clear()
        self.tell_followers(change)
        return True

    def tell_followers(self, change: Change) -> None:
        """Let those know who follow the changes."""
        for follower in [*self._followers]:
            follower(change)

    def trim(self) -> None:
        """Let go of what is beyond the bounds; call it once everybody was served."""
        self._ring.trim()
        start = self._ring.start
        # In the order of their positions.
        while self._vectors and (position := next(iter(self._vectors))) < start:
            del self._vectors[position]

    def rest(self) -> None:
        """Let go of what was encoded; nothing is new just now."""
        self._slices.clear()

    def digest(self, replica: str, seq: int) -> bytes:
        """The digest of an entry, as far as it is known here."""
        known = self.copy.digest(replica, seq)
        if known:
            return known
        for record in reversed(self._ring):
            item = record.item
            if isinstance(item, Entry) and item.seq == seq and item.replica == replica:
                return item.digest()
        return b""

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice | None:
        """As ``Replica.read``, from memory; None where that does not reach back so far."""
        copy, start = self.copy, self._ring.start
        if after.entry < start:
            return None
        if after.checkpoint < copy.last_checkpoint:
            if after.checkpoint < start:
                return None
            found = self._read_checkpoints(after, known, most, most_bytes)
            if found is not None:
                return found
        key = (after.entry, most, most_bytes)
        found = self._slices.get(key)
        if found is None:
            found = self._slices[key] = self._read_entries(after, most, most_bytes)
        return found

    def _read_checkpoints(
        self, after: Cursor, known: Vector, most: int, most_bytes: int
    ) -> Slice | None:
        behind = self._ring.behind(after.checkpoint)
        found: list[Checkpoint] = []
        at, size = after.checkpoint, 0
        for record in behind:
            if not isinstance(record.item, Checkpoint):
                continue
            if not known.covers(record.item.vector):
                size += record.size
                if found and (size > most_bytes or len(found) == most):
                    break
                found.append(record.item)
            at = record.position
        if not found:
            return None
        left = len(self._ring.behind(min(at, after.entry)))
        return Slice(found, (), Cursor(at, after.entry), left, self.copy.vector())

    def _read_entries(self, after: Cursor, most: int, most_bytes: int) -> Slice:
        entries: list[Entry] = []
        at, size, left = after.entry, 0, 0
        for record in self._ring.behind(after.entry):
            item = record.item
            if not isinstance(item, Entry):
                continue
            if not left:
                size += record.size
                if not entries or (size <= most_bytes and len(entries) < most):
                    entries.append(item)
                    at = record.position
                    continue
            left += 1
        copy = self.copy
        cursor = Cursor(max(after.checkpoint, copy.last_checkpoint), at)
        since = self._vectors.get(after.entry) if not left else None
        vector = copy.vector()
        if not entries:
            return Slice((), entries, cursor, left, vector, since)
        batch = Batch(entries)
        whole = since is not None and batch.gapless
        if since is not None and whole:
            for replica, first in batch.first.items():
                if since[replica] + 1 != first or vector[replica] != batch.last[replica]:
                    whole = False
                    break
        return Slice((), entries, cursor, left, vector, since, batch, whole)

    def as_of_now(self, found: Slice) -> Slice:
        """A slice that the ledger gave a moment ago, with what has come since then in ``left``."""
        copy = self.copy
        if found.left:
            return found
        left = max(0, copy.last - found.cursor.entry)
        if not left and found.vector != copy.vector():
            # One of the two is ahead; the next look tells.
            left = 1
        return replace(found, left=left) if left else replace(found, vector=copy.vector())

    # Those who are here

    def join(self, connection: Connection) -> None:
        """A connection was let in; it is told where everybody is."""
        self.connections[connection.number] = connection
        for key, state in self.presence:
            connection.session.set_presence(key, state)

    def leave(self, connection: Connection) -> None:
        """A connection has ended."""
        del self.connections[connection.number]

    def show(self, key: str, state: bytes, by: int = 0) -> None:
        """Let everybody here know of a presence, except the connection it comes from."""
        for number, connection in self.connections.items():
            if number != by:
                connection.session.set_presence(key, state)
        for follower in [*self._presence_followers]:
            follower(key, state)

    def follow(self, on_change: OnChange) -> Callable[[], None]:
        """Call back with each change, in the order of the versions; returns what stops it."""
        self._followers.append(on_change)
        return lambda: self._followers.remove(on_change)

    def follow_presence(self, on_presence: OnPresence) -> Callable[[], None]:
        """Call back with each presence that changes, empty where it is gone; returns a stop."""
        self._presence_followers.append(on_presence)
        return lambda: self._presence_followers.remove(on_presence)


class RoomReplica:
    """The copy of a workspace as one connection reads it (``crdt.session.replica.Replica``).

    Until the connection is let in there is no room, and nothing is known. What the room's memory
    does not reach back to is fetched: ``wanted`` then says what, and ``fetched`` brings it.

    Args:
        workspace: its id.
        fetch: is called when something is to be fetched.
    """

    __slots__ = ("_fetch", "_fetched", "_room", "_token", "wanted", "workspace")

    def __init__(self, workspace: str, fetch: Callable[[], None]) -> None:
        self.workspace = workspace
        self.wanted: tuple[Cursor, Vector, int, int] | None = None
        """What was asked for last and is not here, as ``Replica.read`` was given it."""
        self._fetch = fetch
        self._fetched: tuple[Cursor, Slice] | None = None
        self._room: Room | None = None
        self._token = b""

    def enter(self, room: Room, token: bytes) -> None:
        """The connection is to be let in.

        Args:
            token: the one last stored from the peer's log.
        """
        self._room, self._token = room, token

    def fetched(self, after: Cursor, found: Slice) -> bool:
        """What was asked for is here; False where something else is wanted by now."""
        if self.wanted is None or self.wanted[0] != after:
            return False
        self.wanted = None
        self._fetched = (after, found)
        return True

    @property
    def replica(self) -> str:
        """See ``Replica``."""
        return self._room.copy.replica if self._room else ""

    @property
    def log(self) -> str:
        """See ``Replica``."""
        return self._room.copy.log if self._room else ""

    def vector(self) -> Vector:
        """See ``Replica``."""
        return self._room.copy.vector() if self._room else Vector()

    def reach(self) -> Vector:
        """See ``Replica``."""
        return self._room.copy.reach() if self._room else Vector()

    def digest(self, replica: str, seq: int) -> bytes:
        """See ``Replica``; empty also for older entries, which only the ledger knows."""
        return self._room.digest(replica, seq) if self._room else b""

    def resume_token(self, log: str) -> bytes:
        """See ``Replica``; there is one peer, and so one token."""
        return self._token

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        """See ``Replica``."""
        room, fetched = self._room, self._fetched
        self._fetched = None
        found: Slice | None = None
        if room is not None and fetched is not None and fetched[0] == after:
            found = fetched[1]
            if found.entries or found.checkpoints:
                return room.as_of_now(found)
            # Nothing up to there that the peer lacks. How things are now, only the room can say.
            found = room.read(found.cursor, known, most, most_bytes)
        elif room is not None:
            found = room.read(after, known, most, most_bytes)
        if found is None:
            asked = self.wanted is not None and self.wanted[0] == after
            self.wanted = (after, known, most, most_bytes)
            if not asked:
                self._fetch()
            raise NotReady
        self.wanted = None
        return found
