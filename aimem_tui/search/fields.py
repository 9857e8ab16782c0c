"""The fields of a search as one types them: taking finished ones out of the line, naming them."""

from __future__ import annotations

import re
from typing import NamedTuple

from aimem_tui.model import Kind, Lifecycle
from aimem_tui.search.query import parse

_FINISHED = re.compile(r'(?:(?<=\s)|\A)(-?[A-Za-z]+:(?:"[^"]*"|[^\s"]+))\s')
_FIELD = re.compile(r'(-?)([A-Za-z]+):"?([^"]*)"?')
_OPEN = re.compile(r'(?:.*\s)?-?([A-Za-z]+):"?([^\s"]*)\Z', re.DOTALL)

_TIMES = ("today", "yesterday", "7d", "30d", "90d")


class Line(NamedTuple):
    """What was typed, divided."""

    fields: tuple[str, ...]
    """Those that are finished, each as it was typed."""
    rest: str


def divide(text: str) -> Line:
    """Take out of a line the fields that are finished: that hold, and have a blank behind them."""
    fields: list[str] = []

    def take(match: re.Match[str]) -> str:
        if not is_field(match[1]):
            return match[0]
        fields.append(match[1])
        return ""

    rest = _FINISHED.sub(take, text)
    return Line(tuple(fields), rest)


def is_field(text: str) -> bool:
    """Whether this is one field with a value that can be looked for."""
    query = parse(text)
    restricts = bool(query.scope.groups or query.scope.unwanted)
    return restricts and not query.has_words and not query.said


def label(field: str) -> str:
    """A field in words: ``plan``, ``#auth``, ``by ada``, ``since 30d``, ``not in old/``."""
    match = _FIELD.fullmatch(field)
    if match is None:
        return field
    no, name, value = match[1], match[2].casefold(), match[3]
    said = {
        "kind": value,
        "tag": f"#{value}",
        "author": f"by {value}",
        "path": f"in {value}",
    }.get(name, f"{name} {value}")
    return f"not {said}" if no else said


def being_typed(text: str) -> tuple[str, str] | None:
    """The field at the end of a line that may still grow, and its value so far."""
    match = _OPEN.match(text)
    return None if match is None else (match[1].casefold(), match[2])


def known_values(field: str, beginning: str) -> list[str]:
    """The values that begin so, of a field that has the same ones in every workspace."""
    values: dict[str, tuple[str, ...]] = {
        "kind": tuple(Kind),
        "status": tuple(lifecycle for lifecycle in Lifecycle if lifecycle),
        "since": _TIMES,
    }
    return [value for value in values.get(field, ()) if value.startswith(beginning.casefold())]
