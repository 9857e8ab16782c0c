"""An import that is ended from outside, by Ctrl-C or by force, and taken up again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aimem_tui.workspace.workspace import Workspace
from tests.bridge.trees import put, take, texts

ROOT = Path(__file__).resolve().parents[2]
FILES = 1_500


def end_import(file: Path, folder: Path, how: signal.Signals, batches: int) -> list[str]:
    """Run an import in a process of its own, send it a signal after some batches; its output."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bridge.import_driver", str(file), str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Importing"):
                batches -= 1
                if batches == 0:
                    os.killpg(process.pid, how)
    return lines


def check_and_complete(file: Path, folder: Path, files: dict[str, str]) -> int:
    """Open the workspace after an interruption and import the rest; how many were there."""
    with Workspace(file, name="test", author="ann") as workspace:
        assert workspace.database.read().execute("PRAGMA integrity_check").get == "ok"
        there = texts(workspace)
        assert there.items() <= files.items()
        report = take(workspace, folder)
        assert not report.interrupted
        assert (report.created, report.unchanged) == (len(files) - len(there), len(there))
        assert texts(workspace) == files
        assert workspace.status().waiting == 0
    return len(there)


@pytest.fixture
def files(source: Path) -> dict[str, str]:
    """Many small files, written into the source folder."""
    made = {
        f"{n % 20}/{n:05}.md": f"# Note {n}\n\nSome text with a number, {n}.\n" * 4
        for n in range(FILES)
    }
    put(source, made)
    return made


def test_ctrl_c_ends_an_import_with_a_report_and_the_next_one_completes_it(
    source: Path, tmp_path: Path, files: dict[str, str]
) -> None:
    file = tmp_path / "workspace.db"
    lines = end_import(file, source, signal.SIGINT, 2)
    word, created = lines[-1].split()
    assert word == "interrupted"
    there = check_and_complete(file, source, files)
    # The signal may come between a commit and its counting, which leaves one batch uncounted.
    assert 0 <= there - int(created) <= 100 <= there < FILES


def test_a_killed_import_leaves_whole_batches_and_the_next_one_completes_it(
    source: Path, tmp_path: Path, files: dict[str, str]
) -> None:
    file = tmp_path / "workspace.db"
    lines = end_import(file, source, signal.SIGKILL, 3)
    assert lines[-1].startswith("Importing")
    there = check_and_complete(file, source, files)
    assert 300 <= there < FILES and there % 100 == 0


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(12))
def test_an_import_can_be_interrupted_anywhere_any_number_of_times(
    source: Path, tmp_path: Path, files: dict[str, str], seed: int
) -> None:
    lot = random.Random(seed)
    file = tmp_path / "workspace.db"
    for _ in range(4):
        end_import(file, source, lot.choice([signal.SIGINT, signal.SIGKILL]), lot.randrange(1, 6))
    check_and_complete(file, source, files)
