"""Cutting a text into chunks: the passages that are searched by words and by meaning.

- A chunk is a span of the text. The chunks of a text cover all of it, in order; they overlap only
  where a section is too long for one.
- A section is what stands between two headings. Short ones share a chunk with the next; a long one
  is cut where a paragraph begins, else an entry, a line, a sentence, a word.
- Where several places are as good, the text behind them decides by its checksum, not its distance
  from the beginning. So after an edit the cuts further down are the same again, and what is keyed
  by content stays.
- Fenced code stays whole up to a bound. Frontmatter is part of the first chunk.
- Sizes are in tokens of a word-piece vocabulary, estimated from the kinds of characters: 90 % of
  English and code passages are within 15 % of the bundled model's own count.
- Time is in proportion to the text, whatever it is.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aimem_tui.markdown import frontmatter
from aimem_tui.markdown.lines import Line, line_start, lines_between
from aimem_tui.markdown.scan import scan

SIZE = 220
"""Tokens of a chunk, its context included; models cut what is longer than 256."""
OVERLAP = 40
"""Tokens that a chunk repeats of the one before it where a section is cut."""
CODE_BOUND = 1.5
"""How many times the size fenced code may have to stay whole."""
VERSION = 1
"""To be raised when the same text gives other chunks or other strings than before."""

_SHORT = 1 / 3
"""A section below this part of the size shares a chunk with the next."""
_FULL = 1 / 2
"""A cut is looked for from this part of the size on."""
_PROSE_LIMIT = 800
"""Characters of frontmatter that count as prose."""


class Chunk(NamedTuple):
    """A passage of a text."""

    ordinal: int
    start: int
    end: int
    """Offsets in characters, ``end`` excluded."""
    line: int
    """The line in which it begins, from 0."""
    headings: tuple[str, ...]
    """Those it stands below, outermost first, its own included."""


def chunk(
    title: str, text: str, *, markdown: bool = True, size: int = SIZE, overlap: int = OVERLAP
) -> tuple[Chunk, ...]:
    """Cut a text into chunks; an empty text is one empty chunk.

    Args:
        title: the thought's; it is part of every chunk's context, and takes of its room.
        markdown: whether headings and fences mean anything.
        size, overlap: in estimated tokens.
    """
    sections = _sections(text, _Cutter(text, size), markdown=markdown)
    spans = [
        span
        for group in _groups(sections, size)
        for span in _spans(title, text, group, size, overlap)
    ]
    if not spans:
        return (Chunk(0, 0, len(text), 0, ()),)
    # What stands before the first piece and behind the last, which is blank or frontmatter.
    spans[0] = spans[0]._replace(start=0, line=0)
    spans[-1] = spans[-1]._replace(end=len(text))
    return tuple(
        Chunk(ordinal, span.start, span.end, span.line, span.headings)
        for ordinal, span in enumerate(spans)
    )


def embedded(title: str, chunk: Chunk, text: str) -> str:
    """The string that stands for a chunk's meaning: title, headings, then the text.

    It is the text as it reads: without the targets of links, rules, marks of headings and
    frontmatter, whose values count only where they are prose.
    """
    start, prose = chunk.start, ""
    if start == 0:
        block = frontmatter.split(text)
        if block is not None:
            start, prose = min(block.end, chunk.end), _prose(text[: block.end])
    headings = [each for each in chunk.headings if each != title]
    body = _LEADING_HEADINGS.sub("", text[start : chunk.end])
    parts = (title, " > ".join(headings), prose, readable(body))
    return "\n".join(part for part in parts if part)


def readable(text: str) -> str:
    """Markdown as it reads, roughly: without the targets of links, rules, marks of headings."""
    text = _TARGET.sub("]", text)
    text = _HEADING_MARKS.sub("", text)
    text = _RULE.sub("", text)
    return text.replace("**", "").strip()


def estimate(text: str) -> int:
    """About how many tokens a text has."""
    plain = text.encode("ascii", "ignore")
    others = len(text) - len(plain)
    signs = len(plain.translate(None, _LETTERS_AND_SPACE))
    letters = len(plain) - len(plain.translate(None, _LETTERS))
    return max(1, round(0.22 * letters + 1.18 * signs + 0.9 * others))


_LETTERS = bytes(n for n in range(128) if chr(n).isalnum())
_LETTERS_AND_SPACE = _LETTERS + b" \t\r\n\f\v"
_FENCE = re.compile(r"[ \t]*+(?:[-*+] |\d{1,9}[.)] |> )?[ \t]*+(`{3,}+|~{3,}+)")
_ENTRY = re.compile(r"[ \t]*+(?:[-*+] |\d{1,9}[.)] |\|)")
_SENTENCE_END = re.compile(r"[.!?…][\"')\]]*+\s+|[。！？]\s*+|[\r\n]++")
_GAP = re.compile(r"\s++")
_TARGET = re.compile(r"\]\([^()\s]*+(?:\s+\"[^\"\n]*+\")?\)")
_HEADING_MARKS = re.compile(r"^ {0,3}#{1,6}[ \t]++", re.MULTILINE)
_LEADING_HEADINGS = re.compile(
    r"(?:\s*+^ {0,3}#{1,6}(?:[ \t][^\r\n]*+)?(?:[\r\n]++|\Z))++", re.MULTILINE
)
_RULE = re.compile(r"^[ \t]*+(?:[-=*_|:][ \t]*+){3,}+$", re.MULTILINE)

# What begins at a place, the better a place for a cut the smaller.
_SECTION, _PARAGRAPH, _LIST_ENTRY, _SENTENCE, _LINE, _WORD = range(6)


class _Piece(NamedTuple):
    """A span that is not cut any further."""

    start: int
    end: int
    line: int
    tokens: int
    begins: int
    is_code: bool = False


@dataclass(slots=True)
class _Section:
    """What stands below one heading, its own line included."""

    headings: tuple[str, ...]
    pieces: list[_Piece]
    has_text: bool = False

    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)


class _Span(NamedTuple):
    start: int
    end: int
    line: int
    headings: tuple[str, ...]


class _Cutter:
    """Turns lines and code into pieces that are short enough to be packed."""

    def __init__(self, text: str, size: int) -> None:
        self._text = text
        self._long = max(8, size // 4)
        self._bound = round(size * CODE_BOUND)

    def line(self, line: Line, number: int, begins: int) -> Iterator[_Piece]:
        """The pieces of a line that is no code."""
        tokens = estimate(line.text)
        if tokens <= self._long:
            yield _Piece(line.start, line.end, number, tokens, begins)
            return
        start = line.start
        for match in _SENTENCE_END.finditer(self._text, line.start, line.start + len(line.text)):
            if estimate(self._text[start : match.end()]) * 3 < self._long:
                continue
            yield from self._sentence(start, match.end(), number, begins)
            start, begins = match.end(), _SENTENCE
        if start < line.end:
            yield from self._sentence(start, line.end, number, begins)

    def code(self, lines: Sequence[Line], number: int, begins: int) -> Iterator[_Piece]:
        """The pieces of fenced code, its fences included."""
        start, end = lines[0].start, lines[-1].end
        tokens = estimate(self._text[start:end])
        if tokens <= self._bound:
            yield _Piece(start, end, number, tokens, begins, True)
            return
        blank = False
        for offset, line in enumerate(lines):
            if offset:
                begins = _LIST_ENTRY if blank else _LINE
            blank = not line.text.strip()
            yield from self._sentence(line.start, line.end, number + offset, begins)

    def _sentence(self, start: int, end: int, number: int, begins: int) -> Iterator[_Piece]:
        while start < end:
            stop = end
            many = end - start > self._long * 8
            if many or estimate(self._text[start:end]) > self._long:
                # At least so many characters have that many tokens, whatever they are.
                stop = min(end, start + self._long)
                while stop < end and (more := self._long - estimate(self._text[start:stop])) > 0:
                    stop = min(end, stop + more)
                    gap = _GAP.search(self._text, stop, min(end, stop + self._long))
                    stop = gap.end() if gap else stop
            tokens = estimate(self._text[start:stop])
            yield _Piece(start, stop, number, tokens, begins)
            start, begins = stop, _WORD


def _sections(text: str, cutter: _Cutter, *, markdown: bool) -> list[_Section]:
    block = frontmatter.split(text) if markdown else None
    begin = block.end if block else 0
    lines = list(lines_between(text, begin, len(text)))
    above = sum(1 for _ in lines_between(text, 0, begin))
    headings = {}
    if markdown:
        outline = scan([line.text.removeprefix("\ufeff") for line in lines])
        headings = {each.line: each for each in outline.headings}
    section = _Section((), [])
    if block is not None:
        tokens = estimate(_prose(text[:begin]))
        section.pieces.append(_Piece(0, begin, 0, tokens, _SECTION))
    sections = [section]
    path: list[tuple[int, str]] = []
    begins, at = _PARAGRAPH, 0
    while at < len(lines):
        line, number = lines[at], at + above
        if (heading := headings.get(at)) is not None:
            path = [each for each in path if each[0] < heading.level]
            path.append((heading.level, heading.text))
            section = _Section(tuple(name for _, name in path if name), [])
            sections.append(section)
            section.pieces += cutter.line(line, number, _SECTION)
            begins, at = _PARAGRAPH, at + 1
        elif not line.text.strip():
            if section.pieces:
                section.pieces[-1] = section.pieces[-1]._replace(end=line.end)
            begins, at = _PARAGRAPH, at + 1
        elif markdown and (end := _code_end(lines, at)):
            section.pieces += cutter.code(lines[at:end], number, begins)
            section.has_text = True
            begins, at = _PARAGRAPH, end
        else:
            if begins != _PARAGRAPH and _ENTRY.match(line.text):
                begins = _LIST_ENTRY
            section.pieces += cutter.line(line, number, begins)
            section.has_text = True
            ends = line.text.rstrip()[-1:] in ".!?:;"
            begins, at = (_SENTENCE if ends else _LINE), at + 1
    return [each for each in sections if each.pieces]


def _code_end(lines: Sequence[Line], at: int) -> int:
    """The line behind the fenced code that begins in a line; 0 if none does."""
    opening = _FENCE.match(lines[at].text)
    if opening is None or (opening[1][0] == "`" and "`" in lines[at].text[opening.end() :]):
        return 0
    marks = opening[1]
    for end in range(at + 1, len(lines)):
        body = lines[end].text.lstrip(" \t>").rstrip()
        if body.startswith(marks) and not body.strip(marks[0]):
            return end + 1
    return len(lines)


def _groups(sections: Sequence[_Section], size: int) -> Iterator[_Section]:
    """Sections with those that are too short for a chunk joined to the next."""
    group: _Section | None = None
    held = 0
    for section in sections:
        tokens = section.tokens()
        if group is not None:
            fits = held < size * _SHORT and held + tokens <= size
            if fits or (not group.has_text and held < size):
                if not group.has_text:
                    group.headings = section.headings
                group.pieces += section.pieces
                group.has_text |= section.has_text
                held += tokens
                continue
            yield group
        group, held = section, tokens
    if group is not None:
        yield group


def _spans(title: str, text: str, group: _Section, size: int, overlap: int) -> Iterator[_Span]:
    room = max(size // 2, size - estimate("\n".join((title, *group.headings))))
    pieces = group.pieces
    at = before = 0
    while at < len(pieces):
        end = _cut(text, pieces, at, room)
        first = pieces[at]
        start = first.start
        if at and not pieces[at - 1].is_code:
            start = _earlier(text, pieces[before].start, start, overlap)
        line = first.line - _line_ends(text, start, first.start)
        yield _Span(start, pieces[end - 1].end, line, group.headings)
        before, at = at, end


def _cut(text: str, pieces: Sequence[_Piece], first: int, room: int) -> int:
    """The piece before which a chunk that begins with ``first`` ends."""
    tokens, best, cut = 0, (_WORD + 1, 0), first + 1
    for at in range(first, len(pieces)):
        piece = pieces[at]
        if at > first:
            if tokens >= room * _FULL or tokens + piece.tokens > room:
                rank = (piece.begins, zlib.crc32(text[piece.start : piece.start + 64].encode()))
                if rank < best:
                    best, cut = rank, at
            if tokens + piece.tokens > room:
                return cut
        tokens += piece.tokens
    return len(pieces)


def _earlier(text: str, floor: int, start: int, overlap: int) -> int:
    """Where a chunk begins that repeats what stands before it: at most so much, whole sentences."""
    if overlap <= 0:
        return start
    # Nothing has fewer tokens than one for each six characters, blanks aside.
    ends = _SENTENCE_END.finditer(text, max(floor, start - overlap * 6), start)
    places = [match.end() for match in ends if match.end() < start]
    found = bisect_left(places, True, key=lambda place: estimate(text[place:start]) <= overlap)
    return places[found] if found < len(places) else start


def _line_ends(text: str, start: int, end: int) -> int:
    if start == end:
        return 0
    begin, stop = line_start(text, start), line_start(text, end)
    return sum(1 for _ in lines_between(text, begin, stop))


def _prose(block: str) -> str:
    """What a frontmatter block says in words, its title aside."""
    found = frontmatter.properties(block)
    said = [", ".join(frontmatter.tags_of(found))]
    for key, value in found.items():
        if key in ("title", *frontmatter.TAG_KEYS):
            continue
        for each in [value] if isinstance(value, str) else value:
            if sum(word.isalpha() for word in each[:_PROSE_LIMIT].split()) >= 3:
                said.append(" ".join(each.split()))
    return "\n".join(each for each in said if each)[:_PROSE_LIMIT]
