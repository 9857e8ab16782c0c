"""Thoughts that should be one: found by meaning and by shared words, confirmed by the words.

Who is worth comparing: of each thought the five nearest by vectors from a cosine of 0.8 on, and
whoever shares enough runs of three words with it. What is a duplicate is decided by the words,
because notes about neighbouring matters are near by meaning and still two notes. The figures were
chosen on one half of real notes and checked on the other: ``docs/organize.md``.

Of a pair that one is kept which others link to, else the one with more words, else the one that
lies higher in the tree, else the older.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from aimem_tui.model import never
from aimem_tui.organize.library import Card, Library
from aimem_tui.organize.ports import Nearness
from aimem_tui.organize.shingles import Alike, RunTable, compare, runs_of
from aimem_tui.organize.tokens import body_of, words_of

NEAR = 0.80
VERY_NEAR = 0.90
NEIGHBOURS = 5


class Bars(NamedTuple):
    """From where on two texts are one: from either figure on."""

    resemblance: float
    containment: float


BY_WORDS = Bars(0.30, 0.60)
VERY_NEAR_BARS = Bars(0.25, 0.50)
"""For two thoughts that are very near by meaning."""

RELATED = 0.70
"""What only stands within another must be this near, where there are vectors: forms that are filled
in anew have much in common and speak of different things."""

_MUCH_LONGER = 0.4
"""By how much containment exceeds resemblance where one text is much longer than the other."""

FEWEST_RUNS = 12
"""A text with fewer runs of words says too little to be alike by chance or not."""

FEWEST_OF_SAME = 3
"""The same for texts that are the same word for word."""

_PARTNERS = 6


class Likeness(StrEnum):
    """In which way two thoughts are one."""

    SAME = "same"
    """Word for word."""
    EDITED = "edited"
    """One is an edited copy of the other."""
    WITHIN = "within"
    """One holds most of the other."""


class Pair(NamedTuple):
    """Two thoughts that are one, with the figures that say so."""

    kept: Card
    other: Card
    likeness: Likeness
    resemblance: float
    """Of all runs of three words, the share that both have."""
    containment: float
    """Of the shorter one's, the share that the other has."""
    cosine: float | None
    """How near they are by meaning; None without vectors."""

    @property
    def confidence(self) -> float:
        """From 0 to 1."""
        alike = max(self.resemblance, 0.9 * self.containment)
        return alike if self.cosine is None else 0.5 * (alike + max(0.0, self.cosine))


def likeness_of(alike: Alike, cosine: float | None) -> Likeness | None:
    """In which way two texts are one, by their figures; None where they are two."""
    if alike.resemblance == 1.0 and alike.runs >= FEWEST_OF_SAME:
        return Likeness.SAME
    if alike.runs < FEWEST_RUNS:
        return None
    near = cosine is not None and cosine >= VERY_NEAR
    bars = VERY_NEAR_BARS if near else BY_WORDS
    related = cosine is None or cosine >= RELATED
    resembling = alike.resemblance >= bars.resemblance
    if not resembling and not (alike.containment >= bars.containment and related):
        return None
    within = not resembling or alike.containment - alike.resemblance >= _MUCH_LONGER
    return Likeness.WITHIN if within else Likeness.EDITED


def find(
    library: Library,
    nearness: Nearness | None = None,
    *,
    stop: Callable[[], bool] = never,
    skip: Callable[[Pair], bool] = lambda _: False,
) -> list[Pair]:
    """All pairs of thoughts that are one, the surest first.

    Of thoughts that are all alike each but the one kept is in one pair with it, so that merging
    every pair leaves one thought.

    Args:
        nearness: by meaning; without it, or with one by words, shared words alone decide.
        stop: asked now and then; once it says so, what was found by then is returned.
        skip: whether a pair shall be left out.
    """
    table = RunTable(len(library.cards))
    same: dict[tuple[bool, int], list[int]] = {}
    for n, text in library.texts(library.cards):
        if stop():
            break
        runs = runs_of(words_of(body_of(text)))
        markdown = library.cards[n].is_markdown
        if library.cards[n].thought.name.startswith("."):
            # A .gitkeep says in every folder the same, and is needed in each.
            continue
        copies = same.setdefault((markdown, hash(runs)), [])
        copies.append(n)
        # One of many copies stands for all: their runs would look like a form.
        if runs and markdown and len(copies) == 1:
            table.add(n, runs)
    meaning = nearness if nearness is not None and nearness.by_meaning else None
    compared = Comparison(library, meaning)
    groups = [sorted(copies, key=compared.rank) for copies in same.values() if len(copies) > 1]
    found = []
    for one, other in _worth_comparing(table, groups, library, meaning, stop):
        pair = compared.pair(one, other)
        if pair is not None and not skip(pair):
            found.append(pair)
    return _one_each(found)


