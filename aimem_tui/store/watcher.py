"""Noticing what happens in the workspace's file, whoever did it.

A thread asks ``PRAGMA data_version`` a few times a second, which costs microseconds and changes
only when another connection has committed. Then it reads the new tail of the log and of the
projections' changes and hands both over. It never touches a document: those belong to the thread
that opened them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from aimem_tui.errors import AimemError
from aimem_tui.store import log
from aimem_tui.store.connection import Database, explained
from aimem_tui.store.log import Record

POLL_S = 0.1
_CHANGES_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """A thought's line in lists has changed. An empty path: not shown before, or no longer."""

    thought: str
    old_path: str
    new_path: str


@dataclass(frozen=True, slots=True)
class News:
    """What is new in the workspace since the last news."""

    records: tuple[Record, ...]
    """New entries in the log's order, one's own included; see :func:`log.since`."""
    changes: tuple[Change, ...]
    reload: bool
    """So much has changed that lists had better be read anew."""
    waiting: int
    """Thoughts whose projections are behind."""


class Watcher:
    """A thread that reports news.

    Args:
        database: the file to watch.
        callback: called in the watcher's thread, never two at a time.
    """

    def __init__(self, database: Database, callback: Callable[[News], object]) -> None:
        self._database = database
        self._callback = callback
        self._wake = threading.Event()
        self._stop = threading.Event()
        connection = database.read()
        self._position = log.last_position(connection)
        self._version = _last_version(database)
        self._thread = threading.Thread(target=self._run, name="aimem-watcher", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now rather than at the next turn."""
        self._wake.set()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        connection = self._database.read()
        seen = -1
        while not self._stop.is_set():
            try:
                with explained(self._database.path):
                    version = int(connection.pragma("data_version"))
                    if version != seen:
                        self._report(self._read())
                        seen = version
            except AimemError:
                # The file is in trouble; the writer says so. Look again at the next turn.
                seen = -1
            self._wake.wait(POLL_S)
            self._wake.clear()

    def _read(self) -> News:
        with self._database.snapshot() as connection:
            records = log.since(connection, self._position)
            position = log.last_position(connection)
            rows = connection.execute(
                "SELECT thought, old_path, new_path FROM changes"
                " WHERE version > ? ORDER BY version LIMIT ?",
                (self._version, _CHANGES_LIMIT + 1),
            ).fetchall()
            oldest = connection.execute("SELECT min(version) FROM changes").get
            newest = _last_version(self._database)
            behind = int(connection.execute("SELECT count(*) FROM stale").get)
        reload = len(rows) > _CHANGES_LIMIT or (
            oldest is not None and int(oldest) > self._version + 1
        )
        changes = () if reload else tuple(Change(*map(str, row)) for row in rows)
        # Only now, with all of it read: what is marked as seen is never read again.
        self._position, self._version = position, newest
        return News(tuple(records), changes, reload, behind)

    def _report(self, news: News) -> None:
        if news.records or news.changes or news.reload:
            self._callback(news)


def _last_version(database: Database) -> int:
    row = database.read().execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").get
    return int(row or 0)
