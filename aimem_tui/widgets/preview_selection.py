"""Text of the preview that was selected with the mouse: how it is marked, and what is copied."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from aimem_tui.widgets.preview_layout import Layout

_MOST_LINES = 2_000
"""Lines of a selection that are copied as drawn; of a larger one the source is copied."""


def marked(strip: Strip, span: tuple[int, int] | None, style: Style) -> Strip:
    """A line with a part of it marked.

    Args:
        strip: the line.
        span: from which character to which; -1 is the end of the line.
        style: what to lay over the part.
    """
    if span is None:
        return strip
    text = strip.text
    start, end = span[0], len(text) if span[1] < 0 else span[1]
    cuts = [cell_len(text[:start]), cell_len(text[:end]), strip.cell_length]
    before, inside, after = strip.divide(cuts)
    over = [Segment(part.text, (part.style or Style()) + style) for part in inside]
    return Strip([*before, *over, *after], strip.cell_length)


def selected_text(page: Layout, selection: Selection, margin: int, source: str) -> str:
    """The text that is selected, without the margin before each line."""
    first = selection.start.y if selection.start else 0
    last = min(selection.end.y if selection.end else page.height, page.height - 1)
    if last - first > _MOST_LINES:
        start, end = page.source_of(page.locate(first)), page.source_of(page.locate(last))
        return "\n".join(source.split("\n")[start : end + 1])
    lines: list[str] = []
    for line in range(first, last + 1):
        spot = page.locate(line)
        row = spot.line - page.gap(spot.block)
        drawn = page.drawing(spot.block).lines
        spans = drawn[row].spans if 0 <= row < len(drawn) else ()
        text = " " * margin + "".join(span.text for span in spans)
        start, end = selection.get_span(line) or (0, -1)
        chosen = text[start : len(text) if end < 0 else end]
        lines.append(chosen[max(0, margin - start) :].rstrip())
    return "\n".join(lines)
