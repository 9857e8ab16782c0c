"""Many runs, on as many processors as there are to be used."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from functools import partial

from tests.simulation.bugs import Bug
from tests.simulation.oracle import Violation
from tests.simulation.scenario import Outcome, simulate

_CHUNK = 20


def simulate_many(seeds: Iterable[int], bug: Bug, jobs: int) -> Iterator[Outcome | str]:
    """The outcome of each seed, or what was broken in it, in the order of the seeds."""
    if jobs == 1:
        yield from map(partial(_outcome, bug=bug), seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(partial(_outcome, bug=bug), seeds, _CHUNK)


def _outcome(seed: int, bug: Bug) -> Outcome | str:
    try:
        return simulate(seed, bug)
    except Violation as violation:
        return str(violation)
