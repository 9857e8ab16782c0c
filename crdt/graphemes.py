"""Grapheme clusters: what a reader takes for one character.

A caret stops, a deletion ends and a merge cuts only where one grapheme ends and the next begins,
so that no one ever sees half a flag or an accent without its letter. The boundaries are those of
the extended grapheme clusters of Unicode Standard Annex #29.

* Indices are code points, as Python counts them. 0 and ``len(text)`` are always boundaries.
* Nothing is kept and nothing is scanned from the start: one look-up costs a few microseconds,
  wherever it is in the text, and a little more inside very long clusters and rows of flags.
* ASCII text is answered without Unicode data: there, only CR LF is longer than one code point.
* For the rest, the ``regex`` package brings the Unicode tables. It is imported at first need.
  Its ``\\X``, started anywhere, looks back as far as the rules ask and ends at a true boundary.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regex import Pattern


def graphemes(text: str) -> list[str]:
    """The graphemes of a text, in order; joined they are the text again."""
    if text.isascii():
        return list(text) if "\r\n" not in text else _ascii_graphemes(text)
    return _clusters().findall(text)


def boundaries(text: str) -> list[int]:
    """Every boundary of a text, ascending, 0 and ``len(text)`` included."""
    return list(accumulate(map(len, graphemes(text)), initial=0))


def is_boundary(text: str, index: int) -> bool:
    """Whether a grapheme begins or the text ends at an index.

    Raises ``IndexError`` for an index outside of the text.
    """
    _check(text, index)
    if index in (0, len(text)):
        return True
    pair = text[index - 1 : index + 1]
    if pair.isascii():
        return pair != "\r\n"
    cluster = _cluster().match(text, index - 1, index + 1)
    return cluster is not None and cluster.end() == index


def next_boundary(text: str, index: int) -> int:
    """The nearest boundary after an index, or ``len(text)`` when there is none.

    Raises ``IndexError`` for an index outside of the text.
    """
    _check(text, index)
    following = text[index : index + 2]
    if following.isascii():
        return min(index + (2 if following == "\r\n" else 1), len(text))
    cluster = _cluster().match(text, index)
    return len(text) if cluster is None else cluster.end()


def previous_boundary(text: str, index: int) -> int:
    """The nearest boundary before an index, or 0 when there is none.

    Raises ``IndexError`` for an index outside of the text.
    """
    _check(text, index)
    index = max(index - 1, 0)
    while not is_boundary(text, index):
        index -= 1
    return index


def _check(text: str, index: int) -> None:
    if not 0 <= index <= len(text):
        raise IndexError(f"index {index} is outside of a text of {len(text)} code points")


def _ascii_graphemes(text: str) -> list[str]:
    lines = text.split("\r\n")
    found = list(lines[0])
    for line in lines[1:]:
        found.append("\r\n")
        found.extend(line)
    return found


@cache
def _cluster() -> Pattern[str]:
    import regex

    return regex.compile(r"\X")


@cache
def _clusters() -> Pattern[str]:
    """Finds cluster after cluster from a boundary on.

    Whether two flag letters belong together depends on how many stand before them. ``\\X`` counts
    them anew at each, which is quadratic in a row of flags; here they are taken in pairs.
    """
    import regex

    return regex.compile(r"\p{RI}{2}(?![\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}])|\X")
