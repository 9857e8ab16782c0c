"""From the start of the process to the first frame of the app, and to the end of a command.

- The app runs in a terminal of 120 by 40; its first frame is there when the name of the first
  folder of the tree is on the screen. Beside it: a Textual app of one line, and Posting, a finished
  app of another purpose.
- Commands run with their output thrown away, beside a Python that does nothing. The one that writes
  works on a copy of the small workspace, for a write to disk costs the same in any.
- All contestants take turns. Each has run once before, so that files and byte code are warm.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from bench import peers
from bench.cache import ROOT
from bench.corpus import Corpus, corpus
from bench.empty_app import MARKER
from bench.measure import Contest, Goal, Report, Size, in_turns
from bench.terminal import Terminal

EMPTY = "empty Textual app"
NOTHING = "python -c pass"

_AIMEM = "import sys; from aimem_tui.cli.main import main; sys.exit(main())"
"""What the console script does."""

_WARM = {"PYTHONDONTWRITEBYTECODE": ""}
_FIRST_PAINT_RATIO = 1.3
_COMMAND_MS = 150.0


def run(size: Size) -> Report:
    """Measure first paints and commands."""
    report = Report("startup")
    small, large = corpus(100), corpus(size.pick(100_000, 300))
    rounds = size.pick(20, 1)
    with TemporaryDirectory(prefix="aimem-bench-") as scratch:
        report.contests += _first_paints(small, large, Path(scratch), rounds, report)
        report.contests += _commands(small, large, Path(scratch), rounds)
    return report


def first_folder(workspace: Corpus) -> str:
    """The name in the first row of the tree."""
    with workspace.open() as opened:
        return opened.folders()[0].name


def app_command() -> list[str]:
    """What opens the app, or with words behind it runs a command."""
    return [sys.executable, "-c", _AIMEM]


def _first_paints(
    small: Corpus, large: Corpus, scratch: Path, rounds: int, report: Report
) -> list[Contest]:
    names = {f"aimem, {each.thoughts:,} thoughts": each for each in (small, large)}
    contestants: dict[str, Callable[[], float]] = {
        name: _paint(app_command(), first_folder(each), each.environment)
        for name, each in names.items()
    }
    contestants[EMPTY] = _paint([sys.executable, "-m", "bench.empty_app"], MARKER, _WARM)
    try:
        # Its text areas crash with newer tree-sitters than the one it was made with.
        posting = peers.installed("posting", "tree-sitter==0.25.*")
    except peers.Absent as absent:
        report.notes.append(f"Posting was not measured: {absent}.")
    else:
        (scratch / "collection").mkdir()
        home = {name: str(scratch) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        command = [str(posting.program), "--collection", str(scratch / "collection")]
        contestants[posting.label] = _paint(command, "Collection is empty", home | _WARM)
    found = in_turns(contestants, rounds)
    others = [series for name, series in found.items() if name not in names]
    goal = Goal(_FIRST_PAINT_RATIO, "ratio", EMPTY)
    return [Contest("first paint", "ms", (found[name], *others), (goal,)) for name in names]


def _paint(
    command: Sequence[str], marker: str, environment: Mapping[str, str]
) -> Callable[[], float]:
    pattern = marker.encode()

    def paint() -> float:
        # The package is found from the checkout, as tests find it.
        variables = {"PYTHONPATH": str(ROOT), **environment}
        with Terminal(command, columns=120, rows=40, env=variables) as terminal:
            return terminal.wait_for(pattern, timeout=120) * 1000

    return paint


def _commands(small: Corpus, large: Corpus, scratch: Path, rounds: int) -> list[Contest]:
    with large.open() as opened:
        path = next(opened.thoughts(limit=1)).path
    copytree(small.root, scratch / "small")
    writable = small.environment | {"AIMEM_HOME": str(scratch / "small")}
    reads = {
        "list --limit 50": ["list", "--limit", "50"],
        "show": ["show", path],
        "search": ["search", "session", "token"],
        "status": ["status"],
    }
    contestants = {NOTHING: _process([sys.executable, "-c", "pass"], _WARM)}
    for name, words in reads.items():
        contestants[f"aimem {name}"] = _process([*app_command(), *words], large.environment)
    contestants["aimem append"] = _process(
        [*app_command(), "append", _path_of(small), "One more line."], writable
    )
    found = in_turns(contestants, rounds)
    goals = {f"aimem {name}": (Goal(_COMMAND_MS),) for name in reads}
    return [
        Contest(
            f"{name}, {small.thoughts if name == 'aimem append' else large.thoughts:,} thoughts",
            "ms",
            (series, found[NOTHING]),
            goals.get(name, ()),
        )
        for name, series in found.items()
        if name != NOTHING
    ]


def _path_of(workspace: Corpus) -> str:
    with workspace.open() as opened:
        return next(opened.thoughts(limit=1)).path


def _process(command: Sequence[str], environment: Mapping[str, str]) -> Callable[[], float]:
    variables = dict(os.environ) | {"PYTHONPATH": str(ROOT)} | dict(environment)

    def process() -> float:
        started = time.perf_counter()
        ended = subprocess.run(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        elapsed = (time.perf_counter() - started) * 1000
        if ended.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stderr}")
        return elapsed

    return process
