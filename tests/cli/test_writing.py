"""``new``, ``append``, ``edit --text``, ``move``, ``tag`` and ``set``."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.workspace import naming
from tests.cli.running import Aimem


@pytest.mark.parametrize(
    ("path", "made", "text"),
    [
        ("plans/auth-flow", "plans/auth-flow.md", "# Auth flow\n"),
        ("auth_flow.md", "auth_flow.md", "# Auth flow\n"),
        ("research/2025-09-01_oidc", "research/2025-09-01_oidc.md", "# Oidc\n"),
        ("notes/v1.2", "notes/v1.2.md", "# V1.2\n"),
        ("notes/2025-09-01", "notes/2025-09-01.md", "# 2025 09 01\n"),
        ("tools/run.sh", "tools/run.sh", ""),
        ("plans/.gitkeep", "plans/.gitkeep", ""),
        ("./été", "été.md", "# Été\n"),
    ],
)
def test_a_new_thought_begins_with_its_name(aimem: Aimem, path: str, made: str, text: str) -> None:
    assert aimem("new", path).out == f"Made {made}.\n"
    assert aimem("show", made).out == text


def test_a_new_thought_takes_its_text_from_an_argument_or_standard_input(aimem: Aimem) -> None:
    aimem("new", "a", "said here")
    aimem("new", "b", "-", stdin="piped in\r\n")
    aimem("new", "c", "- a list\n- of two")
    aimem("new", "d", "---\nstatus: draft\n---\n")
    texts = [aimem("show", name).out for name in "abcd"]
    assert texts == [
        "said here",
        "piped in\r\n",
        "- a list\n- of two",
        "---\nstatus: draft\n---\n",
    ]


def test_json_of_a_change_holds_the_changed_thought(aimem: Aimem) -> None:
    made = aimem("new", "plans/a", "# A", "--json").json
    assert made["changed"] is True
    assert made["thought"]["path"] == "plans/a.md"
    changed = aimem("append", "a", "more", "--json").json
    assert changed["thought"]["size"] == len("# A\nmore\n")
    assert changed["thought"]["id"] == made["thought"]["id"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["plans/"], 2, "plans/ is a folder."),
        (["../out"], 5, "cannot be the path of a thought"),
        (["/etc/passwd"], 5, "It is not relative."),
        (["a\nb"], 5, "cannot be printed"),
        ([""], 5, "It is empty."),
        (["a\udcff"], 2, "It is not valid UTF-8."),
        (["ok", "text \udcff"], 2, "It is not valid UTF-8."),
        ([], 2, "Missing argument 'PATH'."),
    ],
)
def test_a_path_that_cannot_be_is_explained(
    aimem: Aimem, arguments: list[str], code: int, said: str
) -> None:
    assert said in aimem.fails("new", *arguments, code=code)


def test_a_path_that_is_taken_is_refused(aimem: Aimem) -> None:
    aimem("new", "plans/a")
    error = aimem.fails("new", "plans/a", "other", code=4)
    assert "There is a thought at plans/a.md already." in error
    assert "aimem edit plans/a.md" in error


@pytest.mark.parametrize(
    ("data", "said"), [(b"\xff\xfe", "not UTF-8"), (b"a\0b", "NUL")], ids=["bytes", "nul"]
)
def test_what_is_not_text_is_not_taken_in(aimem: Aimem, data: bytes, said: str) -> None:
    aimem("new", "b", "kept")
    assert said in aimem.fails("new", "a", "-", stdin=data, code=5)
    assert said in aimem.fails("append", "b", "-", stdin=data, code=5)
    assert said in aimem.fails("edit", "b", "--text", "-", stdin=data, code=5)
    assert aimem("list").out == "b.md\n"
    assert aimem("show", "b").out == "kept"


def test_append_puts_text_on_a_line_of_its_own(aimem: Aimem) -> None:
    aimem("new", "a", "one")
    assert aimem("append", "a", "- two").out == "Saved a.md.\n"
    aimem("append", "a", "-", stdin="three\nfour\n")
    assert aimem("show", "a").out == "one\n- two\nthree\nfour\n"


def test_append_of_nothing_changes_nothing(aimem: Aimem) -> None:
    aimem("new", "a", "one")
    assert aimem("append", "a", "").out == "Nothing changed in a.md.\n"
    assert aimem("append", "a", "", "--json").json["changed"] is False
    assert "There is nothing to add." in aimem.fails("append", "a", code=2)
    assert aimem("show", "a").out == "one"


def test_append_to_what_is_not_there_is_explained(aimem: Aimem) -> None:
    assert "no thought called nope" in aimem.fails("append", "nope", "x", code=3)


def test_a_text_from_a_file_becomes_the_smallest_change(aimem: Aimem, tmp_path: Path) -> None:
    aimem("new", "a", "one\ntwo\nthree\n")
    aimem.clock.now += 3_600_000
    file = tmp_path / "new.md"
    file.write_bytes(b"one\n2\nthree\n")
    assert aimem("edit", "a", "--text", str(file)).out == "Saved a.md.\n"
    assert aimem("show", "a").out == "one\n2\nthree\n"
    last = aimem("history", "a", "--json").json["revisions"][0]
    assert (last["added"], last["removed"]) == (1, 3)
    assert aimem("edit", "a", "--text", "-", stdin="one\n2\nthree\n").out.startswith("Nothing")


def test_a_file_that_cannot_be_read_is_explained(aimem: Aimem, tmp_path: Path) -> None:
    aimem("new", "a")
    assert "There is no file" in aimem.fails("edit", "a", "--text", str(tmp_path / "no"), code=3)
    assert "cannot be read" in aimem.fails("edit", "a", "--text", str(tmp_path), code=5)


@pytest.mark.parametrize(
    ("arguments", "now_at"),
    [
        (["plans/auth", "plans/login"], ["plans/login.md", "tools/run.sh"]),
        (["plans/auth", "archive/"], ["archive/auth.md", "tools/run.sh"]),
        (["plans/auth", "tools"], ["tools/auth.md", "tools/run.sh"]),
        (["plans/auth", "/"], ["auth.md", "tools/run.sh"]),
        (["run.sh", "bin/start"], ["bin/start.sh", "plans/auth.md"]),
        (["run.sh", "plans/auth", "old"], ["old/auth.md", "old/run.sh"]),
    ],
)
def test_move_gives_another_path_or_goes_into_a_folder(
    aimem: Aimem, arguments: list[str], now_at: list[str]
) -> None:
    aimem("new", "plans/auth", "# Auth")
    aimem("new", "tools/run.sh", "ls")
    said = aimem("move", *arguments).out
    assert said.startswith("Moved ")
    assert aimem("list").out.splitlines() == now_at


def test_json_of_move_holds_the_moved_thoughts(aimem: Aimem) -> None:
    aimem("new", "a/x")
    aimem("new", "a/y")
    moved = aimem("move", "a/x", "a/y", "b/", "--json").json["thoughts"]
    assert [thought["path"] for thought in moved] == ["b/x.md", "b/y.md"]


def test_a_move_that_cannot_be_moves_nothing(aimem: Aimem) -> None:
    for path in ("a/x", "b/x", "c"):
        aimem("new", path)
    assert "Two thoughts would be at d/x.md." in aimem.fails("move", "a/x", "b/x", "d/", code=4)
    assert "There is a thought at c.md already." in aimem.fails("move", "a/x", "c", code=4)
    assert "no thought called nope" in aimem.fails("move", "a/x", "nope", "d/", code=3)
    assert "cannot be the path" in aimem.fails("move", "a/x", "../x", code=5)
    assert "Missing argument" in aimem.fails("move", code=2)
    assert aimem("list").out.splitlines() == ["a/x.md", "b/x.md", "c.md"]


def test_tags_are_added_removed_and_listed(aimem: Aimem) -> None:
    aimem("new", "a", "# A\n")
    assert aimem("tag", "a", "auth", "#api").out == "a.md: auth, api.\n"
    assert aimem("tag", "a").out == "auth\napi\n"
    assert aimem("tag", "a", "new", "--remove", "auth", "-r", "api").out == "a.md: new.\n"
    assert aimem("tag", "a", "--remove", "new").out == "a.md: no tags.\n"
    assert aimem("tag", "a").out == ""


def test_json_of_tag_says_whether_anything_changed(aimem: Aimem) -> None:
    aimem("new", "a", "# A\n")
    assert aimem("tag", "a", "x", "--json").json["changed"] is True
    again = aimem("tag", "a", "x", "--json").json
    assert (again["changed"], again["thought"]["tags"]) == (False, ["x"])


def test_what_is_no_tag_is_explained(aimem: Aimem) -> None:
    aimem("new", "a", "# A\n")
    assert "A tag cannot be empty." in aimem.fails("tag", "a", "#", code=5)
    assert "no thought called b" in aimem.fails("tag", "b", "x", code=3)
    assert aimem("show", "a").out == "# A\n"


def test_set_changes_one_line_of_the_properties(aimem: Aimem) -> None:
    aimem("new", "a", "---\n# kept\nstatus: draft  # why\nowner: Ada\n---\ntext\n")
    assert aimem("set", "a", "status", "in review").out == "a.md: status is in review.\n"
    aimem("set", "a", "reviewers", "Ben", "Cy")
    aimem("set", "a", "topics", "--list", "one")
    assert aimem("set", "a", "owner", "--unset").out == "a.md: owner removed.\n"
    assert aimem("show", "a").out == (
        "---\n# kept\nstatus: in review  # why\nreviewers: [Ben, Cy]\ntopics: [one]\n---\ntext\n"
    )


def test_set_to_what_it_is_changes_nothing(aimem: Aimem) -> None:
    aimem("new", "a", "---\nstatus: draft\n---\n")
    assert aimem("set", "a", "status", "draft").out == "Nothing changed in a.md.\n"
    assert aimem("set", "a", "owner", "--unset", "--json").json["changed"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a", "status"], 2, "The value of status is missing."),
        (["a", "status", "x", "--unset"], 2, "--unset takes no value."),
        (["a"], 2, "Missing argument 'KEY'."),
        (["nope", "status", "x"], 3, "no thought called nope"),
        (["a", "bad\nkey", "x"], 5, "cannot be written"),
        (["a", "offset", "-5"], 2, "put -- before it"),
    ],
)
def test_a_wrong_set_is_explained(aimem: Aimem, arguments: list[str], code: int, said: str) -> None:
    aimem("new", "a", "# A\n")
    assert said in aimem.fails("set", *arguments, code=code)
    assert aimem("show", "a").out == "# A\n"


def test_a_value_may_begin_with_a_dash_behind_two_dashes(aimem: Aimem) -> None:
    aimem("new", "a", "# A\n")
    aimem("set", "a", "offset", "--", "-5")
    assert "offset: " in aimem("show", "a").out


@given(st.text(alphabet="abcé-_. 0129", min_size=1, max_size=20))
def test_a_path_gets_a_suffix_once(name: str) -> None:
    path = naming.with_suffix(f"notes/{name}")
    assert naming.with_suffix(path) == path
    assert path.startswith(f"notes/{name}")
