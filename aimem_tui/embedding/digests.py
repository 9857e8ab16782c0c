"""Digests of large files, kept so that a file is read through once and not at every start.

A digest is kept with the file's size and time of change, and holds while both are the same. What
has changed within the last seconds is not kept: a second change could leave the time as it was.
The file of kept digests may be thrown away at any time, and a defect in it costs time only.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from aimem_tui.errors import BadInput
from aimem_tui.paths import home

_SETTLED_SECONDS = 2.0
_KEPT_MAX = 32


def of(file: Path) -> str:
    """The SHA-256 digest of a file's bytes, in hexadecimal.

    Raises:
        BadInput: if the file cannot be read.
    """
    try:
        stat = file.stat()
        mark = [stat.st_size, stat.st_mtime_ns]
        kept = _read()
        known = kept.get(str(file))
        if known is not None and known[:2] == mark:
            return str(known[2])
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"{file} cannot be read.", why=error.strerror or str(error)) from error
    if time.time() - stat.st_mtime > _SETTLED_SECONDS:
        kept.pop(str(file), None)
        kept[str(file)] = [*mark, digest]
        _write(dict(list(kept.items())[-_KEPT_MAX:]))
    return digest


def _file() -> Path:
    return home().state / "model-digests.json"


def _read() -> dict[str, list[int | str]]:
    try:
        kept = json.loads(_file().read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: row for name, row in kept.items() if isinstance(row, list) and len(row) == 3}


def _write(kept: dict[str, list[int | str]]) -> None:
    file = _file()
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(kept), encoding="utf-8")
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
