from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Aimem


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    folder = tmp_path / "acme"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def aimem(monkeypatch: pytest.MonkeyPatch) -> Aimem:
    """The command line over an empty home, as Ada, with nobody there to answer."""
    monkeypatch.setenv("AIMEM_AUTHOR", "Ada Lovelace")
    return Aimem()


@pytest.fixture
def aimem_home(home: Path) -> Path:
    """Where aimem keeps everything."""
    return home / "aimem"
