"""People as the app shows them everywhere: a colour, initials, and a mark if they are an agent.

- A person has one of eight colours, by their name, so it is the same on every machine and in every
  list. Who brings a colour of their own, from another program, gets the one of the eight that comes
  nearest.
- A colour never stands alone: a name or initials are with it.
- On light grounds, where most of the eight are hard to read, a person's colour is the ground and
  the letters are black.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from rich.cells import cell_len
from rich.style import Style

from aimem_tui.widgets.cells import cut, printable
from aimem_tui.widgets.rows import Span

if TYPE_CHECKING:
    from aimem_tui.sync.state import Person

PERSON_COLORS = (
    "#E69F00",
    "#56B4E9",
    "#2BB58B",
    "#F0E442",
    "#8C9EFF",
    "#F0743E",
    "#DF8FBA",
    "#A8B0B8",
)
"""Eight colours that stay apart for colour-blind eyes (after Okabe and Ito); black is legible on
each."""

PREFIX = "person-"
"""A row's style ``person-3`` is the fourth of the colours."""

AGENT = "*"
"""Stands behind the name of an agent."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LONGEST_NAME = 16
"""Cells of a name that stands beside others."""


class Somebody(NamedTuple):
    """A person or an agent, for showing."""

    name: str
    """Printable, with the mark of an agent."""
    initials: str
    color: int
    """Which of `PERSON_COLORS`, 0 to 7."""


def somebody(person: Person) -> Somebody:
    """How somebody who is here is shown."""
    name = printable(person.name)
    mark = AGENT if person.agent else ""
    return Somebody(name + mark, initials(name) + mark, color_of(name, person.color))


def span(name: str) -> Span:
    """A name in the colour of whoever is called so."""
    return Span(name, f"{PREFIX}{color_of(name)}")


def color_of(name: str, wanted: str = "") -> int:
    """Which of `PERSON_COLORS` somebody has.

    Args:
        wanted: the colour they bring along, as ``#RRGGBB``; anything else is passed over.
    """
    if _HEX.match(wanted):
        return _nearest(wanted)
    return crc32(name.casefold().encode("utf-8", "replace")) % len(PERSON_COLORS)


def initials(name: str) -> str:
    """One or two letters for a name."""
    words = name.split()
    letters = [word[0] for word in (words[:1] + words[1:][-1:])]
    return "".join(letters).upper() or "?"


def person_style(name: str, *, dark: bool) -> Style:
    """The style of a row's style name ``person-<n>``, on a dark or a light ground."""
    color = PERSON_COLORS[int(name.removeprefix(PREFIX)) % len(PERSON_COLORS)]
    return Style(color=color, bold=True) if dark else Style(color="black", bgcolor=color)


def line(people: Sequence[Somebody], room: int, gap: str = "  ") -> list[Span]:
    """Those who are here, side by side: by name if that fits into ``room`` cells, else initials.

    Where even these do not fit, the last ones are counted.
    """
    names = [(cut(one.name, _LONGEST_NAME), one.color) for one in people]
    if sum(cell_len(name) for name, _ in names) + len(gap) * (len(names) - 1) <= room:
        return _joined(names, gap)
    short = [(one.initials, one.color) for one in people]
    used, fit = 0, 0
    for text, _ in short:
        used += cell_len(text) + 1
        # Room is kept for the count of the others, as in +12.
        if used - 1 > room - (4 if fit + 1 < len(short) else 0):
            break
        fit += 1
    shown = _joined(short[:fit], " ")
    if fit < len(short) and room >= 3:
        shown.append(Span(f"{' ' if fit else ''}+{len(short) - fit}", "muted"))
    return shown


def _joined(texts: Sequence[tuple[str, int]], gap: str) -> list[Span]:
    spans: list[Span] = []
    for text, color in texts:
        if spans:
            spans.append(Span(gap))
        spans.append(Span(text, f"{PREFIX}{color}"))
    return spans


@lru_cache(maxsize=256)
def _nearest(wanted: str) -> int:
    def parts(color: str) -> list[int]:
        return [int(color[at : at + 2], 16) for at in (1, 3, 5)]

    def far(color: str) -> int:
        return sum((a - b) ** 2 for a, b in zip(parts(color), parts(wanted), strict=True))

    return min(range(len(PERSON_COLORS)), key=lambda at: far(PERSON_COLORS[at]))
