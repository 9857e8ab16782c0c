"""``edit`` and ``new --edit`` with real programs as editors."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import COMMAND, ROOT, Aimem, process

Editor = Callable[[str], str]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Make a shell script with the file as its ``$1`` the editor; returns its path."""

    def install(script: str) -> str:
        file = tmp_path / "my editor"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        monkeypatch.setenv("EDITOR", shlex.quote(str(file)))
        return str(file)

    return install


def drafts(aimem_home: Path) -> list[Path]:
    return [path for path in (aimem_home / "state" / "edit").rglob("*") if path.is_file()]


def test_what_the_editor_leaves_is_merged_in(
    aimem: Aimem, editor: Editor, aimem_home: Path
) -> None:
    aimem("new", "a", "one\r\ntwo\r\n")
    editor('printf "three\\r\\n" >> "$1"')
    assert aimem("edit", "a").out == "Saved a.md.\n"
    assert aimem("show", "a").out == "one\r\ntwo\r\nthree\r\n"
    assert drafts(aimem_home) == []


def test_an_edit_made_meanwhile_by_another_process_survives(
    aimem: Aimem, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    aimem("new", "a", "first\nsecond\nthird\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    other = " ".join(shlex.quote(word) for word in [*COMMAND, "append", "a", "- from elsewhere"])
    editor(f'{other} > /dev/null && sed -i "s/second/SECOND/" "$1"')
    aimem("edit", "a")
    assert aimem("show", "a").out == "first\nSECOND\nthird\n- from elsewhere\n"


def test_the_file_is_private_and_has_the_thoughts_name(
    aimem: Aimem, editor: Editor, tmp_path: Path
) -> None:
    aimem("new", "plans/my auth.md", "text")
    editor(f'stat -c "%a %n" "$1" "$(dirname "$1")" > {shlex.quote(str(tmp_path / "seen"))}')
    aimem("edit", "plans/my auth.md")
    file, folder = (tmp_path / "seen").read_text().splitlines()
    assert file.startswith("600 ")
    assert file.endswith("/my auth.md")
    assert folder.startswith("700 ")


@pytest.mark.parametrize("name", ["x" * 250 + ".md", "-rf.md", "ab:c.md", "🙂" * 60 + ".md"])
def test_any_name_a_thought_can_have_can_be_edited(aimem: Aimem, editor: Editor, name: str) -> None:
    aimem("new", "--", name, "one\n")
    editor('case "$1" in *.md) echo two >> "$1" ;; esac')
    aimem("edit", "--", name)
    assert aimem("show", "--", name).out == "one\ntwo\n"


def test_nothing_changed_is_said(aimem: Aimem, editor: Editor) -> None:
    aimem("new", "a", "text")
    editor("exit 0")
    assert aimem("edit", "a").out == "Nothing changed in a.md.\n"
    assert aimem("edit", "a", "--json").json["changed"] is False


def test_the_setting_wins_over_visual_and_visual_over_editor(
    aimem: Aimem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tee(word: str) -> str:
        return f"sh -c 'echo {word} >> \"$0\"'"

    aimem("new", "a", "")
    monkeypatch.setenv("EDITOR", tee("editor"))
    aimem("edit", "a")
    monkeypatch.setenv("VISUAL", tee("visual"))
    aimem("edit", "a")
    aimem("config", "set", "editor", tee("setting"))
    aimem("edit", "a")
    assert aimem("show", "a").out == "# A\neditor\nvisual\nsetting\n"


def test_no_shell_looks_at_the_editor_or_the_name(
    aimem: Aimem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    aimem("new", "$(touch pwned).md", "text")
    monkeypatch.setenv("EDITOR", "true ; touch pwned")
    aimem("edit", "$(touch pwned).md")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_editor_keeps_what_was_written(
    aimem: Aimem, editor: Editor, aimem_home: Path
) -> None:
    aimem("new", "a", "one\n")
    editor('echo two >> "$1"; exit 3')
    error = aimem.fails("edit", "a", code=7)
    assert "ended with code 3" in error
    (kept,) = drafts(aimem_home)
    assert f"What you wrote is in {kept}." in error
    assert kept.read_text() == "one\ntwo\n"
    assert aimem("show", "a").out == "one\n"


def test_a_failing_editor_that_wrote_nothing_leaves_nothing(
    aimem: Aimem, editor: Editor, aimem_home: Path
) -> None:
    aimem("new", "a", "one\n")
    editor("exit 3")
    assert "What you wrote" not in aimem.fails("edit", "a", code=7)
    assert drafts(aimem_home) == []


def test_a_text_that_cannot_be_merged_is_kept(
    aimem: Aimem, editor: Editor, aimem_home: Path
) -> None:
    aimem("new", "a", "one\n")
    for script, said in (
        ('printf "\\377" >> "$1"', "not UTF-8"),
        ('printf "\\000" >> "$1"', "NUL"),
    ):
        editor(script)
        error = process("edit", "a", "--json").error
        assert said in error["what"]
        kept = drafts(aimem_home).pop()
        assert str(kept) in error["hint"]
        kept.unlink()
    assert aimem("show", "a").out == "one\n"


def test_a_thought_purged_meanwhile_leaves_the_text_behind(
    aimem: Aimem, editor: Editor, aimem_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aimem("new", "a", "one\n")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    run = " ".join(shlex.quote(word) for word in COMMAND)
    editor(f'({run} trash a && {run} purge --yes a) > /dev/null && echo two >> "$1"')
    assert "What you wrote is in" in aimem.fails("edit", "a", code=3)
    assert [kept.read_text() for kept in drafts(aimem_home)] == ["one\ntwo\n"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no-such-editor-here", "no-such-editor-here cannot be started."),
        ("vim 'unbalanced", "cannot be read: vim 'unbalanced."),
        ("sh -c 'rm \"$0\"'", "left no file behind"),
        ("sh -c 'kill -9 $$'", "by signal 9"),
    ],
)
def test_an_editor_that_does_not_work_is_explained(
    aimem: Aimem, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    aimem("new", "a", "one")
    monkeypatch.setenv("EDITOR", value)
    assert said in aimem.fails("edit", "a", code=7)


def test_without_any_editor_it_says_how_to_name_one(
    aimem: Aimem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aimem("new", "a", "one")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "aimem config set editor" in aimem.fails("edit", "a", code=7)


def test_ctrl_c_belongs_to_the_editor(aimem: Aimem, editor: Editor) -> None:
    aimem("new", "a", "one\n")
    editor('trap "echo interrupted >> \\"$1\\"" INT; kill -INT $PPID; kill -INT $$')
    assert process("edit", "a").code == 0
    assert aimem("show", "a").out == "one\ninterrupted\n"


def test_a_new_thought_can_be_opened_at_once(aimem: Aimem, editor: Editor) -> None:
    editor('echo more >> "$1"')
    assert aimem("new", "plans/a", "--edit").out == "Made plans/a.md.\n"
    assert aimem("show", "plans/a").out == "# A\nmore\n"
    assert aimem("new", "b", "--edit", "--json").json["thought"]["size"] == len("# B\nmore\n")


def test_a_thought_that_is_not_there_or_in_the_trash_is_not_edited(aimem: Aimem) -> None:
    assert "no thought called a" in aimem.fails("edit", "a", code=3)
    aimem("new", "a", "one")
    aimem("trash", "a")
    error = aimem.fails("edit", "a", code=3)
    assert "a is in the trash." in error
    assert "aimem restore a" in error


def test_an_editor_without_a_place_to_write_is_explained(
    aimem: Aimem, editor: Editor, aimem_home: Path
) -> None:
    aimem("new", "a", "one")
    editor("exit 0")
    (aimem_home / "state").mkdir(exist_ok=True)
    (aimem_home / "state" / "edit").write_text("in the way")
    assert "no place for the editor's file" in aimem.fails("edit", "a", code=6)


def test_the_draft_of_a_killed_process_is_still_there(
    aimem: Aimem, editor: Editor, aimem_home: Path
) -> None:
    aimem("new", "a", "one\n")
    editor('echo two >> "$1"; kill -9 $PPID')
    assert process("edit", "a").code == -9
    (kept,) = drafts(aimem_home)
    assert kept.read_text() == "one\ntwo\n"
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
