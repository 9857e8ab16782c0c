"""Markdown cut into the blocks that are drawn one by one.

A scan over the lines, not a parser: it finds where one top-level block ends and the next begins,
as CommonMark and its tables say, and leaves what is inside to the parser. Rules:

- A block may hold several constructs, but no cut goes through one: drawing the blocks one after
  the other shows what drawing the whole text would. Exceptions are cuts for size.
- Cuts for size: a long list is cut between its items, a long fence, table, quote or paragraph
  between its lines, and a line of many thousand characters anywhere. So no block is big, however
  hostile the text, and drawing a screenful costs the same in every document.
- A block's content does not know where it stands: equal blocks are equal, wherever they are, and
  serve as keys of a cache. `Placed` knows the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

MOST_LINES = 200
"""Lines of a block after which it is cut."""

LIST_LINES = 40
"""Lines of a list after which it is cut at its next item."""

MOST_CHARACTERS = 8_000
"""Characters of a block after which it is cut between lines, or in a line."""

CODE_CHARACTERS = 4_000
"""The same for code: what gives it colours may take the square of its length."""

FRONTMATTER_LINES = 500
"""Lines in which frontmatter must end to be such."""


class BlockKind(Enum):
    """What a block is drawn as."""

    FRONTMATTER = "frontmatter"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    CODE = "code"
    TABLE = "table"
    QUOTE = "quote"
    HTML = "html"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Block:
    """What a block says, without where it stands."""

    kind: BlockKind
    text: str
    """Its source; of a fence and of frontmatter only what is inside."""
    head: int = 0
    """Lines of its source before ``text``: the opening line of a fence."""
    level: int = 0
    """Of a heading, 1 to 6."""
    info: str = ""
    """Of a fence, the language."""
    ordinal: int = 0
    """Of an ordered list, the number of its first item."""
    widths: tuple[int, ...] = ()
    """Of a piece of a table, the widest cell of each column in the whole table, in characters."""
    continued: bool = False
    """Whether it is the rest of a block that was cut for size."""
    defines: bool = False
    """Whether its lines say where reference links lead."""

    def __hash__(self) -> int:
        # A string remembers its hash, and blocks are looked up by the thousand.
        return hash(self.text)


@dataclass(frozen=True, slots=True)
class Placed:
    """A block and where it stands in the source."""

    block: Block
    line: int
    """The first line of its source."""
    lines: int
    spaced: bool
    """Whether the source has an empty line before it."""


_FENCE = re.compile(r" {0,3}(`{3,})([^`]*)$| {0,3}(~{3,})(.*)$")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_SETEXT = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_ITEM = re.compile(r"( {0,3})(?:([-+*])|(\d{1,9})([.)]))(?:([ \t]+)(?=\S)|[ \t]*$)")
_DELIMITER = re.compile(r" {0,3}(?!-[ \t])\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_DEFINITION = re.compile(
    r" {0,3}\[(?!\^)(?:[^\[\]\\]|\\.){1,999}\]:[ \t]*(?:<[^<>]*>|[^\s<]\S*)"
    r"(?:[ \t]+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ \t]*$"
)
_FOOTNOTE = re.compile(r" {0,3}\[\^[^\]\s]+\]:")
_CONTAINERS = re.compile(r"(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)))*[ \t]*")
_HTML = re.compile(
    r" {0,3}(?:(?P<raw><(?:script|pre|style|textarea)(?=[\s>]|$))|(?P<comment><!--)"
    r"|(?P<instruction><\?)|(?P<cdata><!\[CDATA\[)|(?P<declaration><![A-Za-z])"
    r"|(?P<block></?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col"
    r"|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame"
    r"|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes"
    r"|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr"
    r"|track|ul)(?=[\s>]|/>|$)))",
    re.IGNORECASE,
)
_HTML_ALONE = re.compile(
    r" {0,3}<(?:[A-Za-z][A-Za-z0-9-]*(?:\s+[^<>]*)?/?|/[A-Za-z][A-Za-z0-9-]*\s*)>[ \t]*$"
)
_HTML_ENDS = {
    "raw": re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE),
    "comment": re.compile("-->"),
    "instruction": re.compile(r"\?>"),
    "cdata": re.compile("]]>"),
    "declaration": re.compile(">"),
}
_MAY_INTERRUPT = frozenset(" #>`~<*+-_|:=[0123456789")


class Scan:
    """The walk over lines, of which the first one has a number and maybe an empty one before."""

    def __init__(self, lines: list[str], first: int = 0, spaced: bool = False) -> None:
        self.lines = lines
        self.first = first
        self.spaced = spaced

    def placed(self) -> Iterator[Placed]:
        lines, count, first = self.lines, len(self.lines), self.first
        at, spaced = self._frontmatter_end() if not first else 0, self.spaced
        if at:
            text = "\n".join(lines[1 : at - 1])
            yield Placed(Block(BlockKind.FRONTMATTER, text, head=1), 0, at, False)
        while at < count:
            line = lines[at]
            if not line or line.isspace():
                spaced = True
                at += 1
                continue
            end = at
            for placed in self._block(at, line, spaced):
                end = placed.line + placed.lines
                yield replace(placed, line=placed.line + first) if first else placed
            at, spaced = end, False

    def _frontmatter_end(self) -> int:
        """The line after the frontmatter; 0 where there is none."""
        if self.lines[0].rstrip() not in ("---", "\ufeff---"):
            return 0
        for at, line in enumerate(self.lines[1 : FRONTMATTER_LINES + 1], 1):
            if line.rstrip() in ("---", "..."):
                return at + 1
        return 0

    def _block(self, at: int, line: str, spaced: bool) -> Iterator[Placed]:
        """The block that begins in a line, in one piece or several."""
        if "|" in line and self._table_begins(at):
            return self._table(at, spaced)
        if line[0] not in _MAY_INTERRUPT and line[0] != "\t":
            return self._paragraph(at, spaced)
        if line[0] == "\t" or line.startswith("    "):
            return self._indented_code(at, spaced)
        if fence := _FENCE.match(line):
            return self._fence(at, fence, spaced)
        if len(line) <= MOST_CHARACTERS and (heading := _HEADING.match(line)):
            block = Block(BlockKind.HEADING, line, level=len(heading[1]))
            return iter((Placed(block, at, 1, spaced),))
        if _RULE.match(line):
            return iter((Placed(Block(BlockKind.RULE, ""), at, 1, spaced),))
        if item := _ITEM.match(line):
            return self._list(at, item, spaced)
        if line.lstrip(" ")[0] == ">":
            return self._pieces(BlockKind.QUOTE, at, self._quote_end(at), spaced)
        if _HTML.match(line) or _HTML_ALONE.match(line):
            return self._pieces(BlockKind.HTML, at, self._html_end(at), spaced)
        return self._paragraph(at, spaced)

    def _blank(self, at: int) -> bool:
        line = self.lines[at]
        return not line or line.isspace()

    def _interrupts(self, line: str) -> bool:
        """Whether a line begins a block of its own right after a line of a paragraph."""
        if line[0] not in _MAY_INTERRUPT:
            return False
        if line.lstrip(" ")[:1] == ">" and not line.startswith("    "):
            return True
        if item := _ITEM.match(line):
            return item[5] is not None and (item[2] is not None or int(item[3]) == 1)
        return any(pattern.match(line) for pattern in (_HEADING, _FENCE, _RULE, _HTML, _FOOTNOTE))

    def _paragraph(self, at: int, spaced: bool) -> Iterator[Placed]:
        lines, count = self.lines, len(self.lines)
        end = at
        while end < count and _DEFINITION.match(lines[end]):
            end += 1
        if end > at:
            return self._pieces(BlockKind.PARAGRAPH, at, end, spaced, defines=True)
        end = at + 1
        while end < count:
            line = lines[end]
            if not line or line.isspace():
                break
            if line[0] in _MAY_INTERRUPT:
                if end - 1 > at and self._table_begins(end - 1):
                    end -= 1
                    break
                underlined = end - at <= MOST_LINES and _SETEXT.match(line)
                text = "\n".join(lines[at : end + 1]) if underlined else ""
                if 0 < len(text) <= MOST_CHARACTERS:
                    block = Block(BlockKind.HEADING, text, level=1 if "=" in line else 2)
                    return iter((Placed(block, at, end + 1 - at, spaced),))
                if self._interrupts(line):
                    break
            end += 1
        return self._pieces(BlockKind.PARAGRAPH, at, end, spaced)

    def _indented_code(self, at: int, spaced: bool) -> Iterator[Placed]:
        end = last = at
        while end < len(self.lines):
            line = self.lines[end]
            if line.startswith("    ") or line[:4].lstrip(" ")[:1] == "\t":
                last = end
            elif not self._blank(end):
                break
            end += 1
        body = [line.expandtabs(4)[4:] for line in self.lines[at : last + 1]]
        return self._code(body, at, last + 1, 0, "", spaced)

    def _fence(self, at: int, fence: re.Match[str], spaced: bool) -> Iterator[Placed]:
        sign, info = (fence[1], fence[2]) if fence[1] else (fence[3], fence[4])
        indent = len(self.lines[at]) - len(self.lines[at].lstrip(" "))
        closing = re.compile(rf" {{0,3}}{re.escape(sign[0])}{{{len(sign)},}}[ \t]*$")
        end = at + 1
        while end < len(self.lines):
            line = self.lines[end]
            if sign[0] in line and closing.match(line):
                break
            end += 1
        body = self.lines[at + 1 : end]
        if indent:
            body = [line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in body]
        language = info.strip().split(" ")[0] if info.strip() else ""
        return self._code(body, at, min(end + 1, len(self.lines)), 1, language, spaced)

    def _code(
        self, body: list[str], at: int, end: int, head: int, info: str, spaced: bool
    ) -> Iterator[Placed]:
        """Code in pieces; the lines of its fence belong to the first and the last of them."""
        pieces = list(_pieces(body, CODE_CHARACTERS)) or [_Piece("", 0, 0)]
        head = min(head, end - at - 1)
        for number, piece in enumerate(pieces):
            first, last = not number, number == len(pieces) - 1
            block = Block(
                BlockKind.CODE,
                piece.text,
                head=head if first else 0,
                info=info,
                continued=not first,
            )
            start = at if first else at + head + piece.line
            stop = end if last else at + head + piece.line + piece.lines
            yield Placed(block, start, stop - start, spaced and first)

    def _quote_end(self, at: int) -> int:
        """The line after a quote, with lines that continue its paragraph without a sign."""
        end = at + 1
        while end < len(self.lines) and not self._blank(end):
            line = self.lines[end]
            if line.lstrip(" ")[:1] != ">" and not self._continues(end):
                break
            end += 1
        return end

    def _continues(self, at: int) -> bool:
        """Whether a line goes on with the paragraph that ends a list or quote before it."""
        before = _CONTAINERS.sub("", self.lines[at - 1], count=1)
        if not before or any(kind.match(before) for kind in (_HEADING, _FENCE, _RULE, _HTML)):
            return False
        return not _ITEM.match(self.lines[at]) and not self._interrupts(self.lines[at])

    def _html_end(self, at: int) -> int:
        kind = _HTML.match(self.lines[at])
        ending = _HTML_ENDS.get(kind.lastgroup or "") if kind else None
        for end in range(at, len(self.lines)):
            if ending is None and self._blank(end):
                return end
            if ending is not None and ending.search(self.lines[end]):
                return end + 1
        return len(self.lines)

    def _table_begins(self, at: int) -> bool:
        if at + 1 >= len(self.lines):
            return False
        line, below = self.lines[at], self.lines[at + 1]
        if (
            line.startswith(("    ", "\t"))
            or "|" not in line
            or "-" not in below
            or not _DELIMITER.match(below)
        ):
            return False
        return len(cells(line)) == len(cells(below))

    def _table(self, at: int, spaced: bool) -> Iterator[Placed]:
        lines = self.lines
        end = at + 2
        while end < len(lines) and not self._blank(end):
            line = lines[end]
            indented = line.startswith(("    ", "\t"))
            if indented or _ITEM.match(line) or self._interrupts(line):
                break
            end += 1
        head = f"{lines[at]}\n{lines[at + 1]}\n"
        pieces = list(_pieces(lines[at + 2 : end]))
        if len(pieces) < 2:
            text = "\n".join(lines[at:end])
            yield Placed(Block(BlockKind.TABLE, text), at, end - at, spaced)
            return
        columns = len(cells(lines[at + 1]))
        widths = [0] * columns
        for line in (lines[at], *lines[at + 2 : end]):
            for column, cell in enumerate(cells(line)[:columns]):
                widths[column] = max(widths[column], len(cell))
        for number, piece in enumerate(pieces):
            first = not number
            block = Block(
                BlockKind.TABLE, head + piece.text, widths=tuple(widths), continued=not first
            )
            start = at if first else at + 2 + piece.line
            stop = at + 2 + piece.line + piece.lines
            yield Placed(block, start, stop - start, spaced and first)

    def _list(self, at: int, item: re.Match[str], spaced: bool) -> Iterator[Placed]:
        """A list in pieces, each of whole items."""
        lines, count = self.lines, len(self.lines)
        sign, number = item[2] or item[4], int(item[3] or 0)
        content = _content_column(item)
        start, last, blank, passed = at, at, False, 1
        first_of_piece = 0
        pieces: list[Placed] = []

        def piece(stop: int) -> Iterator[Placed]:
            block_spaced = spaced if start == at else self._blank(start - 1)
            ordinal = number + first_of_piece if item[3] else 0
            yield from self._pieces(
                BlockKind.LIST, start, stop, block_spaced, ordinal, continued=start != at
            )

        end = at + 1
        while end < count:
            line = lines[end]
            if not line or line.isspace():
                blank = True
                end += 1
                continue
            indent = len(line) - len(line.lstrip(" \t"))
            if "\t" in line[:indent]:
                indent = len(line[:indent].expandtabs(4))
            if indent < content:
                next_item = _ITEM.match(line) if indent < 4 and not _RULE.match(line) else None
                if next_item and (next_item[2] or next_item[4]) == sign:
                    if end - start >= LIST_LINES:
                        pieces += piece(last + 1)
                        start, first_of_piece = end, passed
                    passed += 1
                    content = _content_column(next_item)
                elif blank or next_item or not self._continues(end):
                    break
            blank, last = False, end
            end += 1
        pieces += piece(last + 1)
        return iter(pieces)

    def _pieces(
        self,
        kind: BlockKind,
        at: int,
        end: int,
        spaced: bool,
        ordinal: int = 0,
        *,
        continued: bool = False,
        defines: bool = False,
    ) -> Iterator[Placed]:
        """Lines as one block, or as several if they are too many."""
        for number, piece in enumerate(_pieces(self.lines[at:end])):
            block = Block(
                kind,
                piece.text,
                ordinal=ordinal,
                continued=continued or number > 0,
                defines=defines and not number,
            )
            yield Placed(block, at + piece.line, piece.lines, spaced and not number)


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    line: int
    """Its first line, counted from the first of all pieces."""
    lines: int
    """0 for a piece of a line that goes on in the next."""


def _pieces(lines: list[str], most: int = MOST_CHARACTERS) -> Iterator[_Piece]:
    """Lines in runs of bounded size."""
    if len(lines) <= MOST_LINES:
        text = "\n".join(lines)
        if len(text) <= most:
            if lines:
                yield _Piece(text, 0, len(lines))
            return
    start = characters = 0
    for at, line in enumerate(lines):
        if at > start and (characters + len(line) > most or at - start >= MOST_LINES):
            yield _Piece("\n".join(lines[start:at]), start, at - start)
            start, characters = at, 0
        characters += len(line) + 1
        if len(line) > most:
            parts = [line[part : part + most] for part in range(0, len(line), most)]
            for part in parts[:-1]:
                yield _Piece(part, at, 0)
            yield _Piece(parts[-1], at, 1)
            start, characters = at + 1, 0
    if start < len(lines):
        yield _Piece("\n".join(lines[start:]), start, len(lines) - start)


def _content_column(item: re.Match[str]) -> int:
    """At which column the content of a list's item stands."""
    marker = len(item[1]) + len(item[2] or item[3] + item[4])
    gap = len((" " * marker + (item[5] or " ")).expandtabs(4)) - marker
    return marker + (gap if gap <= 4 else 1)


def cells(row: str) -> list[str]:
    """The cells of a table's row as written; a bar behind a backslash divides nothing."""
    row = row.strip()
    parts = _BAR.split(row)
    if parts and not parts[0].strip() and row.startswith("|"):
        parts = parts[1:]
    if parts and not parts[-1].strip() and row.endswith("|"):
        parts = parts[:-1]
    return [part.strip() for part in parts]


_BAR = re.compile(r"(?<!\\)\|")
