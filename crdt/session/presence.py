"""Presence: where people are just now. Beside the streams, never stored, owned by the connection.

- Of each key only the latest state waits to be sent, and sendings are some time apart, so that a
  slow connection costs neither memory nor delay of entries.
- What the peer announces is counted and paced; it is taken back when the connection ends.
"""

from __future__ import annotations

from crdt.session.replica import Limits
from crdt.wire.messages import Presence

_BURST_S = 10


class PresenceOut:
    """What is to be told to the peer."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: dict[str, bytes] = {}
        self._next_at = 0

    def set(self, key: str, state: bytes) -> None:
        """Tell the peer; an empty state takes the key back."""
        self._waiting[key] = state

    @property
    def due_at(self) -> int | None:
        """When something is to be sent; None where there is nothing."""
        return self._next_at if self._waiting else None

    def take(self, now: int) -> list[Presence]:
        """What is to be sent now."""
        if not self._waiting or now < self._next_at:
            return []
        self._next_at = now + self._limits.presence_ms
        messages = [Presence(key, state) for key, state in self._waiting.items()]
        self._waiting.clear()
        return messages


class PresenceIn:
    """What the peer has announced."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._keys: set[str] = set()
        self._allowance = limits.presence_per_s * _BURST_S * 1_000
        self._at: int | None = None

    def take(self, message: Presence, now: int) -> bool:
        """Note a change; False where there are too many of them, or too many keys."""
        # In thousandths of a change, so that pacing needs whole numbers only.
        rate = self._limits.presence_per_s
        if self._at is not None:
            self._allowance += max(0, now - self._at) * rate
        self._at = now
        self._allowance = min(self._allowance, rate * _BURST_S * 1_000) - 1_000
        if message.state:
            self._keys.add(message.key)
        else:
            self._keys.discard(message.key)
        return self._allowance >= 0 and len(self._keys) <= self._limits.presence_keys

    def leave(self) -> list[str]:
        """The keys that end with the connection."""
        keys = sorted(self._keys)
        self._keys.clear()
        return keys
