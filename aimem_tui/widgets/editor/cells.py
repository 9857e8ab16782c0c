"""A line of text as cells of the terminal: what stands where, how wide it is, how it is drawn.

A caret, a row's end and a mouse click fall between graphemes, never inside one; every grapheme
has at least one cell, so that a caret can stand on it; and nothing is drawn that a terminal would
obey instead of show. Columns count code points of the line, x counts cells from its start. The
caret's steps, wrapping and drawing all go by the same `Cells`, so they cannot disagree.

ASCII and most Latin, Greek and Cyrillic prose is one cell per code point; for it nothing is
computed: both tables are ranges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from unicodedata import category

from rich.cells import cell_len

from aimem_tui.widgets.cells import one_cell, printable
from crdt.graphemes import graphemes

NOTHING_TO_SEE = "·"
"""Stands for a character without a shape of its own, such as a zero-width space."""

_CARRIER = "\u25cc"
"""The dotted circle that carries an accent without a letter."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the graphemes of a line stand."""

    line: str
    columns: Sequence[int]
    """The column of each grapheme, and at the end the length of the line."""
    xs: Sequence[int]
    """The cell in which each grapheme begins, and at the end the width of the line."""

    @property
    def count(self) -> int:
        """How many graphemes there are."""
        return len(self.columns) - 1

    @property
    def width(self) -> int:
        """The width of the line in cells."""
        return self.xs[-1]

    @property
    def plain(self) -> bool:
        """Whether every code point is a grapheme of one cell, drawn as it is."""
        return self.xs is self.columns

    def index_at(self, column: int) -> int:
        """The grapheme that holds a column; the count of graphemes for the line's end."""
        return min(max(bisect_right(self.columns, column) - 1, 0), self.count)

    def snap(self, column: int) -> int:
        """The column itself if a grapheme begins there, or else the end of the one it is in."""
        return self.columns[min(bisect_left(self.columns, column), self.count)]

    def previous(self, column: int) -> int:
        """The column one grapheme to the left."""
        return self.columns[max(bisect_left(self.columns, column) - 1, 0)]

    def next(self, column: int) -> int:
        """The column one grapheme to the right."""
        return self.columns[min(self.index_at(column) + 1, self.count)]

    def x_of(self, column: int) -> int:
        """The cell in which the grapheme at a column begins."""
        return self.xs[self.index_at(column)]

    def index_of_x(self, x: int) -> int:
        """The grapheme drawn at cell ``x``; the count of graphemes past the line's end."""
        return min(max(bisect_right(self.xs, x) - 1, 0), self.count)

    def drawn(self, start: int, stop: int) -> str:
        """What is drawn for the graphemes from ``start`` up to ``stop``."""
        text = self.line[self.columns[start] : self.columns[stop]]
        if self.plain:
            return text
        return "".join(
            " " * (self.xs[at + 1] - self.xs[at]) if grapheme == "\t" else drawn(grapheme)
            for at, grapheme in enumerate(self._graphemes(start, stop), start)
        )

    def _graphemes(self, start: int, stop: int) -> list[str]:
        line, columns = self.line, self.columns
        return [line[columns[at] : columns[at + 1]] for at in range(start, stop)]


@lru_cache(maxsize=512)
def measure(line: str, tab_width: int) -> Cells:
    """The cells of a line, with a tab stop every ``tab_width`` cells."""
    if line.isprintable() and one_cell(line):
        places = range(len(line) + 1)
        return Cells(line, places, places)
    pieces = graphemes(line)
    widths = [_width(piece) for piece in pieces]
    columns: Sequence[int]
    if len(pieces) == len(line):
        columns = range(len(line) + 1)
    else:
        columns = list(accumulate(map(len, pieces), initial=0))
    if "\t" in line:
        x = 0
        for at, piece in enumerate(pieces):
            if piece == "\t":
                widths[at] = tab_width - x % tab_width
            x += widths[at]
    return Cells(line, columns, list(accumulate(widths, initial=0)))


@lru_cache(maxsize=8192)
def drawn(grapheme: str) -> str:
    """What stands on the screen for a grapheme: at least one cell, and safe to draw.

    The selector for emoji style (U+FE0F) is left out: terminals do not agree on the width that it
    gives, and Rich loses a cell where it cuts what it has widened.
    """
    text = printable(grapheme).replace("\ufe0f", "")
    if category(grapheme[0]) in ("Mn", "Me", "Mc"):
        text = _CARRIER + text
    return text if cell_len(text) else NOTHING_TO_SEE


@lru_cache(maxsize=8192)
def _width(grapheme: str) -> int:
    return cell_len(drawn(grapheme))
