"""A workspace that comes from elsewhere finds its place, once."""

from __future__ import annotations

import pytest

from aimem_tui import paths
from aimem_tui.errors import BadInput, Refused
from aimem_tui.workspace import arrival, registry
from tests.cli.running import Aimem

ID = "ab" * 16


def test_a_workspace_is_found_by_its_id_whatever_it_is_called(aimem: Aimem) -> None:
    home = paths.home()
    assert arrival.find(home, ID) is None
    made = arrival.make(home, "team", ID)
    aimem("workspace", "create", "other")
    assert arrival.find(home, ID) == registry.WorkspaceEntry("team", made.file, made.size)
    assert arrival.find(home, "cd" * 16) is None


def test_a_file_that_is_no_workspace_is_passed_over(aimem: Aimem) -> None:
    home = paths.home()
    for name, content in (("aaa", b"junk" * 1_000), ("bbb", b"")):
        file = registry.file_of(home, name)
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    arrival.make(home, "team", ID)
    found = arrival.find(home, ID)
    assert found is not None
    assert found.name == "team"


def test_what_is_there_is_not_replaced(aimem: Aimem) -> None:
    home = paths.home()
    arrival.make(home, "team", ID)
    with pytest.raises(Refused):
        arrival.make(home, "team", "cd" * 16)
    with pytest.raises(BadInput):
        arrival.make(home, "a/b", "cd" * 16)


def test_any_name_from_elsewhere_becomes_one_that_is_free(aimem: Aimem) -> None:
    home = paths.home()
    arrival.make(home, "team", ID)
    assert arrival.free_name(home, "team") == "team-2"
    for wanted in ("", "..", "über alles/../x", "CON", "x" * 300, "\x1b[2J"):
        name = arrival.free_name(home, wanted)
        assert registry.name_problem(name) == ""
        assert not registry.file_of(home, name).exists()
