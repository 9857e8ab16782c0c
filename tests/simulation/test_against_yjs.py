"""What the ledger holds in the end is to Yjs itself what it is to us."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.simulation.disk import Disk
from tests.simulation.oracle import Copy
from tests.simulation.scenario import Scenario

NODE = Path(__file__).parent / "node"
QUICK = range(12)
MANY = range(5_000, 5_400)


@pytest.fixture(scope="module")
def yjs() -> Path:
    """A folder with Yjs, installed once and kept for the next time."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no node")
    wanted = (NODE / "package.json").read_bytes()
    kept = Path(tempfile.gettempdir()) / f"aimem-tests-{getpass.getuser()}"
    folder = kept / f"yjs-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not (folder / "node_modules" / "yjs").exists():
        kept.mkdir(mode=0o700, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=kept))
        (new / "package.json").write_bytes(wanted)
        quietly = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [npm, "install", *quietly],
            cwd=new,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, "npm_config_cache": str(kept / "npm")},
        )
        if done.returncode:
            shutil.rmtree(new)
            pytest.skip("npm could not install yjs")
        if folder.exists():
            shutil.rmtree(new)
        else:
            new.rename(folder)
    return folder


def final_ledgers(seeds: range) -> list[Disk]:
    ledgers = []
    for seed in seeds:
        scenario = Scenario(seed)
        scenario.run()
        scenario.close()
        if scenario.ledger is not None:
            ledgers.append(scenario.ledger.disk)
    return ledgers


def compare(seeds: range, yjs: Path) -> int:
    """Compare all thoughts of the ledgers of some runs; returns how many those were."""
    lines: list[str] = []
    ours: list[tuple[str, object]] = []
    for ledger in final_ledgers(seeds):
        views = Copy("ledger", ledger).views()
        for thought in sorted(ledger.thoughts()):
            updates = ledger.updates_of(thought)
            lines.append(json.dumps([base64.b64encode(one).decode() for one in updates]))
            ours.append(views[thought])
    done = subprocess.run(
        ["node", str(NODE / "read.mjs")],
        cwd=yjs,
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


def test_yjs_makes_the_same_of_the_ledger(yjs: Path) -> None:
    assert compare(QUICK, yjs) > 15


@pytest.mark.heavy
def test_yjs_makes_the_same_of_many_ledgers(yjs: Path) -> None:
    assert compare(MANY, yjs) > 500
