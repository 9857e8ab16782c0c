"""The app in a real terminal: started as a person starts it, and killed as life does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.workspace.workspace import Workspace
from bench.terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home for one installation, with a thought in it."""
    with Workspace(_file(tmp_path), name="default", author="Ada") as workspace:
        workspace.create("plans/auth-flow.md", "# Auth flow\n")
    return tmp_path


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    """The app, running in a terminal of 120 columns and 36 lines."""
    environment = {"AIMEM_HOME": str(home), "AIMEM_AUTHOR": "Ada"}
    with Terminal(
        [sys.executable, "-m", "aimem_tui"], columns=120, rows=36, env=environment
    ) as running:
        yield running


def _file(home: Path) -> Path:
    return home / "workspaces" / "default" / "workspace.db"


def test_a_killed_app_has_lost_nothing_that_it_said_was_saved(
    home: Path, terminal: Terminal
) -> None:
    terminal.wait_for(rb"plans")
    terminal.press(b"\x0b")
    terminal.wait_for(rb"edited last")
    terminal.wait_for(rb"auth-flow")
    terminal.press(b"\r")
    terminal.wait_for(rb"2 words")
    terminal.press(b"kept ")
    terminal.wait_for(rb"3 words")
    os.kill(terminal.pid, signal.SIGKILL)
    with Workspace(_file(home), name="default", author="Ada") as again:
        again.catch_up()
        assert again.text(again.get("plans/auth-flow").id) == "kept # Auth flow\n"
