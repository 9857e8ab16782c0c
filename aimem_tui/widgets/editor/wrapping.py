"""Soft wrapping: which rows of the screen a line takes, and back.

Textual's own wrapping shifts a list of every line at each line break and draws a line by cutting
up all of it; at a megabyte both are felt. This one keeps, per line, only the columns where a row
ends, and the number of rows in `Sums`; an edit costs the lines it touches.

A row breaks behind a space, or beside a character two cells wide, or, where a word is wider than
a row, anywhere between two graphemes. One space that no longer fits hangs past the edge, in the
cell that is kept free for the caret. A row that would hold nothing but the indentation of a long
word takes as much of the word as fits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from textual.geometry import Offset
from textual.widgets.text_area import Location, WrappedDocument

from aimem_tui.widgets.editor.cells import Cells, measure
from aimem_tui.widgets.editor.line_document import LineDocument, LineSplice
from aimem_tui.widgets.editor.sums import Sums

_NEVER_FIRST = frozenset(
    "、。，．・：；？！）］｝」』】〉》〕〗〙〛’”…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
)
"""What does not begin a row in Chinese and Japanese typesetting."""


class Row(NamedTuple):
    """One row of the wrapped text: the part of a line from ``start`` up to ``stop``."""

    line: int
    section: int
    start: int
    stop: int
    last: bool
    """Whether the line ends with this row."""


class Wrapping(WrappedDocument):
    """A `LineDocument` wrapped to a width; 0 does not wrap."""

    document: LineDocument

    def __init__(self, document: LineDocument, width: int = 0, tab_width: int = 4) -> None:
        # Not the inherited set-up, which wraps the whole document in its own slow way.
        self.document = document
        self._shape = (-1, -1)
        self._breaks: list[Sequence[int]] = []
        self._rows = Sums()
        self.wrap(width, tab_width)

    @property
    def width(self) -> int:
        """The cells of a row, without the one kept free for the caret; 0 for no wrapping."""
        return self._shape[0]

    @property
    def tab_width(self) -> int:
        """The cells between tab stops."""
        return self._shape[1]

    @property
    def height(self) -> int:
        """The number of rows."""
        return self._rows.total

    @property
    def wrapped(self) -> bool:
        """Whether some line takes more than one row."""
        return self.height > self.document.line_count

    @property
    def lines(self) -> list[list[str]]:
        """The rows of every line."""
        return [self.get_sections(line) for line in range(self.document.line_count)]

    def wrap(self, width: int, tab_width: int | None = None) -> None:
        """Wrap everything anew, unless it is wrapped like this already."""
        shape = (width, tab_width or self._shape[1])
        if shape != self._shape:
            self._shape = shape
            self._breaks = [self._break(line) for line in self.document.lines]
            self._rows = Sums(len(breaks) + 1 for breaks in self._breaks)

    def splice(self, splice: LineSplice) -> None:
        """Follow an edit of the document."""
        stop = splice.first + splice.removed
        lines = self.document.lines[splice.first : splice.first + splice.added]
        breaks = [self._break(line) for line in lines]
        self._breaks[splice.first : stop] = breaks
        self._rows.splice(splice.first, stop, [len(each) + 1 for each in breaks])

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """Follow an edit that Textual describes by its locations."""
        first = start[0]
        self.splice(LineSplice(first, old_end[0] - first + 1, new_end[0] - first + 1))

    def row(self, y: int) -> Row:
        """The row at ``y``, counted from the top of the document; the last one if ``y`` is past."""
        line, section = self._rows.find(max(y, 0))
        return self._section(line, min(section, len(self._breaks[line])))

    def first_row(self, line: int) -> int:
        """The y of a line's first row; the height for the line after the last."""
        return self._rows.before(line)

    def cells(self, line: int) -> Cells:
        """The cells of a line."""
        return measure(self.document.lines[line], self.tab_width)

    def get_offsets(self, line_index: int) -> list[int]:
        """The columns at which a line continues in a new row.

        Raises:
            ValueError: if there is no such line.
        """
        if not 0 <= line_index < len(self._breaks):
            raise ValueError(f"there is no line {line_index} among {len(self._breaks)}")
        return list(self._breaks[line_index])

    def get_sections(self, line_index: int) -> list[str]:
        """The text of each row of a line."""
        line = self.document.lines[line_index]
        edges = [0, *self._breaks[line_index], len(line)]
        return [line[edges[at] : edges[at + 1]] for at in range(len(edges) - 1)]

    def get_tab_widths(self, line_index: int) -> list[int]:
        """The cells that each tab of a line takes."""
        cells = self.cells(line_index)
        return [
            cells.xs[at + 1] - cells.xs[at]
            for at in range(cells.count)
            if cells.line[cells.columns[at]] == "\t"
        ]

    def location_to_offset(self, location: Location) -> Offset:
        """Where a location stands: x in its row, y from the top of the document."""
        line, column = self.document.clamp(location)
        section = bisect_right(self._breaks[line], column)
        row = self._section(line, section)
        cells = self.cells(line)
        return Offset(cells.x_of(column) - cells.x_of(row.start), self._rows.before(line) + section)

    def offset_to_location(self, offset: Offset) -> Location:
        """The location nearest to a place on the wrapped text; y may be past either end."""
        row = self.row(offset.y)
        return row.line, self._column_at(row, offset.x)

    def get_target_document_column(self, line_index: int, x_offset: int, y_offset: int) -> int:
        """The column at cell ``x_offset`` of a line's row ``y_offset``, negative from the last."""
        if y_offset < 0:
            y_offset += len(self._breaks[line_index]) + 1
        return self._column_at(self._section(line_index, y_offset), x_offset)

    def _column_at(self, row: Row, x: int) -> int:
        cells = self.cells(row.line)
        column = cells.columns[cells.index_of_x(cells.x_of(row.start) + max(x, 0))]
        if column < row.stop:
            return column
        return row.stop if row.last else cells.previous(row.stop)

    def _section(self, line: int, section: int) -> Row:
        breaks = self._breaks[line]
        last = section == len(breaks)
        return Row(
            line,
            section,
            breaks[section - 1] if section else 0,
            len(self.document.lines[line]) if last else breaks[section],
            last,
        )

    def _break(self, line: str) -> Sequence[int]:
        width, tab_width = self._shape
        # No code point but a tab is wider than two cells: most lines need no closer look.
        if not width or ("\t" not in line and len(line) * (1 if line.isascii() else 2) <= width):
            return ()
        cells = measure(line, tab_width)
        return () if cells.width <= width else break_columns(cells, width)


