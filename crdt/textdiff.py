"""The smallest readable edit script from one text to another.

A file saved by an editor or written by an agent is only a text; what was done to it has to be
found again before it can be merged. Whatever a script leaves alone survives what others do to
the document meanwhile, so a script touches as little as it can and never rewrites a text whole.

* Lines are compared first, then the words of changed lines; of a word that is still recognisable
  only the graphemes that differ are replaced. No piece, and so no edit, splits a grapheme.
* Edits within lines that stand closer together than they are long become one edit.
* What matches is found by :mod:`crdt.matching`, with an allowance of work that is counted, not
  timed. When it is used up, what is still unmatched is replaced as it stands: coarser, never wrong.
* Line ends and every other code point are compared as they are; nothing is normalised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from crdt.graphemes import graphemes, is_boundary
from crdt.matching import Allowance, Range, gaps, run, run_before

if TYPE_CHECKING:
    from regex import Pattern

# A step of work is about a tenth of a microsecond. One comparison may take so many, and some more
# for every character of its texts.
_ALLOWANCE = 2_000_000
_ALLOWANCE_PER_CHARACTER = 2
_STEPS_PER_BLOCK = 500
"""What a block of changed lines is taken to cost."""

_CONTEXT = 2
"""How many pieces, a blank and a word, a word must share with its twin to be an anchor."""

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
    allowance = Allowance(_ALLOWANCE + _ALLOWANCE_PER_CHARACTER * (len(old) + len(new)))
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    old_at, new_at = _offsets(old_lines), _offsets(new_lines)
    changes: list[Range] = []
    for gap in gaps(old_lines, new_lines, allowance):
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


def _outlined(old: str, new: str, block: Range) -> Range:
    """A block without what both sides begin or end with, found without cutting it into words."""
    shorter = min(block.old_end - block.old, block.new_end - block.new)
    head = run(old, block.old, new, block.new, shorter)
    head = _settled(old, block.old, new, block.new, 1, head)
    tail = run_before(old, block.old_end, new, block.new_end, shorter - head)
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
    old_words: Sequence[str], new_words: Sequence[str], allowance: Allowance
) -> list[Range]:
    """The changed characters within changed lines."""
    old_at, new_at = _offsets(old_words), _offsets(new_words)
    changes: list[Range] = []
    for gap in gaps(old_words, new_words, allowance, _CONTEXT):
        change = gap.scaled(old_at, new_at)
        if not change.pure:
            change = _trimmed(
                change, old_words[gap.old : gap.old_end], new_words[gap.new : gap.new_end]
            )
        while changes and change.old - changes[-1].old_end < min(changes[-1].size, change.size):
            change = changes.pop().joined(change)
        changes.append(change)
    return changes


def _trimmed(change: Range, old_words: Sequence[str], new_words: Sequence[str]) -> Range:
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
