"""How near thoughts are by their words: cosine of weighted words, with or without vectors beside.

Salton's vector space: a word weighs ``(1 + ln count) * ln(N / holders)``; of each text the eighty
weightiest words are kept, which is where nearly all of the cosine comes from and bounds what one
question costs. A word that weighs in more than two thousand thoughts is not asked for.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from heapq import nlargest
from math import log, sqrt
from typing import NamedTuple

from aimem_tui.model import never
from aimem_tui.organize.ports import Groups, Near
from aimem_tui.organize.tokens import is_telling, words_of

KEPT = 80
"""Words of a text that are weighed."""

_LONGEST_LIST = 2_000
_READ = 20_000
"""Characters of a text that are read."""

_PROFILE = 2_000
"""Words of a group's mean that are kept."""

_LOGS = [0.0, *(1 + log(count) for count in range(1, 100))]


class _Row(NamedTuple):
    """The words of a thought with their weights; the squares of these add up to 1."""

    words: tuple[str, ...]
    weights: array[float]


class _List(NamedTuple):
    """The thoughts in which a word weighs, with its weights."""

    thoughts: array[int]
    weights: array[float]


class WordNearness:
    """How near thoughts are by their words.

    Takes about 2 KB for a thought.

    Args:
        read: gives the number and the text of each thought; called twice.
        stop: asked now and then; once it says so, what was read by then counts.
    """

    by_meaning = False

    def __init__(
        self,
        read: Callable[[], Iterable[tuple[int, str]]],
        stop: Callable[[], bool] = never,
    ) -> None:
        self.total = 0
        """How many thoughts there are."""
        self.holders: Counter[str] = Counter()
        """How many of them have each word."""
        for _, text in read():
            if stop():
                break
            self.total += 1
            self.holders.update(set(words_of(text[:_READ])))
        rarity = {
            word: log(self.total / count)
            for word, count in self.holders.items()
            if 1 < count < self.total and is_telling(word)
        }
        spelled = {word: word for word in rarity}
        self._rows: dict[int, _Row] = {}
        self._lists: dict[str, _List] = {}
        self._profiles: tuple[Groups, dict[str, list[tuple[str, float]]]] | None = None
        for thought, text in read():
            if stop():
                break
            # Each word once in memory, not once for each thought.
            counted = Counter(words_of(text[:_READ])).items()
            counts = {spelled[word]: n for word, n in counted if word in spelled}
            self._rows[thought] = row = _weighed(counts, rarity)
            for word, weight in zip(row.words, row.weights, strict=True):
                found = self._lists.get(word)
                if found is None:
                    found = self._lists[word] = _List(array("q"), array("f"))
                found.thoughts.append(thought)
                found.weights.append(weight)

    def nearest(self, thought: int, limit: int, among: Set[int] | None = None) -> list[Near]:
        """The thoughts nearest to one, the nearest first, of all or only of some."""
        row = self._rows.get(thought)
        if row is None:
            return []
        found: defaultdict[int, float] = defaultdict(float)
        for word, weight in zip(row.words, row.weights, strict=True):
            holders = self._lists[word]
            if len(holders.thoughts) <= _LONGEST_LIST:
                for other, theirs in zip(holders.thoughts, holders.weights, strict=True):
                    found[other] += weight * theirs
        found.pop(thought, None)
        if among is not None:
            found = defaultdict(float, {n: found[n] for n in found.keys() & among})
        best = nlargest(limit, found.items(), key=lambda each: (each[1], -each[0]))
        return [Near(other, cosine) for other, cosine in best]

    def neighbours(self, limit: int, least: float) -> Iterator[tuple[int, list[Near]]]:
        """Every thought with the nearest others from a cosine on, the nearest first."""
        for thought in self._rows:
            near = [each for each in self.nearest(thought, limit) if each.cosine >= least]
            if near:
                yield thought, near

    def likeness(self, thought: int, groups: Groups) -> dict[str, float]:
        """The cosine of a thought and the mean of each group."""
        row = self._rows.get(thought)
        if row is None:
            return {}
        if self._profiles is None or self._profiles[0] is not groups:
            self._profiles = (groups, self._profiled(groups))
        found: defaultdict[str, float] = defaultdict(float)
        for word, weight in zip(row.words, row.weights, strict=True):
            for group, theirs in self._profiles[1].get(word, ()):
                found[group] += weight * theirs
        return dict(found)

    def cosine(self, one: int, other: int) -> float | None:
        """How near two thoughts are; None if one of them is not known."""
        first, second = self._rows.get(one), self._rows.get(other)
        if first is None or second is None:
            return None
        theirs = dict(zip(second.words, second.weights, strict=True))
        return sum(
            weight * theirs.get(word, 0.0)
            for word, weight in zip(first.words, first.weights, strict=True)
        )

    def _profiled(self, groups: Groups) -> dict[str, list[tuple[str, float]]]:
        """For each word the groups that have it, with its weight in their mean, of unit length."""
        profiles: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for group, members in groups.items():
            total: defaultdict[str, float] = defaultdict(float)
            for member in members:
                row = self._rows.get(member)
                if row is not None:
                    for word, weight in zip(row.words, row.weights, strict=True):
                        total[word] += weight
            length = sqrt(sum(weight * weight for weight in total.values())) or 1.0
            for word, weight in nlargest(_PROFILE, total.items(), key=lambda each: each[1]):
                profiles[word].append((group, weight / length))
        return profiles


def _weighed(counts: dict[str, int], rarity: dict[str, float]) -> _Row:
    raw = [(_LOGS[min(count, 99)] * rarity[word], word) for word, count in counts.items()]
    if len(raw) > KEPT:
        raw = nlargest(KEPT, raw)
    length = sqrt(sum(weight * weight for weight, _ in raw)) or 1.0
    return _Row(tuple(word for _, word in raw), array("f", [weight / length for weight, _ in raw]))
