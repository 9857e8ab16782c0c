"""The machine's index as the facade uses it: kept up to date for the app, asked, and cleaned.

- The app's indexing is a child process of the lowest priority (:mod:`aimem_tui.index.worker`), so
  that neither the interpreter's lock nor the processor is taken from who types. It looks at the
  workspace's file by itself; :meth:`Indexing.wake` only sees to it that there is one. One that
  ended in order, as it does to free the model's memory, is followed by another.
- States are handed on one at a time: the newest is kept until :meth:`Indexing.take` asks for it,
  and ``on_news`` is called once for it.
- A purge takes words and vectors out of the index in the same command.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

import apsw

from aimem_tui import paths
from aimem_tui.errors import AimemError, StorageError
from aimem_tui.index import spaces, thoughts
from aimem_tui.index.file import IndexFile, is_usable

if TYPE_CHECKING:
    from aimem_tui.paths import Home
    from aimem_tui.workspace.workspace import Workspace

ENDING_S = 1.0
_AGAIN_S = 30.0
"""How soon a process that ended with an error is begun again, at the earliest."""


class IndexingState(NamedTuple):
    """What is being indexed."""

    working: bool
    done: int
    total: int
    """Thoughts or passages that are done in this piece of work, and how many there are."""
    problem: str
    """Why nothing is indexed; empty if there is no problem."""
    paused: bool = False
    """Passages wait for a pause to end that somebody has asked for."""
    reading: bool = False
    """It is thoughts that are counted, which are taken in before their passages are embedded."""


class Wishes(Protocol):
    """The settings, as far as they matter here; see :class:`aimem_tui.settings.Settings`."""

    def get(self, key: str) -> str:
        """The value in force."""

    def renewed(self) -> Self:
        """The settings as their file has them now."""


class Indexing:
    """Keeps the index up to date with one open workspace. No method but ``end`` takes long.

    Args:
        workspace: open until :meth:`end` has returned.
        settings: ``index.background`` and ``index.model``.
        on_news: called in some thread when there is a new state to take.
    """

    def __init__(
        self,
        workspace: Workspace,
        home: Home,
        settings: Wishes,
        on_news: Callable[[], object],
    ) -> None:
        self._file = workspace.database.path
        self._index = home.index_file
        self._settings = settings
        self._on_news = on_news
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._model = ""
        self._failed_at = 0.0
        self._over = False
        self._state = IndexingState(False, 0, 0, "")
        self._told = False

    def begin(self) -> bool:
        """See to it that it is as the settings say: there, with that model, or not there.

        Takes milliseconds; to be called now and then.

        Returns: whether it is running now.
        """
        with self._lock:
            # Others may have changed the settings since.
            with suppress(AimemError):
                self._settings = self._settings.renewed()
            model = self._settings.get("index.model")
            wanted = not self._over and self._settings.get("index.background") == "on"
            if self._process is not None and self._process.poll() is None:
                if not wanted or model != self._model:
                    # Its end is heard of, and another begun if one is wanted.
                    _close_input(self._process)
                return wanted
            if not wanted:
                return False
            if self._failed_at and time.monotonic() - self._failed_at < _AGAIN_S:
                return False
            try:
                self._process = _start(self._file, self._index, model)
                self._model = model
            except OSError as error:
                self._failed_at = time.monotonic()
                self._set(self._state._replace(working=False, problem=str(error)))
                return False
            listening = threading.Thread(
                target=self._listen, args=(self._process,), name="aimem-indexing", daemon=True
            )
            listening.start()
        return True

    def wake(self) -> None:
        """Something was written."""
        self.begin()

    def state(self) -> IndexingState:
        """The newest state."""
        return self._state

    def take(self) -> IndexingState:
        """The newest state; ``on_news`` is called for the next one."""
        self._told = False
        return self._state

    def end(self) -> None:
        """End the process; takes a second at most, and loses a batch at most."""
        with self._lock:
            self._over = True
            process = self._process
        if process is None:
            return
        _close_input(process)
        try:
            process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None, "it was asked for"
        problem = ""
        for line in process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if "error" in said:
                problem = str(said["error"])
            else:
                self._set(_state(said))
        process.stdout.close()
        _close_input(process)
        code = process.wait()
        if self._process is not process:
            return
        if code != 0 and not self._over:
            self._failed_at = time.monotonic()
            problem = problem or "The process that indexes has ended."
        self._set(IndexingState(False, 0, 0, problem))
        if code == 0:
            # It has let go of the model; the next one waits without it.
            self.begin()

    def _set(self, state: IndexingState) -> None:
        if state == self._state:
            return
        self._state = state
        told, self._told = self._told, True
        if not told and not self._over:
            self._on_news()


def _state(said: Mapping[str, int]) -> IndexingState:
    """What a line of the process says."""
    if "paused" in said:
        return IndexingState(False, 0, said["paused"], "", paused=True)
    for what in ("reading", "embedding"):
        if what in said:
            return IndexingState(True, said[what], said["total"], "", reading=what == "reading")
    return IndexingState(False, 0, 0, "")


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def forget(workspace: apsw.Connection, numbers: Sequence[int]) -> None:
    """Take thoughts that were purged, by their numbers in the file, out of the machine's index.

    Raises:
        StorageError: if the index is there and cannot be written. The next run of the job does it.
    """
    file = paths.home().index_file
    if not file.is_file():
        return
    try:
        # One of another version is emptied: nobody here knows where it has the words.
        usable = is_usable(file)
        with IndexFile(file) as index:
            if usable:
                _forget(index, spaces.whose(workspace, file).replica, numbers)
            index.truncate_wal()
    except StorageError as error:
        raise StorageError(
            "The thoughts are purged, and the index still has words of them.",
            why=str(error),
            hint="To remove them there, too: aimem index run.",
        ) from error


def _forget(index: IndexFile, replica: str, numbers: Sequence[int]) -> None:
    with index.write() as connection:
        space = spaces.find(connection, replica)
        if space is not None:
            thoughts.forget(connection, space, numbers)


def _start(file: Path, index: Path, model: str) -> subprocess.Popen[bytes]:
    # -P: nothing is imported from the folder the app happens to be started in.
    code = (
        "import sys; sys.path.append(sys.argv.pop(1));"
        "from aimem_tui.index.worker import main; sys.exit(main(*sys.argv[1:]))"
    )
    packages = Path(__file__).parents[2]
    command = [sys.executable, "-P", "-c", code, str(packages), str(file), str(index), model]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Ctrl-C in the terminal is the app's.
        start_new_session=True,
    )
