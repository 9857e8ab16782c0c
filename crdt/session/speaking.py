"""What is said next.

Rules:

- First whether the other side is there, then what was stored, then answers and the driver's words,
  in their order.
- Presence and the stream of records take turns: neither a crowd nor a long log keeps the other
  waiting.
- A frame is encoded when the transport takes it, not before.
"""

from __future__ import annotations

from collections import deque

from crdt.session.liveness import Liveness
from crdt.session.outgoing import Outgoing
from crdt.session.presence import PresenceOut
from crdt.wire import codec
from crdt.wire.messages import Ack, Message, Ping


class Speaker:
    """Everything that waits to be said to one peer."""

    def __init__(self, records: Outgoing, presence: PresenceOut, liveness: Liveness) -> None:
        self.open = False
        """Whether the greeting is over, and the end has not come."""
        self.waiting: deque[Message] = deque()
        """Answers and the driver's words."""
        self._records = records
        self._presence = presence
        self._liveness = liveness
        self._mark = 0
        self._record_next = False

    def acknowledge(self, mark: int) -> None:
        """Everything of the peer's up to ``mark`` is on disk."""
        self._mark = max(self._mark, mark)

    def end(self) -> None:
        """Forget what waits; only what is put into ``waiting`` from now on is said."""
        self.open = False
        self.waiting.clear()

    def has_more(self) -> bool:
        """Whether there may be something to say just now."""
        waits = self._mark or self._liveness.ping_due or self._records.ready or self._presence.ready
        return bool(self.waiting) or (self.open and bool(waits))

    def next_frame(self, now: int) -> bytes | None:
        """The next frame; None where there is nothing to say just now.

        Raises:
            TooBig: if a record does not fit into the peer's largest frame.
            Fork: if the peer has another entry under a name than this copy.
        """
        if self._liveness.ping_due and self.open:
            self._liveness.ping_due = False
            return codec.encode(Ping(self._liveness.sent))
        if self._mark and self.open:
            mark, self._mark = self._mark, 0
            return codec.encode(Ack(mark))
        if self.waiting:
            return codec.encode(self.waiting.popleft())
        if not self.open:
            return None
        if self._presence.due_at is None and not self._presence.ready:
            return self._records.next_frame(now)
        self._record_next = not self._record_next
        if self._record_next:
            return self._next_presence(now) or self._records.next_frame(now)
        return self._records.next_frame(now) or self._next_presence(now)

    def _next_presence(self, now: int) -> bytes | None:
        presence = self._presence.next(now)
        return None if presence is None else codec.encode(presence)
