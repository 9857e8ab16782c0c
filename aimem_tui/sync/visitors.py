"""Agents at work on this machine, from their own processes to the screens here and elsewhere.

- Each visitor keeps one small file in the folder ``visitors`` beside the workspace's file, and
  takes it away when it goes. Whoever shows people looks into the folder from time to time; the
  process that syncs passes visitors on to the other machines.
- A visitor has an id of its own, as if it were a machine, so several agents stay apart.
- Who has not moved for a while, or whose process has ended without a word, counts no more.
- It is of use to nobody but screens: what cannot be written or read is left out.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from aimem_tui.sync import presence
from aimem_tui.sync.presence import LARGEST, PresenceState
from aimem_tui.sync.state import Person

FOLDER_NAME = "visitors"
FADES_S = 180.0
"""How long a visitor that does not move is still there."""
MOST = 32
"""So many are shown and passed on."""
_LEFT_BEHIND_S = 86_400.0
"""Files that are older are swept away."""


class Visitor:
    """An agent that works in a workspace, as others see it.

    Args:
        folder: the folder of the workspace's file.
        name: what people call it, such as ``Ada via Claude Code``.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._state = PresenceState(name, agent=True)
        self._id = secrets.token_hex(16)
        self._file = folder / FOLDER_NAME / f"{os.getpid()}-{self._id}.json"
        self._swept = False

    def at(self, thought: str, anchor: object = None, head: object = None) -> None:
        """It reads or writes a thought now.

        Args:
            thought: the id; empty for none.
            anchor, head: where in the text, as relative positions of Yjs in JSON, or None.
        """
        self._state = replace(self._state, thought=thought, anchor=anchor, head=head)
        said = self._state.to_bytes(self._id)
        temporary = self._file.with_suffix(".new")
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            self._sweep()
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(said)
            temporary.replace(self._file)

    def close(self) -> None:
        """It has gone."""
        with suppress(OSError):
            self._file.unlink()

    def _sweep(self) -> None:
        """Take away, once, what processes have left behind that ended without a word."""
        if self._swept:
            return
        self._swept = True
        for entry in os.scandir(self._file.parent):
            with suppress(OSError):
                if time.time() - entry.stat().st_mtime > _LEFT_BEHIND_S:
                    Path(entry.path).unlink()


class Visitors:
    """Who of the agents on this machine is in a workspace.

    Args:
        folder: the folder of the workspace's file.
        clock: seconds since the Unix epoch.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder / FOLDER_NAME
        self._clock = clock
        self._read: dict[str, tuple[int, Person | None]] = {}

    def seen(self) -> tuple[Person, ...]:
        """Those who are there now, by name. Reads only the files that have changed."""
        read: dict[str, tuple[int, Person | None]] = {}
        present = []
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if len(read) >= MOST:
                    break
                with suppress(OSError):
                    if not self._counts(entry):
                        continue
                    stamp = entry.stat().st_mtime_ns
                    known = self._read.get(entry.name)
                    if known is None or known[0] != stamp:
                        known = stamp, _person(Path(entry.path))
                    read[entry.name] = known
                    if known[1] is not None:
                        present.append(known[1])
        self._read = read
        return tuple(sorted(present, key=lambda one: (one.name, one.replica)))

    def _counts(self, entry: os.DirEntry[str]) -> bool:
        if not entry.name.endswith(".json"):
            return False
        return self._clock() - entry.stat().st_mtime < FADES_S and _lives(entry.name)


def _person(file: Path) -> Person | None:
    with file.open("rb") as opened:
        return presence.read(opened.read(LARGEST))


def _lives(name: str) -> bool:
    """Whether the process is there that a file is named after."""
    pid = name.partition("-")[0]
    if not pid.isascii() or not pid.isdigit():
        return False
    if sys.platform == "win32":
        # There a signal that only asks does not exist: the file's age has to do.
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
