"""Walking from link to link through a page of which only a part was drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aimem_tui.widgets.blocks import Block
from aimem_tui.widgets.drawing import Drawing
from aimem_tui.widgets.preview_layout import Layout, Spot

_MOST_BLOCKS = 300
"""Blocks drawn in search of the next link, so that a press of the key stays short."""


@dataclass(frozen=True, slots=True)
class LinkSpot:
    """A link: which block, and which of its links."""

    block: int
    number: int


def next_link(page: Layout, link: LinkSpot, direction: int) -> LinkSpot | None:
    """The link after one, or before it; None past the last one.

    Args:
        page: the blocks.
        link: where to begin.
        direction: 1 or -1.
    """
    return _search(page, LinkSpot(link.block, link.number + direction), direction)


def link_from(page: Layout, spot: Spot, direction: int) -> LinkSpot | None:
    """The first link from a spot on, its own line counted in."""
    if not page.blocks:
        return None
    row = spot.line - page.gap(spot.block)
    drawing = page.drawing(spot.block)
    places = [_line_of(drawing, number) for number in range(len(drawing.links))]
    if direction > 0:
        number = sum(place < row for place in places)
    else:
        number = sum(place <= row for place in places) - 1
    return _search(page, LinkSpot(spot.block, number), direction)


def spot_of_link(page: Layout, link: LinkSpot) -> Spot:
    """The line a link begins in."""
    line = _line_of(page.drawing(link.block), link.number)
    return Spot(link.block, line + page.gap(link.block))


def _search(page: Layout, wanted: LinkSpot, direction: int) -> LinkSpot | None:
    index, number = wanted.block, wanted.number
    for _ in range(_MOST_BLOCKS):
        if 0 <= number < len(page.drawing(index).links):
            return LinkSpot(index, number)
        index += direction
        while 0 <= index < len(page.blocks) and not _may_link(page.blocks[index].block):
            index += direction
        if not 0 <= index < len(page.blocks):
            return None
        number = 0 if direction > 0 else len(page.drawing(index).links) - 1
    return None


def _may_link(block: Block) -> bool:
    return "[" in block.text or "<" in block.text or "://" in block.text


def _line_of(drawing: Drawing, number: int) -> int:
    for row, line in enumerate(drawing.lines):
        if any(span.link == number for span in line.spans):
            return row
    return 0


def slug(text: str) -> str:
    """A heading's name as links write it: ``The Plan!`` is ``the-plan``."""
    words = re.sub(r"[^\w\s-]", "", text.casefold())
    return re.sub(r"\s+", "-", words.strip())
