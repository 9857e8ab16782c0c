"""Nearest vectors among 10,000, 100,000 and 500,000, beside sqlite-vec's own search.

The vectors are made up to be like those of passages: 384 numbers, length 1, in topics of very
different sizes within fields, with less and less in each direction. *Processor time* is what a
search takes of one core; on a machine that does nothing else it is the time one waits. Both ways
are exact, which is checked against comparing with every vector in float64.

``python -m bench.vectors FILE COUNT WAY`` is one search in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from aimem_tui.index.file import IndexFile
from aimem_tui.index.vectors.matrix import MatrixIndex
from aimem_tui.index.vectors.port import Ids, Snapshot, VectorIndex, Vectors
from aimem_tui.index.vectors.stream import StreamIndex
from aimem_tui.index.vectors.table import VectorTable
from aimem_tui.index.vectors.vec0 import Vec0Index
from bench import cache
from bench.measure import Contest, Goal, Report, Series, Size, in_turns, milliseconds

_DIMENSIONS = 384
_TABLE = VectorTable(1, _DIMENSIONS)
_SPACE = 1
_BATCH = 32
_Way: TypeAlias = Callable[[VectorTable, int, Snapshot], VectorIndex]
_WARM: Mapping[str, _Way] = {"aimem": MatrixIndex, "sqlite-vec": Vec0Index}
_COLD: Mapping[str, _Way] = {
    "aimem": StreamIndex,
    "all into memory": MatrixIndex,
    "sqlite-vec": Vec0Index,
}
_GOALS_MS = {100_000: 25.0, 500_000: 120.0}
_COLD_GOAL_MS = {100_000: 120.0}
"""Without the start of Python and its imports."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A file of vectors."""

    path: Path
    count: int
    rate: float
    """Vectors a second when it was made."""


def run(size: Size) -> Report:
    """Search at each size."""
    report = Report("vectors")
    for count in (10_000, 100_000, 500_000) if not size.quick else (700,):
        filed = _made(count)
        _measure(report, filed, size)
    return report


def _measure(report: Report, filed: Filed, size: Size) -> None:
    name = f"{filed.count:,} vectors"
    queries = synthetic(size.pick(40, 2), seed=2)
    random = np.random.default_rng(3)
    with _opened(filed.path) as index:
        ways: dict[str, VectorIndex] = {
            way: kind(_TABLE, _SPACE, index.snapshot) for way, kind in _WARM.items()
        }
        report.notes.append(f"{name}: recall@20 {_recall(filed, ways['aimem'], queries[:10]):.3f}.")
        goals = tuple(Goal(bound) for at, bound in _GOALS_MS.items() if at == filed.count)
        rounds = size.pick(len(queries) if filed.count < 500_000 else 20, 1)
        for k in (20, 200):
            timed = _timed(ways, queries, k, None, rounds)
            report.contests.append(Contest(f"{name}, the {k} nearest", "ms", timed, goals))
        for share in (0.05, 0.01):
            picked = random.choice(filed.count, int(filed.count * share), replace=False) + 1
            timed = _timed(ways, queries, 20, picked.astype(np.int64), rounds)
            report.contests.append(
                Contest(f"{name}, the 20 nearest among {share:.0%}", "ms", timed, goals)
            )
        report.contests.append(_written(name, filed, index, size))
    _cold(report, name, filed, size)
    report.notes.append(
        f"{name}: {filed.path.stat().st_size / 1e6:,.0f} MB;"
        f" stored at {filed.rate:,.0f} a second, {_BATCH * 32} a transaction."
    )


def _timed(
    ways: Mapping[str, VectorIndex], queries: Vectors, k: int, among: Ids | None, rounds: int
) -> tuple[Series, ...]:
    used: dict[str, list[float]] = {way: [] for way in ways}
    turn = dict.fromkeys(ways, 0)

    def search(way: str) -> float:
        query = queries[turn[way] % len(queries)]
        turn[way] += 1
        started = time.process_time()
        waited = milliseconds(lambda: ways[way].nearest(query, k, among))
        used[way].append((time.process_time() - started) * 1000)
        return waited

    waited = in_turns({way: partial(search, way) for way in ways}, rounds)
    return tuple(
        series
        for way in ways
        for series in (
            waited[way],
            # Without the first, which warms up.
            Series(f"{way}, processor time", tuple(used[way][1:])),
        )
    )


def _written(name: str, filed: Filed, index: IndexFile, size: Size) -> Contest:
    """Batches stored and removed, each in a transaction, with what a search notices of it."""
    vectors = synthetic(_BATCH, seed=4)
    new = np.arange(filed.count + 1, filed.count + _BATCH + 1, dtype=np.int64)
    reader = MatrixIndex(_TABLE, _SPACE, index.snapshot)
    reader.nearest(vectors[0], 1, new)
    series: dict[str, list[float]] = {"aimem": [], "remove": [], "notice": []}

    def store() -> None:
        with index.write() as connection:
            _TABLE.put(connection, _SPACE, new, vectors)

    def remove() -> None:
        with index.write() as connection:
            _TABLE.remove(connection, new)

    for _ in range(size.pick(20, 2)):
        series["aimem"].append(milliseconds(store))
        series["notice"].append(milliseconds(lambda: reader.nearest(vectors[0], 1, new)))
        series["remove"].append(milliseconds(remove))
    return Contest(
        f"{name}, {_BATCH} more stored",
        "ms",
        (
            Series("aimem", tuple(series["aimem"])),
            Series("removed again", tuple(series["remove"])),
            Series("noticed by a reader", tuple(series["notice"])),
        ),
    )


