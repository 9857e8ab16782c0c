"""Tags for a thought: those of its neighbours, those it is like, and those that its words name.

A thought is compared with those that have tags, by meaning where there are vectors, and by words.
Either comparison is a *panel* and gives out shares in two ways:

- the nearest thoughts vote for their tags, each with a power of its cosine, so that the nearest
  speak loudest;
- the thought is held against the mean of all that have a tag, the likeliest tags by far ahead
  (softmax), which speaks for tags of few thoughts as well as for those of many.

What comes of a panel counts less where even the nearest thought is far. A tag that the text itself
names gets a share for that, more if the title names it, and more the rarer it is. How the figures
were chosen and what they reach: ``docs/organize.md``. Where all this says nothing, key phrases of
the text are proposed (:mod:`.phrases`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import exp, log
from typing import NamedTuple

from aimem_tui.organize.ports import Nearness
from aimem_tui.organize.tokens import words_of

NEIGHBOURS = 10
"""Thoughts that vote."""


class Weights(NamedTuple):
    """How a panel's cosines become shares."""

    power: int
    """Of a neighbour's cosine."""
    spread: float
    """The difference of cosines by which a tag falls behind e times."""
    near: float
    """The cosine from which on the nearest thought is near enough to be heard in full."""


MEANING = Weights(power=6, spread=0.06, near=0.5)
WORDS = Weights(power=2, spread=0.02, near=0.15)
NAMED = 0.2
"""What it is worth that the title names a tag, and that the text names it often."""

FLOOR = 0.45
"""A tag with a smaller score is not proposed."""

ASKED_FLOOR = 0.25
"""The same for who asks about one thought."""

PROPOSED = 3
"""Tags proposed at most."""


class Panel(NamedTuple):
    """What one way of comparing says of a thought's tags."""

    shares: dict[str, float]
    """For each tag, how much speaks for it, at most 2 in all."""
    votes: Counter[str]
    """For each tag, how many of the nearest thoughts have it."""


class Rated(NamedTuple):
    """A tag and how well it fits, usually from 0 to 1."""

    tag: str
    score: float
    votes: int
    """Of the neighbours asked, how many have it."""
    named: bool
    """Whether the text names it."""


class TagTable:
    """The tags of a workspace: who has which, how often, and by which words a text names one.

    Args:
        tags: the tags of each thought that has any, by its number.
    """

    def __init__(self, tags: Mapping[int, Sequence[str]]) -> None:
        spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for written in tags.values():
            for folded, tag in {tag.casefold(): tag for tag in written}.items():
                spellings[folded][tag] += 1
        self._spelled = {
            folded: min(each, key=lambda tag: (-each[tag], tag))
            for folded, each in spellings.items()
        }
        self.tagged: dict[int, tuple[str, ...]] = {
            thought: tuple({self.spelled(tag): None for tag in written})
            for thought, written in tags.items()
        }
        """The tags of each thought, as they are most often written."""
        holders: defaultdict[str, list[int]] = defaultdict(list)
        for thought, own in self.tagged.items():
            for tag in own:
                holders[tag].append(thought)
        self.holders: dict[str, list[int]] = dict(holders)
        """The thoughts that have each tag."""
        self.counts = {tag: len(thoughts) for tag, thoughts in self.holders.items()}
        """How many these are."""
        self._named_by: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for tag in self.counts:
            words = tuple(words_of(tag))
            if words:
                self._named_by[words[0]].append((tag, words))

    def spelled(self, tag: str) -> str:
        """A tag as it is most often written."""
        return self._spelled.get(tag.casefold(), tag)

    def rarity(self, tag: str) -> float:
        """From 0, for a tag that every thought has, to 1, for one that a single thought has."""
        total = len(self.tagged)
        return log(total / self.counts[tag]) / log(max(2, total))

    def named_in(self, words: Sequence[str]) -> Counter[str]:
        """How often a text names each tag. A plural names the singular, and the other way round."""
        found: Counter[str] = Counter()
        for at, word in enumerate(words):
            for first in _forms(word):
                for tag, wanted in self._named_by.get(first, ()):
                    if _follows(words, at, wanted):
                        found[tag] += 1
        return found


def panel(nearness: Nearness, weights: Weights, thought: int, table: TagTable) -> Panel | None:
    """What one way of comparing says of a thought's tags; None if it knows nothing of it."""
    near = nearness.nearest(thought, NEIGHBOURS, table.tagged.keys())
    if not near:
        return None
    heard = min(1.0, max(0.0, near[0].cosine) / weights.near)
    shares: defaultdict[str, float] = defaultdict(float)
    votes: Counter[str] = Counter()
    whole = sum(max(0.0, each.cosine) ** weights.power for each in near) or 1.0
    for each in near:
        share = heard * max(0.0, each.cosine) ** weights.power / whole
        for tag in table.tagged[each.thought]:
            shares[tag] += share
            votes[tag] += 1
    likeness = nearness.likeness(thought, table.holders)
    likeliest = max(likeness.values(), default=0.0)
    odds = {tag: exp((cosine - likeliest) / weights.spread) for tag, cosine in likeness.items()}
    total = sum(odds.values()) or 1.0
    for tag, odd in odds.items():
        shares[tag] += heard * odd / total
    return Panel(dict(shares), votes)


def rate(
    table: TagTable,
    panels: Sequence[Panel],
    title: Sequence[str],
    text: Sequence[str],
    has: Sequence[str] = (),
) -> list[Rated]:
    """Tags for a text, the best first.

    Args:
        panels: what is said of it; see :func:`panel`.
        title, text: its words.
        has: the tags it has, which are not proposed again.
    """
    shares: defaultdict[str, float] = defaultdict(float)
    votes: Counter[str] = Counter()
    for each in panels:
        votes |= each.votes
        for tag, share in each.shares.items():
            # Half from the votes and half from the likeness; all panels together give out one.
            shares[tag] += share / (2 * len(panels))
    in_title, in_text = table.named_in(title), table.named_in(text)
    own = {tag.casefold() for tag in has}
    found = []
    for tag in {*shares, *in_title, *in_text}:
        if tag.casefold() in own:
            continue
        named = NAMED * ((tag in in_title) + _often(in_text[tag], len(text)))
        score = shares[tag] + named * table.rarity(tag)
        found.append(Rated(tag, score, votes[tag], bool(in_title[tag] or in_text[tag])))
    found.sort(key=lambda each: (-round(each.score, 9), -table.counts[each.tag], each.tag))
    return found


def _often(count: int, length: int) -> float:
    """How strongly a text names a tag, from 0 to 1: twice in a hundred words is strongly."""
    return min(1.0, count / max(1.0, 0.02 * length)) if count else 0.0


def _forms(word: str) -> tuple[str, ...]:
    return (word, word[:-1]) if word.endswith("s") and len(word) > 3 else (word, f"{word}s")


def _follows(words: Sequence[str], at: int, wanted: Sequence[str]) -> bool:
    if len(wanted) == 1:
        return True
    present = words[at : at + len(wanted)]
    return len(present) == len(wanted) and all(
        each in _forms(word) for each, word in zip(wanted[1:], present[1:], strict=True)
    )
