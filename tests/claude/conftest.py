"""A project with a repository, and the workspace its thoughts are taken into."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui import paths
from aimem_tui.workspace import registry
from aimem_tui.workspace.workspace import Workspace
from tests.claude.sessions import ClaudeCode


@pytest.fixture
def project(home: Path) -> Path:
    folder = home / "code" / "web-app"
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    return folder


@pytest.fixture
def claude(project: Path) -> ClaudeCode:
    return ClaudeCode(project)


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    """The workspace that hooks use when none is named, open in this process all the while."""
    file = registry.file_of(paths.home(), "default")
    with Workspace(file, name="default", author="Ben") as opened:
        yield opened
