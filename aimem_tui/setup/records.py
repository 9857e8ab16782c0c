"""What ``aimem init`` added where, so that it can be taken out again: a file for each project.

A record is written before the files that it speaks of. So after a crash it may name what is not
there, which taking out then says, and it never forgets what is.
"""

from __future__ import annotations

import os
import secrets
from hashlib import blake2b
from pathlib import Path

import msgspec

from aimem_tui.errors import StorageError
from aimem_tui.paths import Home
from aimem_tui.setup.edits import Added

_FOR_EVERYWHERE = "user"


class Entry(msgspec.Struct, frozen=True):
    """One thing that was added."""

    clients: tuple[str, ...]
    """The agents that it is for; none: the project itself."""
    file: str
    """An absolute path."""
    added: Added
    made_file: bool = False
    """The file was not there before."""
    made_folders: tuple[str, ...] = ()
    """The folders that were made for it, the uppermost first; absolute paths."""


class Record(msgspec.Struct, frozen=True):
    """All that was added for one project, or for a person everywhere."""

    root: str
    """The project's folder; empty: everywhere."""
    entries: tuple[Entry, ...] = ()


def read(home: Home, root: Path | None) -> Record:
    """What was added for a project; None: for the person everywhere.

    Raises:
        StorageError: if the record cannot be read.
    """
    file = _file(home, root)
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record(str(root) if root else "")
    except (OSError, msgspec.DecodeError) as error:
        raise StorageError(
            "What was added cannot be read.",
            why=f"{getattr(error, 'strerror', None) or error}: {file}.",
            hint="Remove that file to begin anew; what was added has to be taken out by hand then.",
        ) from error


def write(home: Home, root: Path | None, record: Record) -> None:
    """Keep a record; an empty one is removed.

    Raises:
        StorageError: if it cannot be written.
    """
    file = _file(home, root)
    try:
        if not record.entries:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1))
        draft.replace(file)
    except OSError as error:
        raise StorageError(
            "What is added cannot be recorded, so nothing is added.",
            why=f"{error.strerror or error}: {file}.",
        ) from error


def all_records(home: Home) -> list[Record]:
    """Every record there is; what cannot be read is left out."""
    found = []
    for file in sorted(_folder(home).glob("*.json")):
        try:
            found.append(msgspec.json.decode(file.read_bytes(), type=Record))
        except (OSError, msgspec.DecodeError):
            continue
    return found


def _folder(home: Home) -> Path:
    return home.data / "init"


def _file(home: Home, root: Path | None) -> Path:
    name = _FOR_EVERYWHERE
    if root is not None:
        name = blake2b(os.fsencode(root), digest_size=12).hexdigest()
    return _folder(home) / f"{name}.json"
