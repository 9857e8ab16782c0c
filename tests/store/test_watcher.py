"""What happens in the file is noticed, whoever did it, once and in order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from aimem_tui.errors import StorageError
from aimem_tui.store import log, projector
from aimem_tui.store import watcher as watcher_module
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft, Record
from aimem_tui.store.watcher import Change, News, Watcher
from aimem_tui.workspace.workspace import Workspace
from crdt.adapter import EngineDoc
from tests.store.drafts import THOUGHTS, Author
from tests.workspaces import open_workspace

WAIT = 60


class Listener:
    """Collects news until what is waited for has come."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self._queue: Queue[News] = Queue()

    def __call__(self, news: News) -> None:
        self._queue.put(news)

    def until(self, enough: Callable[[Listener], bool]) -> None:
        while not enough(self):
            self.news.append(self._queue.get(timeout=WAIT))

    @property
    def records(self) -> list[Record]:
        return [record for news in self.news for record in news.records]

    @property
    def changes(self) -> list[Change]:
        return [change for news in self.news for change in news.changes]


@contextmanager
def watching(database: Database, listener: Callable[[News], None]) -> Iterator[Watcher]:
    watcher = Watcher(database, listener)
    try:
        yield watcher
    finally:
        watcher.close()


@pytest.fixture
def other(workspace: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    """The same file, opened once more, as another process has it."""
    with open_workspace(tmp_path, author="ben") as opened:
        yield opened


def append(database: Database, *drafts: Draft) -> list[Record]:
    with database.write() as connection:
        return log.append(connection, drafts)


def test_entries_of_others_and_own_ones_are_reported_in_the_logs_order(
    database: Database, other: Workspace
) -> None:
    author = Author()
    append(database, author.begin())
    listener = Listener()
    with watching(database, listener):
        expected = [
            record
            for turn in range(20)
            for record in append(database if turn % 2 else other.database, author.write(f"{turn} "))
        ]
        listener.until(lambda heard: len(heard.records) >= 20)
    assert listener.records == expected, "each once, and what was there before not at all"


def test_changes_of_lists_are_reported(workspace: Workspace, other: Workspace) -> None:
    first = workspace.create("first.md", "one")
    listener = Listener()
    with watching(workspace.database, listener):
        second = other.create("x/second.md", "two")
        other.append(first.id, "more")
        other.move(second.id, "x/moved.md")
        other.trash(first.id)
        listener.until(lambda heard: len(heard.changes) >= 4)
    assert listener.changes == [
        Change(second.id, "", "x/second.md"),
        Change(first.id, "first.md", "first.md"),
        Change(second.id, "x/second.md", "x/moved.md"),
        Change(first.id, "first.md", ""),
    ]
    assert not any(news.reload for news in listener.news)


def test_another_process_is_noticed(workspace: Workspace) -> None:
    listener = Listener()
    program = (
        "import sys; from pathlib import Path\n"
        "from aimem_tui.workspace.workspace import Workspace\n"
        "with Workspace(Path(sys.argv[1]), name='w', author='cli') as workspace:\n"
        "    workspace.create('from-outside.md', 'text')\n"
    )
    with watching(workspace.database, listener):
        subprocess.run(
            [sys.executable, "-c", program, str(workspace.database.path)], check=True, timeout=WAIT
        )
        listener.until(lambda heard: bool(heard.records and heard.changes))
    assert [record.entry.author for record in listener.records] == ["cli"]
    assert [change.new_path for change in listener.changes] == ["from-outside.md"]


def test_thoughts_whose_projections_are_behind_are_counted(
    database: Database, other: Workspace
) -> None:
    listener = Listener()
    with watching(database, listener):
        append(other.database, Author(THOUGHTS[0]).begin("a.md"), Author(THOUGHTS[1]).begin("b.md"))
        listener.until(lambda heard: bool(heard.records))
        assert listener.news[-1].waiting == 2
        projector.project_stale(database)
        listener.until(lambda heard: len(heard.changes) >= 2)
        assert listener.news[-1].waiting == 0


def test_many_changes_ask_for_a_reload_and_lose_no_entry(
    workspace: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "_CHANGES_LIMIT", 10)
    listener = Listener()
    with watching(workspace.database, listener):
        with other.database.write():
            for number in range(30):
                other.create(f"{number}.md", "")
        listener.until(lambda heard: len(heard.records) >= 30)
        assert [news.reload for news in listener.news] == [True]
        assert listener.changes == []
        other.create("one more.md", "")
        listener.until(lambda heard: bool(heard.changes))
    assert [change.new_path for change in listener.changes] == ["one more.md"]


def test_changes_that_were_forgotten_meanwhile_ask_for_a_reload(
    workspace: Workspace, other: Workspace
) -> None:
    listener = Listener()
    workspace.create("a.md", "")
    with watching(workspace.database, listener):
        with other.database.write() as connection:
            for number in range(5):
                other.create(f"{number}.md", "")
            connection.execute("DELETE FROM changes WHERE version <= 3")
        listener.until(lambda heard: bool(heard.news))
    assert listener.news[0].reload
    assert len(listener.records) == 5


def test_what_could_not_be_read_is_reported_later(
    database: Database, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "POLL_S", 0.001)
    real = watcher_module._last_version
    failures = [StorageError("The file is in trouble.")] * 3
    listener = Listener()
    author = Author()
    with watching(database, listener):

        def failing(which: Database) -> int:
            if failures:
                raise failures.pop()
            return real(which)

        monkeypatch.setattr(watcher_module, "_last_version", failing)
        expected = append(other.database, author.begin())
        listener.until(lambda heard: bool(heard.records))
    assert failures == []
    assert listener.records == expected


def test_where_entries_were_compacted_away_the_checkpoint_is_reported_once(
    workspace: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.store.compaction.ENTRIES_BEFORE_COMPACTION", 2)
    seen, changed = (workspace.create(f"{name}.md", name) for name in "ab")
    for _ in range(4):
        workspace.append(seen.id, "compacted before anybody watched")
    listener = Listener()
    with watching(workspace.database, listener):
        with other.database.write():
            for number in range(2):
                other.append(changed.id, str(number))
        listener.until(lambda heard: bool(heard.records))
        other.create("c.md", "")
        listener.until(lambda heard: len(heard.records) >= 2)
    assert listener.records[0].entry.thought == changed.id
    assert len(listener.records) == 2
    whole = EngineDoc(1, [listener.records[0].entry.update])
    assert whole.text() == "b\n0\n1\n"


def test_whoever_is_woken_looks_at_once(
    database: Database, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "POLL_S", 10_000)
    listener = Listener()
    author = Author()
    with watching(database, listener) as watcher:
        append(other.database, author.begin())
        watcher.wake()
        listener.until(lambda heard: bool(heard.records))


def test_the_workspace_wakes_its_watcher_when_its_writer_has_committed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "POLL_S", 10_000)
    listener = Listener()
    workspace.watch(listener)
    with pytest.raises(RuntimeError, match="watched"):
        workspace.watch(listener)
    workspace.writer.submit(Author().begin())
    listener.until(lambda heard: bool(heard.records))
