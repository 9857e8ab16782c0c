"""``trash``, ``restore`` and ``purge``."""

from __future__ import annotations

import pytest

from tests.cli.running import Aimem


def test_what_is_trashed_can_be_restored(aimem: Aimem) -> None:
    aimem("new", "plans/a", "text")
    assert aimem("trash", "plans/a").out == "Put plans/a.md into the trash.\n"
    assert aimem("list").out == ""
    assert aimem("list", "--trash").out == "plans/a.md\n"
    assert aimem("restore", "plans/a").out == "Took plans/a.md out of the trash.\n"
    assert aimem("show", "plans/a").out == "text"


def test_several_go_at_once_or_none(aimem: Aimem) -> None:
    for path in ("a", "b", "c"):
        aimem("new", path)
    assert "no thought called nope" in aimem.fails("trash", "a", "nope", code=3)
    assert aimem("list").out == "a.md\nb.md\nc.md\n"
    trashed = aimem("trash", "a", "b", "--json").json["thoughts"]
    assert [thought["path"] for thought in trashed] == ["a.md", "b.md"]
    assert all(thought["trashed_at"] for thought in trashed)
    restored = aimem("restore", "a", "b", "--json").json["thoughts"]
    assert [thought["trashed_at"] for thought in restored] == [None, None]


def test_a_path_in_the_trash_is_told_from_the_same_path_outside(aimem: Aimem) -> None:
    aimem("new", "a", "old")
    aimem("trash", "a")
    aimem("new", "a", "new")
    aimem("purge", "a", "--yes")
    assert aimem("show", "a").out == "new"
    assert aimem("list", "--trash").out == ""


def test_a_restored_thought_whose_path_is_taken_gets_a_number(aimem: Aimem) -> None:
    aimem("new", "a", "old")
    aimem("trash", "a")
    aimem.clock.now += 1_000
    aimem("new", "a", "new")
    aimem("restore", "a")
    assert aimem("list").out == "a (2).md\na.md\n"
    assert aimem("show", "a.md").out == "old"
    assert aimem("show", "a (2)").out == "new"


def test_two_in_the_trash_with_one_path_must_be_named_by_id(aimem: Aimem) -> None:
    ids = []
    for text in ("first", "second"):
        aimem.clock.now += 1_000
        ids.append(aimem("new", "a", text, "--json").json["thought"]["id"])
        aimem("trash", "a")
    error = aimem.fails("purge", "a", "--yes", code=3)
    assert all(thought in error for thought in ids)
    aimem("purge", ids[0], "--yes")
    aimem("restore", "a")
    assert aimem("show", "a").out == "second"


def test_purge_removes_text_and_history(aimem: Aimem) -> None:
    thought = aimem("new", "a", "secret", "--json").json["thought"]["id"]
    aimem("trash", "a")
    assert aimem("purge", "a", "--yes", "--json").json["thoughts"][0]["path"] == "a.md"
    assert "There is no thought" in aimem.fails("show", thought, code=3)
    assert "There is no thought" in aimem.fails("history", thought, code=3)
    assert aimem("search", "secret").out == ""
    assert "There is no thought" in aimem.fails("restore", "a", code=3)


def test_purge_without_a_terminal_needs_yes(aimem: Aimem) -> None:
    aimem("new", "a")
    aimem("trash", "a")
    error = aimem.fails("purge", "a", code=4, stdin="y\n")
    assert "Nothing was purged." in error
    assert "--yes" in error
    assert aimem("list", "--trash").out == "a.md\n"


@pytest.mark.parametrize("command", [["purge", "--yes"], ["restore"]])
def test_what_is_not_in_the_trash_is_left_alone(aimem: Aimem, command: list[str]) -> None:
    aimem("new", "a", "text")
    error = aimem.fails(*command, "a", code=4)
    assert "a is not in the trash." in error
    assert aimem("show", "a").out == "text"


@pytest.mark.parametrize("command", ["trash", "restore", "purge"])
def test_no_thought_at_all_is_explained(aimem: Aimem, command: str) -> None:
    assert "Missing argument 'THOUGHT...'." in aimem.fails(command, code=2)
    assert "There is no thought called nope." in aimem.fails(command, "nope", code=3)
