"""Workspaces of a machine: listed, found by name, made under names that every system allows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import BadInput, NotFound, Refused
from aimem_tui.paths import Home
from aimem_tui.workspace import registry
from tests.workspaces import open_workspace


@pytest.fixture
def machine(tmp_path: Path) -> Home:
    return Home(config=tmp_path, data=tmp_path / "data", state=tmp_path / "state")


def make(machine: Home, name: str) -> Path:
    file = registry.refuse_existing(machine, name)
    open_workspace(file.parent).close()
    return file


def test_a_new_machine_has_none(machine: Home) -> None:
    assert registry.entries(machine) == []
    with pytest.raises(NotFound, match="aimem workspace create team"):
        registry.require(machine, "team")
    assert not machine.data.exists(), "asking makes no folder"


def test_workspaces_are_listed_by_name_with_their_size(machine: Home) -> None:
    files = [make(machine, name) for name in ("team", "Alone", "a.b-c_1")]
    found = registry.entries(machine)
    assert [entry.name for entry in found] == ["Alone", "a.b-c_1", "team"]
    assert {entry.file for entry in found} == {*files}
    assert all(entry.size == entry.file.stat().st_size > 0 for entry in found)
    for entry in found:
        assert registry.require(machine, entry.name) == entry.file


def test_other_files_and_folders_are_no_workspaces(machine: Home) -> None:
    make(machine, "team")
    (machine.workspaces / "empty").mkdir()
    (machine.workspaces / "file").write_text("x")
    (machine.workspaces / "odd" / registry.FILE_NAME).mkdir(parents=True)
    assert [entry.name for entry in registry.entries(machine)] == ["team"]
    with pytest.raises(NotFound, match="There are: team"):
        registry.require(machine, "empty")


def test_a_workspace_is_not_made_twice(machine: Home) -> None:
    make(machine, "team")
    with pytest.raises(Refused, match="aimem workspace use team"):
        registry.refuse_existing(machine, "team")


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../up", "a/b", "a\\b", ".hidden", "-dash", "a b", "a\n", "ü", "a."),
        *("x" * 65, "C:", "nul", "CON", "com1.x", "lpt9"),
    ],
)
def test_a_name_that_is_unsafe_somewhere_is_refused(machine: Home, name: str) -> None:
    with pytest.raises(BadInput) as refusal:
        registry.file_of(machine, name)
    assert refusal.value.why == registry.name_problem(name) != ""


@given(st.text(max_size=8) | st.text("ab./\\-_~ :", max_size=8))
def test_whatever_the_name_the_file_lies_in_a_folder_of_its_own(name: str) -> None:
    machine = Home(config=Path("/c"), data=Path("/data"), state=Path("/s"))
    try:
        file = registry.file_of(machine, name)
    except BadInput:
        return
    assert file == machine.workspaces / name / registry.FILE_NAME
    assert file.resolve().parent.parent == machine.workspaces.resolve()
