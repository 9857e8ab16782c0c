"""Killed at any moment, a process loses nothing that was confirmed, and the file opens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from aimem_tui.model import Filter
from aimem_tui.store import log
from aimem_tui.workspace import doctor
from aimem_tui.workspace.workspace import Workspace
from tests.store.crashing import TYPED, after

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")


def run_and_kill(file: Path, name: str, rng: Random) -> tuple[int, int]:
    """Let the program work for a random while, and kill it: words and operations confirmed."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.crashing", str(file), name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = []
        if rng.random() < 0.8:
            lines.append(process.stdout.readline())
            moment = rng.expovariate(10)
        else:
            # While it starts, makes the file or opens it.
            moment = rng.uniform(0.1, 0.8)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        assert process.stderr.read() == ""
    assert process.returncode == -signal.SIGKILL
    told = [line.split() for line in lines if line.endswith("\n")]
    typed = max((int(words[1]) for words in told if words[0] == "typed"), default=0)
    done = max((int(words[1]) for words in told if words[0] == "done"), default=0)
    return typed, done


def texts_below(workspace: Workspace, folder: str) -> dict[str, str]:
    return {t.path: workspace.text(t.id) for t in workspace.thoughts(Filter(path=folder))}


def survive(folder: Path, rounds: int, seed: int) -> None:
    rng = Random(seed)
    file = folder / "workspace.db"
    known_words = 0
    newest = positions = confirmed = 0
    for number in range(rounds):
        name = f"round{number}"
        typed, done = run_and_kill(file, name, rng)
        confirmed += typed + done
        with Workspace(file, name="crash", author="survivor") as workspace:
            workspace.catch_up()
            assert [f for f in doctor.examine(workspace) if not f.ok] == []

            words = []
            if workspace.count(Filter(path=TYPED)):
                words = workspace.text(workspace.get(TYPED).id).split()
            assert words == [f"w{n}" for n in range(1, len(words) + 1)], "all, and in order"
            assert len(words) >= max(typed, known_words)
            known_words = len(words)

            found = texts_below(workspace, name)
            assert found in (after(done, name), after(done + 1, name)), "wholly done or not at all"

            trash = workspace.count(Filter(trashed=True))
            assert trash <= number + 1, "at most one of each round"

            records = log.tail(workspace.database.read(), 0, 10**6)
            seqs = [record.entry.seq for record in records]
            assert len(seqs) == len(set(seqs))
            position = log.last_position(workspace.database.read())
            (held,) = log.vector(workspace.database.read()).values() or (0,)
            assert position >= held, "each edit took a position, and each checkpoint"
            assert held >= newest, "no number was given out twice"
            assert position >= positions, "and no position"
            newest, positions = held, position
    assert confirmed > rounds, "the program came to do something before it was killed"


def test_what_was_confirmed_survives_a_few_kills(tmp_path: Path) -> None:
    survive(tmp_path, rounds=10, seed=1)


@pytest.mark.heavy
def test_what_was_confirmed_survives_many_kills(tmp_path: Path) -> None:
    survive(tmp_path, rounds=100, seed=2)
