"""Nothing is lost, whatever happens; and the simulator would notice if something were."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.access import Gate
from tests.simulation.bugs import Bug
from tests.simulation.disk import Disk
from tests.simulation.many import simulate_many
from tests.simulation.oracle import Oracle, Violation
from tests.simulation.scenario import simulate
from tests.simulation.world import World

QUICK = range(60)
MANY = range(1_000, 1_000 + int(os.environ.get("AIMEM_SIMULATED_RUNS", "20000")))
SHARE = 2_000
"""Runs in one test: a few minutes at most, so that one that hangs is noticed."""

# The rarest of the bugs comes to light in about one run of six.
SEEDS_TO_FIND_A_BUG = range(40)


def run_all(seeds: range, jobs: int = 1) -> Counter[str]:
    """Run all seeds; how many entries were made, acknowledged and so on."""
    counted: Counter[str] = Counter()
    broken = []
    for outcome in simulate_many(seeds, Bug.NONE, jobs):
        if isinstance(outcome, str):
            broken.append(outcome)
        else:
            counted["entries"] += outcome.entries
            counted["durable"] += outcome.durable
            counted["forks"] += outcome.forks
    assert not broken, "\n".join(broken)
    return counted


def test_copies_agree_and_keep_what_they_acknowledged() -> None:
    counted = run_all(QUICK)
    assert counted["entries"] > counted["durable"] > 500
    assert counted["forks"] > 3


def test_what_was_compacted_on_its_way_counts_as_being_in_the_ledger() -> None:
    oracle, ledger = Oracle(Gate(World(0), Bug.NONE)), Disk("a" * 32, "b" * 32, "c" * 32)
    maker = Disk("a" * 32, "d" * 32, "e" * 32)
    entries = []
    for _ in range(3):
        entries.append(maker.make("1" * 32, b"\0\0", at=1))
        maker.append(entries[-1:])
    ledger.append(entries[:2])
    ledger.compact("1" * 32)
    oracle.passed_on(entries[:2], ledger)
    with pytest.raises(Violation, match="not in the ledger"):
        oracle.passed_on(entries, ledger)


def test_an_acknowledgement_may_arrive_when_the_replica_was_given_up_there() -> None:
    oracle = Oracle(Gate(World(0), Bug.NONE))
    maker, peer = Disk("a" * 32, "d" * 32, "e" * 32), Disk("a" * 32, "b" * 32, "c" * 32)
    entry = maker.make("1" * 32, b"\0\0", at=1)
    with pytest.raises(Violation, match="is not stored"):
        oracle.acknowledged(entry, peer)
    peer.append([entry])
    oracle.acknowledged(entry, peer)
    peer.disown(maker.replica, "f" * 32, "0" * 32)
    oracle.acknowledged(entry, peer)


def test_two_lives_of_a_replica_are_not_knit_together() -> None:
    simulate(313788)


def test_compaction_does_not_hide_that_a_replica_has_two_lives() -> None:
    simulate(17042)


@pytest.mark.heavy
@pytest.mark.parametrize("first", range(MANY.start, MANY.stop, SHARE))
def test_copies_agree_and_keep_what_they_acknowledged_in_many_runs(first: int) -> None:
    run_all(range(first, min(first + SHARE, MANY.stop)), os.cpu_count() or 1)


@pytest.mark.parametrize("bug", [bug for bug in Bug if bug is not Bug.NONE])
def test_a_bug_that_is_put_in_is_found(bug: Bug) -> None:
    for seed in SEEDS_TO_FIND_A_BUG:
        try:
            simulate(seed, bug)
        except Violation as violation:
            assert f"seed {seed}" in str(violation)
            return
    pytest.fail(f"{bug.value} went unnoticed")


def test_everything_that_can_go_wrong_does() -> None:
    told: list[str] = []
    for seed in QUICK:
        simulate(seed, trace=told.append)
    text = "\n".join(told)
    for sign in (
        "m0 crashes",
        "pod0 crashes",
        "is restored from a backup, noticed: True",
        "is restored from a backup, noticed: False",
        "is copied",
        "is destroyed",
        "compaction of",
        "ForkDetected",
        "StatusChanged(degraded=True",
        "checkpoints ",
        "Nothing has been heard",
        "breaks in the middle of a frame",
        "the ledger is restored from a backup",
        "may only read",
        "may write",
        "RoleChanged(role=<Role.READER",
        "The token has expired",
        "Too much presence",
        "sealed entries",
    ):
        assert sign in text, f"never happened: {sign}"


def test_many_runs_take_no_more_memory_than_a_few() -> None:
    code = """
import gc, sys
from tests.simulation.scenario import simulate
counts = []
for seed in range(60):
    simulate(seed)
    if seed in (29, 59):
        gc.collect()
        counts.append(len(gc.get_objects()))
sys.exit(counts[1] > counts[0] * 1.02)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_seed_says_all_about_a_run() -> None:
    def trace(hash_seed: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "7", "--trace"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        return done.stdout

    first = trace("1")
    assert len(first.splitlines()) > 50
    assert trace("2") == first
