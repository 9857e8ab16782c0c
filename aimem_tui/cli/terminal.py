"""What is behind a standard stream: whether a terminal, with which colours, how wide."""

from __future__ import annotations

import os
from typing import IO


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a stream is open and a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def wants_colour(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal that shows colours and nobody asked for none.

    ``NO_COLOR`` with any value but the empty one switches colours off (https://no-color.org).
    """
    return (
        is_terminal(stream)
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "") != "dumb"
    )


def columns(stream: IO[str] | None) -> int:
    """The width of the terminal behind a stream: ``COLUMNS``, what it says itself, or 80."""
    given = os.environ.get("COLUMNS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80 if stream is not None else 80
    except (OSError, ValueError):
        return 80
