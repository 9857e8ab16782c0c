"""Presence: where people are just now. Beside the streams, never stored, owned by the connection.

- Of each key only the latest state waits to be sent, and sendings are some time apart, so that a
  slow connection costs no memory. A sending may be long: it takes turns with the stream of entries.
- What the peer announces is counted and paced; it is taken back when the connection ends.
"""

from __future__ import annotations

from collections import deque

from crdt.session.replica import Limits
from crdt.wire.messages import Presence

_BURST_S = 10


class PresenceOut:
    """What is to be told to the peer."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: dict[str, bytes] = {}
        self._sending: deque[str] = deque()
        self._next_at = 0

    def set(self, key: str, state: bytes) -> None:
        """Tell the peer; an empty state takes the key back."""
        self._waiting[key] = state

    @property
    def ready(self) -> bool:
        """Whether a sending has begun and is not over."""
        return bool(self._sending)

    @property
    def due_at(self) -> int | None:
        """When the next sending is to begin; None where there is nothing, or one is under way."""
        return self._next_at if self._waiting and not self._sending else None

    def next(self, now: int) -> Presence | None:
        """What is to be sent next; None where there is nothing just now."""
        if not self._sending:
            if not self._waiting or now < self._next_at:
                return None
            self._next_at = now + self._limits.presence_ms
            self._sending.extend(self._waiting)
        key = self._sending.popleft()
        return Presence(key, self._waiting.pop(key))


class PresenceIn:
    """What the peer has announced."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._keys: set[str] = set()
        self._allowance = limits.presence_per_s * _BURST_S * 1_000
        self._at: int | None = None

    def take(self, message: Presence, now: int) -> bool:
        """Note a change; False where there are too many of them, or too many keys.

        What is not taken is not noted: a key that it was to take back ends with the connection.
        """
        # In thousandths of a change, so that pacing needs whole numbers only.
        rate = self._limits.presence_per_s
        if self._at is not None:
            self._allowance += max(0, now - self._at) * rate
        self._at = now
        self._allowance = min(self._allowance, rate * _BURST_S * 1_000) - 1_000
        if self._allowance < 0:
            return False
        if not message.state:
            self._keys.discard(message.key)
        elif message.key not in self._keys:
            if len(self._keys) == self._limits.presence_keys:
                return False
            self._keys.add(message.key)
        return True

    def leave(self) -> list[str]:
        """The keys that end with the connection."""
        keys = sorted(self._keys)
        self._keys.clear()
        return keys