def break_columns(cells: Cells, width: int) -> list[int]:
    """The columns at which a line continues in a new row, of ``width`` >= 1 cells each."""
    find = _plain_end if cells.plain else _end
    breaks: list[int] = []
    start = 0
    while cells.width - cells.xs[start] > width and start + 1 < cells.count:
        start = find(cells, start, width)
        breaks.append(cells.columns[start])
    return breaks


def _plain_end(cells: Cells, start: int, width: int) -> int:
    line = cells.line
    edge = start + width
    if line[edge] == " ":
        return edge + 1
    space = line.rfind(" ", start, edge)
    return edge if space < 0 or line[start : space + 1].isspace() else space + 1


def _end(cells: Cells, start: int, width: int) -> int:
    line, columns, xs = cells.line, cells.columns, cells.xs
    edge = max(bisect_right(xs, xs[start] + width) - 1, start + 1)
    if line[columns[edge] : columns[edge] + 1] == " " and xs[edge] - xs[start] <= width:
        return edge + 1
    for end in range(edge, start, -1):
        before = line[columns[end - 1]]
        if before in " \t":
            blank = line[columns[start] : columns[end]].isspace()
            return edge if blank else end
        wide = xs[end + 1] - xs[end] == 2 or xs[end] - xs[end - 1] == 2
        if wide and line[columns[end]] not in _NEVER_FIRST:
            return end
    return edge
