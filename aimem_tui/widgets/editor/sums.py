"""A list of numbers that knows its running totals, cheap to change in the middle.

The editor asks all day long which line a byte or a screen row falls into, and where a line
begins. A list of prefix sums answers at once but costs the whole document per edit. Here the
numbers lie in chunks of bounded length, each with its own sum: an edit rewrites one chunk, and
the next question adds up the chunks, a few dozen for a document of a megabyte.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain
from typing import NamedTuple

_CHUNK = 512


class _Totals(NamedTuple):
    """How many numbers, and how much, lie before each chunk; all of them at the end."""

    counts: list[int]
    sums: list[int]


class Sums:
    """Numbers >= 0 with fast prefix sums, search by running total, and splicing."""

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._chunks = _chunked(list(values))
        self._sums = [sum(chunk) for chunk in self._chunks]
        self._cached: _Totals | None = None

    def __len__(self) -> int:
        return self._totals.counts[-1]

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._chunks)

    def __getitem__(self, position: int) -> int:
        """The number at ``position``, which is not negative."""
        chunk, at = self._locate(position)
        return self._chunks[chunk][at]

    @property
    def total(self) -> int:
        """The sum of all numbers."""
        return self._totals.sums[-1]

    def before(self, position: int) -> int:
        """The sum of the numbers before ``position``, which may be the length."""
        chunk, at = self._locate(position)
        return self._totals.sums[chunk] + sum(self._chunks[chunk][:at])

    def find(self, running: int) -> tuple[int, int]:
        """The last position with at most ``running`` before it, and what is left over there.

        ``running`` is not negative. At or past the total, that is the last position.
        """
        totals = self._totals
        chunk = min(bisect_right(totals.sums, running), len(self._chunks)) - 1
        rest = running - totals.sums[chunk]
        within = list(accumulate(self._chunks[chunk], initial=0))
        at = max(min(bisect_right(within, rest), len(within) - 1) - 1, 0)
        return totals.counts[chunk] + at, rest - within[at]

    def splice(self, start: int, stop: int, values: Iterable[int]) -> None:
        """Put ``values`` in the place of the numbers from ``start`` up to ``stop``."""
        first, low = self._locate(start)
        last, high = self._locate(stop)
        merged = [*self._chunks[first][:low], *values, *self._chunks[last][high:]]
        fresh = [merged] if 0 < len(merged) <= 2 * _CHUNK else _chunked(merged)
        if not merged and last + 1 - first < len(self._chunks):
            fresh = []
        self._chunks[first : last + 1] = fresh
        self._sums[first : last + 1] = [sum(chunk) for chunk in fresh]
        self._cached = None

    def _locate(self, position: int) -> tuple[int, int]:
        counts = self._totals.counts
        chunk = min(bisect_right(counts, position), len(self._chunks)) - 1
        return chunk, position - counts[chunk]

    @property
    def _totals(self) -> _Totals:
        if self._cached is None:
            self._cached = _Totals(
                list(accumulate(map(len, self._chunks), initial=0)),
                list(accumulate(self._sums, initial=0)),
            )
        return self._cached


def _chunked(values: list[int]) -> list[list[int]]:
    return [values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK)] or [[]]
