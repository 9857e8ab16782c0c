"""What the ledger holds in the end is to Yjs itself what it is to us."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from tests.gateway.npm import node_packages
from tests.simulation.disk import Disk
from tests.simulation.oracle import Copy
from tests.simulation.scenario import Scenario

PROGRAM = Path(__file__).parent / "read.mjs"
QUICK = range(12)
MANY = range(5_000, 5_400)


def final_ledgers(seeds: range) -> list[Disk]:
    ledgers = []
    for seed in seeds:
        scenario = Scenario(seed)
        scenario.run()
        scenario.close()
        if scenario.ledger is not None:
            ledgers.append(scenario.ledger.disk)
    return ledgers


def compare(seeds: range) -> int:
    """Compare all thoughts of the ledgers of some runs; returns how many those were."""
    folder = node_packages()
    lines: list[str] = []
    ours: list[tuple[str, object]] = []
    for ledger in final_ledgers(seeds):
        views = Copy("ledger", ledger).views()
        for thought in sorted(ledger.thoughts()):
            updates = ledger.updates_of(thought)
            lines.append(json.dumps([base64.b64encode(one).decode() for one in updates]))
            ours.append(views[thought])
    done = subprocess.run(
        ["node", str(PROGRAM)],
        cwd=folder,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
        timeout=300,
    )
    theirs = [json.loads(line) for line in done.stdout.strip("\n").split("\n")]
    assert len(theirs) == len(ours)
    for (text, meta), (their_text, their_meta, waits) in zip(ours, theirs, strict=True):
        assert (their_text, their_meta, waits) == (text, meta, False)
    return len(ours)


def test_yjs_makes_the_same_of_the_ledger() -> None:
    assert compare(QUICK) > 15


@pytest.mark.heavy
def test_yjs_makes_the_same_of_many_ledgers() -> None:
    assert compare(MANY) > 500
