"""One file, many readers and writers, and every failure in words."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from aimem_tui.errors import StorageError
from aimem_tui.store import connection as connection_module
from aimem_tui.store.connection import Database


def with_a_table(connection: apsw.Connection, _path: Path) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")


@pytest.fixture
def database(tmp_path: Path):
    opened = Database(tmp_path / "deep" / "er" / "file.db", with_a_table)
    yield opened
    opened.close()


def rows(database: Database) -> list[object]:
    return [x for (x,) in database.read().execute("SELECT x FROM t ORDER BY x")]


def add(database: Database, x: object) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES (?)", (x,))


def test_the_file_is_made_with_its_folders_and_kept_safe(database: Database) -> None:
    assert database.path.is_file()
    with database.write() as writer:
        assert writer.pragma("journal_mode") == "wal"
        assert writer.pragma("synchronous") == 2, "FULL: what is committed is on disk"
        assert writer.pragma("foreign_keys") == 1


def test_every_connection_is_set_up_to_the_end(database: Database) -> None:
    with database.write() as writer:
        for connection in (writer, another_reader(database)):
            wanted = {
                "synchronous": 2,
                "foreign_keys": 1,
                "secure_delete": 1,
                "temp_store": 2,
                "cache_size": -16_000,
                "mmap_size": 1 << 28,
            }
            found = {name: connection.execute(f"PRAGMA {name}").get for name in wanted}
            assert found == wanted


def another_reader(database: Database) -> apsw.Connection:
    """A connection for reading, beside the writer of this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(database.read).result()


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(apsw.ReadOnlyError):
        database.read().execute("INSERT INTO t VALUES (1)")


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(LookupError), database.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        raise LookupError
    assert rows(database) == []
    add(database, 2)
    assert rows(database) == [2]


def test_a_write_inside_a_write_is_part_of_it(database: Database) -> None:
    with pytest.raises(LookupError), database.write() as connection:
        add(database, 1)
        assert rows(database) == [1], "a thread sees what it is writing"
        assert connection.in_transaction
        raise LookupError
    assert rows(database) == []


def test_others_see_a_write_when_it_is_whole(database: Database) -> None:
    with ThreadPoolExecutor(1) as other:
        with database.write() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            assert other.submit(rows, database).result() == []
        assert other.submit(rows, database).result() == [1]


def test_all_statements_of_a_snapshot_see_the_same_moment(database: Database) -> None:
    with database.snapshot():
        assert rows(database) == []
        with ThreadPoolExecutor(1) as other:
            other.submit(add, database, 1).result()
        assert rows(database) == []
        with database.snapshot():
            assert rows(database) == [], "a snapshot inside a snapshot is the same one"
    assert rows(database) == [1]


def test_a_thread_that_begins_to_read_waits_for_no_writer(database: Database) -> None:
    with ThreadPoolExecutor(1) as other, database.write():
        assert other.submit(rows, database).result(timeout=30) == []


def test_writers_in_many_threads_take_turns(database: Database) -> None:
    def count_up(_: int) -> None:
        for _ in range(20):
            with database.write() as connection:
                most = connection.execute("SELECT coalesce(max(x), 0) FROM t").get
                connection.execute("INSERT INTO t VALUES (?)", (most + 1,))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(8)))
    assert rows(database) == list(range(1, 161))


def test_the_log_of_writes_is_emptied_into_the_file(database: Database) -> None:
    log = database.path.with_name(database.path.name + "-wal")
    add(database, "x" * 100_000)
    assert log.stat().st_size > 100_000
    database.truncate_wal()
    assert log.stat().st_size == 0
    assert rows(database) == ["x" * 100_000]


def test_a_reader_who_stays_does_not_block_whoever_empties_the_log(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_TRUNCATE_TIMEOUT_MS", 1)
    add(database, 1)
    with database.snapshot():
        rows(database)
        add(database, 2)
        with ThreadPoolExecutor(1) as other:
            other.submit(database.truncate_wal).result(timeout=30)
    add(database, 3)
    assert rows(database) == [1, 2, 3]


def test_a_busy_file_is_waited_for(database: Database) -> None:
    other = Database(database.path, with_a_table)
    entered = threading.Event()
    release = threading.Event()

    def hold() -> None:
        with other.write() as connection:
            connection.execute("INSERT INTO t VALUES ('held')")
            entered.set()
            assert release.wait(30)

    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(hold)
        assert entered.wait(30)
        waiting = pool.submit(add, database, "waited")
        assert rows(database) == []
        assert not waiting.done()
        release.set()
        holding.result()
        waiting.result()
    assert rows(database) == ["held", "waited"]
    other.close()


def test_a_file_that_stays_busy_is_reported(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "BUSY_TIMEOUT_MS", 20)
    other = Database(database.path, with_a_table)
    with (
        database.write(),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(StorageError, match="busy"),
    ):
        pool.submit(add, other, 1).result()
    other.close()


def test_a_closed_file_is_not_read(tmp_path: Path) -> None:
    database = Database(tmp_path / "file.db", with_a_table)
    database.close()
    with pytest.raises(StorageError, match="closed"):
        database.read()


# Failures in words


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_bytes(b"# Not a database\n" * 400)
    with pytest.raises(StorageError, match="not a workspace"):
        Database(file, with_a_table)
    assert file.read_bytes() == b"# Not a database\n" * 400
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]


def test_a_folder_in_the_place_of_the_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file.db").mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        Database(tmp_path / "file.db", with_a_table)


def test_a_file_in_the_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(StorageError, match="cannot be opened"):
        Database(tmp_path / "taken" / "file.db", with_a_table)


def test_a_full_disk_is_reported_and_the_write_left_out(database: Database) -> None:
    with database.write() as connection:
        pages = connection.pragma("page_count")
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageError, match="disk is full"):
        add(database, "x" * 100_000)
    assert rows(database) == []
    connection.execute("PRAGMA max_page_count = 1000000")
    add(database, "x" * 100_000)
    assert len(rows(database)) == 1


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "file.db"
    database = Database(file, with_a_table)
    with database.write() as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [("y" * 500,) for _ in range(500)])
    database.close()
    raw = bytearray(file.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    file.write_bytes(raw)
    damaged = Database(file, lambda connection, path: None)
    with pytest.raises(StorageError, match="damaged"), damaged.snapshot():
        rows(damaged)
    damaged.close()


def test_the_library_carries_what_many_pythons_lack() -> None:
    """Why it is used in the place of the module of the standard library."""
    probe = apsw.Connection(":memory:")
    probe.execute("CREATE VIRTUAL TABLE texts USING fts5 (body)")
    probe.enable_load_extension(True)
    assert "FTS5" in " ".join(apsw.compile_options)


def test_closing_leaves_alone_who_still_reads(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_CLOSING_S", 0.05)
    reading, go_on = threading.Event(), threading.Event()
    read: list[object] = []

    def wait() -> int:
        reading.set()
        go_on.wait(30)
        return 7

    def run() -> None:
        connection = database.read()
        connection.create_scalar_function("wait", wait, 0)
        read.append(connection.execute("SELECT wait()").get)

    thread = threading.Thread(target=run)
    thread.start()
    assert reading.wait(30)
    database.close()
    go_on.set()
    thread.join(30)
    assert read == [7]
