"""One process of a machine at a time writes what it reads in workspaces into the index.

The lock is on a file beside the index and ends with the process, however that ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

SUFFIX = ".lock"


class IndexLock:
    """The right to index.

    Args:
        index: the index file.
    """

    def __init__(self, index: Path) -> None:
        self._file = index.with_name(index.name + SUFFIX)
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


def is_held(index: Path) -> bool:
    """Whether some process is indexing."""
    lock = IndexLock(index)
    taken = lock.take()
    lock.release()
    return not taken


_NO_INHERIT = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
