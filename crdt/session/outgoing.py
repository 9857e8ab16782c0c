"""The stream from the own log to the peer.

Rules:

- The log is followed in its order by a cursor; that order is causal, and nothing may be sent in
  another. Checkpoints behind the cursor go before all entries: a checkpoint stands on its own, and
  an entry may stand on one.
- Left out is only what the peer has: what its want says, what it has sent itself, what was sent.
- The stream starts when the peer wants it, and starts anew when it wants it again. Nothing of an
  earlier run counts as acknowledged then.
- At the end of the log a ``CaughtUp`` follows where the entries alone do not tell the peer what it
  has. Later entries come as the log grows.
- A bounded number of frames and bytes is on its way without an acknowledgement.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from crdt.entry import Checkpoint, Entry
from crdt.errors import CrdtError, OrderError
from crdt.session.replica import Cursor, Limits, NotReady, Replica
from crdt.vector import Vector
from crdt.wire import codec
from crdt.wire.messages import CaughtUp, Want

_TOKEN = struct.Struct(">16sQQ")
_LOOKS = 8


class TooBig(CrdtError):
    """A record does not fit into the peer's largest frame."""


@dataclass(frozen=True, slots=True)
class _Sent:
    mark: int
    size: int
    own_seq: int
    """Once acknowledged, the peer has the own entries up to here."""


