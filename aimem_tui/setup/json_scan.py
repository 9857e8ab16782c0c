"""Reading JSON by position, so that it can be edited as text.

Comments and trailing commas are understood, as the configuration files of editors have them. What
a node means is Python's own ``json``; this module only finds where everything stands.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from aimem_tui.errors import BadInput

_DEEPEST = 200
_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"[-+.\w]+")


@dataclass(frozen=True, slots=True)
class Node:
    """A value: where it begins and ends, and what is in it."""

    start: int
    end: int
    open: str
    """``{``, ``[``, or empty for what holds nothing."""
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object, or one element of an array."""

    key: str
    """Empty in an array."""
    start: int
    value: Node
    comma: int | None
    """Where the comma behind it is; None if there is none."""

    @property
    def end(self) -> int:
        """The end of its value."""
        return self.value.end


def parse(text: str) -> Node:
    """The value that a text is.

    Raises:
        BadInput: if it is not JSON; says in which line.
    """
    scanner = _Scanner(text)
    node = scanner.value(scanner.blank(0), 0)
    rest = scanner.blank(node.end)
    if rest != len(text):
        raise scanner.wrong(rest)
    return node


def meaning(text: str, node: Node) -> object:
    """The Python value of a node; of equal keys the last one counts."""
    if node.open == "{":
        return {member.key: meaning(text, member.value) for member in node.members}
    if node.open == "[":
        return [meaning(text, member.value) for member in node.members]
    found: object = json.loads(text[node.start : node.end])
    return found


def last_comment_end(text: str, start: int, end: int) -> int:
    """Where the last comment between two places ends; ``start`` if there is none.

    Between the places there must be nothing but blanks and comments.
    """
    return max((match.end() for match in _COMMENT.finditer(text, start, end)), default=start)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text

    def wrong(self, at: int) -> BadInput:
        line = self._text.count("\n", 0, at) + 1
        return BadInput("It is not JSON.", why=f"See line {line}.")

    def blank(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        assert match is not None
        return match.end()

    def value(self, at: int, depth: int) -> Node:
        opened = self._text[at : at + 1]
        if depth > _DEEPEST or not opened:
            raise self.wrong(at)
        if opened in "{[":
            return self._container(at, opened, depth)
        match = (_STRING if opened == '"' else _SCALAR).match(self._text, at)
        if match is None:
            raise self.wrong(at)
        try:
            json.loads(match[0])
        except ValueError:
            raise self.wrong(at) from None
        return Node(at, match.end(), "")

    def _container(self, start: int, opened: str, depth: int) -> Node:
        closing = "}" if opened == "{" else "]"
        members: list[Member] = []
        at = self.blank(start + 1)
        while self._text[at : at + 1] != closing:
            if members and members[-1].comma is None:
                raise self.wrong(at)
            key, value = self._member(at, opened, depth)
            after = self.blank(value.end)
            comma = after if self._text[after : after + 1] == "," else None
            members.append(Member(key, at, value, comma))
            at = after if comma is None else self.blank(comma + 1)
        return Node(start, at + 1, opened, tuple(members))

    def _member(self, at: int, opened: str, depth: int) -> tuple[str, Node]:
        if opened == "[":
            return "", self.value(at, depth + 1)
        match = _STRING.match(self._text, at)
        if match is None:
            raise self.wrong(at)
        try:
            key = json.loads(match[0])
        except ValueError:
            raise self.wrong(at) from None
        colon = self.blank(match.end())
        if self._text[colon : colon + 1] != ":":
            raise self.wrong(colon)
        return key, self.value(self.blank(colon + 1), depth + 1)
