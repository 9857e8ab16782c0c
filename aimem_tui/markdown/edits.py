"""Edits that are asked for in words: this text by that, this section anew, behind that line.

- Every function gives splices of the text and changes nothing else, not even blank lines. What is
  replaced is compared with what it becomes, so that only what differs is touched and what others
  write beside it, in the same section or line, survives.
- What is looked for must be there exactly once; an edit at a place that was guessed is worse than
  none. Whoever asks is told where it is, or what comes nearest.
- Line ends do not count when looking, and what is written gets those of the text.
- What is added to a section comes on lines of its own, below a blank line, unless it goes on a list
  or a table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from aimem_tui.errors import BadInput, NotFound
from aimem_tui.markdown import frontmatter, sections
from aimem_tui.markdown.lines import Line, line_after, line_end, line_start, lines_between
from aimem_tui.markdown.sections import Section
from crdt import textdiff
from crdt.textdiff import Splice

_END = re.compile(r"\r\n|\r|\n")
_ANY_END = r"(?>\r\n|\r|\n)"
_WORD = re.compile(r"\w+|[^\w\s]")
_ITEM = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])(?:[ \t]|\Z)|\|)")
_PLACES = 8
_SHOWN = 600
_LIKELY = 3
"""So many passages are compared word by word with what was looked for."""
_COMPARED = 400
"""Words of each."""
_LOOKED_THROUGH = 1_000_000
"""Characters of a text in which the nearest passage is looked for."""
_LIKE = 0.5
"""Of the words of what was looked for, as many must be in a passage for it to be shown."""


def replace_exact(text: str, old: str, new: str, *, every: bool = False) -> list[Splice]:
    """Replace a passage by another; empty where that changes nothing.

    Args:
        old: as it stands in the text, but for the kind of line ends.
        every: all the places where it stands; otherwise there must be one.

    Raises:
        BadInput: if ``old`` is empty, or stands in several places, which are said.
        NotFound: if it is not there, with the passage that comes nearest.
    """
    edits: list[Splice] = []
    for place in _places(text, old, every=every):
        there = text[place.start : place.end]
        wanted = _with_ends(new, line_end(there if _END.search(there) else text))
        edits += _difference(text, place.start, place.end, wanted)
    return edits


def replace_section(text: str, wanted: str, content: str) -> list[Splice]:
    """Replace what stands below a heading, its subsections included.

    The heading stays, and so do the blank lines around it. Where the content begins with the same
    heading, of whatever level, that one is taken as well.

    Args:
        wanted: see :func:`aimem_tui.markdown.sections.find`.

    Raises:
        NotFound, Ambiguous, BadInput: if no one section is meant.
    """
    section = sections.find(text, wanted)
    inner = _trimmed(text, section.body, section.end)
    content = _without_blank_ends(content)
    if _begins_with(content, section):
        inner = _trimmed(text, section.start, section.end)
    new = _with_ends(content, line_end(text))
    if inner.start == inner.end:
        at = section.body
        return [_insertion(text, at, new, blank_before=True, blank_after=True)] if new else []
    if not new:
        return [Splice(inner.start, section.end, "")]
    if line_after(text, inner.end) == section.end and text[section.end :][:1] not in ("", "#"):
        # Prose would become part of an underlined heading that follows at once.
        new += line_end(text)
    return _difference(text, inner.start, inner.end, new)


def append_to_section(text: str, wanted: str, content: str) -> list[Splice]:
    """Add to what a section says itself, before its subsections.

    Raises:
        NotFound, Ambiguous: if no one section is meant.
        BadInput: if there is nothing to add, or no section is named.
    """
    section = sections.find(text, wanted)
    return [_addition(text, section.body, section.own_end, _something(content))]


def prepend_to_section(text: str, wanted: str, content: str) -> list[Splice]:
    """Put in front of what a section says, below its heading.

    Raises:
        NotFound, Ambiguous: if no one section is meant.
        BadInput: if there is nothing to add, or no section is named.
    """
    section = sections.find(text, wanted)
    new = _something(content)
    inner = _trimmed(text, section.body, section.own_end)
    if inner.start == inner.end:
        return [_addition(text, section.body, section.own_end, new)]
    following = next(lines_between(text, inner.start, inner.end))
    together = _goes_on(_last_line(new), following.text)
    return [
        _insertion(
            text,
            inner.start,
            _with_ends(new, line_end(text)),
            blank_before=inner.start == section.body,
            blank_after=not together,
        )
    ]


def insert_after(text: str, anchor: str, content: str) -> list[Splice]:
    """Add lines below the one in which a passage ends.

    Args:
        anchor: stands in the text once; see :func:`replace_exact`.

    Raises:
        NotFound, BadInput: as :func:`replace_exact`; or if there is nothing to add.
    """
    (place,) = _places(text, anchor)
    at = place.end
    if not text[:at].endswith(("\n", "\r")):
        at = line_after(text, at)
    return [_insertion(text, at, _with_ends(_something(content, trim=False), line_end(text)))]


def insert_before(text: str, anchor: str, content: str) -> list[Splice]:
    """Add lines above the one in which a passage begins.

    Args:
        anchor: stands in the text once; see :func:`replace_exact`.

    Raises:
        NotFound, BadInput: as :func:`replace_exact`; or if there is nothing to add.
    """
    (place,) = _places(text, anchor)
    at = line_start(text, place.start)
    return [_insertion(text, at, _with_ends(_something(content, trim=False), line_end(text)))]


def append(text: str, content: str) -> list[Splice]:
    """Add at the end of a text.

    Raises:
        BadInput: if there is nothing to add.
    """
    block = frontmatter.split(text)
    return [_addition(text, 0 if block is None else block.end, len(text), _something(content))]


class _Span(NamedTuple):
    start: int
    end: int


def _places(text: str, wanted: str, *, every: bool = False) -> list[_Span]:
    """Where a passage stands."""
    if not wanted:
        raise BadInput("The text to look for is empty.", hint="Give the words as they stand there.")
    found = list(_occurrences(text, wanted))
    if not found:
        raise _not_there(text, wanted)
    if len(found) > 1 and not every:
        lines = [str(sections.line_of(text, place.start)) for place in found[:_PLACES]]
        more = f" and {len(found) - _PLACES:,} more" if len(found) > _PLACES else ""
        raise BadInput(
            f"The text stands in {len(found):,} places.",
            why=f"In the lines {', '.join(lines)}{more}.",
            hint="Give more of what stands around the one that is meant, or change every one.",
        )
    return found


def _occurrences(text: str, wanted: str) -> Iterator[_Span]:
    """Where a passage stands, whatever its line ends; overlapping ones but the first left out."""
    kinds = set(_END.findall(text)) if "\r" in text else {"\n"}
    if len(kinds) > 1:
        pattern = re.compile(_ANY_END.join(map(re.escape, _END.split(wanted))))
        yield from (_Span(*match.span()) for match in pattern.finditer(text))
        return
    # To look for a plain string is quick, however long it is.
    needle = _END.sub(kinds.pop(), wanted)
    at = text.find(needle)
    while at >= 0:
        yield _Span(at, at + len(needle))
        at = text.find(needle, at + len(needle))


def _difference(text: str, start: int, end: int, new: str) -> list[Splice]:
    """The edits that make ``new`` of ``text[start:end]``."""
    return [
        Splice(start + edit.start, start + edit.end, edit.text)
        for edit in textdiff.splices(text[start:end], new)
    ]


def _addition(text: str, start: int, end: int, content: str) -> Splice:
    """Adds behind the last words of ``text[start:end]``, which are whole lines."""
    inner = _trimmed(text, start, end)
    new = _with_ends(content, line_end(text))
    if inner.start == inner.end:
        follows = bool(text[end:].strip())
        return _insertion(text, start, new, blank_before=start > 0, blank_after=follows)
    at = line_after(text, inner.end)
    last = list(lines_between(text, line_start(text, inner.start), at))
    together = _goes_on(_paragraph_start(last), content)
    return _insertion(text, at, new, blank_before=not together, blank_after=bool(text[end:]))


def _insertion(
    text: str, at: int, new: str, *, blank_before: bool = False, blank_after: bool = False
) -> Splice:
    """Puts whole lines in at the start of a line or the end of the text.

    Args:
        blank_before, blank_after: have a blank line there if there is none.
    """
    eol = line_end(text)
    before, after = text[:at], text[at:]
    front = "" if not before or before.endswith(("\n", "\r")) else eol
    if blank_before and before.strip("\ufeff") and not _ends_blank(before + front):
        front += eol
    back = "" if new.endswith(("\n", "\r")) else eol
    if blank_after and after and not _END.match(after):
        back += eol
    return Splice(at, at, front + new + back)


def _ends_blank(text: str) -> bool:
    lines = _END.split(text[-4:])
    return len(lines) > 2 and not lines[-2].strip() if text.strip() else True


def _trimmed(text: str, start: int, end: int) -> _Span:
    """``text[start:end]``, whole lines, without blank lines around; its last line without its end.

    Where all of it is blank, the empty span at its start.
    """
    full = [line for line in lines_between(text, start, end) if line.text.strip()]
    if not full:
        return _Span(start, start)
    return _Span(full[0].start, full[-1].start + len(full[-1].text))


def _without_blank_ends(content: str) -> str:
    span = _trimmed(content, 0, len(content))
    return content[span.start : span.end]


def _something(content: str, *, trim: bool = True) -> str:
    kept = _without_blank_ends(content) if trim else content
    if not kept:
        raise BadInput("There is nothing to add.", hint="Give the lines to be added.")
    return kept


def _with_ends(content: str, eol: str) -> str:
    return _END.sub(eol, content)


def _begins_with(content: str, section: Section) -> bool:
    """Whether a content brings the section's own heading along."""
    first = next(iter(sections.outline(content)), None)
    return (
        first is not None and first.level > 0 and first.title.casefold() == section.title.casefold()
    )


