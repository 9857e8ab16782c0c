"""A workspace for each test of import and export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace."""
    with open_workspace(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An empty folder to import from."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder
