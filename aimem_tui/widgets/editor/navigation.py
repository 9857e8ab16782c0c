"""Where the caret goes: by grapheme, by word, and up and down through the wrapped rows.

Every location that comes out of here lies between two graphemes. Up and down keep to the cell in
which the first of these moves began, for as long as nothing else moves the caret.
"""

from __future__ import annotations

from bisect import bisect_left
from unicodedata import category

from textual.geometry import Offset
from textual.widgets.text_area import DocumentNavigator, Location

from aimem_tui.widgets.editor.cells import Cells
from aimem_tui.widgets.editor.wrapping import Wrapping


class Navigator(DocumentNavigator):
    """Moves through a `Wrapping`."""

    def __init__(self, wrapping: Wrapping) -> None:
        super().__init__(wrapping)
        self._wrapping = wrapping
        self._lines = wrapping.document
        self._aim: tuple[Location, int] | None = None

    def snap(self, location: Location) -> Location:
        """The nearest location in the text that lies between two graphemes, not before this."""
        row, column = self._lines.clamp(location)
        return row, self._wrapping.cells(row).snap(column)

    def clamp_reachable(self, location: Location) -> Location:
        """The nearest location that a caret can have."""
        return self.snap(location)

    def get_location_left(self, location: Location) -> Location:
        """One grapheme to the left, or the end of the line above."""
        row, column = location
        if column:
            return row, self._wrapping.cells(row).previous(column)
        return (row - 1, len(self._lines[row - 1])) if row else (0, 0)

    def get_location_right(self, location: Location) -> Location:
        """One grapheme to the right, or the beginning of the line below."""
        row, column = location
        if column < len(self._lines[row]):
            return row, self._wrapping.cells(row).next(column)
        return (row + 1, 0) if row + 1 < self._lines.line_count else location

    def word_left(self, location: Location) -> Location:
        """The beginning of the word, or of the marks, to the left; in a line's start as `left`."""
        row, column = location
        if not column:
            return self.get_location_left(location)
        cells = self._wrapping.cells(row)
        at = bisect_left(cells.columns, column)
        while at and _kind(cells, at - 1) == " ":
            at -= 1
        kind = _kind(cells, at - 1) if at else ""
        while at and _kind(cells, at - 1) == kind:
            at -= 1
        return row, cells.columns[at]

    def word_right(self, location: Location) -> Location:
        """The end of the word, or of the marks, to the right; at a line's end as `right`."""
        row, column = location
        cells = self._wrapping.cells(row)
        at = cells.index_at(column)
        if at == cells.count:
            return self.get_location_right(location)
        while at < cells.count and _kind(cells, at) == " ":
            at += 1
        kind = _kind(cells, at) if at < cells.count else ""
        while at < cells.count and _kind(cells, at) == kind:
            at += 1
        return row, cells.columns[at]

    def word_at(self, location: Location) -> tuple[Location, Location]:
        """Where the word, the marks or the gap around a location begins and ends."""
        row, column = location
        cells = self._wrapping.cells(row)
        start = stop = min(cells.index_at(column), max(cells.count - 1, 0))
        if not cells.count:
            return location, location
        kind = _kind(cells, start)
        while start and _kind(cells, start - 1) == kind:
            start -= 1
        while stop < cells.count and _kind(cells, stop) == kind:
            stop += 1
        return (row, cells.columns[start]), (row, cells.columns[stop])

    def get_location_above(self, location: Location) -> Location:
        """One row up; from the first row, the beginning of the text."""
        if not self._wrapping.location_to_offset(location).y:
            return (0, 0)
        return self.get_location_at_y_offset(location, -1)

    def get_location_below(self, location: Location) -> Location:
        """One row down; from the last row, the end of the text."""
        if self._wrapping.location_to_offset(location).y == self._wrapping.height - 1:
            return self._lines.end
        return self.get_location_at_y_offset(location, 1)

    def get_location_at_y_offset(self, location: Location, vertical_offset: int) -> Location:
        """Some rows down, or up if negative, as far as there are rows."""
        x, y = self._wrapping.location_to_offset(location)
        if self._aim is not None and self._aim[0] == location:
            x = self._aim[1]
        y = min(max(y + vertical_offset, 0), self._wrapping.height - 1)
        target = self._wrapping.offset_to_location(Offset(x, y))
        self._aim = (target, x)
        return target

    def get_location_home(self, location: Location, smart_home: bool = False) -> Location:
        """The beginning of the row; with ``smart_home``, the first time, of its text."""
        line, column = location
        row = self._wrapping.row(self._wrapping.location_to_offset(location).y)
        if not smart_home or row.section:
            return line, row.start
        text = self._lines[line]
        indentation = len(text) - len(text.lstrip())
        return line, 0 if 0 < column <= indentation or indentation >= row.stop else indentation

    def get_location_end(self, location: Location) -> Location:
        """The end of the row; of a row that goes on in the next, before its last grapheme."""
        row = self._wrapping.row(self._wrapping.location_to_offset(location).y)
        if row.last:
            return row.line, row.stop
        return row.line, self._wrapping.cells(row.line).previous(row.stop)


def _kind(cells: Cells, index: int) -> str:
    """What a grapheme belongs to: a gap, a word, or a run of other marks."""
    first = cells.line[cells.columns[index]]
    if first.isspace():
        return " "
    return "a" if first == "_" or category(first)[0] in "LNM" else "."
