"""Lines as an editor counts them: ended by LF, CRLF or CR and by nothing else.

``str.splitlines`` also breaks at form feeds, U+2028 and others, which would shift line numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"([^\r\n]*+)(\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text. ``end`` is the offset after its line end, ``text`` is without it."""

    text: str
    start: int
    end: int


def split_lines(text: str) -> list[str]:
    """The lines of ``text`` without their line ends; a text of n line ends has n + 1 lines."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def lines_between(text: str, start: int, end: int) -> Iterator[Line]:
    """The lines that begin in ``text[start:end]``; ``start`` and ``end`` are line starts."""
    while start < end:
        match = _LINE.match(text, start)
        assert match is not None, "the pattern matches anywhere"
        yield Line(match[1], start, match.end())
        start = match.end()


def line_start(text: str, offset: int) -> int:
    """The offset at which the line that holds ``offset`` begins."""
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def line_after(text: str, offset: int) -> int:
    """The offset just after the end of the line that holds ``offset``."""
    match = _LINE.match(text, offset)
    assert match is not None, "the pattern matches anywhere"
    return match.end()


def line_end(text: str) -> str:
    """The line end that ``text`` uses first; LF where it has none."""
    match = re.search(r"\r\n|\r|\n", text)
    return match[0] if match else "\n"
