"""How long to wait before dialling again.

Full jitter: a random time between nothing and a bound that doubles with each failure, so that many
machines whose relay comes back do not all knock at once. See "Exponential Backoff And Jitter", AWS
Architecture Blog, 2015.
"""

from __future__ import annotations

from random import Random

FIRST_S = 0.5
MOST_S = 60.0


class Backoff:
    """Waiting times of one remote.

    Args:
        rng: where the lots are drawn from.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._bound = FIRST_S
        self.failures = 0
        """How often in a row it has failed."""

    def next(self, delay_ms: int = 0) -> float:
        """How long to wait after one more failure, in seconds.

        Args:
            delay_ms: how long the other side asks to wait at least.
        """
        self.failures += 1
        bound, self._bound = self._bound, min(MOST_S, 2 * self._bound)
        return delay_ms / 1_000 + self._rng.uniform(0, bound)

    def succeeded(self) -> None:
        """The other side was reached and has been useful: begin anew."""
        self.failures = 0
        self._bound = FIRST_S
