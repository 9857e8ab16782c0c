"""Replaying real editing histories through the durable store, beside the bare document engine.

Every transaction of a history becomes one edit of an open thought, as a keystroke does; the time
ends when the last is on disk. The peer is pycrdt alone, which keeps nothing. Both replay in fresh
processes in turns (see ``bench.replay``). The histories are those of the editing-traces collection,
looked for in ``$AIMEM_SHARED`` or in a folder ``shared/data`` beside the checkout.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import replay
from bench.cache import ROOT, shared_data
from bench.measure import Contest, Goal, Report, Series, Size

TRACES = {"sveltecomponent": 5, "rustcode": 5, "automerge-paper": 3}
"""The sequential histories, and how often each is replayed."""

PEER = "pycrdt alone"
_GOAL = Goal(2.0, "ratio", PEER)
_QUICK_EDITS = 300


def run(size: Size) -> Report:
    """Replay all histories."""
    report = Report("traces")
    folder = _folder()
    for name, rounds in TRACES.items():
        path = folder / f"{name}.json.gz"
        if not path.is_file():
            report.notes.append(f"{name}: not measured, there is no {path.name} in {folder}.")
            continue
        report.contests += _contests(name, path, size, rounds)
        if size.quick:
            break
    return report


def _contests(name: str, path: Path, size: Size, rounds: int) -> list[Contest]:
    seconds: dict[str, list[float]] = {"aimem": [], "pycrdt": []}
    memory: dict[str, list[float]] = {"aimem": [], "pycrdt": []}
    edits = 0
    with TemporaryDirectory(prefix="aimem-bench-") as folder:
        unpacked = Path(folder) / "trace"
        replay.unpack(path, unpacked, _QUICK_EDITS if size.quick else 0)
        for turn in range(1 if size.quick else rounds):
            for contestant in ("aimem", "pycrdt") if turn % 2 == 0 else ("pycrdt", "aimem"):
                cost = _replay(contestant, unpacked)
                if not cost["right"]:
                    raise RuntimeError(f"{contestant} replayed {name} to another text")
                seconds[contestant].append(float(cost["seconds"]))
                memory[contestant].append(float(cost["memory_mb"]))
                edits = int(cost["edits"])
    what = f"{name}, {edits:,} edits"
    return [
        Contest(what, "s", _series(seconds), (_GOAL,)),
        Contest(f"{what}, memory at most", "MB", _series(memory)),
    ]


def _series(values: dict[str, list[float]]) -> tuple[Series, ...]:
    return (
        Series("aimem, durable", tuple(values["aimem"])),
        Series(PEER, tuple(values["pycrdt"])),
    )


def _replay(contestant: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.replay", contestant, str(path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stderr}")
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def _folder() -> Path:
    return shared_data() / "editing-traces" / "sequential"