def _goes_on(line: str, other: str) -> bool:
    """Whether the lines around a seam are entries of one list, or rows of one table."""
    one, two = _ITEM.match(line), _ITEM.match(other)
    return bool(one and two and one[0].endswith("|") == two[0].endswith("|"))


def _last_line(content: str) -> str:
    return _paragraph_start([*lines_between(content, 0, len(content))])


def _paragraph_start(lines: Sequence[Line]) -> str:
    """The line that says what the last lines are: the last entry of a list, if they end with one.

    Lines that go on with an entry are indented, or follow it at once.
    """
    last = lines[-1].text
    for line in reversed(lines):
        if _ITEM.match(line.text):
            return line.text
        if not line.text.strip():
            break
    return last


def _not_there(text: str, wanted: str) -> NotFound:
    what = "The text to look for is not there."
    near = _nearest(text, wanted)
    if near is None:
        return NotFound(what, why="Nothing is like it.", hint="Read the thought, then try again.")
    shown = text[near.start : near.end]
    line = sections.line_of(text, near.start)
    blanks = "".join(shown.split()) == "".join(wanted.split())
    why = "Only blanks differ." if blanks else ""
    cut = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    return NotFound(what, why=why, hint=f"The nearest stands in line {line}:\n{cut}")


def _nearest(text: str, wanted: str) -> _Span | None:
    """The lines that come nearest to a passage; None where none is like it."""
    from difflib import SequenceMatcher  # takes 5 ms, and only mistakes need it

    goal = _WORD.findall(wanted[:_LOOKED_THROUGH])
    text = text[:_LOOKED_THROUGH]
    lines = list(lines_between(text, 0, len(text)))
    height = max(1, len(_END.split(wanted.strip("\r\n"))))
    if not goal or not lines:
        return None
    words = Counter(goal)
    shared = [sum((Counter(_WORD.findall(line.text)) & words).values()) for line in lines]
    window = sum(shared[:height])
    scores = [window]
    for index in range(height, len(lines)):
        window += shared[index] - shared[index - height]
        scores.append(window)
    likely = sorted(range(len(scores)), key=lambda index: (-scores[index], index))[:_LIKELY]
    best, place = (_LIKE, 0.0), None
    for index in likely:
        span = _Span(lines[index].start, _text_end(lines[min(index + height, len(lines)) - 1]))
        there = _WORD.findall(text[span.start : span.end])
        matcher = SequenceMatcher(None, goal[:_COMPARED], there[:_COMPARED], autojunk=False)
        same = sum(block.size for block in matcher.get_matching_blocks())
        like = (same / len(goal[:_COMPARED]), matcher.ratio())
        if like > best:
            best, place = like, span
    return place


def _text_end(line: Line) -> int:
    return line.start + len(line.text)
