"""The file of a project says which workspace is meant in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import BadInput
from aimem_tui.workspace import project
from aimem_tui.workspace.project import FILE_NAME, Project, project_of


def test_a_project_is_found_from_any_of_its_folders(tmp_path: Path) -> None:
    wanted = Project(tmp_path / "shop", "team", "shop/notes")
    deep = wanted.root / "src" / "a"
    deep.mkdir(parents=True)
    project.write(wanted)
    assert project_of(deep) == project_of(wanted.root) == wanted
    assert project_of(tmp_path) is None


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    project.write(Project(tmp_path, "outer"))
    project.write(Project(inner, "", "inner"))
    assert project_of(inner) == Project(inner, "", "inner")


@pytest.mark.parametrize(
    "said",
    ["workspace = 3", "into = ['a']", "into = '../x'", "= 1", "workspace = ", "\0", "x" * 70_000],
)
def test_a_file_that_makes_no_sense_is_told_of(tmp_path: Path, said: str) -> None:
    (tmp_path / FILE_NAME).write_text(said)
    with pytest.raises(BadInput) as told:
        project_of(tmp_path)
    assert str(tmp_path / FILE_NAME) in str(told.value)


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    assert project_of(tmp_path) is None


@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_project_or_told_of(tmp_path_factory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("project")
    (folder / FILE_NAME).write_bytes(data)
    try:
        found = project_of(folder)
    except BadInput:
        return
    assert found is not None and found.root == folder
