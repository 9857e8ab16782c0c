"""In the folder of a project its workspace is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimem_tui.errors import ExitCode
from aimem_tui.workspace import project
from aimem_tui.workspace.project import FILE_NAME, Project
from tests.cli.running import Aimem


def test_in_a_project_its_workspace_is_used(
    aimem: Aimem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aimem("workspace", "create", "team")
    project.write(Project(tmp_path, "team"))
    monkeypatch.chdir(tmp_path)
    aimem("new", "a", "text\n")
    assert aimem("status", "--json").json["workspace"] == "team"
    assert aimem("-w", "default", "list", "--json").json["thoughts"] == []
    said = aimem("workspace", "use", "default")
    assert "In this project's folder it stays team." in said.err
    monkeypatch.setenv("AIMEM_WORKSPACE", "default")
    assert aimem("status", "--json").json["workspace"] == "default"


def test_a_workspace_that_a_project_names_and_is_not_here_is_told_of(
    aimem: Aimem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project.write(Project(tmp_path, "team"))
    monkeypatch.chdir(tmp_path)
    said = aimem.fails("list", code=ExitCode.NOT_FOUND)
    assert f"{tmp_path / FILE_NAME} names it." in said
    assert "aimem workspace create team" in said
