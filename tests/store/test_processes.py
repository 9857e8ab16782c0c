"""Commands in other processes and an open window work on one file at once, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from queue import Empty, Queue

import apsw
import pytest

from aimem_tui.store import compaction, log
from aimem_tui.store.watcher import News
from aimem_tui.workspace import doctor
from aimem_tui.workspace.live import LiveThought
from aimem_tui.workspace.workspace import Workspace
from crdt.adapter import Change
from tests.store.busy import SHARED

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("ben", "eva")


def started(file: Path, name: str, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.busy", str(file), name, str(seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


class Window:
    """An open thought and a list, kept up to date as the app keeps them."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.news: Queue[News] = Queue()
        self.troubles: list[str] = []
        self.paths = {thought.id: thought.path for thought in workspace.thoughts()}
        workspace.watch(self.news.put, self.troubles.append)
        self.live: LiveThought = workspace.open_live(workspace.get(SHARED).id)

    def take_in(self, timeout: float) -> None:
        """One piece of news, if it comes in time."""
        try:
            news = self.news.get(timeout=timeout)
        except Empty:
            return
        self.live.receive(news.records)
        for change in news.changes:
            if change.new_path:
                self.paths[change.thought] = change.new_path
            else:
                self.paths.pop(change.thought, None)
        assert not news.reload
        if news.waiting:
            self.workspace.catch_up()


def work_together(folder: Path, seconds: float) -> None:
    file = folder / "workspace.db"
    with Workspace(file, name="busy", author="ann") as workspace:
        workspace.create(SHARED, "# Shared\n")
        window = Window(workspace)
        document = window.live.document
        processes = [started(file, name, seconds) for name in NAMES]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        typed = 0
        while any(process.poll() is None for process in processes):
            document.splice([Change(0, 0, f"typed-{typed}\n")])
            typed += 1
            window.take_in(0.005)
        answers = [process.communicate() for process in processes]
        assert [error for _, error in answers] == ["", ""], "no process met an error"
        done = {name: json.loads(output) for name, (output, _) in zip(NAMES, answers, strict=True)}

        assert workspace.writer.flush()
        workspace.catch_up()
        listed = {thought.id: thought.path for thought in workspace.thoughts()}
        for _ in range(1_000):
            if document.text == workspace.text(window.live.thought) and window.paths == listed:
                break
            window.take_in(0.1)

        lines = document.text.splitlines()
        expected = [f"typed-{number}" for number in range(typed)]
        for name, counts in done.items():
            assert min(counts.get(action, 0) for action in ("append", "create", "edit")) > 0
            expected += [f"{name}-line-{number}" for number in range(counts["append"])]
            expected += [f"{name}-edit-{number}" for number in range(counts["edit"])]
        assert sorted(lines) == sorted(["# Shared", *expected]), "no edit was lost or torn"
        assert workspace.text(window.live.thought) == document.text
        assert window.paths == listed, "the window shows all"
        assert len(listed) == 1 + sum(counts["create"] for counts in done.values())
        assert window.troubles == []

        vector = log.vector(workspace.database.read())
        assert list(vector) == [log.own_replica(workspace.database.read())]
        assert vector == log.reach(workspace.database.read()), "no gap"
        assert [finding for finding in doctor.examine(workspace) if not finding.ok] == []
        window.live.close()


def test_processes_and_a_window_write_at_once(tmp_path: Path) -> None:
    work_together(tmp_path, seconds=5)


def test_processes_and_a_window_write_at_once_while_a_thought_is_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ENTRIES_BEFORE_COMPACTION", 20)
    work_together(tmp_path, seconds=3)
    connection = apsw.Connection(str(tmp_path / "workspace.db"))
    assert connection.execute("SELECT count(*) FROM checkpoints").get >= 1
    connection.close()


@pytest.mark.heavy
def test_processes_and_a_window_write_at_once_for_a_minute(tmp_path: Path) -> None:
    work_together(tmp_path, seconds=60)
