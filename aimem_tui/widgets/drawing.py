"""A block of markdown drawn as lines of spans.

Pure: a block and a width go in, a `Drawing` comes out, and equal input gives an equal drawing.
No colours, no Textual, no place on screen. Rules:

- What stands apart in the source stands apart in the drawing: an empty line between two things
  is drawn, none is added, whatever the nesting.
- Every line knows the line of the source it came from, so editor and preview can follow each
  other.
- Every width is bounded: nesting stops moving text to the right when it gets narrow, and what
  the parser could take long over is drawn as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from aimem_tui.markdown.scan import MARK
from aimem_tui.widgets import inline
from aimem_tui.widgets.blocks import Block, BlockKind
from aimem_tui.widgets.cells import chop_ranges, cut, printable, slices, wrap
from aimem_tui.widgets.code_colors import colored
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.rows import Span
from aimem_tui.widgets.table_lines import GAP, Align, Cell, column_widths, row_lines

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

NARROW = 16
"""Cells of width below which nesting moves nothing to the right any more."""

_DEEP = 16
"""Brackets within brackets, or quotes within quotes, above which a block is drawn as plain text."""

_TASK = re.compile(rf"\[({MARK})\](?:[ \t]+|$)")
_BRACKETS = re.compile(r"[\[\]]")
_QUOTES = re.compile(rf"(?:[ \t]*>){{{_DEEP},}}")
_PROPERTY = re.compile(r"([^\s:#][^:]*):(?:[ \t]+(.*)|)$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a drawing."""

    spans: tuple[Span, ...]
    source: int
    """The line of the source it came from, counted from the first of its block."""
    fill: str = ""
    """The style of the rest of the line, up to the reading width."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a block looks at some width."""

    lines: tuple[Line, ...]
    links: tuple[str, ...] = ()
    """Where its links lead; spans refer to them by index."""


class Drawer:
    """Draws blocks of one source.

    Args:
        icons: signs to draw with.
        definitions: where the source's reference links lead, see `Outline.definitions`.
    """

    def __init__(self, icons: Icons, definitions: str = "") -> None:
        self._icons = icons
        self._definitions = definitions
        self._references: dict[str, Any] | None = None

    def draw(self, block: Block, width: int) -> Drawing:
        """The block in lines of at most ``width`` cells."""
        return _Page(self._icons, self.references()).draw(block, max(1, width))

    def references(self) -> dict[str, Any]:
        """The definitions as the parser wants them."""
        if self._references is None:
            env: dict[str, Any] = {}
            if self._definitions:
                _parser().parse(self._definitions, env)
            self._references = env.get("references", {})
        return self._references


_markdown: MarkdownIt | None = None


def _parser() -> MarkdownIt:
    global _markdown
    if _markdown is None:
        from markdown_it import MarkdownIt

        _markdown = MarkdownIt("commonmark", {"maxNesting": 60})
        _markdown.enable(["table", "strikethrough"])
    return _markdown


