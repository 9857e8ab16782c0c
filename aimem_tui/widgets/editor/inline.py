"""Markdown inside a line, for colouring: emphasis, code, links, tags and the like.

It follows CommonMark (0.31, chapter 6) where a reader would see the difference, looks at one line
only, and never decides what a document means. What it takes is linear in the length of the line,
also for lines made to hurt: every pattern stops at the next character that could begin it again,
and a mark that finds no partner is looked for once.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple


class Span(NamedTuple):
    """A part of a line that looks different; ``end`` is the column after it."""

    start: int
    end: int
    look: str
    """One of the names in `aimem_tui.widgets.editor.painting.SYNTAX`."""


_TARGET = (
    r"\((?:<[^<>]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)"
    r"""(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)"""
)
_TOKEN = re.compile(
    r"(?=[\\`<h!\[\]*_~#])(?:"
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>`+)"
    r"|(?P<comment><!--)"
    r"|(?P<url><[A-Za-z][\w+.-]{1,31}:[^\s<>]*>|https?://[^\s<>*`|\[\]\"]+)"
    r"|(?P<wiki>!?\[\[[^\[\]]+\]\]|\[\^[^\[\]\s]+\])"
    r"|(?P<open>!?\[)"
    rf"|(?P<close>\](?:{_TARGET}|\[[^\[\]]*\])?)"
    r"|(?P<marks>\*+|_+|~~)"
    r"|(?P<tag>(?<![\w/#&])#(?=[\w/-]*[^\W\d])[\w/-]+)"
    r")"
)
_AFTER_URL = frozenset(".,;:!?'_~")
_TICKS = re.compile(r"`+")


@dataclass(slots=True)
class _Opener:
    """Marks that may open emphasis: ``count`` of them, the last just before ``end``."""

    mark: str
    end: int
    count: int


def inline_spans(line: str, start: int = 0) -> list[Span]:
    """The spans of a line from column ``start`` on, outer ones before those within them."""
    return sorted(_Scanner(line).scan(start), key=lambda span: (span.start, -span.end))


class _Scanner:
    def __init__(self, line: str) -> None:
        self._line = line
        self._spans: list[Span] = []
        self._openers: list[_Opener] = []
        self._open = Counter[str]()
        self._brackets: list[int] = []
        self._ticks: dict[int, list[int]] | None = None
        self._comment_end = 0

    def scan(self, at: int) -> list[Span]:
        while (token := _TOKEN.search(self._line, at)) is not None:
            at = token.end()
            match token.lastgroup:
                case "escape":
                    self._add(token.start(), token.start() + 1, "marker")
                case "code":
                    at = self._code(token.start(), at)
                case "comment":
                    at = self._comment(token.start(), at)
                case "url":
                    at = self._url_end(token.start(), at)
                    self._add(token.start(), at, "url")
                case "open":
                    self._brackets.append(token.start())
                case "close":
                    self._link(token.start(), at)
                case "marks":
                    self._marks(token.start(), at)
                case look:
                    self._add(token.start(), at, look or "")
        return self._spans

    def _add(self, start: int, end: int, look: str) -> None:
        self._spans.append(Span(start, end, look))

    def _code(self, start: int, end: int) -> int:
        """A run of ticks: code up to the next run as long, if there is one."""
        if self._ticks is None:
            self._ticks = {}
            for run in _TICKS.finditer(self._line):
                self._ticks.setdefault(len(run.group()), []).append(run.start())
        same = self._ticks.get(end - start, [])
        at = bisect_left(same, end)
        if at == len(same):
            return end
        close = same[at] + end - start
        self._add(start, close, "code")
        return close

    def _comment(self, start: int, end: int) -> int:
        if self._comment_end >= 0:
            self._comment_end = self._line.find("-->", end)
        if self._comment_end < 0:
            return end
        self._add(start, self._comment_end + 3, "comment")
        return self._comment_end + 3

    def _url_end(self, start: int, end: int) -> int:
        """Where an address ends that has no brackets of its own: before what ends a sentence."""
        line = self._line
        if line[start] == "<":
            return end
        unopened = line.count(")", start, end) - line.count("(", start, end)
        while line[end - 1] in _AFTER_URL or (line[end - 1] == ")" and unopened > 0):
            unopened -= line[end - 1] == ")"
            end -= 1
        return end

    def _link(self, start: int, end: int) -> None:
        if not self._brackets:
            return
        opened = self._brackets.pop()
        if end == start + 1:
            return
        self._add(opened, end, "link")
        self._add(start, end, "url")

    def _marks(self, start: int, end: int) -> None:
        """A run of emphasis marks: closes what it can, and may open what is left of it."""
        line = self._line
        mark = line[start]
        before = line[start - 1] if start else " "
        after = line[end] if end < len(line) else " "
        opens = not after.isspace() and (not _is_mark(after) or not _is_word(before))
        closes = not before.isspace() and (not _is_mark(before) or not _is_word(after))
        if mark == "_":
            opens, closes = (
                opens and (not closes or _is_mark(before)),
                closes and (not opens or _is_mark(after)),
            )
        while closes and start < end and (opener := self._opener(mark)) is not None:
            used = 2 if mark == "~" or min(opener.count, end - start) >= 2 else 1
            look = "strike" if mark == "~" else "strong" if used == 2 else "emphasis"
            self._add(opener.end - used, start + used, look)
            opener.end -= used
            opener.count -= used
            start += used
            if not opener.count:
                self._drop_opener()
        if opens and start < end:
            self._openers.append(_Opener(mark, end, end - start))
            self._open[mark] += 1

    def _opener(self, mark: str) -> _Opener | None:
        """The innermost open run of ``mark``; what was opened within it stays unmatched."""
        if not self._open[mark]:
            return None
        while self._openers[-1].mark != mark:
            self._drop_opener()
        return self._openers[-1]

    def _drop_opener(self) -> None:
        self._open[self._openers.pop().mark] -= 1


def _is_word(character: str) -> bool:
    return not character.isspace() and not _is_mark(character)


def _is_mark(character: str) -> bool:
    return not character.isalnum() and not character.isspace()
