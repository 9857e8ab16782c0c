"""A workspace's file is brought up to date once, whoever opens it, or refused untouched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from aimem_tui.errors import StorageError
from aimem_tui.store import migrate as migrate_module
from aimem_tui.store.connection import Database
from aimem_tui.store.migrate import APPLICATION_ID, LATEST, Migration, load, migrate

FIRST = Migration(1, "first", "CREATE TABLE t (x); INSERT INTO t VALUES ('old');")
SECOND = Migration(2, "second", "ALTER TABLE t ADD COLUMN y; UPDATE t SET y = 'new';")
BROKEN = Migration(2, "broken", "ALTER TABLE t ADD COLUMN y; INSERT INTO nowhere VALUES (1);")


def opened(file: Path, migrations: Sequence[Migration] | None = None) -> Database:
    return Database(file, lambda connection, path: migrate(connection, path, migrations))


def made_by(file: Path, *migrations: Migration) -> bytes:
    """The bytes of a file that an earlier version left behind."""
    opened(file, migrations).close()
    return file.read_bytes()


def backups(file: Path) -> list[str]:
    return sorted(p.name for p in file.parent.iterdir() if p.name not in {file.name})


def test_the_migrations_are_numbered_without_gaps_and_the_last_is_known() -> None:
    numbers = [migration.number for migration in load()]
    assert numbers == list(range(1, LATEST + 1))
    assert all(migration.name and migration.sql for migration in load())


def test_a_new_file_is_marked_as_a_workspace(tmp_path: Path) -> None:
    database = opened(tmp_path / "file.db")
    connection = database.read()
    assert connection.pragma("application_id") == APPLICATION_ID
    assert connection.pragma("user_version") == LATEST
    database.close()
    assert backups(tmp_path / "file.db") == [], "there was nothing to keep"


def test_an_empty_file_becomes_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "file.db").touch()
    opened(tmp_path / "file.db").close()


def test_a_file_that_is_up_to_date_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "file.db"
    before = made_by(file, FIRST)
    opened(file, [FIRST]).close()
    assert file.read_bytes() == before
    assert backups(file) == []


def test_an_older_file_is_brought_up_to_date_after_a_backup(tmp_path: Path) -> None:
    file = tmp_path / "file.db"
    made_by(file, FIRST)
    database = opened(file, [FIRST, SECOND])
    assert database.read().execute("SELECT x, y FROM t").get == ("old", "new")
    assert database.read().pragma("user_version") == 2
    database.close()
    assert backups(file) == ["file.db.before-0002"]
    backup = opened(tmp_path / "file.db.before-0002", [FIRST])
    assert backup.read().execute("SELECT * FROM t").get == "old"
    backup.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file.db"
    made_by(file, FIRST)
    with pytest.raises(apsw.SQLError):
        opened(file, [FIRST, BROKEN])
    database = opened(file, [FIRST])
    assert [row[1] for row in database.read().execute("PRAGMA table_info(t)")] == ["x"]
    database.close()
    opened(file, [FIRST, SECOND]).close()


def test_half_a_backup_is_never_taken_for_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file.db"
    made_by(file, FIRST)

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(StorageError, match="cannot be"):
        patch.setattr(migrate_module.Path, "replace", fail)
        opened(file, [FIRST, SECOND])
    assert backups(file) == []
    opened(file, [FIRST, SECOND]).close()
    assert backups(file) == ["file.db.before-0002"]


def test_a_file_from_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    file = tmp_path / "file.db"
    before = made_by(file, FIRST, SECOND)
    with pytest.raises(StorageError, match="newer version") as refusal:
        opened(file, [FIRST])
    assert "Nothing was changed" in str(refusal.value)
    assert file.read_bytes() == before
    assert backups(file) == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)",
        "PRAGMA user_version = 1",
        "PRAGMA application_id = 77",
        "PRAGMA application_id = 77; PRAGMA user_version = 1; CREATE TABLE log (x)",
    ],
)
def test_another_programs_database_is_refused_untouched(tmp_path: Path, sql: str) -> None:
    file = tmp_path / "theirs.db"
    theirs = apsw.Connection(str(file))
    theirs.execute(sql)
    theirs.close()
    before = file.read_bytes()
    with pytest.raises(StorageError, match="belongs to another program"):
        opened(file)
    assert file.read_bytes() == before
    assert backups(file) == []


def test_several_threads_may_bring_a_file_up_to_date_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file.db"
    made_by(file, FIRST)
    with ThreadPoolExecutor(6) as pool:
        databases = list(pool.map(lambda _: opened(file, [FIRST, SECOND]), range(6)))
    for database in databases:
        assert database.read().execute("SELECT x, y FROM t").get == ("old", "new")
        database.close()
    assert backups(file) == ["file.db.before-0002"]


def test_several_processes_may_make_the_same_file_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from aimem_tui.workspace.workspace import Workspace\n"
        "import aimem_tui.store.projector\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "with Workspace(Path(sys.argv[1]), name='w', author=sys.argv[2]) as workspace:\n"
        "    workspace.create(f'{sys.argv[2]}.md', 'text')\n"
        "    print(workspace.database.read().execute('SELECT value FROM meta').get)\n"
    )
    for attempt in range(2):
        file = tmp_path / str(attempt) / "file.db"
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(file), f"author{number}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(3)
        ]
        for process in processes:
            assert process.stdout and process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=120) for process in processes]
        assert [error for _, error in answers] == ["", "", ""]
        assert len({identity for identity, _ in answers}) == 1, "one workspace, one replica"
        database = opened(file)
        assert database.read().execute("SELECT count(*) FROM thoughts").get == 3
        database.close()
