"""Each program runs from its beginning to its end and prints what the documentation says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import PROGRAMS

ROOT = Path(__file__).resolve().parents[2]
NEEDS_TERMINAL = {"startup", "keystroke", "search"}
UNITS = {
    "ms",
    "s",
    "bytes",
    "KiB",
    "MB",
    "files/s",
    "passages/s",
    "deliveries/s",
    "µs a delivery",
    "points",
    "share",
    "of 1,000",
    "nDCG@10, %",
    "recall@100, %",
    "tokens",
}


def run(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | {"AIMEM_BENCH_CACHE": str(cache), "AIMEM_BENCH_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.heavy
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_measures_and_prints_json(name: str, tmp_path: Path) -> None:
    if name in NEEDS_TERMINAL and sys.platform == "win32":
        pytest.skip("not on Windows")
    ran = run(name, "--quick", "--json", cache=tmp_path)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert set(found) == {"machine", "load", "reports"}
    assert set(found["load"]) == {"before", "after"}
    assert {"system", "processor", "cores", "python", "versions"} <= set(found["machine"])
    (report,) = found["reports"]
    assert report["program"] == name
    assert report["notes"][-1] == "Quick: the figures mean nothing."
    assert report["contests"] or "not measured" in report["notes"][0]
    for contest in report["contests"]:
        assert contest["unit"] in UNITS
        assert contest["goals"] == []
        for series in contest["series"]:
            assert series["samples"] >= 1
            assert series["best"] <= series["p50"] <= series["p95"]
    if name in ("startup", "importing", "search"):
        assert "not installed here" in " ".join(report["notes"]), "nothing is fetched in a test"


def test_a_name_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    ran = run("nothing", cache=tmp_path)
    assert ran.returncode == 2
    assert all(name in ran.stderr for name in PROGRAMS)
    assert "Traceback" not in ran.stderr


def test_help_tells_what_each_program_measures(tmp_path: Path) -> None:
    ran = run("--help", cache=tmp_path)
    assert ran.returncode == 0
    assert all(what in ran.stdout for what in PROGRAMS.values())
