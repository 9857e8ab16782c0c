"""Who is in the workspace, from the one process of a machine that syncs to the others.

- That process writes a small file beside the lock whenever somebody comes, goes or moves; the
  others look at it from time to time. What an earlier process has left there it removes.
- Only while somebody holds the lock does the file mean anything.
- It is of use to nobody but the screens of this machine: what cannot be written or read is left
  out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from aimem_tui.sync import presence
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.state import Person

FILE_NAME = "people.json"
LARGEST = 1 << 20


class Crowd:
    """The file, one presence a line, each as machines send it to each other.

    Args:
        folder: the folder of the workspace's file.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        self._told: tuple[Person, ...] = ()
        self._stamp: object = None
        self._seen: tuple[Person, ...] = ()

    def tell(self, people: Sequence[Person]) -> None:
        """Write down who is there, if that has changed."""
        if (now := tuple(people)) == self._told:
            return
        said = b"\n".join(
            PresenceState(
                one.name, one.color, one.agent, one.thought, one.anchor, one.head
            ).to_bytes(one.replica)
            for one in now
        )
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        with suppress(OSError):
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(said[:LARGEST])
            temporary.replace(self._file)
            self._told = now

    def clear(self) -> None:
        """Nobody is known to be there."""
        self._told = ()
        with suppress(OSError):
            self._file.unlink()

    def seen(self) -> tuple[Person, ...]:
        """Who is there, as another process has written."""
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                lines = self._file.read_bytes()[:LARGEST].splitlines()
                read = map(presence.read, lines)
                self._stamp, self._seen = stamp, tuple(one for one in read if one is not None)
        except OSError:
            self._stamp, self._seen = None, ()
        return self._seen
