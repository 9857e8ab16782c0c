"""How alike two texts are in their very words: runs of three words, compared as sets.

A. Broder, "On the resemblance and containment of documents" (1997): *resemblance* is the share of
the runs of both that both have (Jaccard), *containment* the share of the shorter text's runs that
the other one has. Neither sees where a passage stands, so moved paragraphs do not matter.

To find who is worth comparing, some of each text's runs go into a table: of a short text all, of a
longer one those whose number is divisible by four or sixteen, so that two texts keep the same ones.
A run that very many thoughts have is a form that is filled in anew each time, and makes nobody
alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

RUN = 3
"""Words of a run."""

_LEVELS = ((50, 1), (400, 4))
_COARSEST = 16
_MANY, _THINNED = 20_000, 2
_FORM = 30
"""Thoughts that may share a run."""

_SHARED = 0.2
"""Of the runs that both would keep, as many must be shared for two texts to be compared."""


class Alike(NamedTuple):
    """How alike two texts are in their words, from 0 to 1."""

    resemblance: float
    containment: float
    runs: int
    """Of the shorter text."""


def runs_of(words: Sequence[str]) -> frozenset[int]:
    """The runs of three words of a text, each as a number; of a shorter text, the text itself."""
    numbers = {word: crc32(word.encode(errors="replace")) for word in set(words)}
    codes = [numbers[word] for word in words]
    if len(codes) < RUN:
        return frozenset((hash(tuple(codes)),)) if codes else frozenset()
    return frozenset(map(hash, zip(codes, codes[1:], codes[2:], strict=False)))


def compare(one: frozenset[int], other: frozenset[int]) -> Alike:
    """How alike two texts are, given their runs."""
    shorter = min(len(one), len(other))
    shared = len(one & other)
    together = len(one) + len(other) - shared
    return Alike(
        shared / together if together else 0.0, shared / shorter if shorter else 0.0, shorter
    )


class RunTable:
    """Which texts have runs in common. Numbers stand for texts; see the module's rules.

    Takes about 9 KB for a text, and of very many texts half of that, because fewer runs of each
    are kept: a copy of a part may then be missed.

    Args:
        texts: about how many there will be.
    """

    def __init__(self, texts: int = 0) -> None:
        self._thinned = _THINNED if texts > _MANY else 1
        self._kept: dict[int, _Kept] = {}
        # Nearly all runs have one holder, who stands there without a list around it.
        self._holders: dict[int, int | list[int]] = {}

    def add(self, text: int, runs: frozenset[int]) -> None:
        """Take in a text."""
        level = next((level for below, level in _LEVELS if len(runs) < below), _COARSEST)
        level *= self._thinned
        kept = [run for run in runs if run % level == 0]
        self._kept[text] = _Kept(level, kept)
        for run in kept:
            there = self._holders.get(run)
            if there is None:
                self._holders[run] = text
            elif isinstance(there, int):
                self._holders[run] = [there, text]
            elif len(there) <= _FORM:
                there.append(text)

    def pairs(self, limit: int) -> Iterator[tuple[int, int]]:
        """All pairs worth comparing, each once, the smaller number first.

        Args:
            limit: of one text's pairs so many at most, those that have most in common.
        """
        seen: set[tuple[int, int]] = set()
        for text in self._kept:
            for other in self._near(text, limit):
                pair = (min(text, other), max(text, other))
                if pair not in seen:
                    seen.add(pair)
                    yield pair

    def _near(self, text: int, limit: int) -> list[int]:
        own = self._kept[text]
        shared: Counter[int] = Counter()
        for run in own.runs:
            holders = self._holders[run]
            if isinstance(holders, list) and len(holders) <= _FORM:
                shared.update(holders)
        del shared[text]
        rated = []
        for other, count in shared.items():
            theirs = self._kept[other]
            level = max(own.level, theirs.level)
            share = count / max(1, min(own.at(level), theirs.at(level)))
            if share >= _SHARED:
                rated.append((share, other))
        rated.sort(key=lambda each: (-each[0], each[1]))
        return [other for _, other in rated[:limit]]


class _Kept(NamedTuple):
    level: int
    runs: list[int]

    def at(self, level: int) -> int:
        """How many are kept at a coarser level."""
        return len(self.runs) if level == self.level else sum(r % level == 0 for r in self.runs)
