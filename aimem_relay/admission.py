"""Who is let in when many come at once.

A connection takes a place from its first byte on: one of the relay's, one of its address's, and,
until it is let in, one of the few for greetings; these are few because greetings ask the ledger.
Once it is known where it goes it takes one of the workspace's. Who finds no place is asked to come
back after a random time, so that those who were cut off together do not return together.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from aimem_relay.config import Config


@dataclass(frozen=True, slots=True)
class Refusal:
    """No place just now."""

    cause: str
    """A word for the metrics."""
    reason: str
    """A sentence for people."""
    delay_ms: int
    """When to come back at the earliest."""


class Admission:
    """Counts places."""

    def __init__(self, config: Config, rng: random.Random | None = None) -> None:
        self._config = config
        self._rng = rng or random.Random()
        self._addresses: Counter[str] = Counter()
        self._workspaces: Counter[str] = Counter()
        self._connections = 0
        self._greeting = 0

    def delay_ms(self) -> int:
        """A random time to wait before coming back."""
        about = self._config.retry_s * 1_000
        return int(self._rng.uniform(about * 0.5, about * 1.5))

    def refusal(self, cause: str, reason: str) -> Refusal:
        """A refusal, with a time to come back."""
        return Refusal(cause, reason, self.delay_ms())

    def enter(self, address: str) -> Refusal | None:
        """A connection has come: it is counted, even where it is refused, until it leaves."""
        config = self._config
        self._connections += 1
        self._greeting += 1
        self._addresses[address] += 1
        if self._connections > config.connections:
            return self.refusal("connections", "The relay has no place left just now.")
        if self._addresses[address] > config.connections_per_address:
            return self.refusal("address", "There are too many connections from your address.")
        if self._greeting > config.handshakes:
            return self.refusal("handshakes", "Too many connect at once.")
        return None

    def greeted(self) -> None:
        """The greeting of a connection is over, one way or the other."""
        self._greeting -= 1

    def join(self, workspace: str) -> Refusal | None:
        """A connection goes to a workspace; it is counted there unless it is refused."""
        if self._workspaces[workspace] >= self._config.connections_per_workspace:
            return self.refusal("workspace", "There are too many connections to this workspace.")
        self._workspaces[workspace] += 1
        return None

    def quit(self, workspace: str) -> None:
        """A connection that had joined a workspace has ended."""
        self._lower(self._workspaces, workspace)

    def leave(self, address: str) -> None:
        """A connection has ended."""
        self._connections -= 1
        self._lower(self._addresses, address)

    @property
    def connections(self) -> int:
        """How many there are."""
        return self._connections

    @staticmethod
    def _lower(counts: Counter[str], key: str) -> None:
        counts[key] -= 1
        if counts[key] <= 0:
            del counts[key]


class Pace:
    """How many of something may come: so many a second, ten seconds' worth at once."""

    __slots__ = ("_allowance", "_at", "_per_s")

    def __init__(self, per_s: int, now: int) -> None:
        self._per_s = per_s
        self._allowance = per_s * 10_000
        self._at = now

    def take(self, count: int, now: int) -> bool:
        """Count some; False where that was too many. Times are ms."""
        # In thousandths, so that whole numbers are enough.
        most = self._per_s * 10_000
        self._allowance = min(most, self._allowance + (now - self._at) * self._per_s)
        self._at = now
        self._allowance -= count * 1_000
        return self._allowance >= 0
