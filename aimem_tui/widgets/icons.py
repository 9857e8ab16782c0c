"""The few signs the app draws, each with a form in plain ASCII.

Plain is the default; the glyphs are for terminals known to have them. A sign never carries a
meaning alone: there is always a word or a place that says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Icons(NamedTuple):
    """Signs of one cell width each, unless said otherwise."""

    opened: str
    closed: str
    done: str
    ellipsis: str
    bullets: tuple[str, ...]
    """By depth of the list; the last serves all deeper ones."""
    checked: str
    """A done checkbox, as wide as ``unchecked``."""
    unchecked: str
    quote: str
    rule: str
    strong_rule: str
    wrapped: str
    """Begins the rest of a line of code that did not fit."""
    image: str
    """Any width; stands before the description of an image."""
    person: str
    """Stands before the initials of somebody who looks at a thought."""


PLAIN = Icons(
    opened="v",
    closed=">",
    done="x",
    ellipsis="~",
    bullets=("*", "-", "+"),
    checked="[x]",
    unchecked="[ ]",
    quote="|",
    rule="-",
    strong_rule="=",
    wrapped=" ",
    image="image:",
    person="@",
)

GLYPHS = Icons(
    opened="▾",
    closed="▸",
    done="✓",
    ellipsis="…",
    bullets=("•", "◦", "▪"),
    checked="☑",
    unchecked="☐",
    quote="▎",
    rule="─",
    strong_rule="━",
    wrapped=" ",
    image="image:",
    person="●",
)


def icons_for(environ: Mapping[str, str], encoding: str | None) -> Icons:
    """The set a terminal can draw.

    Args:
        environ: the process environment; ``TERM`` and ``AIMEM_ICONS`` (``plain`` or ``glyphs``)
            are looked at.
        encoding: the encoding of standard output, None where there is none.
    """
    wish = environ.get("AIMEM_ICONS", "").lower()
    if wish in {"plain", "glyphs"}:
        return PLAIN if wish == "plain" else GLYPHS
    if (encoding or "").lower().replace("-", "") != "utf8":
        return PLAIN
    if environ.get("TERM", "") in {"", "dumb", "linux", "vt100", "vt220"}:
        # Windows sets no TERM; its newer terminal says so with WT_SESSION.
        return GLYPHS if environ.get("WT_SESSION") else PLAIN
    return GLYPHS
