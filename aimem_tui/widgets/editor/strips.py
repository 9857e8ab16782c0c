"""One row of the editor as a strip of styled cells, and what two such strips do not share.

A row is painted grapheme by grapheme: every layer (syntax, selections, carets) is laid over the
graphemes it covers, then neighbours that look alike become one segment.

`changed_cells` compares a row as it was with the row as it is. Only the difference goes to the
terminal, which keeps a keystroke over a slow line small. Its edges lie where both strips have the
same cells on the outer side, so no wide character is cut in half.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, pairwise, repeat

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from aimem_tui.widgets.editor.cells import Cells
from aimem_tui.widgets.editor.wrapping import Row

_JOINER = "\u200d"


class Brush:
    """Paints one row. Later layers lie on top of earlier ones."""

    def __init__(self, cells: Cells, row: Row, base: Style) -> None:
        self._cells = cells
        self._first = cells.index_at(row.start)
        self._count = cells.index_at(row.stop) - self._first
        # Behind the text there is one cell more, on which a caret can stand.
        self._styles = [base] * (self._count + 1)
        self._base = base
        self._tail = " "

    def lay(self, start: int, end: int, style: Style) -> None:
        """Style the columns from ``start`` up to ``end``, as far as they lie in this row."""
        cells, first = self._cells, self._first
        low = max(cells.index_at(start) - first, 0)
        high = min(cells.index_at(end) - first, self._count)
        styles = self._styles
        for at in range(low, high):
            styles[at] += style

    def mark(self, column: int, style: Style, letter: str = "") -> None:
        """Style the grapheme at a column of this row; at its end a blank, or ``letter``."""
        at = self._cells.index_at(column) - self._first
        self._styles[at] += style
        if at == self._count and letter:
            self._tail = letter

    def strip(self, width: int) -> Strip:
        """The painted row, filled up to ``width`` cells."""
        cells, at = self._cells, self._first
        segments: list[Segment] = []
        for (style, _joined), run in groupby(
            zip(self._styles[: self._count], self._joined(), strict=False)
        ):
            stop = at + sum(1 for _ in run)
            segments.append(Segment(cells.drawn(at, stop), style))
            at = stop
        used = cells.xs[at] - cells.xs[self._first]
        if used < width:
            segments.append(Segment(self._tail, self._styles[-1]))
            used += 1
        if used < width:
            segments.append(Segment(" " * (width - used), self._base))
            used = width
        return Strip(segments, used)

    def _joined(self) -> Iterable[int]:
        """For each grapheme 0, or if it is joined of several emoji, a number of its own.

        Rich miscounts where it cuts a segment with joined emoji in it; in one of their own they
        are safe.
        """
        cells = self._cells
        if cells.plain or _JOINER not in cells.line:
            return repeat(0)
        columns = cells.columns[self._first : self._first + self._count + 1]
        return [
            stop if _JOINER in cells.line[start:stop] else 0 for start, stop in pairwise(columns)
        ]


def overlay(strip: Strip, x: int, text: str, style: Style) -> Strip:
    """The strip with a printable text drawn over it from cell ``x`` on; it must fit."""
    width = cell_len(text)
    before, _, after = strip.divide([x, x + width, strip.cell_length])
    return Strip.join([before, Strip([Segment(text, style)], width), after])


def changed_cells(old: Strip, new: Strip) -> tuple[int, int] | None:
    """The first cell that differs and the one after the last; none if the strips look the same.

    Both strips have the same width.
    """
    start = _shared(list(old), list(new), forward=True)
    if start >= new.cell_length:
        return None
    return start, new.cell_length - _shared(list(old), list(new), forward=False)


def _shared(old: list[Segment], new: list[Segment], *, forward: bool) -> int:
    """How many cells from the beginning (or from the end) the segments have in common.

    Never too many: where text is not ASCII, only whole segments count.
    """
    if forward:
        old.reverse()
        new.reverse()
    shared = 0
    while old and new:
        one, other = old.pop(), new.pop()
        if one.style != other.style:
            break
        if one.text == other.text:
            shared += one.cell_length
            continue
        if not (one.text.isascii() and other.text.isascii()):
            break
        same = _common(one.text, other.text, forward=forward)
        shared += same
        if same < min(len(one.text), len(other.text)):
            break
        for rest, run in ((one, old), (other, new)):
            if len(rest.text) > same:
                text = rest.text[same:] if forward else rest.text[:-same]
                run.append(Segment(text, rest.style))
    return shared


def _common(one: str, other: str, *, forward: bool) -> int:
    """How many characters two texts have in common from one end on."""
    if not forward:
        one, other = one[::-1], other[::-1]
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))
