"""Tables as aligned columns: how wide each column is, and the lines of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rich.cells import cell_len

from aimem_tui.widgets.cells import wrap
from aimem_tui.widgets.rows import Span

GAP = 3
"""Cells between two columns."""

NARROWEST = 7
"""Cells below which a column cannot be read; a table that would need it is shown as records."""


class Align(Enum):
    """On which side of its column a cell stands."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says: lines of printable spans, as its author broke them."""

    lines: tuple[tuple[Span, ...], ...]

    @property
    def width(self) -> int:
        """Cells it would fill on one line each."""
        return max((_width(line) for line in self.lines), default=0)


def column_widths(natural: Sequence[int], available: int) -> tuple[int, ...] | None:
    """How wide each column is drawn.

    Where there is not enough room, the widest columns give way first, all to the same width.

    Args:
        natural: the width each column would like to have.
        available: cells for all columns and the gaps between them.

    Returns:
        None when some column would become too narrow to read.
    """
    room = available - GAP * (len(natural) - 1)
    if sum(natural) <= room:
        return tuple(natural)
    left, columns = room, len(natural)
    limit = 0
    for width in sorted(natural):
        limit = left // columns
        if width > limit:
            break
        left -= width
        columns -= 1
    if limit < NARROWEST:
        return None
    widths = [min(width, limit) for width in natural]
    for index, width in enumerate(natural):
        if sum(widths) < room and width > limit:
            widths[index] += 1
    return tuple(widths)


def row_lines(
    cells: Sequence[Cell], widths: Sequence[int], aligns: Sequence[Align]
) -> list[tuple[Span, ...]]:
    """The lines of a row; a cell that is too wide is broken into several."""
    columns = [
        [part for line in cell.lines for part in wrap(line, width)]
        for cell, width in zip(cells, widths, strict=True)
    ]
    lines: list[tuple[Span, ...]] = []
    for number in range(max((len(column) for column in columns), default=0)):
        drawn: list[Span] = []
        for column, width, align in zip(columns, widths, aligns, strict=True):
            if drawn:
                drawn.append(Span(" " * GAP))
            part = column[number] if number < len(column) else ()
            free = max(0, width - _width(part))
            before = {Align.LEFT: 0, Align.CENTER: free // 2, Align.RIGHT: free}[align]
            drawn += [Span(" " * before), *part, Span(" " * (free - before))]
        lines.append(tuple(span for span in drawn if span.text))
    return lines


def _width(spans: Sequence[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)
