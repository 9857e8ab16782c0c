"""Where two sequences match, and the gaps between.

The pieces of a sequence are compared as they are; what they stand for is the caller's.

* Pieces are matched from the outside in: common ends, then pieces that occur once on both sides,
  in their longest common order (patience diff, Bram Cohen), and where there are none, the greedy
  algorithm of Myers, "An O(ND) Difference Algorithm and Its Variations" (1986).
* Work is counted, not timed: the same sequences give the same gaps on every machine. When the
  allowance is used up, what is still unmatched is one gap: coarser, never wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import isqrt
from typing import NamedTuple

# What the parts of the work are taken to cost, in steps of about a tenth of a microsecond.
_STEPS_PER_REGION = 200
_STEPS_PER_PIECE = 2
_STEPS_PER_DIAGONAL = 12

_PATH_EDITS = 128
"""Edits after which the greedy algorithm settles for the best path so far and starts afresh."""

_PATH_LAG = 64
"""How many pieces behind the furthest path another may be before it is given up."""

_PIECES_PER_EDIT = 5
"""How far, both sides counted, a path must get for each edit, or its texts are unlike."""


class Range(NamedTuple):
    """A stretch of the old sequence and the stretch of the new one that stands in its place."""

    old: int
    old_end: int
    new: int
    new_end: int

    @property
    def size(self) -> int:
        """How much it covers, both sides counted."""
        return self.old_end - self.old + self.new_end - self.new

    @property
    def pure(self) -> bool:
        """Whether it only inserts or only deletes."""
        return self.old == self.old_end or self.new == self.new_end

    def scaled(self, old_at: Sequence[int], new_at: Sequence[int]) -> Range:
        """The same stretches, from indices of pieces to the offsets of those pieces."""
        return Range(old_at[self.old], old_at[self.old_end], new_at[self.new], new_at[self.new_end])

    def shifted(self, old: int, new: int) -> Range:
        """The same stretches of longer sequences that have so much before them."""
        return Range(self.old + old, self.old_end + old, self.new + new, self.new_end + new)

    def trimmed(self, head: int, tail: int) -> Range:
        """What is left without so much at its beginning and its end."""
        if not (head or tail):
            return self
        return Range(self.old + head, self.old_end - tail, self.new + head, self.new_end - tail)

    def joined(self, later: Range) -> Range:
        """This, a later one, and all between."""
        return Range(self.old, later.old_end, self.new, later.new_end)


class Match(NamedTuple):
    """Pieces that are the same on both sides: ``length`` of them from ``old`` and ``new`` on."""

    old: int
    new: int
    length: int


@dataclass(slots=True)
class Allowance:
    """The steps that are left for one comparison."""

    steps: int

    def take(self, steps: int) -> bool:
        """Takes steps, if that many are left."""
        if steps > self.steps:
            return False
        self.steps -= steps
        return True


def gaps(
    old: Sequence[str], new: Sequence[str], allowance: Allowance, context: int = 0
) -> list[Range]:
    """The stretches of two sequences of pieces that do not match, ascending, none touching.

    Args:
        context: how many pieces before or after it a piece that occurs once must share with its
            twin for the two to count as the same.
    """
    core = _narrowed(old, new, Range(0, len(old), 0, len(new)))
    if core.pure:
        return [core] if core.size else []
    old, new = old[core.old : core.old_end], new[core.new : core.new_end]
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    a, b = [numbers[piece] for piece in old], [numbers[piece] for piece in new]
    found: list[Range] = []
    regions = [Range(0, len(a), 0, len(b))]
    while regions:
        region = _narrowed(a, b, regions.pop())
        if (
            region.pure
            or _unlike(a, b, region)
            or not allowance.take(_STEPS_PER_REGION + _STEPS_PER_PIECE * region.size)
        ):
            if region.size:
                found.append(region)
        elif anchors := _anchors(a, b, region, context):
            regions += _between(anchors, region)
        else:
            found += _between(_greedy_matches(a, b, region, allowance), region)
    found.sort()
    return [gap.shifted(core.old, core.new) for gap in found]


def _unlike(a: Sequence[int], b: Sequence[int], region: Range) -> bool:
    """Whether two stretches have no piece in common."""
    return set(a[region.old : region.old_end]).isdisjoint(b[region.new : region.new_end])


def _between(matches: Iterable[Match], region: Range) -> Iterator[Range]:
    """What ascending matches leave of a region."""
    i, i_end, j, j_end = region
    for old, new, length in matches:
        if old > i or new > j:
            yield Range(i, old, j, new)
        i, j = old + length, new + length
    if i < i_end or j < j_end:
        yield Range(i, i_end, j, j_end)


def _narrowed(a: Sequence[object], b: Sequence[object], region: Range) -> Range:
    """A region without the pieces that both sides begin or end with."""
    shorter = min(region.old_end - region.old, region.new_end - region.new)
    head = run(a, region.old, b, region.new, shorter)
    tail = run_before(a, region.old_end, b, region.new_end, shorter - head)
    return region.trimmed(head, tail)


def run(a: Sequence[object], i: int, b: Sequence[object], j: int, limit: int) -> int:
    """How much, up to a limit, is the same from two positions on."""
    length, stride = 0, 1
    while stride:
        reach = length + stride
        if reach <= limit and a[i + length : i + reach] == b[j + length : j + reach]:
            length, stride = reach, stride * 2
        else:
            stride //= 2
    return length


def run_before(a: Sequence[object], i: int, b: Sequence[object], j: int, limit: int) -> int:
    """How much, up to a limit, is the same before two positions."""
    length, stride = 0, 1
    while stride:
        reach = length + stride
        if reach <= limit and a[i - reach : i - length] == b[j - reach : j - length]:
            length, stride = reach, stride * 2
        else:
            stride //= 2
    return length


def _anchors(a: Sequence[int], b: Sequence[int], region: Range, context: int) -> list[Match]:
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
    series: list[Match] = []
    number = last[-1] if last else -1
    while number >= 0:
        series.append(Match(*pairs[number], 1))
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
    a: Sequence[int], b: Sequence[int], region: Range, allowance: Allowance
) -> list[Match]:
    """Matches along a path of few edits, found a stretch of edits at a time.

    A stretch that finds too little ends the search: the rest is too unlike.
    """
    matches: list[Match] = []
    while not region.pure and (path := _greedy_path(a, b, region, allowance)):
        matches += [match for match in path if match.length]
        old, new, length = path[-1]
        region = region._replace(old=old + length, new=new + length)
    return matches


def _greedy_path(
    a: Sequence[int], b: Sequence[int], region: Range, allowance: Allowance
) -> list[Match]:
    """The path with which few edits get furthest into a region, as the match after each edit.

    Each round allows one edit more. It notes, for every diagonal k = x - y that is not far
    behind, where the furthest path enters and leaves it. Matches may be empty; the last one ends
    where the path does. There is no path where edits are many and matches few.
    """
    i, i_end, j, j_end = region
    width, height = i_end - i, j_end - j
    leaves = {0: run(a, i, b, j, min(width, height))}
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
                x += run(a, i + x, b, j + y, min(width - x, height - y))
            leaves[k] = x
            furthest = max(furthest, 2 * x - k)
        leaves = {k: x for k, x in leaves.items() if 2 * x - k >= furthest - _PATH_LAG}
        rounds.append((enters, leaves))
    k = max(leaves, key=lambda k: 2 * leaves[k] - k)
    path: list[Match] = []
    while rounds:
        enters, leaves = rounds.pop()
        x = enters[k]
        path.append(Match(i + x, j + x - k, leaves[k] - x))
        if rounds:
            k += -1 if rounds[-1][1].get(k - 1) == x - 1 else 1
    return path[::-1]
