"""Finding and keeping order need no network: their tests pass where there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.namespaces import CUT_OFF, can_be_cut_off
from tests.own_files import ROOT

SUITES = (
    "tests/app/test_find.py",
    "tests/app/test_organize.py",
    "tests/cli/test_reading.py",
    "tests/embedding",
    "tests/index",
    "tests/organize",
    "tests/search",
)

needs_namespaces = pytest.mark.skipif(not can_be_cut_off(), reason="no network namespaces")


@needs_namespaces
def test_a_namespace_without_interfaces_reaches_nothing() -> None:
    lookup = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
    run = subprocess.run(
        [*CUT_OFF, sys.executable, "-c", lookup], capture_output=True, text=True, check=False
    )
    assert "Network is unreachable" in run.stderr


@pytest.mark.heavy
@needs_namespaces
def test_finding_and_keeping_order_pass_without_a_network() -> None:
    run = subprocess.run(
        [*CUT_OFF, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8_000:]
