"""Whether the other side is still there, and whether everything it says arrives.

Each side sends a ping from time to time, however busy it is, and in it how many frames it has sent
before. A connection that is half open falls silent and is given up; one that loses or repeats a
frame, as a broken proxy may, is found out at the next ping.
"""

from __future__ import annotations

from crdt.session.replica import Limits


class Liveness:
    """Counts frames and time of one connection. Times are ms."""

    def __init__(self, limits: Limits, now: int) -> None:
        self._limits = limits
        self._started = self._heard = self._pinged = now
        self._open = False
        self.sent = 0
        """How many frames were sent."""
        self.received = 0
        """How many frames have come."""
        self.ping_due = False
        self.peer_degraded = False
        """Whether the peer has said that it cannot store, and so not acknowledge, just now."""

    def opened(self) -> None:
        """The greeting is over."""
        self._open = True

    def heard(self, now: int) -> None:
        """A frame has come."""
        self._heard = now
        self.received += 1

    def tick(self, now: int, waiting_since: int | None) -> str:
        """Let time pass; returns why the other side is to be given up, or nothing.

        Args:
            waiting_since: when the wait for the next acknowledgement began, if one is to come.
        """
        limits = self._limits
        if not self._open:
            late = now - self._started >= limits.greeting_ms
            return "No greeting has come." if late else ""
        if now - self._heard >= limits.silence_ms:
            return "Nothing has been heard for too long."
        waits = waiting_since is not None and not self.peer_degraded
        if waits and now - (waiting_since or 0) >= limits.stall_ms:
            return "Nothing has been acknowledged for too long."
        if now - self._pinged >= limits.ping_ms:
            self._pinged = now
            self.ping_due = True
        return ""

    def next_tick(self, waiting_since: int | None) -> int:
        """When ``tick`` has something to do."""
        limits = self._limits
        if not self._open:
            return self._started + limits.greeting_ms
        due = min(self._pinged + limits.ping_ms, self._heard + limits.silence_ms)
        if waiting_since is None or self.peer_degraded:
            return due
        return min(due, waiting_since + limits.stall_ms)
