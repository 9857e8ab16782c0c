"""Text on its way to a terminal: made harmless, measured, shortened and coloured.

Paths, titles and texts come from other people and from agents. Whatever could move the cursor,
hide or reorder what is shown is replaced by an escape before it is printed, so a line is made of
plain strings and :class:`Span` objects, never of strings with escape sequences in them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_UNSAFE = (
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    r"\ud800-\udfff]"
)
_UNSAFE_IN_TEXT = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"

_CODES = {
    "bold": ("\x1b[1m", "\x1b[22m"),
    "dim": ("\x1b[2m", "\x1b[22m"),
    "red": ("\x1b[31m", "\x1b[39m"),
    "green": ("\x1b[32m", "\x1b[39m"),
    "cyan": ("\x1b[36m", "\x1b[39m"),
}


class Span(NamedTuple):
    """A piece of a line with a style of its own."""

    text: str
    style: str


Piece = str | Span


def bold(text: str) -> Span:
    """What matters in a line."""
    return Span(text, "bold")


def dim(text: str) -> Span:
    """What may be passed over."""
    return Span(text, "dim")


def safe(text: str) -> str:
    r"""One line of text with nothing in it that a terminal would act on: ``\x1b``, ``\n``."""
    # What is printable is safe, and nearly all text is printable: the expression, which takes a
    # while to compile, is rarely needed.
    return text if text.isprintable() else re.sub(_UNSAFE, _escape, text)


def safe_text(text: str) -> str:
    """A whole text for a terminal: line ends and tabs stay, all else is as in :func:`safe`."""
    return re.sub(_UNSAFE_IN_TEXT, _escape, text.replace("\r\n", "\n"))


def render(pieces: Sequence[Piece], *, coloured: bool) -> str:
    """A line of pieces as it is printed."""
    parts = []
    for piece in pieces:
        if isinstance(piece, str):
            parts.append(safe(piece))
        elif coloured and piece.text:
            start, end = _CODES[piece.style]
            parts += start, safe(piece.text), end
        else:
            parts.append(safe(piece.text))
    return "".join(parts)


def cells(text: str) -> int:
    """How many columns of a terminal a text takes, near enough to align a table."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 1 + (east_asian_width(char) in "WF")
        for char in text
    )


def clip(text: str, width: int, *, keep_end: bool = False) -> str:
    """A text shortened to a width; ``keep_end`` takes away the beginning, as for paths."""
    if cells(text) <= width:
        return text
    kept = ""
    for char in reversed(text) if keep_end else text:
        if cells(kept) + cells(char) > width - 1:
            break
        kept = char + kept if keep_end else kept + char
    return "…" + kept if keep_end else kept + "…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    named = {9: r"\t", 10: r"\n", 13: r"\r"}.get(code)
    return named or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
