from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import Clock, open_workspace


@pytest.fixture
def clock() -> Clock:
    """A clock that is moved by hand."""
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Iterator[Workspace]:
    """An empty workspace of ann's."""
    with open_workspace(tmp_path, clock=clock) as opened:
        yield opened
