"""Samples, contests between programs, and the report that shows them.

A report is printed as a table for people and as JSON for programs; both say the same. Percentiles
are of the nearest rank: a figure that is printed was measured. A ratio is that of the medians.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True, slots=True)
class Size:
    """How much a program measures."""

    quick: bool = False
    """Only so much that every part has run once: the figures mean nothing."""
    sizes: tuple[int, ...] = ()
    """What to measure in, where a program can do so in several sizes; else it knows itself."""

    def pick(self, full: int, quick: int) -> int:
        """One of two numbers."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Series:
    """What one contestant was measured at."""

    name: str
    values: tuple[float, ...]

    @property
    def best(self) -> float:
        """The least."""
        return min(self.values)

    @property
    def p50(self) -> float:
        """The median."""
        return percentile(self.values, 50)

    @property
    def p95(self) -> float:
        """The value that 95 of 100 do not exceed."""
        return percentile(self.values, 95)


@dataclass(frozen=True, slots=True)
class Goal:
    """What our own series shall not exceed, or not fall short of."""

    bound: float
    statistic: str = "p95"
    """``p50``, ``p95`` or ``ratio``: that of the medians, to the contestant ``versus``."""
    versus: str = ""
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Contest:
    """One thing measured of several contestants; the first is aimem."""

    what: str
    unit: str
    """``ms``, ``bytes``, ``files/s`` and the like."""
    series: tuple[Series, ...]
    goals: tuple[Goal, ...] = ()

    @property
    def ours(self) -> Series:
        """What aimem was measured at."""
        return self.series[0]

    def ratio(self, name: str) -> float | None:
        """Our median to that of another contestant; None if it was not measured."""
        for series in self.series:
            if series.name == name and series.p50:
                return self.ours.p50 / series.p50
        return None

    def reached(self, goal: Goal) -> float | None:
        """What stands against a goal; None if it could not be measured."""
        if goal.statistic == "ratio":
            return self.ratio(goal.versus)
        return self.ours.p50 if goal.statistic == "p50" else self.ours.p95


@dataclass(slots=True)
class Report:
    """What a program found."""

    program: str
    contests: list[Contest] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader has to know: a peer that is missing, how a peer was run."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the figures come from."""

    system: str
    processor: str
    cores: int
    memory_gb: float
    python: str
    versions: Mapping[str, str]


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile: the least value that ``percent`` of 100 do not exceed.

    Raises:
        ValueError: if there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def in_turns(
    contestants: Mapping[str, Callable[[], float]], rounds: int, *, warmups: int = 1
) -> dict[str, Series]:
    """Measure each contestant once a round, in an order that moves on by one each round."""
    names = list(contestants)
    values: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-warmups, rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            value = contestants[name]()
            if turn >= 0:
                values[name].append(value)
    return {name: Series(name, tuple(found)) for name, found in values.items()}


def milliseconds(action: Callable[[], object]) -> float:
    """How long an action takes."""
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def machine() -> Machine:
    """The machine this runs on, with the versions of what the figures depend on most."""
    versions = {name: metadata.version(name) for name in ("apsw", "pycrdt", "textual")}
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        memory = 0.0
    return Machine(
        system=platform.platform(terse=True),
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_gb=round(memory, 1),
        python=platform.python_version(),
        versions=versions,
    )


def load() -> float:
    """The load of the last minute: processes that want to run; 0 where the system has no figure."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return 0.0


def write(
    reports: Sequence[Report], where: Machine, loads: tuple[float, float], out: TextIO
) -> None:
    """Print reports for people."""
    print(
        f"{where.system}, {where.processor}, {where.cores} cores, {where.memory_gb:g} GB;"
        f" Python {where.python},"
        f" {', '.join(f'{name} {version}' for name, version in where.versions.items())};"
        f" load {loads[0]:g} before, {loads[1]:g} after",
        file=out,
    )
    for report in reports:
        print(f"\n{report.program}", file=out)
        for contest in report.contests:
            _write_contest(contest, out)
        for note in report.notes:
            print(f"  {note}", file=out)


def write_json(
    reports: Sequence[Report], where: Machine, loads: tuple[float, float], out: TextIO
) -> None:
    """Print reports for programs: one object, described in ``docs/benchmarks.md``."""
    found = {
        "machine": {
            "system": where.system,
            "processor": where.processor,
            "cores": where.cores,
            "memory_gb": where.memory_gb,
            "python": where.python,
            "versions": dict(where.versions),
        },
        "load": {"before": loads[0], "after": loads[1]},
        "reports": [
            {
                "program": report.program,
                "contests": [_contest_as_json(contest) for contest in report.contests],
                "notes": report.notes,
            }
            for report in reports
        ],
    }
    json.dump(found, out, indent=2)
    out.write("\n")


def _contest_as_json(contest: Contest) -> dict[str, object]:
    return {
        "what": contest.what,
        "unit": contest.unit,
        "series": [
            {
                "name": series.name,
                "samples": len(series.values),
                "best": round(series.best, 3),
                "p50": round(series.p50, 3),
                "p95": round(series.p95, 3),
                "ratio": _rounded(contest.ratio(series.name)),
            }
            for series in contest.series
        ],
        "goals": [
            {
                "statistic": goal.statistic,
                "versus": goal.versus,
                "bound": goal.bound,
                "at_least": goal.at_least,
                "reached": _rounded(contest.reached(goal)),
                "met": _met(contest, goal),
            }
            for goal in contest.goals
        ],
    }


def _write_contest(contest: Contest, out: TextIO) -> None:
    head = f"  {contest.what}, {contest.unit}"
    print(f"{head:56}{'runs':>6}{'best':>10}{'p50':>10}{'p95':>10}{'aimem/it':>10}", file=out)
    for series in contest.series:
        ratio = contest.ratio(series.name) if series is not contest.ours else None
        print(
            f"    {series.name:52}{len(series.values):>6}"
            f"{_figure(series.best):>10}{_figure(series.p50):>10}{_figure(series.p95):>10}"
            f"{'' if ratio is None else f'{ratio:.2f}':>10}",
            file=out,
        )
    for goal in contest.goals:
        reached = contest.reached(goal)
        versus = f" to {goal.versus}" if goal.versus else ""
        said = "not measured" if reached is None else _figure(reached)
        which = "at least" if goal.at_least else "at most"
        verdict = {True: "met", False: "missed", None: "open"}[_met(contest, goal)]
        print(
            f"    goal: {goal.statistic}{versus} {which} {_figure(goal.bound)}: {said}, {verdict}",
            file=out,
        )


def _met(contest: Contest, goal: Goal) -> bool | None:
    reached = contest.reached(goal)
    if reached is None:
        return None
    return reached >= goal.bound if goal.at_least else reached <= goal.bound


def _figure(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
