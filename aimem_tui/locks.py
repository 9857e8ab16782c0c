"""Locks between processes of one machine: on a file, and gone with the process, however it ends.

What needs one: at a time one process indexes for the machine, and one syncs a workspace in the
background. The files stay behind, empty; only the lock on them counts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


class FileLock:
    """A right that one process has at a time.

    Args:
        file: made if it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock if nobody has it; whether it is held now."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | _NO_INHERIT, 0o600)
        except OSError:
            return False
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def to_index(index: Path) -> FileLock:
    """The right to write what workspaces say into the machine's index file."""
    return FileLock(index.with_name(f"{index.name}.lock"))


def to_sync(folder: Path) -> FileLock:
    """The right to sync in the background the workspace whose file is in a folder."""
    return FileLock(folder / "sync.lock")


_NO_INHERIT = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
