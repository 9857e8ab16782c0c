"""Taking in a folder of markdown, beside basic-memory and beside reading the files.

- aimem: ``aimem import FOLDER`` into a new workspace: log, projections, full-text index.
  All is durable; embeddings are no part of it.
- basic-memory (a program of its own, installed apart): ``project add``, then ``reindex --full
  --search``, its full-text index without embeddings. Only the latter is timed.
- Reading: a Python that reads every file, which nobody can be quicker than.

The folder is a copy of the shared corpora (``$AIMEM_SHARED``, or ``shared/data`` beside the
checkout) where they are, else made up. Its time is that of the whole process, start included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import corpus, peers
from bench.cache import ROOT, shared_data
from bench.measure import Contest, Report, Series, Size
from bench.startup import app_command

_READ = (
    "import sys, pathlib\n"
    "for file in pathlib.Path(sys.argv[1]).rglob('*'):\n"
    "    file.is_file() and file.read_bytes().decode()"
)
_TIMEOUT_S = 3_600


def run(size: Size) -> Report:
    """Import the same folder with each program, in turns."""
    report = Report("importing")
    with TemporaryDirectory(prefix="aimem-bench-") as scratch:
        folder = Path(scratch) / "markdown"
        report.notes.append(_fill(folder, size.pick(600, 30)))
        files = sum(file.is_file() for file in folder.rglob("*"))
        contestants: dict[str, Callable[[Path], float]] = {
            "aimem": lambda place: _aimem(folder, place)
        }
        try:
            peer = peers.installed("basic-memory<0.24", oldest=(3, 12))
        except peers.Absent as absent:
            report.notes.append(f"basic-memory was not measured: {absent}.")
        else:
            contestants[peer.label] = lambda place: _basic_memory(peer, folder, place)
        contestants["reading the files"] = lambda _place: _timed(
            [sys.executable, "-c", _READ, str(folder)], {}
        )
        rates: dict[str, list[float]] = {name: [] for name in contestants}
        for turn in range(size.pick(2, 1)):
            for name, contestant in contestants.items():
                place = Path(scratch) / f"{turn}-{len(rates[name])}-{abs(hash(name))}"
                place.mkdir()
                rates[name].append(files / contestant(place))
                shutil.rmtree(place)
    series = tuple(Series(name, tuple(found)) for name, found in rates.items())
    report.contests.append(Contest(f"import of {files:,} files", "files/s", series))
    return report


def _fill(folder: Path, most: int) -> str:
    """Put real files into the folder if there are any, else made-up ones; tells which."""
    real = shared_data() / "corpora"
    if real.is_dir():
        for source in sorted(real.rglob("*.md"))[:most]:
            target = folder / source.relative_to(real)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        return "The files are documents of the Rust RFCs and of a collection of short notes."
    for text in corpus.texts(most):
        target = folder / text.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.body, encoding="utf-8")
    return "The files are made up (bench/prose.py)."


def _aimem(folder: Path, place: Path) -> float:
    variables = {
        "AIMEM_HOME": str(place),
        "AIMEM_AUTHOR": "bench",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return _timed([*app_command(), "import", str(folder)], variables)


def _basic_memory(peer: peers.Peer, folder: Path, place: Path) -> float:
    notes = place / "notes"
    shutil.copytree(folder, notes)
    variables = {
        "HOME": str(place),
        "BASIC_MEMORY_HOME": str(place / "main"),
        "BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED": "false",
        "BASIC_MEMORY_CONFIG_DIR": str(place / "config"),
    }
    program = str(peer.program)
    _timed([program, "project", "add", "bench", str(notes), "--default"], variables)
    return _timed([program, "reindex", "--full", "--search", "-p", "bench"], variables)


def _timed(command: list[str], variables: Mapping[str, str]) -> float:
    """Seconds that a process takes.

    Raises:
        RuntimeError: if it fails.
    """
    started = time.perf_counter()
    ended = subprocess.run(
        command,
        env=dict(os.environ) | dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    seconds = time.perf_counter() - started
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stdout}\n{ended.stderr}")
    return seconds
