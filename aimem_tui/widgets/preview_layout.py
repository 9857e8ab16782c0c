"""Which line of the preview belongs to which block, with only the blocks in view drawn.

Pure: no Textual, no colours. Rules:

- The height of a block is known once it was drawn, and guessed before. A place is therefore held
  as a `Spot` (a block, and a line in it), never as a number of lines from the top: spots stay
  where they are while guesses above them are corrected.
- Going some lines up or down from a spot draws what it passes, so it is exact. Only jumps land by
  guess, and nobody can tell there.
- Drawings are kept by what the block says. After an edit every block but the edited one is found
  again, wherever it went.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from aimem_tui.widgets.blocks import Block, BlockKind, Placed
from aimem_tui.widgets.drawing import Drawing

_APART = frozenset(
    {BlockKind.CODE, BlockKind.TABLE, BlockKind.RULE, BlockKind.QUOTE, BlockKind.FRONTMATTER}
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of the preview: which block, and which of its lines, the empty ones above counted."""

    block: int
    line: int


class Layout:
    """The blocks of a source below each other.

    Args:
        draw: draws a block at a width.
        keep: how many drawings to keep.
    """

    def __init__(self, draw: Callable[[Block, int], Drawing], keep: int = 512) -> None:
        self._draw = draw
        self._keep = keep
        self._drawings: OrderedDict[Block, Drawing] = OrderedDict()
        self._heights: dict[Block, int] = {}
        self.width = 0
        self.blocks: Sequence[Placed] = ()
        self._sizes: list[int] = []
        self._tops: list[int] | None = None

    def show(self, blocks: Sequence[Placed]) -> None:
        """Lay out these blocks; what they have in common with the last ones keeps its size."""
        if len(self._heights) > 4 * len(blocks) + 10_000:
            self._heights.clear()
        old, sizes = self.blocks, self._sizes
        most = min(len(old), len(blocks))
        same = 0
        while same < most and old[same].block is blocks[same].block:
            same += 1
        alike = 0
        while alike < most - same and old[-1 - alike].block is blocks[-1 - alike].block:
            alike += 1
        self.blocks = blocks
        # The gap above a block depends on the block before it.
        fresh = range(same, min(len(blocks), len(blocks) - alike + 1))
        self._sizes = [
            *sizes[:same],
            *(self._guess(index) for index in fresh),
            *sizes[len(old) - alike + 1 if alike else len(old) :],
        ]
        self._tops = None

    def resize(self, width: int) -> None:
        """Lay out for another width."""
        if width != self.width:
            self.width = width
            self.forget()
            self._sizes = [self._guess(index) for index in range(len(self.blocks))]
            self._tops = None

    def forget(self) -> None:
        """Draw everything anew when it is needed."""
        self._drawings.clear()
        self._heights.clear()

    def _guess(self, index: int) -> int:
        block = self.blocks[index].block
        lines = self._heights.get(block)
        if lines is None:
            lines = guessed_lines(block, max(1, self.width))
        return lines + self.gap(index) if lines else 0

    def gap(self, index: int) -> int:
        """How many empty lines stand above a block."""
        if not index:
            return 0
        placed, before = self.blocks[index], self.blocks[index - 1]
        if placed.block.continued:
            return int(placed.spaced)
        apart = placed.block.kind in _APART or before.block.kind in _APART
        heading = placed.block.kind is BlockKind.HEADING
        titled = before.block.kind is BlockKind.HEADING and before.block.level <= 2
        return int(placed.spaced or apart or heading or titled)

    @property
    def height(self) -> int:
        """Lines of all blocks, guesses among them."""
        return self._all_tops()[-1]

    def top(self, index: int) -> int:
        """The line at which a block begins, guesses above it counted."""
        return self._all_tops()[index]

    def line_of(self, spot: Spot) -> int:
        """The line of a spot, counted from the first of all."""
        return self.top(spot.block) + spot.line if self.blocks else 0

    def size(self, index: int) -> int:
        """Lines of a block with the empty ones above it, guessed if it was not drawn yet."""
        return self._sizes[index]

    def locate(self, line: int) -> Spot:
        """What stands in a line; the last line's spot for lines past the end."""
        if not self.blocks:
            return Spot(0, 0)
        tops = self._all_tops()
        line = max(0, min(line, tops[-1] - 1))
        index = bisect_right(tops, line) - 1
        return Spot(min(index, len(self.blocks) - 1), line - tops[index])

    def drawing(self, index: int) -> Drawing:
        """How a block looks; from now on its height is known."""
        block = self.blocks[index].block
        drawing = self._drawings.get(block)
        if drawing is None:
            drawing = self._drawings[block] = self._draw(block, self.width)
            if len(self._drawings) > self._keep:
                self._drawings.popitem(last=False)
        else:
            self._drawings.move_to_end(block)
        lines = len(drawing.lines)
        self._heights[block] = lines
        size = lines + self.gap(index) if lines else 0
        if size != self._sizes[index]:
            self._sizes[index] = size
            self._tops = None
        return drawing

    def walk(self, spot: Spot, lines: int) -> Spot:
        """The spot some lines below, or above for a negative number; draws what it passes.

        Stops at the first and the last line.
        """
        if not self.blocks:
            return Spot(0, 0)
        index, line = spot.block, spot.line
        self.drawing(index)
        line = min(line, max(0, self._sizes[index] - 1)) + lines
        while line < 0 and index > 0:
            index -= 1
            self.drawing(index)
            line += self._sizes[index]
        line = max(line, 0)
        while line >= self._sizes[index] and index < len(self.blocks) - 1:
            line -= self._sizes[index]
            index += 1
            self.drawing(index)
        # Past the last line, and nobody can stand on a block that shows nothing.
        while not self._sizes[index] and index > 0:
            index -= 1
            self.drawing(index)
            line = self._sizes[index]
        return Spot(index, max(0, min(line, self._sizes[index] - 1)))

    def end(self) -> Spot:
        """The last line."""
        if not self.blocks:
            return Spot(0, 0)
        last = len(self.blocks) - 1
        self.drawing(last)
        return self.walk(Spot(last, self._sizes[last]), 0)

    def spot_of_source(self, line: int) -> Spot:
        """Where a line of the source is drawn; the nearest line before it, if it is not."""
        if not self.blocks:
            return Spot(0, 0)
        index = bisect_right(self.blocks, line, key=lambda placed: placed.line) - 1
        index = max(0, index)
        placed = self.blocks[index]
        drawn = self.drawing(index).lines
        at = max(0, min(line - placed.line, placed.lines - 1)) if placed.lines else 0
        shown = max(0, bisect_right(drawn, at, key=lambda drawn_line: drawn_line.source) - 1)
        while shown and drawn[shown - 1].source == drawn[shown].source:
            shown -= 1
        return Spot(index, self.gap(index) + shown if drawn else 0)

    def source_of(self, spot: Spot) -> int:
        """The line of the source that is drawn at a spot."""
        if not self.blocks:
            return 0
        lines = self.drawing(spot.block).lines
        placed = self.blocks[spot.block]
        row = spot.line - self.gap(spot.block)
        if not lines:
            return placed.line
        return placed.line + lines[max(0, min(row, len(lines) - 1))].source

    def _all_tops(self) -> list[int]:
        if self._tops is None:
            self._tops = list(accumulate(self._sizes, initial=0))
        return self._tops


def guessed_lines(block: Block, width: int) -> int:
    """About how many lines a block will have."""
    if block.defines:
        return 0
    if block.kind is BlockKind.RULE:
        return 1
    lines = block.text.count("\n") + 1
    flowing = (len(block.text) + width - 1) // width
    if block.kind is BlockKind.HEADING:
        return flowing + (1 if block.level == 1 else 0)
    if block.kind is BlockKind.PARAGRAPH:
        return max(1, flowing)
    return max(lines, flowing)
