"""What the disk alone allows: no durable server can answer sooner than a file that is only appended
to and synced.

Writes come at random times at a fixed rate. One thread takes all that have come, appends them and
syncs; what comes meanwhile waits for the next sync. No database, no network, nothing to compute.
"""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import percentile

_WRITE_BYTES = 300
"""About what one small update takes in a ledger's log."""
_TURN_S = 0.0002


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a write waited until it was on disk."""

    p50_ms: float
    p99_ms: float


def append_and_sync(rate: float, seconds: float) -> Waits:
    """Play ``rate`` writes a second for so long."""
    with TemporaryDirectory(prefix="aimem-bench-") as folder:
        file = os.open(Path(folder) / "log", os.O_CREAT | os.O_WRONLY)
        try:
            return _play(file, rate, seconds)
        finally:
            os.close(file)


def _play(file: int, rate: float, seconds: float) -> Waits:
    came: list[float] = []
    waits: list[float] = []
    over = threading.Event()

    def store() -> None:
        while not over.is_set():
            count = len(came)
            if not count:
                time.sleep(_TURN_S)
                continue
            os.write(file, bytes(count * _WRITE_BYTES))
            os.fsync(file)
            now = time.perf_counter()
            waits.extend(now - at for at in came[:count])
            del came[:count]

    thread = threading.Thread(target=store)
    thread.start()
    try:
        due = time.perf_counter()
        until = due + seconds
        while due < until:
            while due <= time.perf_counter():
                came.append(due)
                due += random.expovariate(rate)
            time.sleep(_TURN_S)
    finally:
        over.set()
        thread.join()
    in_ms = [1_000 * wait for wait in waits] or [0.0]
    return Waits(round(percentile(in_ms, 50), 3), round(percentile(in_ms, 99), 3))
