"""A process that keeps the index up to date with one workspace, for as long as its parent lives.

- The lowest priority there is: whoever types beside it has the processor first.
- It looks at the workspace's file a few times a second, which costs microseconds, and waits until
  it was left alone for a moment. A model that was not needed for long is let go with the process:
  it ends, and whoever began it begins it again.
- It ends when its standard input does, so also with a parent that was killed. It never writes into
  the workspace.
- On standard output: a JSON object a line, ``{"reading": 3, "total": 10}`` while it takes in
  thoughts, ``{"embedding": 3, "total": 10}`` while it makes vectors of passages, ``{"paused": 7}``
  when so many passages wait for the pause to end, ``{"idle": true}`` when nothing is pending,
  ``{"error": "…"}`` before it ends for a reason.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import apsw

from aimem_tui.errors import AimemError
from aimem_tui.index import status
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import Indexer, Look, ModelSource
from aimem_tui.model import Progress
from aimem_tui.store.connection import Database

LOOK_S = 0.1
_RETRY_S = 0.5
"""How soon it is tried again while another process indexes, or after it had its turn."""
IDLE_S = 300.0
"""How long a model that is not needed stays in memory."""


def main(workspace: str, index: str, model: str = "") -> int:
    """Index until standard input ends, or nothing was to be done for long."""
    _be_kind()
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
    try:
        database = Database(Path(workspace), _as_it_is)
        with IndexFile(Path(index)) as file:
            _keep_up(Indexer(database, file, ModelSource.of(model)), file, Look(database), ended)
        database.close()
    except AimemError as error:
        _say(error=str(error))
        return 1
    return 0


def _keep_up(indexer: Indexer, file: IndexFile, look: Look, ended: threading.Event) -> None:
    def progress(progress: Progress) -> None:
        _say(**{progress.step.lower(): progress.done, "total": progress.total or 0})

    idle_since = time.monotonic()
    due: float | None = 0.0
    held = False
    while not ended.wait(LOOK_S):
        now = time.monotonic()
        if look.is_due():
            due = now
        if due is not None and now >= due:
            done = indexer.run(ended.is_set, progress, give_way=True)
            idle_since = time.monotonic()
            passages = indexer.pending().passages
            left = done is None or passages > 0
            held = left and status.is_paused(file)
            due = idle_since + _RETRY_S if left and not held else None
            if held:
                _say(paused=passages)
            elif due is None:
                _say(idle=True)
        elif held and not status.is_paused(file):
            due = now
        elif indexer.has_loaded and now - idle_since > IDLE_S:
            return


def _as_it_is(_connection: apsw.Connection, _path: Path) -> None:
    """Whoever began this has prepared the file."""


def _be_kind() -> None:
    if sys.platform == "win32":
        import ctypes

        below_normal = 0x4000
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), below_normal)
        return
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


def _say(**said: object) -> None:
    try:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
    except OSError:
        # The parent is gone; the end of standard input says so, too.
        return
