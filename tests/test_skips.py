"""Where nothing may be skipped, a test that skips without a true excuse fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import sys
import pytest

def test_needs_a_program():
    pytest.skip("no frobnicator")

@pytest.mark.skipif(True, reason="no shared data")
def test_needs_data():
    pass

@pytest.mark.skipif(sys.platform != "win32", reason="Windows only")
def test_of_windows():
    pass

@pytest.mark.xfail(reason="known")
def test_known_to_fail():
    assert False

def test_passes():
    pass
"""


def outcomes(folder: Path, suite: str, **variables: str) -> dict[str, int]:
    """How many tests ended how, as pytest's own closing line counts them."""
    (folder / "conftest.py").write_bytes((Path(__file__).parent / "conftest.py").read_bytes())
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "test_suite.py").write_text(suite, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    closing = run.stdout.strip().splitlines()[-1]
    return {word.rstrip("s"): int(count) for count, word in re.findall(r"(\d+) ([a-z]+)", closing)}


def test_a_skip_is_a_skip_on_an_ordinary_machine(tmp_path: Path) -> None:
    assert outcomes(tmp_path, SUITE) == {"skipped": 3, "xfailed": 1, "passed": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
def test_without_skips_only_a_true_excuse_counts(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    there = {"AIMEM_NO_SKIPS": "1", "AIMEM_SHARED": str(shared)}
    assert outcomes(tmp_path, SUITE, **there) == {
        "failed": 1,
        "skipped": 2,
        "xfailed": 1,
        "passed": 1,
    }
    shared.mkdir()
    assert outcomes(tmp_path, SUITE, **there) == {
        "failed": 1,
        "error": 1,
        "skipped": 1,
        "xfailed": 1,
        "passed": 1,
    }


def test_without_skips_a_whole_file_cannot_fall_silent(tmp_path: Path) -> None:
    suite = "import pytest\npytest.importorskip('no_such_module')\n"
    assert outcomes(tmp_path, suite, AIMEM_NO_SKIPS="1") == {"error": 1}
