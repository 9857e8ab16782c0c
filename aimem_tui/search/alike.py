"""Hits that say the same as a better one: copies, and texts that differ by a few words.

Compared are sets of sentences first, which is quick and lets nearly all pairs go; then sets of
three words in a row. Hits with a Jaccard similarity of :data:`SAME` or more are shown as one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

SAME = 0.8
_MAYBE = 0.4
_TRIED = 3
_LOOKED_AT = 20_000
"""Characters of a text; who writes more than that before anything differs has made a copy."""
_SENTENCE = re.compile(r"[.!?\n]+\s*")
_WORD = re.compile(r"\w+")


def groups(texts: Sequence[str]) -> list[list[int]]:
    """The texts by what they say, each group led by its first; leaders in their order."""
    sentences = [_sentences(text) for text in texts]
    leaders: dict[str, list[int]] = {}
    shingles: dict[int, frozenset[str]] = {}
    found: dict[int, list[int]] = {}
    for place, mine in enumerate(sentences):
        common = Counter(leader for each in mine for leader in leaders.get(each, ()))
        for leader, number in common.most_common(_TRIED):
            if number < _MAYBE * max(len(mine), len(sentences[leader])):
                continue
            for each in (place, leader):
                if each not in shingles:
                    shingles[each] = _shingles(texts[each])
            if _jaccard(shingles[place], shingles[leader]) >= SAME:
                found[leader].append(place)
                break
        else:
            found[place] = [place]
            for sentence in mine:
                leaders.setdefault(sentence, []).append(place)
    return [*found.values()]


def _sentences(text: str) -> frozenset[str]:
    return frozenset(part for part in _SENTENCE.split(text[:_LOOKED_AT]) if len(part) > 12)


def _shingles(text: str) -> frozenset[str]:
    words = _WORD.findall(text[:_LOOKED_AT].casefold())
    return frozenset(" ".join(words[at : at + 3]) for at in range(len(words) - 2))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    common = len(one & other)
    return common / max(1, len(one) + len(other) - common)
