"""What every test stands on: a home of its own, how hard properties are tried, and honest skips.

``AIMEM_HYPOTHESIS`` names how hard: ``quick`` (the default) or ``heavy``.

``AIMEM_NO_SKIPS=1`` is for machines that have all that the tests can need, continuous integration
above all: there a skipped test counts as failed, so that a suite cannot fall silent because a
program is missing. A test may skip for a reason in ``EXCUSES`` while that reason is true.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_NO_SKIPS = os.environ.get("AIMEM_NO_SKIPS") == "1"
_BESIDE = Path(__file__).resolve().parents[1].parent / "shared" / "data"
_SHARED = Path(os.environ.get("AIMEM_SHARED", _BESIDE))


def _no_multicast() -> bool:
    from tests.peer.multicast import multicast_works

    return not multicast_works()


def _no_namespaces() -> bool:
    from tests.namespaces import can_be_cut_off

    return not can_be_cut_off()


EXCUSES: dict[str, Callable[[], bool]] = {
    "no shared data": lambda: not _SHARED.exists(),
    "Windows only": lambda: sys.platform != "win32",
    "macOS only": lambda: sys.platform != "darwin",
    "not on Windows": lambda: sys.platform == "win32",
    "no multicast on loopback": _no_multicast,
    "no network namespaces": _no_namespaces,
    "root may read and write everything": lambda: hasattr(os, "geteuid") and os.geteuid() == 0,
}

# Time on a shared machine says nothing about a property, and a run that others repeat must repeat.
for _name, _examples in (("quick", 50), ("heavy", 1000)):
    settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        derandomize="CI" in os.environ,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile(os.environ.get("AIMEM_HYPOTHESIS", "quick"))


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder: no test sees or touches the thoughts and settings of who runs it."""
    folder = tmp_path_factory.mktemp("home")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(folder))
    for variable in list(os.environ):
        if variable.startswith(("AIMEM_", "XDG_")) and variable != "AIMEM_SHARED":
            monkeypatch.delenv(variable)
    for variable in ("EDITOR", "VISUAL", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AIMEM_HOME", str(folder / "aimem"))
    return folder


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or not _NO_SKIPS:
        return
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = told.removeprefix("Skipped: ")
    if reason in EXCUSES and EXCUSES[reason]():
        return
    report.outcome = "failed"
    report.longrepr = f"Skipped where nothing may be skipped (AIMEM_NO_SKIPS): {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report
