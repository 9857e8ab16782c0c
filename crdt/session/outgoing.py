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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crdt.entry import Checkpoint, Entry
from crdt.errors import CrdtError, OrderError
from crdt.session.holding import Holding
from crdt.session.incoming import Fork
from crdt.session.replica import Cursor, Limits, NotReady, Replica, Slice
from crdt.vector import Vector
from crdt.wire import codec
from crdt.wire.messages import CaughtUp, Tip, Want

_TOKEN = struct.Struct(">16sQQ")
_LOOKS = 8
_NOTHING: dict[str, int] = {}


class TooBig(CrdtError):
    """A record does not fit into the peer's largest frame."""


@dataclass(slots=True)
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
        self._known = Holding()
        self._settled = Holding()
        self._unheard: dict[str, Tip] = {}
        """The peer's last entries that this copy did not have when they were told."""
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
        self._known = Holding(has)
        self._settled = Holding(has)
        mine = self._replica.vector()
        self._unheard = {
            one: tip for tip in want.tips if tip.digest and tip.seq > mine[one := tip.replica.hex()]
        }
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
            known.add(replica, seq)
            if seq == settled[replica] + 1:
                settled.add(replica, seq)

    def peer_has(self, vector: Vector) -> None:
        """The peer has all that ``vector`` says."""
        self._known.merge(vector)
        self._settled.merge(vector)

    @property
    def sent_seq(self) -> int:
        """Up to which own entry everything was sent, or is known to be there."""
        return self._known[self._replica.replica]

    @property
    def peer_vector(self) -> Vector:
        """What the peer is known to have, or was sent."""
        return self._known.vector()

    @property
    def settled(self) -> bool:
        """Whether the peer has said what it has, and nothing is to be sent or acknowledged."""
        return self._run > 0 and not (self.allowed and (not self._at_end or self._unacked))

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
            Fork: if the peer has another entry under a name than this copy.
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
        known = self._known.vector()
        found = self._replica.read(self._cursor, known, limits.batch_entries, room)
        self._cursor = found.cursor
        if found.whole and found.batch is not None and not self._unheard:
            if self._rests_on(found, _NOTHING):
                return self._pass_on(found, found.batch)
            if self._rests_on(found, found.batch.last):
                # All of it has come from this peer.
                self._move_to(found)
                return None
        if found.checkpoints:
            checkpoints = [one for one in found.checkpoints if not known.covers(one.vector)]
            return self._pack_checkpoints(checkpoints, found.left) if checkpoints else None
        if found.entries:
            frame = self._pack_entries(found)
            self._at_end = not found.left and self._is_settled(found)
            return frame
        self._at_end = True
        if self._is_settled(found):
            return None
        self.peer_has(found.vector)
        self._rest_on(found)
        self._mark += 1
        message = CaughtUp(self._run, self._mark, self._token(), found.vector.to_bytes())
        return self._sent(codec.encode(message), found.vector[self._replica.replica])

    def _rests_on(self, found: Slice, beyond: Mapping[str, int]) -> bool:
        """Whether the peer has what the copy had before a slice, and ``beyond``, and no more."""
        since = found.since
        return (
            since is not None
            and self._known.is_just(since, beyond)
            and self._settled.is_just(since, beyond)
        )

    def _move_to(self, found: Slice) -> None:
        self._known.move(found.vector)
        self._settled.move(found.vector)
        self._at_end = True

    def _pass_on(self, found: Slice, batch: codec.Batch) -> bytes:
        """The frame with a slice's entries for a peer that is in step: none has to be left out."""
        self._move_to(found)
        self._mark += 1
        frame = batch.encode(run=self._run, mark=self._mark, left=0, token=self._token())
        return self._sent(frame, batch.last.get(self._replica.replica, 0))

    def _is_settled(self, found: Slice) -> bool:
        """Whether the peer knows from the entries alone that it has all of the copy's vector."""
        settled: bool | None = None
        if found.since is not None and found.batch is not None:
            last = found.batch.last
            settled = self._settled.covers_since(found.since, last, found.vector)
        if settled is None:
            settled = self._settled.covers(found.vector)
        if settled:
            self._rest_on(found)
        return settled

    def _rest_on(self, found: Slice) -> None:
        self._known.rest_on(found.vector, found.since)
        self._settled.rest_on(found.vector, found.since)

    def _pack_checkpoints(self, checkpoints: Sequence[Checkpoint], left: int) -> bytes:
        self._mark += 1
        message = codec.pack_checkpoints(
            checkpoints, run=self._run, mark=self._mark, left=left, token=self._token()
        )
        # The own entries in it need not be all up to any number.
        return self._sent(codec.encode(message), 0)

    def _pack_entries(self, found: Slice) -> bytes | None:
        """A frame with what the peer lacks of a slice's entries, if it lacks any."""
        batch = found.batch or codec.Batch(found.entries)
        if self._unheard:
            self._compare(batch)
        known = self._known
        whole = True
        for replica, seq in batch.first.items():
            if seq <= known[replica]:
                whole = False
                break
        if whole:
            places: Sequence[int] = range(len(batch.entries))
        else:
            entries = batch.entries
            places = [at for at, one in enumerate(entries) if one.seq > known[one.replica]]
            if not places:
                return None
        self._mark += 1
        run, mark, token = self._run, self._mark, self._token()
        if whole:
            frame = batch.encode(run=run, mark=mark, left=found.left, token=token)
        else:
            frame = batch.encode_some(places, run=run, mark=mark, left=found.left, token=token)
        own, own_seq = self._replica.replica, 0
        if own in batch.last:
            sent = (batch.entries[place] for place in places)
            own_seq = max((one.seq for one in sent if one.replica == own), default=0)
        if whole and batch.gapless:
            self._batch_sent(batch)
        else:
            self.peer_sent([batch.entries[place] for place in places])
        return self._sent(frame, own_seq)

    def _compare(self, batch: codec.Batch) -> None:
        """What goes on from an entry of the peer must go on from the same one.

        Raises:
            Fork: if this copy has got another entry under that name meanwhile.
        """
        for replica, last in batch.last.items():
            tip = self._unheard.get(replica)
            if tip is not None and last > tip.seq:
                held = self._replica.digest(replica, tip.seq)
                if held and held != tip.digest:
                    raise Fork(replica, tip.seq)
                del self._unheard[replica]

    def _batch_sent(self, batch: codec.Batch) -> None:
        """What ``peer_sent`` does, for a batch without holes of which the peer had nothing."""
        known, settled = self._known, self._settled
        for replica, seq in batch.last.items():
            known.add(replica, seq)
            if batch.first[replica] == settled[replica] + 1:
                settled.add(replica, seq)

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
