"""What is measured of each server, and the report.

- Saturation: every writer keeps updates on their way; deliveries a second, and processor time of
  the server for a delivery.
- Fixed load: 2,000 updates a second; latency of a delivery. Beside it stands how long a write waits
  for the disk alone (``disk.py``): what is durable cannot be sooner.
- Memory: a thousand idle connections, in one room and in rooms of their own.
- Catching up: ``catch_up.py``.

A server that loses deliveries, or cannot keep up, is said to in a note: its figures are of what did
arrive.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

from bench.measure import Contest, Goal, Report, Series, Size
from bench.peers import Absent
from bench.relay import catch_up, servers
from bench.relay.disk import append_and_sync
from bench.relay.driver import Load, Outcome
from bench.relay.servers import Running

_DRIVER_TIMEOUT_S = 240
OURS = "aimem, SQLite"
Y_WEBSOCKET = "y-websocket 2.0.4"
DISK = "appending to a file and syncing it"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server and how it is spoken to."""

    start: Callable[[], AbstractContextManager[Running]]
    dialect: str
    connecting: int = 32
    rounds: int = 3


CONTESTANTS: Mapping[str, Contestant] = {
    OURS: Contestant(servers.aimem_sqlite, "aimem"),
    "aimem, PostgreSQL and Redis": Contestant(servers.aimem_postgres, "aimem"),
    Y_WEBSOCKET: Contestant(servers.y_websocket, "y"),
    # For orientation; the goals are about the others.
    "hocuspocus 4.4.0": Contestant(servers.hocuspocus, "hocuspocus", rounds=1),
    # It forgets who comes while somebody else is coming.
    "pycrdt-websocket 0.16.5": Contestant(servers.pycrdt_websocket, "y", connecting=1, rounds=1),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Rooms, the connections in each, and how many of those write."""

    rooms: int
    per_room: int
    writers: int
    rate: float = 0.0
    """Updates a second of each writer; 0 for as many as go through."""

    def __str__(self) -> str:
        rooms = "1 room" if self.rooms == 1 else f"{self.rooms} rooms"
        return f"{rooms} of {self.per_room}, {self.writers} writing"


SATURATION = (Shape(1, 50, 5), Shape(200, 3, 1), Shape(10, 100, 5), Shape(1, 1_000, 5))
FIXED = (Shape(200, 3, 1, 10.0), Shape(100, 5, 1, 20.0), Shape(1, 50, 40, 50.0))
QUICK_SATURATION = (Shape(2, 3, 1),)
QUICK_FIXED = (Shape(2, 3, 1, 10.0),)


def run(size: Size) -> Report:
    """Measure all servers that are to be had."""
    report = Report("relay")
    measured = _Measured(size, report)
    for shape in QUICK_SATURATION if size.quick else SATURATION:
        measured.saturation(shape)
    for shape in QUICK_FIXED if size.quick else FIXED:
        measured.fixed(shape)
    measured.memory(size.pick(1_000, 10))
    measured.catching_up(size.pick(10_000, 20))
    return report


class _Measured:
    """Measures and keeps the report."""

    def __init__(self, size: Size, report: Report) -> None:
        self._size = size
        self._report = report
        self._seconds = 0.5 if size.quick else 3.0
        self._absent: set[str] = set()

    def saturation(self, shape: Shape) -> None:
        """Deliveries a second, and processor time for one."""
        throughput: dict[str, list[float]] = {}
        cost: dict[str, list[float]] = {}
        for name, outcome, cpu_s in self._in_turns(shape):
            throughput.setdefault(name, []).append(outcome.deliveries / outcome.seconds)
            cost.setdefault(name, []).append(cpu_s / max(1, outcome.deliveries) * 1e6)
        goal = Goal(3.0, "ratio", Y_WEBSOCKET, at_least=True)
        self._add(f"saturation, {shape}", "deliveries/s", throughput, goal)
        self._add(f"server's CPU time, {shape}", "µs a delivery", cost)

    def fixed(self, shape: Shape) -> None:
        """Latency at a load that all should bear."""
        middle: dict[str, list[float]] = {}
        tail: dict[str, list[float]] = {}
        for name, outcome, _ in self._in_turns(shape):
            middle.setdefault(name, []).append(outcome.p50_ms)
            tail.setdefault(name, []).append(outcome.p99_ms)
            if outcome.arrived < outcome.expected:
                lost = outcome.expected - outcome.arrived
                self._note(f"{name}, {shape}: {lost} of {outcome.expected} deliveries were late")
        writes = shape.rooms * shape.writers * shape.rate
        for _ in range(1 if self._size.quick else 3):
            waits = append_and_sync(writes, self._seconds)
            middle.setdefault(DISK, []).append(waits.p50_ms)
            tail.setdefault(DISK, []).append(waits.p99_ms)
        what = f"{writes:,.0f} updates/s, {shape}"
        self._add(f"p50 of latency, {what}", "ms", middle)
        self._add(f"p99 of latency, {what}", "ms", tail, Goal(1.0, "ratio", Y_WEBSOCKET))

    def memory(self, connections: int) -> None:
        """What an idle connection costs, and one in a room of its own."""
        one: dict[str, list[float]] = {}
        own: dict[str, list[float]] = {}
        for name, contestant in CONTESTANTS.items():
            if name in self._absent:
                continue
            for found, shape in (
                (one, Shape(1, connections, 1, 0.001)),
                (own, Shape(connections, 1, 1, 0.001)),
            ):
                try:
                    found[name] = [_idle_memory(contestant, shape) / connections / 1024]
                except (Absent, RuntimeError) as error:
                    self._note(f"{name}, {shape}: {error}")
        self._add(
            f"memory of a connection, {connections} idle in one room",
            "KiB",
            one,
            Goal(20.0, "p50"),
        )
        self._add(f"the same in {connections} rooms of their own", "KiB", own)

    def catching_up(self, thoughts: int) -> None:
        """A new machine gets a large workspace."""
        try:
            stored, ended, copied = catch_up.ours(thoughts)
        except Exception as error:
            # What was measured before is not to be lost.
            self._note(f"Catching up was not measured: {error!r}")
            return
        others = {}
        if Y_WEBSOCKET not in self._absent:
            try:
                others["y-websocket, a handshake a thought"] = catch_up.handshakes(thoughts)
            except Absent as error:
                self._note(f"{Y_WEBSOCKET}: not measured, {error}")
        reading = "reading and writing them"
        found = {
            "aimem, until all is on disk": stored,
            "aimem sync, to its end": ended,
            **others,
            reading: copied,
        }
        series = tuple(Series(name, (seconds,)) for name, seconds in found.items())
        goals = (Goal(2.0, "ratio", reading), *(Goal(0.1, "ratio", name) for name in others))
        what = f"a new machine, {thoughts:,} thoughts, {thoughts * catch_up.EDITS:,} entries"
        self._report.contests.append(Contest(what, "s", series, goals))

    def _in_turns(self, shape: Shape) -> list[tuple[str, Outcome, float]]:
        found = []
        most = max(contestant.rounds for contestant in CONTESTANTS.values())
        for turn in range(1 if self._size.quick else most):
            for name, contestant in CONTESTANTS.items():
                if name in self._absent or turn >= contestant.rounds:
                    continue
                try:
                    outcome, cpu_s = _play(CONTESTANTS[name], shape, self._seconds)
                except Absent as error:
                    self._absent.add(name)
                    self._note(f"{name}: not measured, {error}")
                except RuntimeError as error:
                    self._note(f"{name}, {shape}: {error}")
                else:
                    found.append((name, outcome, cpu_s))
        return found

    def _add(self, what: str, unit: str, values: Mapping[str, list[float]], *goals: Goal) -> None:
        series = tuple(
            Series(name, tuple(values[name])) for name in (*CONTESTANTS, DISK) if values.get(name)
        )
        if series and series[0].name == OURS:
            self._report.contests.append(Contest(what, unit, series, goals))

    def _note(self, note: str) -> None:
        if note not in self._report.notes:
            self._report.notes.append(note)


def _load(contestant: Contestant, running: Running, shape: Shape, seconds: float) -> Load:
    rooms = [os.urandom(16).hex() for _ in range(shape.rooms)]
    return Load(
        contestant.dialect,
        running.url,
        rooms,
        shape.per_room,
        shape.writers,
        shape.rate,
        seconds=seconds,
        credentials={room: running.credential(room) for room in rooms},
        connecting=contestant.connecting,
        signals=True,
    )


def _play(contestant: Contestant, shape: Shape, seconds: float) -> tuple[Outcome, float]:
    """A load on a server of its own; what came of it, and the server's processor time."""
    with contestant.start() as running:
        cpu: list[float] = []
        outcome = _drive(
            _load(contestant, running, shape, seconds), lambda _: cpu.append(running.cpu_s())
        )
        return outcome, cpu[1] - cpu[0]


def _idle_memory(contestant: Contestant, shape: Shape) -> float:
    """How much more memory a server has once all have come, in bytes."""
    with contestant.start() as running:
        # What is made for the first connection of all is nobody's share.
        _drive(_load(contestant, running, Shape(1, 2, 1, 1.0), 0.2), lambda _: None)
        before, after = running.memory(), [0]

        def measure(word: str) -> None:
            if word == "end":
                after[0] = running.memory()

        _drive(_load(contestant, running, shape, 1.0), measure)
        return after[0] - before


def _drive(load: Load, on_signal: Callable[[str], None]) -> Outcome:
    """Run the driver in a process of its own.

    Raises:
        RuntimeError: if it fails; the message is its last line.
    """
    driver = subprocess.Popen(
        [sys.executable, "-m", "bench.relay.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert driver.stdin is not None and driver.stdout is not None and driver.stderr is not None
    try:
        driver.stdin.write(json.dumps(asdict(load)))
        driver.stdin.close()
        last = ""
        for line in driver.stderr:
            last = line.strip() or last
            if last in ("begin", "end"):
                on_signal(last)
        said = driver.stdout.read()
        if driver.wait(_DRIVER_TIMEOUT_S):
            raise RuntimeError(last)
        return Outcome(**json.loads(said))
    finally:
        driver.kill()
        driver.wait()
        driver.stdout.close()
        driver.stderr.close()
