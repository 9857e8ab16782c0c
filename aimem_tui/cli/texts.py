"""Texts that come in through the command line: an argument, standard input or a file."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from aimem_tui.errors import BadInput, NotFound

FROM_STDIN = "-"
READ_LIMIT = 32 * 1024 * 1024
"""No more than this many bytes are read; a thought holds half of it."""


def given_text(argument: str | None) -> str | None:
    """The text that a command was given; None if none was.

    ``-`` means standard input, and so does no argument where something is piped or redirected in.
    A terminal, ``/dev/null`` or an idle socket is never waited for.

    Raises:
        BadInput: if what comes in is not UTF-8.
    """
    if argument is not None and argument != FROM_STDIN:
        return argument
    if argument == FROM_STDIN or _is_piped():
        return read_stdin()
    return None


def read_stdin() -> str:
    """All of standard input.

    Raises:
        BadInput: if it is not UTF-8.
    """
    data = b"" if sys.stdin is None else sys.stdin.buffer.read(READ_LIMIT)
    return _decoded(data, "What came in")


def read_file(path: Path) -> str:
    """The text of a file.

    Raises:
        NotFound: if it is not there.
        BadInput: if it cannot be read or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            return _decoded(file.read(READ_LIMIT), str(path))
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read.", why=f"{error.strerror or error}.") from error


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name} is not UTF-8 text.", why=f"The byte at {error.start:,} does not fit."
        ) from error


def _is_piped() -> bool:
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
