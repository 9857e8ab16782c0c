"""Opening the workspace's file, and the two ways to use it: reading and writing.

- The library is apsw, whose wheels carry their own SQLite with FTS5 and extension loading; the
  ``sqlite3`` module of many Pythons has neither. Never open the same file with both in one
  process: closing one copy's descriptor drops the other copy's POSIX locks.
- Readers: one connection per thread, each statement its own snapshot unless inside
  :meth:`Database.snapshot`.
- Writers: one connection, one thread at a time, always ``BEGIN IMMEDIATE``, so that a transaction
  never has to be upgraded from read to write, which SQLite cannot wait for.
- ``synchronous=FULL``: what is committed is on disk, whatever happens next.
- ``secure_delete=ON``: what is deleted is overwritten, so that a purge leaves nothing behind.
- Any number of processes may have the file open.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from aimem_tui.errors import StorageError

BUSY_TIMEOUT_MS = 60_000
_TRUNCATE_TIMEOUT_MS = 1_000
_WAL_ATTEMPTS = 100
_CLOSING_S = 1.0
_BUSY_S = 0.005


class Database:
    """A workspace's SQLite file, opened.

    Args:
        path: the file; it is made if it is not there.
        prepare: called once with the write connection before anything in the file is changed; it
            refuses a file that is not a workspace and brings an old one up to date.

    Raises:
        StorageError: if the file cannot be opened or is not a workspace.
    """

    def __init__(self, path: Path, prepare: Callable[[apsw.Connection, Path], None]) -> None:
        self.path = path
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self._lock = threading.RLock()
        self._closed = False
        self._writing_thread: int | None = None
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _open(path)
            try:
                prepare(self._writer, path)
                _use_wal(self._writer)
            except BaseException:
                self._writer.close()
                raise

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """A write transaction; committed at the end, rolled back if anything is raised.

        A call inside another in the same thread joins the outer transaction.
        """
        with self._lock, explained(self.path):
            if self._writing_thread is not None:
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            self._writing_thread = threading.get_ident()
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._writing_thread = None

    def read(self) -> apsw.Connection:
        """This thread's connection for reading.

        Inside this thread's own write transaction it is the writer, so that reads see the writes.
        """
        if self._closed:
            raise StorageError("The workspace is closed.")
        if self.is_writing():
            return self._writer
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with explained(self.path):
                connection = _open(self.path)
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            # Not under the lock of writers: whoever wants to read waits for none of them.
            self._readers.append(connection)
        return connection

    def is_writing(self) -> bool:
        """Whether this thread is inside a write transaction."""
        return self._writing_thread == threading.get_ident()

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """This thread's reading connection, with all statements seeing the same moment."""
        connection = self.read()
        inside = connection.in_transaction
        if inside:
            yield connection
            return
        with explained(self.path):
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def truncate_wal(self) -> None:
        """Move everything from the write-ahead log into the file, as far as readers allow."""
        with self._lock, explained(self.path):
            # Whoever waits for a reader here keeps all writers waiting, too.
            self._writer.set_busy_timeout(_TRUNCATE_TIMEOUT_MS)
            try:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._writer.set_busy_timeout(BUSY_TIMEOUT_MS)

    def close(self) -> None:
        """Close all connections; a transaction of writing is waited for.

        Whoever is still reading in another thread gets a moment to end; a connection that is in
        use even then ends with the process, as it would if that were killed.
        """
        with self._lock:
            self._closed = True
            patience = time.monotonic() + _CLOSING_S
            for connection in [*self._readers, self._writer]:
                _close(connection, patience)
            self._readers.clear()


def _close(connection: apsw.Connection, patience: float) -> None:
    """Close a connection, unless another thread uses it until a moment of the monotonic clock."""
    while True:
        try:
            connection.close()
        except apsw.ThreadingViolationError:
            if time.monotonic() > patience:
                return
            time.sleep(_BUSY_S)
        else:
            return


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into words."""
    try:
        yield
    except apsw.NotADBError as error:
        raise StorageError(
            f"{path} is not a workspace.", why="The file is not a SQLite database."
        ) from error
    except apsw.CorruptError as error:
        raise StorageError(
            f"{path} is damaged.", why=str(error), hint="Run: aimem doctor."
        ) from error
    except apsw.FullError as error:
        raise StorageError(
            "Nothing more can be saved.", why="The disk is full.", hint="Make room, then try again."
        ) from error
    except apsw.BusyError as error:
        raise StorageError(
            "The workspace is busy.",
            why=f"Another program has held it for {BUSY_TIMEOUT_MS // 1000} seconds.",
            hint="Close it, then try again.",
        ) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.IOError) as error:
        raise StorageError(
            f"{path} cannot be opened or written.",
            why=str(error),
            hint="Check that the folder is there and is yours.",
        ) from error
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened or written.", why=error.strerror or str(error)
        ) from error


def _open(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.execute(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA mmap_size = 268435456"
    ).fetchall()  # Execution stops at each answer until it is read.
    return connection


def _use_wal(connection: apsw.Connection) -> None:
    for attempt in range(_WAL_ATTEMPTS):
        try:
            # Switching a new file takes a lock that SQLite does not wait for.
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except apsw.BusyError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(0.05)
