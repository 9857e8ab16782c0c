"""The smallest readable edit script from one text to another.

A file saved by an editor or written by an agent is only a text; what was done to it has to be
found again before it can be merged. Whatever a script leaves alone survives what others do to
the document meanwhile, so a script touches as little as it can and never rewrites a text whole.

* Lines are compared first, then the words of changed lines; of a word that is still recognisable
  only the graphemes that differ are replaced. No piece, and so no edit, splits a grapheme.
* Pieces are matched from the outside in: common ends, then pieces that occur once on both sides,
  in their longest common order (patience diff, Bram Cohen), and where there are none, the greedy
  algorithm of Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
* Edits within lines that stand closer together than they are long become one edit.
* Work is counted, not timed: the same texts give the same script on every machine. When the
  allowance is used up, what is still unmatched is replaced as it stands: coarser, never wrong.
* Line ends and every other code point are compared as they are; nothing is normalised.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, count, groupby
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

from crdt.graphemes import graphemes, is_boundary

if TYPE_CHECKING:
    from regex import Pattern

# A step of work is about a tenth of a microsecond. One comparison may take so many, and some more
# for every character of its texts; below is what the parts of the work are taken to cost.
_ALLOWANCE = 2_000_000
_ALLOWANCE_PER_CHARACTER = 2
_STEPS_PER_BLOCK = 500
_STEPS_PER_REGION = 200
_STEPS_PER_PIECE = 2
_STEPS_PER_DIAGONAL = 12

_CONTEXT = 2
"""How many pieces, a blank and a word, a word must share with its twin to be an anchor."""

_PATH_EDITS = 128
"""Edits after which the greedy algorithm settles for the best path so far and starts afresh."""

_PATH_LAG = 64
"""How many pieces behind the furthest path another may be before it is given up."""

_PIECES_PER_EDIT = 5
"""How far, both sides counted, a path must get for each edit, or its texts are unlike."""

_LONG_BLOCK = 10_000
"""Characters from which on changed lines lose their common ends before they are cut up."""

_NEAR = 32
"""How far to look for a boundary that both texts share."""

_LONGEST_WORD = 64
"""Longer words (encoded data, text without spaces) are compared grapheme by grapheme."""


@dataclass(frozen=True, slots=True)
class Splice:
    """One replacement: ``old[start:end]`` becomes ``text``. Offsets count code points."""

    start: int
    end: int
    text: str


def splices(old: str, new: str) -> list[Splice]:
    """The edits that turn one text into another, ascending, with unchanged text between them.

    Every edit starts and ends at grapheme boundaries of the old text, and its text at grapheme
    boundaries of the new. Takes well under a second for texts of a megabyte, however unlike.
    """
    allowance = _Allowance(_ALLOWANCE + _ALLOWANCE_PER_CHARACTER * (len(old) + len(new)))
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    old_at, new_at = _offsets(old_lines), _offsets(new_lines)
    changes: list[_Range] = []
    for gap in _gaps(old_lines, new_lines, allowance):
        block = gap.scaled(old_at, new_at)
        if block.size > _LONG_BLOCK:
            block = _outlined(old, new, block)
        if block.pure or not allowance.take(_STEPS_PER_BLOCK + block.size // 2):
            changes.append(block)
            continue
        old_words = _words(old[block.old : block.old_end])
        new_words = _words(new[block.new : block.new_end])
        changes += [
            change.shifted(block.old, block.new)
            for change in _word_changes(old_words, new_words, allowance)
        ]
    return [Splice(c.old, c.old_end, new[c.new : c.new_end]) for c in changes]


def apply(old: str, splices: Iterable[Splice]) -> str:
    """The text that ascending splices make of an old one.

    Raises ``ValueError`` when they overlap, descend or reach outside of the text.
    """
    parts: list[str] = []
    position = 0
    for splice in splices:
        if not position <= splice.start <= splice.end <= len(old):
            raise ValueError(f"{splice} does not fit a text of {len(old)} after {position}")
        parts += old[position : splice.start], splice.text
        position = splice.end
    parts.append(old[position:])
    return "".join(parts)


class _Range(NamedTuple):
    """A stretch of the old sequence and the stretch of the new one that stands in its place."""

    old: int
    old_end: int
    new: int
    new_end: int

    @property
    def size(self) -> int:
        return self.old_end - self.old + self.new_end - self.new

    @property
    def pure(self) -> bool:
        """Whether it only inserts or only deletes."""
        return self.old == self.old_end or self.new == self.new_end

    def scaled(self, old_at: Sequence[int], new_at: Sequence[int]) -> _Range:
        """The same stretches, from indices of pieces to the offsets of those pieces."""
        return _Range(
            old_at[self.old], old_at[self.old_end], new_at[self.new], new_at[self.new_end]
        )

    def shifted(self, old: int, new: int) -> _Range:
        return _Range(self.old + old, self.old_end + old, self.new + new, self.new_end + new)

    def trimmed(self, head: int, tail: int) -> _Range:
        if not (head or tail):
            return self
        return _Range(self.old + head, self.old_end - tail, self.new + head, self.new_end - tail)

    def joined(self, later: _Range) -> _Range:
        return _Range(self.old, later.old_end, self.new, later.new_end)


class _Match(NamedTuple):
    """Pieces that are the same on both sides: ``length`` of them from ``old`` and ``new`` on."""

    old: int
    new: int
    length: int


@dataclass(slots=True)
class _Allowance:
    """The steps that are left for one comparison."""

    steps: int

    def take(self, steps: int) -> bool:
        """Takes steps, if that many are left."""
        if steps > self.steps:
            return False
        self.steps -= steps
        return True


# a word, a run of blanks, or one grapheme
_ASCII_WORDS = re.compile(r"\w+|[ \t]+|\r\n|.", re.ASCII | re.DOTALL)


@cache
def _unicode_words() -> Pattern[str]:
    """Like the words of ASCII; scripts that put no spaces between words go by graphemes.

    A character can be taken for the end of a grapheme only if no joining one follows and it
    joins nothing itself: prefixes, pictographs and conjunct linkers are left to ``\\X``.
    """
    import regex

    joining = r"\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}"
    special = rf"{joining}\p{{GCB=Prepend}}\p{{Extended_Pictographic}}\p{{InCB=Linker}}"
    unspaced = r"\p{Line_Break=Ideographic}\p{Line_Break=CJ}\p{Line_Break=Complex_Context}"
    letter = rf"[\w--[{special}{unspaced}]]"
    return regex.compile(
        rf"(?V1)[[{unspaced}]--[{special}]](?![{joining}])"
        rf"|(?:{letter}+(?![{joining}])|(?={letter})\X)++"
        rf"|[ \t]+(?![{joining}])"
        rf"|\p{{RI}}{{2}}(?![{joining}])"
        rf"|\X"
    )


def _words(text: str) -> list[str]:
    if text.isascii():
        words: list[str] = _ASCII_WORDS.findall(text)
    else:
        words = []
        for ascii_only, lines in groupby(text.splitlines(keepends=True), key=str.isascii):
            pattern = _ASCII_WORDS if ascii_only else _unicode_words()
            words += pattern.findall("".join(lines))
    if max(map(len, words)) <= _LONGEST_WORD:
        return words
    return [
        piece
        for word in words
        for piece in ([word] if len(word) <= _LONGEST_WORD else graphemes(word))
    ]


def _outlined(old: str, new: str, block: _Range) -> _Range:
    """A block without what both sides begin or end with, found without cutting it into words."""
    shorter = min(block.old_end - block.old, block.new_end - block.new)
    head = _run(old, block.old, new, block.new, shorter)
    head = _settled(old, block.old, new, block.new, 1, head)
    tail = _run_before(old, block.old_end, new, block.new_end, shorter - head)
    tail = _settled(old, block.old_end, new, block.new_end, -1, tail)
    return block.trimmed(head, tail)


def _settled(old: str, i: int, new: str, j: int, direction: int, length: int) -> int:
    """A common length, shortened until it ends at a boundary of both texts; 0 if none is near."""
    for shared in range(length, max(length - _NEAR, 0), -1):
        step = direction * shared
        if is_boundary(old, i + step) and is_boundary(new, j + step):
            return shared
    return 0


def _offsets(pieces: Iterable[str]) -> list[int]:
    return list(accumulate(map(len, pieces), initial=0))


def _word_changes(
    old_words: Sequence[str], new_words: Sequence[str], allowance: _Allowance
) -> list[_Range]:
    """The changed characters within changed lines."""
    old_at, new_at = _offsets(old_words), _offsets(new_words)
    changes: list[_Range] = []
    for gap in _gaps(old_words, new_words, allowance, _CONTEXT):
        change = gap.scaled(old_at, new_at)
        if not change.pure:
            change = _trimmed(
                change, old_words[gap.old : gap.old_end], new_words[gap.new : gap.new_end]
            )
        while changes and change.old - changes[-1].old_end < min(changes[-1].size, change.size):
            change = changes.pop().joined(change)
        changes.append(change)
    return changes


def _trimmed(change: _Range, old_words: Sequence[str], new_words: Sequence[str]) -> _Range:
    """A change without the graphemes that both sides begin or end with.

    A word that was neither only extended nor only cut, and keeps no more than half of itself, is
    another word: it is replaced whole.
    """
    shorter = min(change.old_end - change.old, change.new_end - change.new)
    head = _common(old_words, new_words, 1, shorter)
    tail = _common(old_words, new_words, -1, shorter - head)
    if head + tail < shorter:
        one_word = len(old_words) == len(new_words) == 1
        kept_of_first, kept_of_last = (head + tail,) * 2 if one_word else (head, tail)
        if 2 * kept_of_first <= min(len(old_words[0]), len(new_words[0])):
            head = 0
        if 2 * kept_of_last <= min(len(old_words[-1]), len(new_words[-1])):
            tail = 0
    return change.trimmed(head, tail)


def _common(old_words: Sequence[str], new_words: Sequence[str], step: int, limit: int) -> int:
    """How many code points, up to a limit, the graphemes are the same from one end on."""
    length = 0
    for one, other in zip(_spelled(old_words, step), _spelled(new_words, step), strict=False):
        if one != other or length + len(one) > limit:
            break
        length += len(one)
    return length


def _spelled(words: Sequence[str], step: int) -> Iterator[str]:
    return (grapheme for word in words[::step] for grapheme in graphemes(word)[::step])


def _gaps(
    old: Sequence[str], new: Sequence[str], allowance: _Allowance, context: int = 0
) -> list[_Range]:
    """The stretches of two sequences of pieces that do not match, ascending, none touching."""
    core = _narrowed(old, new, _Range(0, len(old), 0, len(new)))
    if core.pure:
        return [core] if core.size else []
    old, new = old[core.old : core.old_end], new[core.new : core.new_end]
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    a, b = [numbers[piece] for piece in old], [numbers[piece] for piece in new]
    gaps: list[_Range] = []
    regions = [_Range(0, len(a), 0, len(b))]
    while regions:
        region = _narrowed(a, b, regions.pop())
        if (
            region.pure
            or _unlike(a, b, region)
            or not allowance.take(_STEPS_PER_REGION + _STEPS_PER_PIECE * region.size)
        ):
            if region.size:
                gaps.append(region)
        elif anchors := _anchors(a, b, region, context):
            regions += _between(anchors, region)
        else:
            gaps += _between(_greedy_matches(a, b, region, allowance), region)
    gaps.sort()
    return [gap.shifted(core.old, core.new) for gap in gaps]


def _unlike(a: Sequence[int], b: Sequence[int], region: _Range) -> bool:
    """Whether two stretches have no piece in common."""
    return set(a[region.old : region.old_end]).isdisjoint(b[region.new : region.new_end])


def _between(matches: Iterable[_Match], region: _Range) -> Iterator[_Range]:
    """What ascending matches leave of a region."""
    i, i_end, j, j_end = region
    for old, new, length in matches:
        if old > i or new > j:
            yield _Range(i, old, j, new)
        i, j = old + length, new + length
    if i < i_end or j < j_end:
        yield _Range(i, i_end, j, j_end)


def _narrowed(a: Sequence[object], b: Sequence[object], region: _Range) -> _Range:
    """A region without the pieces that both sides begin or end with."""
    shorter = min(region.old_end - region.old, region.new_end - region.new)
    head = _run(a, region.old, b, region.new, shorter)
    tail = _run_before(a, region.old_end, b, region.new_end, shorter - head)
    return region.trimmed(head, tail)


def _run(a: Sequence[object], i: int, b: Sequence[object], j: int, limit: int) -> int:
    """How much, up to a limit, is the same from two positions on."""
    length, stride = 0, 1
    while stride:
        reach = length + stride
        if reach <= limit and a[i + length : i + reach] == b[j + length : j + reach]:
            length, stride = reach, stride * 2
        else:
            stride //= 2
    return length


def _run_before(a: Sequence[object], i: int, b: Sequence[object], j: int, limit: int) -> int:
    """How much, up to a limit, is the same before two positions."""
    length, stride = 0, 1
    while stride:
        reach = length + stride
        if reach <= limit and a[i - reach : i - length] == b[j - reach : j - length]:
            length, stride = reach, stride * 2
        else:
            stride //= 2
    return length


def _anchors(a: Sequence[int], b: Sequence[int], region: _Range, context: int) -> list[_Match]:
    """The longest common order of the pieces that occur once on each side of a region.

    To count, a piece must have the same pieces before it or after it, as many as ``context``.
    """
    inner_a, inner_b = a[region.old : region.old_end], b[region.new : region.new_end]
    once = _single(inner_a) & _single(inner_b)
    twins = {piece: j for j, piece in enumerate(inner_b, region.new) if piece in once}
    pairs = [(i, twins[piece]) for i, piece in enumerate(inner_a, region.old) if piece in once]
    if context:
        pairs = [(i, j) for i, j in pairs if _in_context(a, i, b, j, context)]
    # Patience sorting: ``ends[n]`` is the smallest end of a rising series of n + 1 pairs.
    ends: list[int] = []
    last: list[int] = []
    earlier: list[int] = []
    for number, (_, j) in enumerate(pairs):
        pile = bisect_left(ends, j)
        earlier.append(last[pile - 1] if pile else -1)
        if pile == len(ends):
            ends.append(j)
            last.append(number)
        else:
            ends[pile] = j
            last[pile] = number
    series: list[_Match] = []
    number = last[-1] if last else -1
    while number >= 0:
        series.append(_Match(*pairs[number], 1))
        number = earlier[number]
    return series[::-1]


def _single(pieces: Sequence[int]) -> set[int]:
    """The pieces that occur once."""
    return {piece for piece, often in Counter(pieces).items() if often == 1}


def _in_context(a: Sequence[int], i: int, b: Sequence[int], j: int, context: int) -> bool:
    """Whether so many pieces before two positions, or after them, are the same."""
    return (
        a[i + 1 : i + 1 + context] == b[j + 1 : j + 1 + context]
        or a[max(i - context, 0) : i] == b[max(j - context, 0) : j]
    )


def _greedy_matches(
    a: Sequence[int], b: Sequence[int], region: _Range, allowance: _Allowance
) -> list[_Match]:
    """Matches along a path of few edits, found a stretch of edits at a time.

    A stretch that finds too little ends the search: the rest is too unlike.
    """
    matches: list[_Match] = []
    while not region.pure and (path := _greedy_path(a, b, region, allowance)):
        matches += [match for match in path if match.length]
        old, new, length = path[-1]
        region = region._replace(old=old + length, new=new + length)
    return matches


def _greedy_path(
    a: Sequence[int], b: Sequence[int], region: _Range, allowance: _Allowance
) -> list[_Match]:
    """The path with which few edits get furthest into a region, as the match after each edit.

    Each round allows one edit more. It notes, for every diagonal k = x - y that is not far
    behind, where the furthest path enters and leaves it. Matches may be empty; the last one ends
    where the path does. There is no path where edits are many and matches few.
    """
    i, i_end, j, j_end = region
    width, height = i_end - i, j_end - j
    leaves = {0: _run(a, i, b, j, min(width, height))}
    rounds = [({0: 0}, leaves)]
    trial = min(2 * isqrt(region.size) + 1, _PATH_EDITS)
    furthest = 0
    while leaves.get(width - height) != width and len(rounds) <= _PATH_EDITS:
        unlike = len(rounds) >= trial and furthest < _PIECES_PER_EDIT * len(rounds)
        if unlike or not allowance.take(_STEPS_PER_DIAGONAL * (len(leaves) + 1)):
            return []
        enters: dict[int, int] = {}
        for k, x in leaves.items():
            if x < width and enters.get(k + 1, -1) <= x:
                enters[k + 1] = x + 1
            if x - k < height and enters.get(k - 1, -1) < x:
                enters[k - 1] = x
        leaves = {}
        furthest = 0
        for k, x in enters.items():
            y = x - k
            if x < width and y < height and a[i + x] == b[j + y]:
                x += _run(a, i + x, b, j + y, min(width - x, height - y))
            leaves[k] = x
            furthest = max(furthest, 2 * x - k)
        leaves = {k: x for k, x in leaves.items() if 2 * x - k >= furthest - _PATH_LAG}
        rounds.append((enters, leaves))
    k = max(leaves, key=lambda k: 2 * leaves[k] - k)
    path: list[_Match] = []
    while rounds:
        enters, leaves = rounds.pop()
        x = enters[k]
        path.append(_Match(i + x, j + x - k, leaves[k] - x))
        if rounds:
            k += -1 if rounds[-1][1].get(k - 1) == x - 1 else 1
    return path[::-1]
