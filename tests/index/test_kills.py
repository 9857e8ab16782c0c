"""Indexing is killed at random moments, and done by two processes at once: nothing disagrees.

What was embedded is counted over all processes: a string may be embedded twice only if the first
time was in the batch that a kill has taken.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from aimem_tui.index.check import check
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import BATCH
from aimem_tui.workspace.workspace import Workspace
from tests.index.indexing import WordModel, indexer
from tests.index.test_job import fill, text
from tests.workspaces import open_workspace

HEAVY = os.environ.get("AIMEM_HYPOTHESIS") == "heavy"
KILLS = 20 if HEAVY else 4
LONGEST_S = 3.0
"""A process is killed after at most so long; it takes a good part of a second to begin."""


def start(workspace: Path, index: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.index.indexing", str(workspace), str(index), str(log)]
    return subprocess.Popen(command)


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a process ended by itself before it was killed."""
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def write_something(workspace: Workspace, drawn: random.Random, thoughts: list[str]) -> None:
    for _ in range(drawn.randrange(1, 12)):
        thought = drawn.choice(thoughts)
        match drawn.randrange(6):
            case 0:
                thoughts += fill_one(workspace, drawn)
            case 1 | 2:
                workspace.append(thought, text(drawn.randrange(10_000), 1))
            case 3:
                workspace.trash(thought)
            case 4:
                workspace.restore(thought)
            case _:
                workspace.move(thought, f"moved/{drawn.randrange(10**9)}.md")


def fill_one(workspace: Workspace, drawn: random.Random) -> list[str]:
    made = workspace.create(f"w/{drawn.randrange(10**9)}.md", text(drawn.randrange(10_000)))
    return [made.id]


@pytest.mark.parametrize("seed", range(3 if HEAVY else 1))
def test_killed_at_any_moment_it_loses_one_batch_at_most(
    tmp_path: Path, home: Path, seed: int
) -> None:
    drawn = random.Random(seed)
    index, log = home / "aimem" / "index.db", tmp_path / "log"
    log.touch()
    killed = 0
    with open_workspace(tmp_path) as workspace:
        thoughts = fill(workspace, 60)
        while killed < KILLS:
            process = start(workspace.database.path, index, log)
            if ended(process, drawn.uniform(0.3, LONGEST_S)):
                write_something(workspace, drawn, thoughts)
                for _ in range(20):
                    thoughts += fill_one(workspace, drawn)
            else:
                killed += 1
            with IndexFile(index) as file:
                assert check(workspace.database, file, words=killed % 10 == 0) == []
        assert ended(start(workspace.database.path, index, log), 120)
        with IndexFile(index) as file:
            assert check(workspace.database, file, WordModel()) == []
            assert indexer(workspace, file, WordModel()).pending() == (0, 0)
    again = Counter(log.read_text(encoding="ascii").split())
    assert sum(count - 1 for count in again.values()) <= killed * BATCH


def test_two_processes_at_once_embed_nothing_twice(tmp_path: Path, home: Path) -> None:
    drawn = random.Random(1)
    index, log = home / "aimem" / "index.db", tmp_path / "log"
    log.touch()
    with open_workspace(tmp_path) as workspace:
        thoughts = fill(workspace, 60)
        for _ in range(10 if HEAVY else 1):
            processes = [start(workspace.database.path, index, log) for _ in range(2)]
            for _ in range(20):
                write_something(workspace, drawn, thoughts)
            assert [each.wait(120) for each in processes] == [0, 0]
        assert ended(start(workspace.database.path, index, log), 120)
        with IndexFile(index) as file:
            assert check(workspace.database, file, WordModel()) == []
            assert indexer(workspace, file, WordModel()).pending() == (0, 0)
    embedded = log.read_text(encoding="ascii").split()
    assert len(embedded) == len(set(embedded)) > 200


def test_two_processes_with_two_workspaces_share_what_they_embed(
    tmp_path: Path, home: Path
) -> None:
    index, log = home / "aimem" / "index.db", tmp_path / "log"
    log.touch()
    for name in "ab":
        (tmp_path / name).mkdir()
    with open_workspace(tmp_path / "a") as one, open_workspace(tmp_path / "b") as other:
        for each in (one, other):
            fill(each, 40)
        processes = [start(each.database.path, index, log) for each in (one, other)]
        assert [each.wait(120) for each in processes] == [0, 0]
        with IndexFile(index) as file:
            for each in (one, other):
                assert check(each.database, file, WordModel()) == []
    embedded = log.read_text(encoding="ascii").split()
    assert len(embedded) == len(set(embedded)) == 160
