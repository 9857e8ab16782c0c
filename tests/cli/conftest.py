from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Aimem


@pytest.fixture
def aimem(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aimem]:
    """The command line over an empty home, as Ada, in UTC, with a clock that stands still."""
    monkeypatch.setenv("AIMEM_AUTHOR", "Ada")
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield Aimem()
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def aimem_home(home: Path) -> Path:
    """Where aimem keeps everything."""
    return home / "aimem"
