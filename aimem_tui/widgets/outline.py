"""A markdown source as a row of blocks, kept true to the source at the cost of what changed.

An edit changes few blocks. The blocks before it stay the same objects; behind it the walk stops
where it meets a block that began there before, since from the same line on the same lines follow.
Lines count from 0 and end at ``\\n`` only, as in the editor.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from aimem_tui.model import Heading
from aimem_tui.widgets.blocks import FRONTMATTER_LINES, BlockKind, Placed, Scan

_CLOSING_SIGNS = re.compile(r"(?:^|[ \t])#+[ \t]*$")


@dataclass(frozen=True, slots=True)
class Outline:
    """A source cut into blocks."""

    source: str
    """With line ends as ``\\n``."""
    blocks: tuple[Placed, ...]

    @property
    def definitions(self) -> str:
        """The lines that say where reference links lead; every block may refer to them."""
        defining = (placed.block for placed in self.blocks if placed.block.defines)
        return "\n".join(block.text for block in defining)

    @property
    def headings(self) -> tuple[Heading, ...]:
        """The headings at top level, in order."""
        return tuple(
            Heading(placed.block.level, heading_text(placed.block.text), placed.line)
            for placed in self.blocks
            if placed.block.kind is BlockKind.HEADING
        )


def heading_text(source: str) -> str:
    """The words of a heading's source, without its signs."""
    first, _, _ = source.partition("\n")
    return _CLOSING_SIGNS.sub("", first.strip().lstrip("#")).strip()


def split(text: str, before: Outline | None = None) -> Outline:
    """Cut a markdown source into blocks. Linear in its length, whatever it holds.

    Args:
        text: the source.
        before: the outline of the source before an edit. Blocks away from the edit are taken
            from it; the result is the same.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", " ")
    if before is None or not before.blocks:
        return Outline(text, tuple(Scan(text.split("\n")).placed()))
    if text == before.source:
        return before
    return _split_again(text, before)


def _split_again(text: str, before: Outline) -> Outline:
    """The same cuts as from a whole walk, found by walking over the edited part only."""
    old, blocks = before.source, before.blocks
    same = _common_prefix(old, text)
    alike = _common_suffix(old, text, min(len(old), len(text)) - same)
    edited = text.count("\n", 0, same)
    added = text.count("\n", same, len(text) - alike)
    settled = edited + added + 1
    moved = added - old.count("\n", same, len(old) - alike)

    keep = _untouched(blocks, edited)
    if edited <= FRONTMATTER_LINES and text.startswith(("---", "\ufeff---")):
        keep = 0
    first = blocks[keep].line if keep else 0
    offset = text.rfind("\n", 0, same) + 1
    for _ in range(edited - first):
        offset = text.rfind("\n", 0, offset - 1) + 1

    fresh: list[Placed] = []
    scan = Scan(text[offset:].split("\n"), first, spaced=keep > 0 and blocks[keep].spaced)
    for placed in scan.placed():
        if placed.line >= settled and not placed.block.continued:
            index = bisect_left(blocks, placed.line - moved, key=lambda known: known.line)
            known = blocks[index] if index < len(blocks) else None
            if (
                known is not None
                and known.line == placed.line - moved
                and known.spaced == placed.spaced
                and not known.block.continued
            ):
                rest = blocks[index:]
                if moved:
                    rest = tuple(_moved(known, moved) for known in rest)
                return Outline(text, (*blocks[:keep], *fresh, *rest))
        fresh.append(placed)
    return Outline(text, (*blocks[:keep], *fresh))


def _moved(placed: Placed, by: int) -> Placed:
    return Placed(placed.block, placed.line + by, placed.lines, placed.spaced)


def _untouched(blocks: tuple[Placed, ...], line: int) -> int:
    """How many blocks at the beginning an edit that begins in that line cannot have changed.

    Where a block ends depends on the lines up to the one after the first line of the next block;
    and that one may already belong to the block after the next.
    """
    index = bisect_right(blocks, line, key=lambda placed: placed.line) - 3
    while index > 0 and blocks[index].block.continued:
        index -= 1
    return max(index, 0)


def _common_prefix(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_suffix(one: str, other: str, most: int) -> int:
    """How many characters two texts have in common at the end, at most so many."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low