class _Page:
    """One block on its way to its drawing; collects links."""

    def __init__(self, icons: Icons, references: dict[str, Any]) -> None:
        self.icons = icons
        self.references = references
        self.links: list[str] = []
        self.source: list[str] = []

    def draw(self, block: Block, width: int) -> Drawing:
        lines = self._draw(block, width)
        return Drawing(tuple(lines), tuple(self.links))

    def _draw(self, block: Block, width: int) -> list[Line]:
        if block.kind is BlockKind.RULE:
            return [Line((Span(self.icons.rule * width, "rule"),), 0)]
        if block.kind is BlockKind.FRONTMATTER:
            return self._properties(block.text, width)
        if block.kind is BlockKind.CODE:
            return _moved(self._code(block.text, block.info, width, block.continued), block.head)
        if _is_hard(block.text):
            return self._paragraph(inline.plain(block.text), width, 0, flow=False)
        text = block.text
        if block.kind is BlockKind.PARAGRAPH and text.lstrip().startswith("[^"):
            # A footnote of one word would pass for a definition, and vanish.
            text = text.replace("[^", "\\[^", 1)
        self.source = text.split("\n")
        tokens = _parser().parse(text, {"references": dict(self.references)})
        tables = [group[0].type for group in _groups(tokens)] == ["table_open"]
        if block.kind is BlockKind.TABLE and tables:
            return self._table(tokens, width, block)
        return self._siblings(tokens, width, "", block.ordinal)

    def _siblings(
        self, tokens: Sequence[Token], width: int, style: str, ordinal: int = 0
    ) -> list[Line]:
        """What stands one below the other."""
        lines: list[Line] = []
        for number, group in enumerate(_groups(tokens)):
            first = group[0].map[0] if group[0].map else 0
            if number and first and not self.source[first - 1].strip(" \t>"):
                lines.append(Line((), first - 1))
            lines += self._construct(group, width, style, ordinal)
        return lines

    def _construct(
        self, group: Sequence[Token], width: int, style: str, ordinal: int
    ) -> list[Line]:
        opening = group[0]
        kind = opening.type
        at = opening.map[0] if opening.map else 0
        if kind == "paragraph_open":
            words = inline.spans(group[1].children or (), self.icons, self.links, style)
            return self._paragraph(words, width, at)
        if kind == "heading_open":
            return self._heading(group[1], int(opening.tag[1:]), width, at)
        if kind in ("bullet_list_open", "ordered_list_open"):
            return self._list(group, width, style, ordinal)
        if kind == "blockquote_open":
            bar = (Span(f"{self.icons.quote} ", "bar"),)
            inner, room = _indented(bar, width)
            quoted = self._siblings(group[1:-1], room, f"{style} quote".lstrip())
            return [replace(line, spans=(*inner, *line.spans)) for line in quoted]
        if kind in ("fence", "code_block"):
            language = opening.info.strip().split(" ")[0] if opening.info.strip() else ""
            head = 1 if kind == "fence" else 0
            code = self._code(opening.content.removesuffix("\n"), language, width)
            # A fence that is never closed and holds nothing has no line of its own to show.
            last = len(self.source) - 1
            return [replace(line, source=min(line.source + at + head, last)) for line in code]
        if kind == "html_block":
            words = inline.plain(opening.content.rstrip("\n"), "muted")
            return self._paragraph(words, width, at, flow=False)
        if kind == "hr":
            return [Line((Span(self.icons.rule * width, "rule"),), at)]
        if kind == "table_open":
            return self._table(group, width, None)
        return []

    def _paragraph(
        self, words: inline.Paragraph, width: int, at: int, *, flow: bool = True
    ) -> list[Line]:
        """Words broken into lines. Where words flow, they all came from about one line."""
        return [
            Line(line, at if flow else at + number)
            for number, part in enumerate(words)
            for line in wrap(part, width)
        ]

    def _heading(self, token: Token, level: int, width: int, at: int) -> list[Line]:
        style = f"h{level}"
        words = inline.spans(token.children or (), self.icons, self.links, style)
        lines = self._paragraph(words, width, at)
        if level == 1:
            longest = max(sum(cell_len(span.text) for span in line.spans) for line in lines)
            lines.append(Line((Span(self.icons.strong_rule * longest, "h1-rule"),), at))
        return lines

    def _list(self, group: Sequence[Token], width: int, style: str, ordinal: int) -> list[Line]:
        opening = group[0]
        items = _groups(group[1:-1])
        start = -1
        if opening.type == "ordered_list_open":
            start = ordinal or int(str(opening.attrs.get("start", 1)))
        digits = len(str(start + len(items) - 1))
        bullets = self.icons.bullets
        bullet = bullets[min(opening.level // 2, len(bullets) - 1)]
        lines: list[Line] = []
        for number, item in enumerate(items):
            at = item[0].map[0] if item[0].map else 0
            if number and at and not self.source[at - 1].strip(" \t>"):
                lines.append(Line((), at - 1))
            sign = f"{start + number}.".rjust(digits + 1) if start >= 0 else bullet
            lines += self._item(item, Span(f"{sign} ", "bullet"), width, style)
        return lines

    def _item(self, item: Sequence[Token], sign: Span, width: int, style: str) -> list[Line]:
        at = item[0].map[0] if item[0].map else 0
        if done := _take_task(item):
            checked = done in "xX"
            mark = self.icons.checked if checked else self.icons.unchecked
            # A number stays: people speak of "step 3", done or not.
            number = sign.text if sign.text.strip()[:-1].isdigit() else ""
            sign = Span(f"{number}{mark} ", "done" if checked else "bullet")
            style = f"{style} done".lstrip() if checked else style
        first, room = _indented((sign,), width)
        lines = self._siblings(item[1:-1], room, style) or [Line((), at)]
        if not first:
            return [Line((sign,), at), *lines]
        rest = (Span(" " * (width - room)),)
        return [
            replace(line, spans=(*(rest if number else first), *line.spans))
            for number, line in enumerate(lines)
        ]

    def _code(self, text: str, language: str, width: int, continued: bool = False) -> list[Line]:
        """Code on its own ground, a cell free at both sides, long lines chopped."""
        printed = "\n".join(printable(line) for line in text.split("\n"))
        room = max(1, width - 2)
        lines: list[Line] = []
        for number, spans in enumerate(colored(printed, language)):
            joined = "".join(span.text for span in spans)
            for part in slices(spans, chop_ranges(joined, room)):
                styled = (span._replace(style=f"fence {span.style}".rstrip()) for span in part)
                lines.append(Line((Span(" ", "fence"), *styled), number, "fence"))
        if language and lines and not continued:
            used = sum(cell_len(span.text) for span in lines[0].spans)
            label = printable(language[:20])
            free = width - 1 - used - cell_len(label)
            if free >= 2:
                named = (*lines[0].spans, Span(" " * free, "fence"), Span(label, "fence comment"))
                lines[0] = replace(lines[0], spans=named)
        return lines

    def _properties(self, text: str, width: int) -> list[Line]:
        """Frontmatter as two columns: names, and what is said under them."""
        found: list[tuple[int, str, str]] = []
        for at, line in enumerate(text.split("\n"), 1):
            if match := _PROPERTY.match(line):
                found.append((at, match[1].strip(), _value(match[2] or "")))
            elif line.strip() and not line.lstrip().startswith("#"):
                more = line.strip()
                if found and found[-1][2] in ("", "|", ">", "|-", ">-"):
                    found[-1] = (*found[-1][:2], _value(more.removeprefix("- ")))
                elif found and more.startswith("- "):
                    found[-1] = (*found[-1][:2], f"{found[-1][2]}, {_value(more[2:])}")
                else:
                    found.append((at, "", more))
        names = min(20, max((cell_len(name) for _, name, _ in found), default=0))
        lines: list[Line] = []
        for at, name, value in found:
            label = cut(printable(name[:200]), 4 * names)
            said = Span(printable(value), "value")
            label += " " * (names - cell_len(label))
            first, room = _indented((Span(f"{label}  ", "property"),), width)
            if not first:
                words = [Span(f"{label.rstrip()}  ", "property"), said]
                lines += self._paragraph([words], width, at)
                continue
            rest = (Span(" " * (width - room)),)
            for number, part in enumerate(wrap([said], room)):
                lines.append(Line((*(rest if number else first), *part), at))
        return lines

    def _table(self, group: Sequence[Token], width: int, block: Block | None) -> list[Line]:
        rows: list[list[Cell]] = []
        aligns: list[Align] = []
        starts: list[int] = []
        head = True
        for token_index, token in enumerate(group):
            if token.type == "tr_open":
                rows.append([])
                starts.append(token.map[0] if token.map else 0)
            elif token.type in ("th_open", "td_open"):
                head = token.type == "th_open"
                style = "strong" if head else ""
                words = inline.spans(
                    group[token_index + 1].children or (), self.icons, self.links, style
                )
                rows[-1].append(Cell(tuple(tuple(line) for line in words)))
                if head:
                    side = str(token.attrs.get("style", "text-align:left")).rpartition(":")[2]
                    aligns.append(Align(side))
        natural = [max(cells[column].width for cells in rows) for column in range(len(aligns))]
        if block is not None and block.widths:
            natural = [max(sizes) for sizes in zip(natural, block.widths, strict=True)]
        widths = column_widths(natural, width)
        if widths is None:
            return self._records(rows, starts, width)
        drawn = [row_lines(cells, widths, aligns) for cells in rows]
        rule = (" " * GAP).join(self.icons.rule * size for size in widths)
        lines: list[Line] = []
        if block is None or not block.continued:
            lines += (Line(spans, starts[0]) for spans in drawn[0])
            lines.append(Line((Span(rule, "rule"),), starts[0]))
        # Rows of several lines run into one another; then all of them get some air.
        airy = any(len(row) > 1 for row in drawn[1:])
        for number, (row, at) in enumerate(zip(drawn[1:], starts[1:], strict=True)):
            if airy and number:
                lines.append(Line((), at))
            lines += (Line(spans, at) for spans in row)
        return lines

    def _records(self, rows: Sequence[Sequence[Cell]], starts: list[int], width: int) -> list[Line]:
        """A table with more columns than fit: each row as a list of its cells under their names."""
        lines: list[Line] = []
        for cells, at in zip(rows[1:], starts[1:], strict=True):
            if lines:
                lines.append(Line((), at))
            for name, cell in zip(rows[0], cells, strict=True):
                words = [*_flat(name), Span("  "), *_flat(cell)]
                lines += self._paragraph([words], width, at)
        return lines


def _groups(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """The tokens of each construct at the level of the first token."""
    groups: list[Sequence[Token]] = []
    start = depth = 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            groups.append(tokens[start : index + 1])
            start = index + 1
    return groups


def _indented(prefix: tuple[Span, ...], width: int) -> tuple[tuple[Span, ...], int]:
    """A prefix and the width left beside it; none where that would get too narrow."""
    room = width - sum(cell_len(span.text) for span in prefix)
    return (prefix, room) if room >= NARROW else ((), width)


def _moved(lines: Iterable[Line], by: int) -> list[Line]:
    return [replace(line, source=line.source + by) for line in lines]


def _flat(cell: Cell) -> list[Span]:
    return [span for line in cell.lines for span in line]


def _take_task(item: Sequence[Token]) -> str:
    """Take the checkbox off an item; what is in it, or nothing where there is none."""
    if len(item) < 3 or item[1].type != "paragraph_open" or not item[2].children:
        return ""
    words = item[2].children[0]
    match = _TASK.match(words.content) if words.type == "text" else None
    if match is None:
        return ""
    words.content = words.content[match.end() :]
    return match[1].strip()[:1] or " "


def _value(text: str) -> str:
    """A property's value without the signs of YAML around it."""
    text = text.strip()
    if text[:1] == "[" and text[-1:] == "]":
        return ", ".join(_value(part) for part in text[1:-1].split(","))
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _is_hard(text: str) -> bool:
    """Whether parsing could take long: brackets or quotes nested deeply, or never closed."""
    if _QUOTES.search(text):
        return True
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth += 1 if match[0] == "[" else -1
        depth = max(depth, 0)
        deepest = max(deepest, depth)
    return deepest > _DEEP
