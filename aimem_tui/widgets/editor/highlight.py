"""How the lines of a markdown text look, computed for the lines on screen only.

A line's look depends on its own text and on one word of context, its `State`: whether it begins
in prose, in the frontmatter, in a comment or in a fenced block. The states are found from the top
down as far as somebody looks, and kept. An edit recomputes the states of the lines it touches; if
the state behind them comes out as before, everything below still holds, and if not (a fence was
opened), what is below is forgotten and found anew when somebody looks.

Colours are not known here. A span names a look; the editor's style sheet says what that is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

from aimem_tui.widgets.editor.inline import Span, inline_spans
from aimem_tui.widgets.editor.line_document import LineDocument, LineSplice

State: TypeAlias = str
"""What a line begins in: `PROSE`, `FRONTMATTER`, `COMMENT`, or the fence that opened the block."""

PROSE: State = ""
FRONTMATTER: State = "---"
COMMENT: State = "<!--"

_FRONTMATTER_LINES = 500
"""A frontmatter ends within so many lines, or it is none."""

_PROSE_LENGTH = 8_000
"""Code points above which a line is data, and only its beginning is looked at."""

_FENCE = re.compile(r"[\s>]*(?:[-*+]\s+|\d{1,9}[.)]\s+)*(`{3,}(?=[^`]*$)|~{3,})")
_QUOTE = re.compile(r"(?:\s{0,3}>)+\s?")
_ITEM = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])(?=\s|$)(\s*)")
_BOX = re.compile(r"\[([^\[\]])\](?=\s|$)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})(?=\s|$)")
_RULE = re.compile(r"\s{0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|=+[ \t]*)$")
_TABLE_RULE = re.compile(r"[\s|:-]+$")
_KEY = re.compile(r"(\s*(?:-\s+)?)([\w$.\"'-][\w $./\"'-]*)(:)(?=\s|$)")
_YAML_COMMENT = re.compile(r"(?:^|\s)#.*$")


class Highlighter:
    """The spans of the lines of one document."""

    def __init__(self, lines: LineDocument) -> None:
        self._lines = lines
        self._frontmatter = self._has_frontmatter()
        self._states: list[State] = [PROSE]

    def state(self, row: int) -> State:
        """What a row begins in."""
        states = self._states
        while len(states) <= row:
            states.append(self._after(len(states) - 1, states[-1]))
        return states[row]

    def spans(self, row: int) -> tuple[Span, ...]:
        """How a row looks, outer spans before those within them."""
        state = FRONTMATTER if not row and self._frontmatter else self.state(row)
        return line_spans(self._lines[row], state)

    def splice(self, splice: LineSplice) -> int | None:
        """Follow an edit of the document.

        Returns the row from which on all rows may look different now, if not only those edited do.
        """
        first, stop = splice.first, splice.first + splice.removed
        if first < _FRONTMATTER_LINES and self._has_frontmatter() != self._frontmatter:
            self._frontmatter = not self._frontmatter
            del self._states[1:]
            return 0
        states = self._states
        if first >= len(states):
            return None
        below = states[stop : stop + 1]
        found = [states[first]]
        for row in range(first, first + splice.added):
            found.append(self._after(row, found[-1]))
        states[first : stop + 1] = found
        if not below or below == found[-1:]:
            return None
        del states[first + len(found) :]
        return first

    def _after(self, row: int, state: State) -> State:
        if not row and self._frontmatter:
            return FRONTMATTER
        return next_state(self._lines[row], state)

    def _has_frontmatter(self) -> bool:
        lines = self._lines
        if lines[0].lstrip("\ufeff").rstrip() != "---":
            return False
        return any(line.rstrip() in ("---", "...") for line in lines[1:_FRONTMATTER_LINES])


def next_state(line: str, state: State) -> State:
    """What the line after ``line`` begins in, if ``line`` begins in ``state``."""
    if state == PROSE:
        if "`" in line or "~" in line:
            fence = _FENCE.match(line)
            return fence.group(1) if fence else PROSE
        return COMMENT if _open_comment(line) else PROSE
    if state == FRONTMATTER:
        return PROSE if line.rstrip() in ("---", "...") else FRONTMATTER
    if state == COMMENT:
        return PROSE if "-->" in line else COMMENT
    return PROSE if _closes(line, state) else state


def _open_comment(line: str) -> bool:
    """Whether a comment begins the line and goes on in the next."""
    return line.lstrip().startswith("<!--") and "-->" not in line


def _closes(line: str, fence: State) -> bool:
    text = line.strip(" \t>")
    return len(text) >= len(fence) and not text.strip(fence[0])


@lru_cache(maxsize=1024)
def line_spans(line: str, state: State) -> tuple[Span, ...]:
    """How a line looks that begins in ``state``, outer spans before those within them."""
    if len(line) > _PROSE_LENGTH:
        line = line[:_PROSE_LENGTH]
    if state == PROSE:
        return tuple(_prose(line))
    if state == FRONTMATTER:
        return tuple(_yaml(line))
    if state == COMMENT:
        end = line.find("-->") + 3
        if end < 3:
            return (Span(0, len(line), "comment"),)
        return (Span(0, end, "comment"), *inline_spans(line, end))
    return (Span(0, len(line), "marker" if _closes(line, state) else "code"),)


def _yaml(line: str) -> list[Span]:
    if line.lstrip("\ufeff").rstrip() in ("---", "..."):
        return [Span(0, len(line), "marker")]
    spans = []
    if (key := _KEY.match(line)) is not None:
        spans = [Span(*key.span(2), "key"), Span(*key.span(3), "marker")]
    if (comment := _YAML_COMMENT.search(line)) is not None:
        spans.append(Span(*comment.span(), "comment"))
    return spans


def _prose(line: str) -> list[Span]:
    spans: list[Span] = []
    at = 0
    if (quote := _QUOTE.match(line)) is not None:
        at = quote.end()
        spans += [Span(0, len(line), "quote"), Span(0, at, "marker")]
    if ("`" in line or "~" in line) and _FENCE.match(line):
        return [*spans, Span(at, len(line), "marker")]
    if _open_comment(line):
        return [*spans, Span(at, len(line), "comment")]
    if _RULE.match(line, at):
        return [*spans, Span(at, len(line), "marker")]
    if (heading := _HEADING.match(line, at)) is not None:
        spans += [Span(at, len(line), "heading"), Span(*heading.span(1), "marker")]
        return spans + inline_spans(line, heading.end())
    while (item := _ITEM.match(line, at)) is not None:
        spans.append(Span(*item.span(2), "bullet"))
        at = item.end()
        if (box := _BOX.match(line, at)) is not None:
            done = box.group(1) in "xX"
            spans.append(Span(*box.span(), "done" if done else "open"))
            at = box.end()
            if done:
                spans.append(Span(at, len(line), "finished"))
            break
    if "|" in line and line.lstrip().startswith("|"):
        if "-" in line and _TABLE_RULE.match(line, at):
            return [*spans, Span(at, len(line), "marker")]
        spans += [Span(bar, bar + 1, "marker") for bar in _bars(line, at)]
    return spans + inline_spans(line, at)


def _bars(line: str, at: int) -> Iterator[int]:
    """The columns of a table row's bars."""
    while (at := line.find("|", at)) >= 0:
        if not at or line[at - 1] != "\\":
            yield at
        at += 1
