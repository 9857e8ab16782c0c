"""``history``, ``history show`` and ``history restore``."""

from __future__ import annotations

import pytest

from tests.cli.running import Aimem

HOUR = 3_600_000


@pytest.fixture
def written(aimem: Aimem, monkeypatch: pytest.MonkeyPatch) -> Aimem:
    aimem("new", "plans/a", "one\ntwo\n")
    aimem.clock.now += HOUR
    monkeypatch.setenv("AIMEM_AUTHOR", "Ben")
    aimem("append", "a", "three")
    aimem.clock.now += HOUR
    aimem("edit", "a", "--text", "-", stdin="one\n2\nthree\n")
    return aimem


def test_history_lists_revisions_newest_first(written: Aimem) -> None:
    title, *rows = written("history", "plans/a").out.splitlines()
    assert title.split() == ["NO", "WHEN", "BY", "ADDED", "REMOVED", "NOTE"]
    assert [row.split() for row in rows] == [
        ["3", "just", "now", "Ben", "+1", "-3"],
        ["2", "1", "h", "ago", "Ben", "+6", "-0"],
        ["1", "2", "h", "ago", "Ada", "+8", "-0"],
    ]
    assert written("history", "list", "plans/a").out == written("history", "plans/a").out


def test_a_limit_keeps_the_newest(written: Aimem) -> None:
    revisions = written("history", "--limit", "1", "a", "--json").json["revisions"]
    assert [revision["number"] for revision in revisions] == [3]


def test_json_of_history_holds_every_field(written: Aimem) -> None:
    found = written("history", "a", "--json").json
    assert found["thought"]["path"] == "plans/a.md"
    assert found["revisions"][-1] == {
        "number": 1,
        "author": "Ada",
        "started_at": "2025-10-20T22:40:00.000Z",
        "ended_at": "2025-10-20T22:40:00.000Z",
        "note": "",
        "added": 8,
        "removed": 0,
    }


def test_history_show_prints_a_thought_as_it_was(written: Aimem) -> None:
    assert written("history", "show", "a", "1").out == "one\ntwo\n"
    assert written("history", "show", "a", "2").out == "one\ntwo\nthree\n"


def test_history_show_prints_what_a_revision_changed(written: Aimem) -> None:
    assert written("history", "show", "a", "3", "--diff").out == (
        "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
    )
    shown = written("history", "show", "a", "3", "--json").json
    assert shown["text"] == "one\n2\nthree\n"
    assert "-two\n+2\n" in shown["diff"]
    assert shown["revision"]["author"] == "Ben"


def test_history_restore_is_one_more_edit(written: Aimem) -> None:
    written.clock.now += HOUR
    assert (
        written("history", "restore", "a", "1").out == "plans/a.md is what it was in revision 1.\n"
    )
    assert written("show", "a").out == "one\ntwo\n"
    revisions = written("history", "a", "--json").json["revisions"]
    assert [revision["note"] for revision in revisions] == ["restored revision 1", "", "", ""]
    assert written("history", "restore", "a", "1").out == "Nothing changed in plans/a.md.\n"
    assert written("history", "restore", "a", "3", "--json").json["changed"] is True


def test_a_thought_called_like_a_command_is_reached(aimem: Aimem) -> None:
    aimem("new", "show.md", "text")
    aimem("new", "restore.md", "text")
    for name in ("show", "restore"):
        by_list = aimem("history", "list", name, "--json").json
        by_path = aimem("history", f"{name}.md", "--json").json
        assert by_list == by_path
        assert by_list["thought"]["path"] == f"{name}.md"
    assert aimem("history", "show", "show", "1").out == "text"


def test_the_history_of_what_is_in_the_trash_can_be_seen(written: Aimem) -> None:
    written("trash", "a")
    assert written("history", "a", "--json").json["thought"]["trashed_at"]
    assert "is in the trash" in written.fails("history", "restore", "a", "1", code=3)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument 'THOUGHT'."),
        (["nope"], 3, "There is no thought called nope."),
        (["show", "a"], 2, "Missing argument 'NUMBER'."),
        (["show", "a", "9"], 3, "There is no revision 9."),
        (["show", "a", "0"], 2, "0"),
        (["show", "a", "last"], 2, "last"),
        (["restore", "a", "9"], 3, "There are revisions 1 to 3."),
        (["a", "b"], 2, "unexpected extra argument"),
        (["a", "--limit", "x"], 2, "--limit"),
    ],
)
def test_a_wrong_history_is_explained(
    written: Aimem, arguments: list[str], code: int, said: str
) -> None:
    assert said in written.fails("history", *arguments, code=code)
