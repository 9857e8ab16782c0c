"""A store to test: the file of a workspace, open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.store.connection import Database
from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        yield opened


@pytest.fixture
def database(workspace: Workspace) -> Database:
    return workspace.database