class Comparison:
    """Compares thoughts pair by pair."""

    def __init__(self, library: Library, meaning: Nearness | None) -> None:
        self._library = library
        self._meaning = meaning if meaning is not None and meaning.by_meaning else None
        self._runs = lru_cache(maxsize=512)(self._runs_of)

    def pair(self, one: int, other: int) -> Pair | None:
        """Two thoughts as a pair; None if they are two."""
        cards = [self._library.cards[one], self._library.cards[other]]
        cosine = self._meaning.cosine(one, other) if self._meaning else None
        alike = compare(self._runs(one), self._runs(other))
        likeness = likeness_of(alike, cosine)
        if likeness is None or not (
            all(card.is_markdown for card in cards)
            # Files that hold a word to be there at all are no copies of each other.
            or (likeness is Likeness.SAME and alike.runs >= FEWEST_RUNS)
        ):
            return None
        kept, less = sorted((one, other), key=self.rank)
        return Pair(
            self._library.cards[kept],
            self._library.cards[less],
            likeness,
            alike.resemblance,
            alike.containment,
            cosine,
        )

    def figures(self, kept: Card, other: Card) -> Pair:
        """Two thoughts as a pair in the given order, alike or not."""
        cosine = self._meaning.cosine(kept.n, other.n) if self._meaning else None
        alike = compare(self._runs(kept.n), self._runs(other.n))
        likeness = likeness_of(alike, cosine) or Likeness.WITHIN
        return Pair(kept, other, likeness, alike.resemblance, alike.containment, cosine)

    def _runs_of(self, n: int) -> frozenset[int]:
        return runs_of(words_of(body_of(self._library.text(n))))

    def rank(self, n: int) -> tuple[int, int, int, str]:
        """What makes one thought rather be kept than another; the least is kept."""
        thought = self._library.cards[n].thought
        return (
            -self._library.links_in.get(n, 0),
            -thought.words,
            thought.path.count("/"),
            thought.id,
        )


def _worth_comparing(
    table: RunTable,
    groups: Iterable[list[int]],
    library: Library,
    meaning: Nearness | None,
    stop: Callable[[], bool],
) -> Iterator[tuple[int, int]]:
    seen: set[tuple[int, int]] = set()
    for copies in groups:
        for other in copies[1:]:
            seen.add((min(copies[0], other), max(copies[0], other)))
    yield from sorted(seen)
    for pair in table.pairs(_PARTNERS):
        if stop():
            return
        if pair not in seen:
            seen.add(pair)
            yield pair
    if meaning is None:
        return
    for n, found in meaning.neighbours(NEIGHBOURS, NEAR):
        if stop():
            return
        for near in found:
            pair = (min(n, near.thought), max(n, near.thought))
            if library.cards.keys() >= {*pair} and pair not in seen:
                seen.add(pair)
                yield pair


def _one_each(pairs: Iterable[Pair]) -> list[Pair]:
    """Each thought that goes is in one pair: with the surest, and best placed, one to go into."""
    best: dict[int, Pair] = {}
    for pair in pairs:
        present = best.get(pair.other.n)
        if present is None or _order(pair) < _order(present):
            best[pair.other.n] = pair
    return sorted(best.values(), key=_order)


def _order(pair: Pair) -> tuple[float, str, str]:
    return (-round(pair.confidence, 6), pair.kept.thought.path, pair.other.thought.path)
