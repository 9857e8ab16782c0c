"""The stream from the peer's log.

Rules:

- Marks count up by one: a frame that was lost or came twice ends the session.
- Within a run the numbers of each replica ascend. One that leaves a hole is accepted only where the
  copy reaches over the hole: a checkpoint covers it, or the entries came by another way.
- What a ``CaughtUp`` says must be within that reach, too: a log that lost its tail does not pass.
- A hole makes the session want the stream anew, without a resume token; what still comes of the
  earlier run is dropped, unacknowledged. If asking again does not help, the session ends.
- A name that is known must bring the same bytes. Nobody else makes entries under the own name.
- Bytes that no document would take are refused before anybody else sees them; so are more replicas
  than a want can name, lest nobody could ask for anything any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crdt.entry import Checkpoint
from crdt.errors import GapError, OrderError, WireError
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.session.replica import Replica
from crdt.vector import Vector
from crdt.wire import codec
from crdt.wire.messages import MAX_REPLICAS, Checkpoints, Entries, Tip, Want
from crdt.wire.messages import CaughtUp as CaughtUpMessage

MAX_GAPS = 3
"""At so many gaps without a ``CaughtUp`` between them the session ends."""


class LostFrame(WireError):
    """A frame is missing or came twice."""


@dataclass
class Fork(Exception):
    """Two different entries bear one name."""

    replica: str
    seq: int


class Incoming:
    """What comes from one peer, checked."""

    def __init__(self, replica: Replica, check: Callable[[bytes], None]) -> None:
        self._replica = replica
        self._check = check
        self._run = 0
        self._mark = 0
        self._acked = 0
        self._reach: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._gaps = 0
        self._done = 0
        self._total = 0

    def want(self, resume: bytes, vector: Vector | None = None) -> Want:
        """The message that starts the stream, or starts it anew.

        Args:
            vector: what to claim to have; everything that this copy has unless given.
        """
        self._run += 1
        self._last = {}
        self._done = self._total = 0
        self._refresh_reach()
        replica = self._replica
        has = replica.vector() if vector is None else vector
        tips = [
            Tip(bytes.fromhex(one), seq, replica.digest(one, seq))
            for one, seq in sorted(has.items())
        ]
        return Want(self._run, tips, resume)

    def may_ask_again(self) -> bool:
        """Count a gap; False where asking again has not helped."""
        self._gaps += 1
        return self._gaps < MAX_GAPS

    @property
    def progress(self) -> tuple[int, int]:
        """How many records have come, and of how many about."""
        return self._done, self._total

    def entries(self, message: Entries) -> EntriesReceived | None:
        """Check a batch; None where it belongs to an earlier run.

        Raises:
            GapError: if entries are missing.
            LostFrame: if a frame is missing or came twice.
            OrderError: if entries are out of order.
            WireError: if an entry's bytes are broken.
            Fork: if an entry differs from the known one.
        """
        if not self._take_mark(message.run, message.mark):
            return None
        entries = codec.unpack_entries(message)
        own = self._replica.replica
        # Only what changes: a frame is often one entry, and there may be a thousand replicas.
        reach: dict[str, int] = {}
        last: dict[str, int] = {}
        for entry in entries:
            replica, seq = entry.replica, entry.seq
            before = last.get(replica) or self._last.get(replica, 0)
            if seq <= before:
                raise OrderError(f"entry {seq} of {replica[:8]} comes after {before}")
            last[replica] = seq
            if not entry.sealed:
                self._check(entry.update)
            held = reach.get(replica) or self._reach.get(replica, 0)
            if seq == held + 1:
                if replica == own:
                    self._not_ours(replica, seq)
                reach[replica] = seq
                continue
            if seq > held:
                # It may have come by another session meanwhile.
                for other, reached in self._replica.reach().items():
                    if reached > (reach.get(other) or self._reach.get(other, 0)):
                        reach[other] = reached
                held = reach.get(replica) or self._reach.get(replica, 0)
                if seq > held + 1:
                    raise GapError(f"entry {seq} of replica {replica[:8]} came, {held} is held")
                if replica == own:
                    self._not_ours(replica, seq)
                reach[replica] = max(seq, held)
            known = self._replica.digest(replica, seq)
            if known and known != entry.digest():
                raise Fork(replica, seq)
        self._not_too_many(reach)
        self._reach.update(reach)
        self._last.update(last)
        self._count(len(entries), message.left)
        return EntriesReceived(message.mark, message.token, entries)

    def checkpoints(self, message: Checkpoints) -> CheckpointsReceived | None:
        """Check a batch; None where it belongs to an earlier run.

        Raises:
            LostFrame: if a frame is missing or came twice.
            WireError: if a checkpoint's bytes are broken.
            Fork: if one covers own entries that were never made here.
        """
        if not self._take_mark(message.run, message.mark):
            return None
        checkpoints: Sequence[Checkpoint] = codec.unpack_checkpoints(message)
        for checkpoint in checkpoints:
            if not checkpoint.sealed:
                self._check(checkpoint.state)
            self._not_ahead_of_ours(checkpoint.vector)
        reach: dict[str, int] = {}
        for checkpoint in checkpoints:
            for replica, seq in checkpoint.vector.items():
                reach[replica] = max(seq, reach.get(replica, 0))
            self._not_too_many(reach)
        self._extend_reach(reach)
        self._count(len(checkpoints), message.left)
        return CheckpointsReceived(message.mark, message.token, checkpoints)

    def caught_up(self, message: CaughtUpMessage) -> CaughtUp | None:
        """Check what the peer says we have; None where it belongs to an earlier run.

        Raises:
            GapError: if it is more than has come.
            LostFrame: if a frame is missing or came twice.
            WireError: if the vector's bytes are broken.
            Fork: if it includes own entries that were never made here.
        """
        if not self._take_mark(message.run, message.mark):
            return None
        vector = codec.unpack_vector(message.vector)
        self._not_ahead_of_ours(vector)
        if not Vector(self._reach).covers(vector):
            self._refresh_reach()
            if not Vector(self._reach).covers(vector):
                raise GapError("the peer has entries that it did not send")
        self._gaps = 0
        self._count(0, 0)
        return CaughtUp(message.mark, message.token, vector)

    def stored(self, mark: int) -> int | None:
        """Everything up to ``mark`` is on disk; returns the mark to acknowledge, if that is news.

        Raises:
            ValueError: if no frame with that mark has come.
        """
        if mark > self._mark:
            raise ValueError(f"mark {mark} has not come yet")
        if mark <= self._acked:
            return None
        self._acked = mark
        return mark

    def _take_mark(self, run: int, mark: int) -> bool:
        if mark != self._mark + 1:
            raise LostFrame(f"mark {mark} came after mark {self._mark}")
        self._mark = mark
        if run > self._run:
            raise OrderError("a frame answers a want that was not sent")
        return run == self._run

    def _refresh_reach(self) -> None:
        self._extend_reach(self._replica.reach())

    def _extend_reach(self, vector: Mapping[str, int]) -> None:
        for replica, seq in vector.items():
            self._reach[replica] = max(seq, self._reach.get(replica, 0))

    def _not_ours(self, own: str, seq: int) -> None:
        if seq > self._replica.vector()[own]:
            raise Fork(own, seq)

    def _not_ahead_of_ours(self, vector: Vector) -> None:
        own = self._replica.replica
        if own in vector and vector[own] > self._replica.vector()[own]:
            raise Fork(own, vector[own])

    def _not_too_many(self, more: Mapping[str, int]) -> None:
        new = sum(replica not in self._reach for replica in more)
        if new and len(self._reach) + new > MAX_REPLICAS:
            raise WireError(f"there are more than {MAX_REPLICAS} replicas")

    def _count(self, records: int, left: int) -> None:
        self._done += records
        self._total = self._done + left
