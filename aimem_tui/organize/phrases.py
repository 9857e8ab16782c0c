"""Key phrases of a text, for tags that nobody has used yet.

One or two words that stand together more than once, weighed by how often they do and by how few
other thoughts have them, more if the title says them. A phrase that fewer than three thoughts have
gathers nothing as a tag; one that a tenth of them have tells nothing apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log

from aimem_tui.organize.tokens import is_telling

FEWEST, SHARE = 3, 0.1
_TWICE = 2


def key_phrases(
    title: Sequence[str],
    words: Sequence[str],
    holders: Callable[[str], int],
    total: int,
    limit: int = 3,
) -> list[str]:
    """The words and pairs that tell most about a text, as tags are written: ``sync-engine``.

    Args:
        title, words: the words of the title and of the text.
        holders: how many thoughts hold a word.
        total: how many thoughts there are.
    """
    singles = Counter(word for word in words if is_telling(word) and len(word) > 2)
    pairs = Counter(
        (one, other)
        for one, other in pairwise(words)
        if is_telling(one) and is_telling(other) and len(one) > 2 and len(other) > 2
    )
    named = set(title)
    found: list[tuple[float, str, frozenset[str]]] = []
    for word, count in singles.items():
        if count >= _TWICE and _gathers(holders(word), total):
            weight = _weight(count, holders(word), total) * (2.0 if word in named else 1.0)
            found.append((weight, word, frozenset((word,))))
    for (one, other), count in pairs.items():
        rarer = min(holders(one), holders(other))
        if count >= _TWICE and rarer >= FEWEST:
            both = 2.0 if one in named and other in named else 1.0
            weight = 1.2 * _weight(count, rarer, total) * both
            found.append((weight, f"{one}-{other}", frozenset((one, other))))
    found.sort(key=lambda each: (-each[0], each[1]))
    chosen: list[str] = []
    said: set[str] = set()
    for _, phrase, parts in found:
        if said.isdisjoint(parts):
            chosen.append(phrase)
            said |= parts
        if len(chosen) == limit:
            break
    return chosen


def _gathers(holders: int, total: int) -> bool:
    return FEWEST <= holders <= max(FEWEST, SHARE * total)


def _weight(count: int, holders: int, total: int) -> float:
    return (1 + log(count)) * log(max(2, total) / max(1, holders))
