"""What the hooks of one session must know of each other: a small file for each session.

A hook is a process that lives for a moment. Each adds a line, a word and a time; nothing is ever
rewritten, so hooks that run at once lose nothing. No text of a session is kept, and no path but
the project's. The file goes when the session has ended and there is nothing left to say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KEPT_DAYS = 30
_MOST_LINES = 100_000


@dataclass(frozen=True, slots=True)
class Story:
    """What is noted of a session."""

    began: int
    """When it was first heard of, milliseconds since the Unix epoch; 0: it was not."""
    edits: int
    """How often a file was written."""
    proposed: bool
    """Whether the person was told that something could be kept."""
    ended: int
    """When it ended; 0: it has not."""
    root: str
    """The project it was about; known once it has ended."""


class Notes:
    """The notes of one session.

    Args:
        folder: where the notes of all sessions are; made when it is needed.
        session: the session's id. Of one that could not be a file's name nothing is noted.
    """

    def __init__(self, folder: Path, session: str) -> None:
        self._file = folder / session if _ID.fullmatch(session) else None

    def begin(self, now: int) -> None:
        """Note that the session has begun, unless it is known."""
        if self._file is not None and not self._file.exists():
            self._add(f"began {now}")

    def edited(self, now: int) -> None:
        """Note that a file was written."""
        self._add(f"edited {now}")

    def proposed(self, now: int) -> None:
        """Note that the person was told."""
        self._add(f"proposed {now}")

    def ended(self, now: int, root: Path) -> None:
        """Note that the session has ended, and where it was."""
        self._add(f"ended {now} {root}")

    def forget(self) -> None:
        """Remove the notes."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def read(self) -> Story:
        """What is noted."""
        began = edits = ended = 0
        proposed, root = False, ""
        for line in _lines(self._file):
            word, _, rest = line.partition(" ")
            at, _, place = rest.partition(" ")
            began = began or (int(at) if at.isdecimal() else 0)
            edits += word == "edited"
            proposed |= word == "proposed"
            if word == "ended":
                ended, root = int(at) if at.isdecimal() else 0, place
        return Story(began, edits, proposed, ended, root)

    def _add(self, line: str) -> None:
        if self._file is None:
            return
        data = line.replace("\n", " ").encode(errors="surrogateescape") + b"\n"
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._file, flags, 0o600)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)


def all_of(folder: Path, now: int) -> Iterator[Notes]:
    """The notes of all sessions; those that are a month old are removed instead."""
    oldest = now / 1000 - _KEPT_DAYS * 86_400
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if entry.stat().st_mtime < oldest:
                Path(entry).unlink(missing_ok=True)
            else:
                yield Notes(folder, entry.name)


def _lines(file: Path | None) -> Iterator[str]:
    if file is None:
        return
    with (
        suppress(FileNotFoundError),
        file.open(encoding="utf-8", errors="surrogateescape") as notes,
    ):
        for number, line in enumerate(notes):
            if number >= _MOST_LINES:
                return
            yield line.rstrip("\n")
