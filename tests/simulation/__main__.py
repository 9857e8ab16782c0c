"""Runs the simulator: one seed with its trace, or many for as long as one likes.

python -m tests.simulation --seed 17 --trace
python -m tests.simulation --runs 20000 --jobs 4
python -m tests.simulation --minutes 60 --first 1000000
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time

from tests.simulation.bugs import Bug
from tests.simulation.many import simulate_many
from tests.simulation.oracle import Violation
from tests.simulation.scenario import simulate


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="run this seed only")
    parser.add_argument("--trace", action="store_true", help="tell what happens")
    parser.add_argument("--first", type=int, default=0, help="the first seed of many")
    parser.add_argument("--runs", type=int, default=1_000, help="how many seeds")
    parser.add_argument("--minutes", type=float, help="run for so long instead")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--bug", choices=[bug.value for bug in Bug], default="none")
    asked = parser.parse_args()
    bug = Bug(asked.bug)
    if asked.seed is None:
        return many(bug, asked.first, asked.runs, asked.minutes, asked.jobs)
    try:
        print(simulate(asked.seed, bug, print if asked.trace else None))
    except Violation as violation:
        print(violation)
        return 1
    return 0


def many(bug: Bug, first: int, most: int, minutes: float | None, jobs: int) -> int:
    started = time.perf_counter()
    failed = runs = entries = durable = 0
    seeds = itertools.count(first) if minutes else range(first, first + most)
    for outcome in simulate_many(seeds, bug, jobs):
        runs += 1
        if isinstance(outcome, str):
            failed += 1
            print(outcome, flush=True)
        else:
            entries += outcome.entries
            durable += outcome.durable
        if minutes and time.perf_counter() - started > minutes * 60:
            break
    took = time.perf_counter() - started
    print(
        f"{runs} runs from seed {first}, {failed} failed, {entries} entries, {durable} of them"
        f" acknowledged by the ledger; {took:.1f} s, {runs / took:.1f} runs/s"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
