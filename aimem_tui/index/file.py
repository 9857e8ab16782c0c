"""The machine's index file: opening it, reading it, writing it, starting over.

- It holds nothing that could not be made again, so a file that is damaged, not ours or of another
  version is emptied and built anew, and a commit need not wait for the disk.
- Any number of processes may have it open. Emptying is an ordinary change of the file, so they all
  see it; only what is no database at all is removed.
- Readers: one connection per thread, each statement its own snapshot unless inside
  :meth:`IndexFile.snapshot`. Writers: one connection, one thread at a time, ``BEGIN IMMEDIATE``.
- Whoever writes what a thought says reads the thought inside the write transaction. So what a purge
  has taken out, which is done after it is gone from the workspace, never comes back.
- ``secure_delete=ON``: what is deleted is overwritten.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from aimem_tui import locks
from aimem_tui.errors import StorageError

APPLICATION_ID = 0x61696D69
VERSION = 2
"""Of the schema; any change of it, or of what is written into it, needs another number."""
BUSY_TIMEOUT_MS = 30_000
_WAL_ATTEMPTS, _LOCK_ATTEMPTS, _LOOK_S = 100, 200, 0.05
_SUFFIXES = ("", "-wal", "-shm")


class IndexFile:
    """The index file, opened.

    Args:
        path: made if it is not there, emptied if it is none of this version's.

    Raises:
        StorageError: if it can be neither opened nor built anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self._lock = threading.RLock()
        self._writing_thread: int | None = None
        self._closed = False
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _prepared(path)

    @classmethod
    def existing(cls, path: Path) -> IndexFile | None:
        """The index, if there is a usable one; nothing is made or emptied.

        Raises:
            StorageError: if it is there and cannot be opened.
        """
        return cls(path) if is_usable(path) else None

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
        """This thread's connection for reading; inside its own transaction, the writer."""
        if self._closed:
            raise StorageError("The index is closed.")
        if self._writing_thread == threading.get_ident():
            return self._writer
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with explained(self.path):
                connection = _open(self.path)
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._readers.append(connection)
        return connection

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
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def empty(self) -> None:
        """Remove everything, and give the room back; the caller holds the machine's index lock."""
        with self._lock, explained(self.path):
            _reset(self._writer)
            _make_tables(self._writer)
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close all connections; one in use by another thread ends with that thread's call."""
        with self._lock:
            self._closed = True
            for connection in [*self._readers, self._writer]:
                with suppress(apsw.ThreadingViolationError):
                    connection.close()
            self._readers.clear()

    def __enter__(self) -> IndexFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_usable(path: Path) -> bool:
    """Whether there is an index of this version."""
    if not path.is_file():
        return False
    try:
        connection = _open(path)
        try:
            return _is_ours(connection)
        finally:
            connection.close()
    except apsw.Error:
        return False


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the index into words."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise StorageError(
            "The index is damaged.", why=str(error), hint="Run: aimem index rebuild."
        ) from error
    except apsw.FullError as error:
        raise StorageError(
            "The index cannot grow.", why="The disk is full.", hint="Make room, then try again."
        ) from error
    except apsw.BusyError as error:
        raise StorageError(
            "The index is busy.",
            why=f"Another program has held it for {BUSY_TIMEOUT_MS // 1000} seconds.",
            hint="Close it, then try again.",
        ) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.IOError) as error:
        raise StorageError(f"{path} cannot be opened or written.", why=str(error)) from error
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened or written.", why=error.strerror or str(error)
        ) from error


def _prepared(path: Path) -> apsw.Connection:
    """A connection to a file that has this version's tables."""
    try:
        return _with_tables(path)
    except (apsw.NotADBError, apsw.CorruptError, apsw.SchemaChangeError):
        # No database, or one whose first page is lost: nobody can have it open and use it.
        for suffix in _SUFFIXES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _with_tables(path)


def _with_tables(path: Path) -> apsw.Connection:
    connection = _open(path)
    try:
        _use_wal(connection)
        if not _is_ours(connection):
            if _has_tables(connection):
                _empty_foreign(connection, path)
            _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: apsw.Connection) -> None:
    for attempt in range(_WAL_ATTEMPTS):
        try:
            # Switching a new file takes a lock that SQLite does not wait for.
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except apsw.BusyError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(_LOOK_S)


def _empty_foreign(connection: apsw.Connection, path: Path) -> None:
    """Empty a file that another version made, unless somebody has done so, or is still using it."""
    lock = locks.to_index(path)
    for _ in range(_LOCK_ATTEMPTS):
        if lock.take():
            break
        time.sleep(_LOOK_S)
    else:
        raise StorageError(
            "The index is in use by another version of aimem.", hint="Close that, then try again."
        )
    try:
        if not _is_ours(connection):
            _reset(connection)
    finally:
        lock.release()


def _open(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    connection.execute(
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA secure_delete = ON;"
        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA mmap_size = 1073741824"
    ).fetchall()  # Execution stops at each answer until it is read.
    return connection


def _is_ours(connection: apsw.Connection) -> bool:
    known = (connection.pragma("application_id"), connection.pragma("user_version"))
    return known == (APPLICATION_ID, VERSION)


def _has_tables(connection: apsw.Connection) -> bool:
    return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_master)").get)


def _reset(connection: apsw.Connection) -> None:
    """Remove all there is: SQLite's way to do so, however damaged a file is."""
    connection.config(apsw.SQLITE_DBCONFIG_RESET_DATABASE, 1)
    try:
        connection.execute("VACUUM")
    finally:
        connection.config(apsw.SQLITE_DBCONFIG_RESET_DATABASE, 0)


def _make_tables(connection: apsw.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been quicker.
        if not _is_ours(connection):
            import importlib.resources

            schema = importlib.resources.files(__package__).joinpath("schema.sql")
            connection.execute(schema.read_text(encoding="utf-8"))
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", VERSION)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