class Outgoing:
    """What goes to one peer, and what it has acknowledged."""

    def __init__(self, replica: Replica, limits: Limits) -> None:
        self._replica = replica
        self._limits = limits
        self.max_frame = limits.max_frame
        """The peer's."""
        self.allowed = False
        """Whether the peer takes entries from us."""
        self._run = 0
        self._mark = 0
        self._first_mark = 1
        self._cursor = Cursor()
        self._known: dict[str, int] = {}
        self._settled: dict[str, int] = {}
        self._unacked: deque[_Sent] = deque()
        self._unacked_bytes = 0
        self._acked_seq = 0
        self._at_end = False
        self._fetching = False
        self._waiting_since = 0

    def start(self, want: Want, has: Vector) -> int:
        """Stream from what the peer has; returns how many of the own entries those are.

        Raises:
            OrderError: if it is not the peer's next want.
        """
        if want.run != self._run + 1:
            raise OrderError(f"want {want.run} came after want {self._run}")
        self._run = want.run
        self._cursor = self._read_token(want.resume)
        self._known = dict(has.items())
        self._settled = dict(has.items())
        self._unacked.clear()
        self._unacked_bytes = 0
        self._first_mark = self._mark + 1
        self._at_end = False
        self._fetching = False
        self._acked_seq = has[self._replica.replica]
        return self._acked_seq

    def log_grew(self) -> None:
        """There may be something to send."""
        self._at_end = False
        self._fetching = False

    def peer_sent(self, entries: Sequence[Entry]) -> None:
        """The peer has these entries: they came from it."""
        known, settled = self._known, self._settled
        for entry in entries:
            replica, seq = entry.replica, entry.seq
            # Holding an entry, it holds all earlier ones of that replica in one form or another.
            if seq > known.get(replica, 0):
                known[replica] = seq
            if seq == settled.get(replica, 0) + 1:
                settled[replica] = seq

    def peer_has(self, vector: Vector) -> None:
        """The peer has all that ``vector`` says."""
        for replica, seq in vector.items():
            self._known[replica] = max(seq, self._known.get(replica, 0))
            self._settled[replica] = max(seq, self._settled.get(replica, 0))

    @property
    def sent_seq(self) -> int:
        """Up to which own entry everything was sent, or is known to be there."""
        return self._known.get(self._replica.replica, 0)

    @property
    def ready(self) -> bool:
        """Whether there may be something to send that may be sent."""
        return (
            self._run > 0
            and self.allowed
            and not self._at_end
            and not self._fetching
            and len(self._unacked) < self._limits.window_frames
            and self._unacked_bytes < self._limits.window_bytes
        )

    @property
    def waiting_since(self) -> int | None:
        """When the wait for the next acknowledgement began; None where none is to come."""
        return self._waiting_since if self._unacked else None

    def next_frame(self, now: int) -> bytes | None:
        """The next frame of the stream; None where there is nothing to send just now.

        Raises:
            TooBig: if a record does not fit into the peer's largest frame.
        """
        for _ in range(_LOOKS):
            if not self.ready:
                return None
            if not self._unacked:
                self._waiting_since = now
            try:
                frame = self._look()
            except NotReady:
                self._fetching = True
                return None
            if frame is not None:
                return frame
        return None

    def _look(self) -> bytes | None:
        limits = self._limits
        room = min(limits.batch_bytes, self.max_frame - codec.FRAME_OVERHEAD)
        known = Vector(self._known)
        found = self._replica.read(self._cursor, known, limits.batch_entries, room)
        self._cursor = found.cursor
        if found.checkpoints:
            checkpoints = [one for one in found.checkpoints if not known.covers(one.vector)]
            return self._pack_checkpoints(checkpoints, found.left) if checkpoints else None
        if found.entries:
            entries = [one for one in found.entries if one.seq > known[one.replica]]
            frame = self._pack_entries(entries, found.left) if entries else None
            self._at_end = not found.left and self._is_settled(found.vector)
            return frame
        self._at_end = True
        if self._is_settled(found.vector):
            return None
        self.peer_has(found.vector)
        self._mark += 1
        message = CaughtUp(self._run, self._mark, self._token(), found.vector.to_bytes())
        return self._sent(codec.encode(message), found.vector[self._replica.replica])

    def _is_settled(self, vector: Vector) -> bool:
        """Whether the peer knows from the entries alone that it has all that ``vector`` says."""
        settled = self._settled
        return all(settled.get(replica, 0) >= seq for replica, seq in vector.items())

    def _pack_checkpoints(self, checkpoints: Sequence[Checkpoint], left: int) -> bytes:
        self._mark += 1
        message = codec.pack_checkpoints(
            checkpoints, run=self._run, mark=self._mark, left=left, token=self._token()
        )
        # The own entries in it need not be all up to any number.
        return self._sent(codec.encode(message), 0)

    def _pack_entries(self, entries: Sequence[Entry], left: int) -> bytes:
        self._mark += 1
        message = codec.pack_entries(
            entries, run=self._run, mark=self._mark, left=left, token=self._token()
        )
        self.peer_sent(entries)
        own = self._replica.replica
        return self._sent(
            codec.encode(message), max((e.seq for e in entries if e.replica == own), default=0)
        )

    def _sent(self, frame: bytes, own_seq: int) -> bytes:
        if len(frame) > self.max_frame:
            raise TooBig(f"a record of {len(frame)} bytes is larger than the peer takes")
        self._unacked.append(_Sent(self._mark, len(frame), own_seq))
        self._unacked_bytes += len(frame)
        return frame

    def acked(self, mark: int, now: int) -> int | None:
        """The peer has stored up to ``mark``; returns up to which own entry, if that is news.

        Raises:
            OrderError: if no frame with that mark was sent.
        """
        if mark > self._mark:
            raise OrderError("a frame was acknowledged that was not sent")
        if mark < self._first_mark:
            return None
        before = self._acked_seq
        self._waiting_since = now
        while self._unacked and self._unacked[0].mark <= mark:
            sent = self._unacked.popleft()
            self._unacked_bytes -= sent.size
            self._acked_seq = max(self._acked_seq, sent.own_seq)
        return self._acked_seq if self._acked_seq > before else None

    def _token(self) -> bytes:
        cursor = self._cursor
        return _TOKEN.pack(bytes.fromhex(self._replica.log), cursor.checkpoint, cursor.entry)

    def _read_token(self, token: bytes) -> Cursor:
        """Where the peer stopped, if the token is of this log."""
        if len(token) != _TOKEN.size:
            return Cursor()
        log, checkpoint, entry = _TOKEN.unpack(token)
        return Cursor(checkpoint, entry) if log.hex() == self._replica.log else Cursor()
