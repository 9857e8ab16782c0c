"""``status``, ``doctor``, ``config`` and ``workspace``, and how the workspace is chosen."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pytest

from aimem_tui import __version__
from aimem_tui.settings import SETTINGS
from tests.cli.running import Aimem


def test_status_gives_the_workspace_in_figures(aimem: Aimem, aimem_home: Path) -> None:
    aimem("new", "plans/a", "# A plan\n")
    aimem("new", "b")
    aimem("trash", "b")
    aimem.clock.now += 120_000
    said = aimem("status").out
    for part in ("default", "1 thought in 1 folder, 2 words", "1 thought\n", "2 min ago by Ada"):
        assert part in said
    status = aimem("status", "--json").json
    assert status.pop("file_bytes") > 0
    assert re.fullmatch("[0-9a-f]{32}", status.pop("id"))
    assert status.pop("edits") > 0
    assert status == {
        "workspace": "default",
        "file": str(aimem_home / "workspaces" / "default" / "workspace.db"),
        "thoughts": 1,
        "folders": 1,
        "words": 2,
        "trashed": 1,
        "waiting": 0,
        "last_edit_at": "2025-10-20T22:40:00.000Z",
        "last_edit_by": "Ada",
        "edits_elsewhere": 0,
    }
    assert "nothing yet; to sync: aimem connect URL, or aimem peer" in said


def test_status_of_an_empty_workspace(aimem: Aimem) -> None:
    assert "none yet" in aimem("status").out
    assert aimem("status", "--json").json["last_edit_at"] is None


def test_without_a_terminal_aimem_prints_the_status_and_how_to_go_on(aimem: Aimem) -> None:
    said = aimem().out
    assert said.startswith("Workspace default\n")
    assert "run aimem in a terminal" in said
    assert aimem("--json").json == aimem("status", "--json").json


def test_doctor_finds_a_sound_workspace_sound(aimem: Aimem) -> None:
    aimem("new", "a")
    assert "wrong" not in aimem("doctor").out
    found = aimem("doctor", "--json").json
    assert (found["ok"], found["rebuilt"]) == (True, None)
    assert all(set(finding) == {"check", "ok", "detail", "hint"} for finding in found["findings"])


def test_doctor_rebuilds_what_was_damaged(aimem: Aimem, aimem_home: Path) -> None:
    aimem("new", "plans/a", "# A\n")
    connection = apsw.Connection(str(aimem_home / "workspaces" / "default" / "workspace.db"))
    connection.execute("UPDATE folders SET thoughts = 7")
    connection.close()
    ran = aimem("doctor", code=6)
    assert "wrong" in ran.out
    assert "aimem doctor --rebuild" in ran.out
    assert aimem("doctor", "--json", code=6).json["ok"] is False
    assert aimem("doctor", "--rebuild").out.startswith("Rebuilt 1 thought.")
    assert aimem("doctor", "--rebuild", "--json").json["rebuilt"] == 1
    assert aimem("list").out == "plans/a.md\n"


def test_a_file_that_is_no_workspace_is_explained(aimem: Aimem, aimem_home: Path) -> None:
    file = aimem_home / "workspaces" / "default" / "workspace.db"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"this is not a database" * 1_000)
    for command in (["list"], ["doctor"], ["status"], ["new", "a"]):
        assert "is not a workspace." in aimem.fails(*command, code=6)
    assert aimem("list", "--json", code=6).error["code"] == 6


def test_a_workspace_damaged_inside_is_explained(aimem: Aimem, aimem_home: Path) -> None:
    aimem("new", "a", "text\n" * 5_000)
    file = aimem_home / "workspaces" / "default" / "workspace.db"
    data = bytearray(file.read_bytes())
    data[4_096 * 2 :] = b"\xff" * (len(data) - 4_096 * 2)
    file.write_bytes(data)
    error = aimem.fails("show", "a", code=6)
    assert f"{file} is damaged." in error
    assert "aimem doctor" in error


def test_config_lists_every_setting_and_where_it_comes_from(aimem: Aimem) -> None:
    settings = {each["key"]: each for each in aimem("config", "--json").json["settings"]}
    assert list(settings) == [setting.key for setting in SETTINGS]
    assert settings["user.name"]["source"] == "environment"
    assert settings["theme"] == {
        "key": "theme",
        "value": "aimem-dark",
        "source": "default",
        "default": "aimem-dark",
        "choices": ["aimem-dark", "aimem-light", "high-contrast"],
        "description": "Colours of the app.",
    }
    assert "aimem-dark" in aimem("config").out
    assert aimem("config", "list").out == aimem("config").out


def test_a_setting_is_changed_and_taken_back(aimem: Aimem, aimem_home: Path) -> None:
    assert aimem("config", "set", "theme", "aimem-light").out == "theme is aimem-light.\n"
    assert aimem("config", "get", "theme").out == "aimem-light\n"
    assert aimem("config", "get", "theme", "--json").json["setting"]["source"] == "file"
    assert aimem("config", "path").out == f"{aimem_home / 'config.toml'}\n"
    assert aimem("config", "path", "--json").json == {"path": str(aimem_home / "config.toml")}
    assert aimem("config", "unset", "theme", "--json").json["setting"]["value"] == "aimem-dark"


def test_a_setting_that_the_environment_overrides_says_so(aimem: Aimem) -> None:
    ran = aimem("config", "set", "user.name", "Ben")
    assert ran.out == "user.name is Ada.\n"
    assert "AIMEM_AUTHOR" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["get", "colour"], 3, "There is no setting called colour."),
        (["set", "theme", "pink"], 5, "Choose from: aimem-dark"),
        (["set", "workspace", "a/b"], 5, "workspace cannot be a/b."),
        (["set", "theme"], 2, "Missing argument 'VALUE'."),
        (["unset", "colour"], 3, "There is no setting called colour."),
        (["got"], 2, "There is no command called got. Did you mean get?"),
    ],
)
def test_a_wrong_config_is_explained(
    aimem: Aimem, arguments: list[str], code: int, said: str
) -> None:
    assert said in aimem.fails("config", *arguments, code=code)


def test_a_broken_settings_file_is_explained(aimem: Aimem, aimem_home: Path) -> None:
    aimem_home.mkdir(exist_ok=True)
    (aimem_home / "config.toml").write_text("theme = [")
    assert "is not valid TOML" in aimem.fails("list", code=5)


def test_workspaces_are_made_listed_and_chosen(aimem: Aimem, aimem_home: Path) -> None:
    assert "no workspaces yet" in aimem("workspace").err
    ran = aimem("workspace", "create", "team")
    assert ran.out == "Made the workspace team.\n"
    assert "aimem workspace use team" in ran.err
    aimem("new", "a")
    aimem("--workspace", "team", "new", "b")
    assert aimem("workspace", "use", "team").out == "From now on team is used.\n"
    assert aimem("list").out == "b.md\n"
    entries = aimem("workspace", "--json").json["workspaces"]
    assert [(each["name"], each["in_use"]) for each in entries] == [
        ("default", False),
        ("team", True),
    ]
    rows = [line.split() for line in aimem("workspace", "list").out.splitlines()[1:]]
    assert [row[0] for row in rows] == ["default", "*"]
    file = str(aimem_home / "workspaces" / "team" / "workspace.db")
    assert aimem("workspace", "path").out == f"{file}\n"
    assert aimem("workspace", "path", "team", "--json").json == {"path": file}


def test_a_workspace_can_be_made_and_used_at_once(aimem: Aimem) -> None:
    made = aimem("workspace", "create", "team", "--use", "--json").json["workspace"]
    assert (made["name"], made["in_use"]) == ("team", True)
    assert aimem("status", "--json").json["workspace"] == "team"
    assert aimem("workspace", "use", "default", "--json").json["workspace"]["in_use"] is True
    assert aimem("status", "--json").json["workspace"] == "default"


def test_the_option_wins_over_the_environment_and_that_over_the_settings(
    aimem: Aimem, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        aimem("workspace", "create", name)
    aimem("workspace", "use", "one")
    assert aimem("status", "--json").json["workspace"] == "one"
    monkeypatch.setenv("AIMEM_WORKSPACE", "two")
    assert aimem("status", "--json").json["workspace"] == "two"
    assert "For now" in aimem("workspace", "use", "one").err
    for arguments in (["-w", "three", "status"], ["status", "--workspace", "three"]):
        assert aimem(*arguments, "--json").json["workspace"] == "three"
    aimem("-w", "three", "new", "a")
    for words in (["history", "-w", "three", "a"], ["history", "a", "-wthree"]):
        assert aimem(*words, "--json").json["thought"]["path"] == "a.md"
    assert aimem("history", "--workspace=three", "show", "a", "1").out == "# A\n"


def test_a_workspace_that_is_not_there_is_explained_and_not_made(
    aimem: Aimem, monkeypatch: pytest.MonkeyPatch, aimem_home: Path
) -> None:
    error = aimem.fails("-w", "team", "new", "a", code=3)
    assert "There is no workspace called team." in error
    assert "aimem workspace create team" in error
    monkeypatch.setenv("AIMEM_WORKSPACE", "elsewhere")
    assert "AIMEM_WORKSPACE names it." in aimem.fails("list", code=3)
    assert not (aimem_home / "workspaces").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create", "../x"], 5, "'../x' cannot be the name of a workspace."),
        (["create", "team"], 4, "There is a workspace called team already."),
        (["use", "other"], 3, "There is no workspace called other."),
        (["path", "other"], 3, "There is no workspace called other."),
        (["create"], 2, "Missing argument 'NAME'."),
        (["make"], 2, "There is no command called make."),
    ],
)
def test_a_wrong_workspace_is_explained(
    aimem: Aimem, arguments: list[str], code: int, said: str
) -> None:
    aimem("workspace", "create", "team")
    assert said in aimem.fails("workspace", *arguments, code=code)


def test_an_unknown_command_is_explained_with_the_nearest(aimem: Aimem) -> None:
    error = aimem.fails("serch", "x", code=2)
    assert "There is no command called serch. Did you mean search?" in error
    assert "aimem --help" in error
    assert aimem("serch", "--json", code=2).error["code"] == 2


def test_the_version_is_printed(aimem: Aimem) -> None:
    assert aimem("--version").out == f"aimem {__version__}\n"
