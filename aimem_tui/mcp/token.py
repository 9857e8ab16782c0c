"""The token that clients show over HTTP: anybody on this machine can connect, few may come in.

It is made at the first use and kept in a file that only its owner can read, or given in the
environment. It is never an argument, in an address, or in a log.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from aimem_tui.errors import BadInput, Refused, StorageError

VARIABLE = "AIMEM_MCP_TOKEN"
FILE_NAME = "mcp-token"
_SHORTEST = 16
_LONGEST = 1_000


def of(folder: Path) -> str:
    """The token in force.

    Args:
        folder: where it is kept; made if it is not there.

    Raises:
        BadInput: if the one in the environment or the file cannot be used.
        Refused: if others may read the file.
        StorageError: if it cannot be read or made.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return _checked(given, VARIABLE)
    file = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _kept(file)
        token = secrets.token_urlsafe(32)
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(f"{token}\n")
        return token
    except OSError as error:
        raise StorageError(
            f"{file} cannot be read or made.", why=error.strerror or str(error)
        ) from error


def matches(token: str, header: str) -> bool:
    """Whether an Authorization header shows the token; takes as long whatever it shows."""
    scheme, _, shown = header.partition(" ")
    is_right = hmac.compare_digest(shown.strip().encode(), token.encode())
    return is_right and scheme.casefold() == "bearer"


def _kept(file: Path) -> str:
    with file.open("rb") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        text = opened.read(_LONGEST + 1)
    if mode & 0o077 and sys.platform != "win32":
        raise Refused(
            f"Others may read {file}.",
            why="Whoever knows the token can read and write the thoughts.",
            hint="Remove the file; a new token is made, which clients then have to be given.",
        )
    return _checked(text.decode("ascii", errors="replace").strip(), str(file))


def _checked(token: str, source: str) -> str:
    is_plain = token.isascii() and token.isprintable() and " " not in token
    if not is_plain or not _SHORTEST <= len(token) <= _LONGEST:
        raise BadInput(
            f"The token in {source} cannot be used.",
            why=f"It must have {_SHORTEST} characters or more, without blanks.",
        )
    return token
