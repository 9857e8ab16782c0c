"""What keys do to markdown: lists that go on, tasks that are ticked, lines that move.

Pure functions from lines and a place to replacements, which are ascending and do not overlap.
They touch as little as they can, so that what others do to the same lines meanwhile survives: a
task is ticked by replacing the one character between its brackets, and lines move past another by
moving that other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from textual.widgets.text_area import Location

from aimem_tui.widgets.editor.line_document import LineDocument

_PREFIX = re.compile(
    r"(?P<quote>(?:[ \t]*>[ \t]?)*)(?P<indent>[ \t]*)"
    r"(?:(?P<marker>[-*+]|\d{1,9}[.)])(?P<gap>[ \t]+|$)(?:\[(?P<box>[^\[\]])\](?:[ \t]+|$))?)?"
)
_HEADING = re.compile(r"\s{0,3}#{1,6}(\s|$)")
_LOOK_UP = 200
"""How many lines above are asked how deep a list is."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Text in the place of what stands between two locations."""

    start: Location
    end: Location
    text: str


@dataclass(frozen=True, slots=True)
class _Prefix:
    """What stands before the content of a line."""

    quote: str
    indent: str
    marker: str
    """Of a list's item: a bullet or a number; empty for other lines."""
    gap: str
    box: int
    """The column of the mark between a task's brackets, -1 if the line is no task."""
    length: int

    @classmethod
    def of(cls, line: str) -> _Prefix:
        match = _PREFIX.match(line)
        assert match is not None  # Every part of the pattern is optional.
        return cls(
            match["quote"],
            match["indent"],
            match["marker"] or "",
            match["gap"] or "",
            match.start("box"),
            match.end(),
        )


def is_item(line: str) -> bool:
    """Whether a line is an item of a list."""
    return bool(_Prefix.of(line).marker)


def break_line(lines: LineDocument, at: Location, *, prose: bool) -> Replacement:
    """What Enter does at a place: in ``prose``, it goes on with the list, task or quote.

    In an item without content it ends the list instead. No other item is numbered anew.
    """
    row, column = at
    line = lines[row]
    prefix = _Prefix.of(line)
    if not prose or not (prefix.marker or prefix.quote):
        indentation = line[: len(line) - len(line.lstrip())]
        return Replacement(at, at, lines.newline + indentation[:column])
    if column < prefix.length:
        return Replacement(at, at, lines.newline)
    if not line[prefix.length :].strip():
        kept = len(prefix.quote) if prefix.marker else 0
        return Replacement((row, kept), (row, len(line)), "")
    marker = prefix.marker
    if marker[:-1].isdigit():
        marker = f"{int(marker[:-1]) + 1}{marker[-1]}"
    box = "[ ] " if prefix.box >= 0 else ""
    rest = line[column:]
    after = column + len(rest) - len(rest.lstrip())
    text = lines.newline + prefix.quote + prefix.indent + marker + prefix.gap + box
    return Replacement(at, (row, after), text)


def toggle_task(line: str, row: int) -> Replacement | None:
    """Tick a task or take the tick away; make a task of a line that is none; headings stay."""
    prefix = _Prefix.of(line)
    if prefix.box >= 0:
        mark = " " if line[prefix.box] in "xX" else "x"
        return Replacement((row, prefix.box), (row, prefix.box + 1), mark)
    if prefix.marker:
        at = (row, prefix.length)
        return Replacement(at, at, "[ ] " if prefix.gap else " [ ] ")
    if _HEADING.match(line):
        return None
    at = (row, prefix.length)
    return Replacement(at, at, "- [ ] ")


def indent(lines: LineDocument, rows: range, width: int) -> list[Replacement]:
    """Move lines to the right: a list's item under the item above, other lines by ``width``."""
    first = _Prefix.of(lines[rows.start])
    step = width
    if first.marker:
        above = _items_above(lines, rows.start)
        parent = next((item for item in above if len(item.indent) <= len(first.indent)), first)
        step = len(parent.marker) + 1
    places = [(row, len(_Prefix.of(lines[row]).quote)) for row in rows if lines[row].strip()]
    return [Replacement(place, place, " " * step) for place in places]


def outdent(lines: LineDocument, rows: range, width: int) -> list[Replacement]:
    """Move lines to the left: a list's item beside the one it is in, other lines by ``width``."""
    first = _Prefix.of(lines[rows.start])
    step = width
    if first.marker:
        depths = (len(item.indent) for item in _items_above(lines, rows.start))
        outer = next((depth for depth in depths if depth < len(first.indent)), 0)
        step = len(first.indent) - outer
    replacements = []
    for row in rows:
        prefix = _Prefix.of(lines[row])
        taken = 1 if prefix.indent.startswith("\t") else min(step, len(prefix.indent))
        if taken:
            start = len(prefix.quote)
            replacements.append(Replacement((row, start), (row, start + taken), ""))
    return replacements


def move_lines(lines: LineDocument, rows: range, *, down: bool) -> list[Replacement]:
    """Move lines past the line below or above them; nothing if there is none."""
    first, last = rows.start, rows.stop - 1
    if down:
        other = rows.stop
        if other >= lines.line_count:
            return []
        end = lines.get_line_end(other)
        gone = ((other, 0), (other + 1, 0))
        if not end:
            end = lines.get_line_end(last)
            gone = ((last, len(lines[last])), lines.end)
        return [Replacement((first, 0), (first, 0), lines[other] + end), Replacement(*gone, "")]
    other = first - 1
    if other < 0:
        return []
    end = lines.get_line_end(other)
    if lines.get_line_end(last):
        put = Replacement((rows.stop, 0), (rows.stop, 0), lines[other] + end)
    else:
        put = Replacement(lines.end, lines.end, end + lines[other])
    return [Replacement((other, 0), (first, 0), ""), put]


def delete_lines(lines: LineDocument, rows: range) -> Replacement:
    """Delete lines; with the last line goes the line end before it."""
    if rows.stop < lines.line_count:
        return Replacement((rows.start, 0), (rows.stop, 0), "")
    start = (rows.start - 1, len(lines[rows.start - 1])) if rows.start else (0, 0)
    return Replacement(start, lines.end, "")


def _items_above(lines: LineDocument, row: int) -> Iterator[_Prefix]:
    """The items of the list above a row, nearest first, up to a line that ends the list."""
    blank = 0
    for above in range(row - 1, max(row - _LOOK_UP, 0) - 1, -1):
        line = lines[above]
        prefix = _Prefix.of(line)
        if prefix.marker:
            yield prefix
            blank = 0
        elif not line.strip():
            blank += 1
            if blank > 1:
                return
        elif not prefix.indent:
            return