def _cold(report: Report, name: str, filed: Filed, size: Size) -> None:
    command = [sys.executable, "-m", "bench.vectors", str(filed.path), str(filed.count)]
    found: dict[str, list[dict[str, float]]] = {way: [] for way in _COLD}

    def search(way: str) -> float:
        ended = subprocess.run([*command, way], cwd=cache.ROOT, capture_output=True, check=True)
        found[way].append(json.loads(ended.stdout))
        return float(found[way][-1]["ms"])

    waited = in_turns({way: partial(search, way) for way in _COLD}, size.pick(7, 1))
    series = tuple(
        each
        for way in _COLD
        for each in (
            waited[way],
            Series(
                f"{way}, processor time", tuple(child["processor_ms"] for child in found[way][1:])
            ),
        )
    )
    goals = tuple(Goal(bound) for at, bound in _COLD_GOAL_MS.items() if at == filed.count)
    report.contests.append(
        Contest(f"{name}, opened and searched once, the 100 nearest", "ms", series, goals)
    )
    report.contests.append(
        Contest(
            f"{name}, memory for that",
            "MB",
            tuple(Series(way, tuple(child["mb"] for child in found[way])) for way in _COLD),
        )
    )


def _made(count: int) -> Filed:
    """A file with that many vectors, made once."""
    target = cache.folder("vectors") / f"{count}"
    figures = target / "made.json"
    if not figures.exists():
        with cache.made_whole(target) as unfinished, _opened(unfinished / "index.db") as index:
            with index.write() as connection:
                _TABLE.create(connection)
            spent = 0.0
            for first, vectors in _parts(count):
                ids = np.arange(first + 1, first + len(vectors) + 1, dtype=np.int64)
                for at in range(0, len(ids), _BATCH * 32):
                    part = slice(at, at + _BATCH * 32)
                    started = time.perf_counter()
                    with index.write() as connection:
                        _TABLE.put(connection, _SPACE, ids[part], vectors[part])
                    spent += time.perf_counter() - started
            index.truncate_wal()
            (unfinished / "made.json").write_text(json.dumps({"rate": count / spent}))
    return Filed(target / "index.db", count, json.loads(figures.read_text())["rate"])


def _recall(filed: Filed, index: VectorIndex, queries: Vectors) -> float:
    """The share of the true 20 nearest that is found."""
    k = min(20, filed.count)
    scores = np.concatenate(
        [part.astype(np.float64) @ queries.T for _, part in _parts(filed.count)]
    )
    found = 0
    for query, column in zip(queries, scores.T, strict=True):
        true = np.argpartition(-column, k - 1)[:k] + 1
        found += len(set(true.tolist()) & set(index.nearest(query, k).ids.tolist()))
    return found / (k * len(queries))


def _parts(count: int) -> Iterator[tuple[int, Vectors]]:
    step = 20_000
    for first in range(0, count, step):
        yield first, synthetic(min(step, count - first), seed=1000 + first)


def synthetic(count: int, seed: int) -> Vectors:
    """Vectors of length 1 that lie as those of passages do."""
    shared, random = np.random.default_rng(7), np.random.default_rng(seed)
    topics = 3000
    weight = np.arange(1, _DIMENSIONS + 1, dtype=np.float32) ** -0.25
    turned, _ = np.linalg.qr(shared.standard_normal((_DIMENSIONS, _DIMENSIONS)))
    fields = shared.standard_normal((60, _DIMENSIONS), dtype=np.float32)
    own = shared.standard_normal((topics, _DIMENSIONS), dtype=np.float32)
    middles = 0.6 * fields[shared.integers(60, size=topics)] + 0.8 * own
    sizes = 1 / np.arange(1, topics + 1)
    which = random.choice(topics, count, p=sizes / sizes.sum())
    noise = random.standard_normal((count, _DIMENSIONS), dtype=np.float32)
    vectors = ((0.75 * middles[which] + 0.66 * noise) * weight) @ turned.astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@contextmanager
def _opened(path: Path) -> Iterator[IndexFile]:
    with IndexFile(path) as index:
        yield index


def _search_once(path: Path, count: int, way: str) -> dict[str, float]:
    query = np.random.default_rng(count).standard_normal(_DIMENSIONS, np.float32)
    before = _own_mb()
    started, used = time.perf_counter(), time.process_time()
    with _opened(path) as index:
        _COLD[way](_TABLE, _SPACE, index.snapshot).nearest(query, 100)
        waited, used = time.perf_counter() - started, time.process_time() - used
        return {"ms": waited * 1000, "processor_ms": used * 1000, "mb": _own_mb() - before}


def _own_mb() -> float:
    """The memory that is this process's alone, without pages of files; 0 where it is not told."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    found = next((line for line in lines if line.startswith("RssAnon:")), "RssAnon: 0")
    return int(found.split()[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(_search_once(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
