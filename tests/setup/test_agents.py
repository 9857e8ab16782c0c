"""``aimem init``: agents are connected by small edits that come out again whole."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from aimem_tui.cli.root import root as root_command
from aimem_tui.setup.clients.names import CLIENTS, SCOPES
from aimem_tui.setup.guide import GUIDE
from tests.cli.running import Aimem, process
from tests.setup.trees import commit_all, git, make, snapshot

SERVER = {"command": "aimem", "args": ["mcp"]}
JSONC = '// settings\n{\n\t"theme": "dark", // by night\n\t"list": [1, 2,],\n}\n'
FILES = {
    ".claude/settings.local.json": '{"permissions": {"allow": ["Bash(ls)"]}}',
    ".claude/settings.json": '{\n    "hooks": {\n        "Stop": [{"hooks": []}]\n    }\n}',
    ".mcp.json": '{"mcpServers": {"other": {"command": "x"}}}\n',
    ".codex/config.toml": "# mine\nmodel = 'o'\n\n[mcp_servers.other]\ncommand = 'x'",
    ".cursor/mcp.json": '{\r\n  "mcpServers": {}\r\n}\r\n',
    ".vscode/mcp.json": '{\n  "servers": {},\n  "inputs": []\n}',
    ".gemini/settings.json": "{}",
    ".zed/settings.json": JSONC,
    "opencode.jsonc": "{\n  // nothing yet\n}",
    "AGENTS.md": "# For agents\n\nNo newline at the end",
    "GEMINI.md": "",
}


def everything(scope: str) -> list[str]:
    """The arguments that connect all agents there are."""
    names = [name for name in CLIENTS if not (scope == "user" and name == "agents")]
    arguments = [part for name in names for part in ("--client", name)]
    return ["init", "--no-input", "--scope", scope, *arguments]


def read(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("filled", [False, True])
def test_what_goes_in_comes_out_to_the_byte(
    aimem: Aimem, project: Path, home: Path, scope: str, filled: bool
) -> None:
    if filled:
        make(project, FILES)
        make(home, {".claude/settings.json": JSONC, ".gemini/settings.json": "{ }"})
    before = snapshot(project), snapshot(home, without=("aimem",))
    aimem(*everything(scope))
    connected = snapshot(project), snapshot(home, without=("aimem",))
    assert connected != before
    assert "Everything is connected already" in aimem(*everything(scope)).out
    assert (snapshot(project), snapshot(home, without=("aimem",))) == connected
    aimem("init", "--remove", "--no-input", *(["--scope", "user"] if scope == "user" else []))
    assert (snapshot(project), snapshot(home, without=("aimem",))) == before
    assert not list((home / "aimem" / "init").glob("*"))
    assert not (home / "aimem" / "claude-plugin").exists()


@pytest.mark.parametrize("scope", ["local", "project"])
def test_every_agent_finds_the_server_in_its_own_form(
    aimem: Aimem, project: Path, home: Path, scope: str
) -> None:
    make(project, FILES)
    aimem(*everything(scope))
    codex = tomllib.loads((project / ".codex" / "config.toml").read_text())
    assert codex["mcp_servers"] == {"other": {"command": "x"}, "aimem": SERVER}
    assert read(project / ".cursor" / "mcp.json")["mcpServers"]["aimem"] == SERVER
    assert read(project / ".vscode" / "mcp.json")["servers"]["aimem"] == SERVER | {"type": "stdio"}
    assert read(project / ".gemini" / "settings.json")["mcpServers"]["aimem"] == SERVER
    zed = (project / ".zed" / "settings.json").read_text()
    assert zed.startswith('// settings\n{\n\t"theme": "dark", // by night\n\t"list": [1, 2,],\n')
    assert '"context_servers": {' in zed
    opencode = (project / "opencode.jsonc").read_text().replace("// nothing yet", "")
    local = {"type": "local", "command": ["aimem", "mcp"], "enabled": True}
    assert json.loads(opencode) == {"mcp": {"aimem": local}}
    windsurf = home / ".codeium" / "windsurf" / "mcp_config.json"
    assert windsurf.exists() == (scope == "local")
    for name in ("AGENTS.md", "GEMINI.md"):
        assert "aimem search" in (project / name).read_text()
    assert tomllib.loads((project / ".aimem.toml").read_text()) == {"workspace": "default"}


def test_a_persons_own_settings_are_where_each_agent_looks(
    aimem: Aimem, project: Path, home: Path
) -> None:
    aimem(*everything("user"))
    written = {path for path, (what, _) in snapshot(home).items() if what != "folder"}
    for path in (
        ".claude/settings.json",
        ".codex/config.toml",
        ".cursor/mcp.json",
        ".config/Code/User/mcp.json",
        ".codeium/windsurf/mcp_config.json",
        ".gemini/settings.json",
        ".config/zed/settings.json",
        ".config/opencode/opencode.json",
    ):
        assert path in written or path.startswith(".config/Code")
    assert list(project.iterdir()) == []


def test_claude_code_gets_the_plugin_by_its_local_settings(
    aimem: Aimem, project: Path, home: Path
) -> None:
    commit_all(make(project, {"code.py": ""}))
    aimem("init", "--no-input")
    assert git(project, "status", "--porcelain", "-uall").splitlines() == [
        "?? .aimem.toml",
        "?? .claude/settings.local.json",
    ]
    settings = read(project / ".claude" / "settings.local.json")
    assert settings["enabledPlugins"] == {"aimem@aimem": True}
    source = settings["extraKnownMarketplaces"]["aimem"]["source"]
    assert source["source"] == "directory"
    marketplace = Path(source["path"])
    assert marketplace.is_relative_to(home / "aimem")
    listed = read(marketplace / ".claude-plugin" / "marketplace.json")
    assert (listed["name"], listed["owner"]) == ("aimem", {"name": "aimem"})
    [plugin] = listed["plugins"]
    folder = marketplace / plugin["source"]
    assert read(folder / ".claude-plugin" / "plugin.json")["name"] == plugin["name"] == "aimem"


def test_a_team_gets_files_that_hold_no_path_of_a_machine(
    aimem: Aimem, project: Path, home: Path
) -> None:
    make(project, FILES)
    aimem("init", "--no-input", "--scope", "project")
    assert read(project / ".mcp.json")["mcpServers"]["aimem"]["command"] == "aimem"
    hooks = read(project / ".claude" / "settings.json")["hooks"]
    assert hooks["Stop"][0] == {"hooks": []}
    commands = [hook["command"] for groups in hooks.values() for g in groups for hook in g["hooks"]]
    assert all(command.startswith("aimem hook ") for command in commands)
    assert len(commands) >= 3
    assert (project / ".claude" / "skills").is_dir()
    assert (project / ".claude" / "agents").is_dir()
    assert not (home / "aimem" / "claude-plugin").exists()
    for path in project.rglob("*"):
        if path.is_file():
            assert str(home) not in path.read_text()
            assert str(project) not in path.read_text()


def test_what_people_changed_since_stays_and_is_told(aimem: Aimem, project: Path) -> None:
    aimem("init", "--no-input", "--client", "cursor", "--client", "codex")
    cursor = project / ".cursor" / "mcp.json"
    cursor.write_text(cursor.read_text().replace('"mcp"', '"mcp", "--read-only"'))
    agents = project / "AGENTS.md"
    agents.write_text("# Ours\n\n" + agents.read_text() + "\nMore.\n")
    codex = project / ".codex" / "config.toml"
    codex.write_text("model = 'x'\n" + codex.read_text())
    ran = aimem("init", "--remove", "--no-input")
    assert "mcpServers.aimem was changed since it was added, and stays" in ran.err
    assert read(cursor)["mcpServers"]["aimem"]["args"] == ["mcp", "--read-only"]
    assert agents.read_text() == "# Ours\n\n\nMore.\n"
    assert codex.read_text() == "model = 'x'\n"
    assert "nothing of aimem's" in aimem("init", "--remove", "--no-input").out


def test_one_agent_goes_and_what_others_need_stays(aimem: Aimem, project: Path) -> None:
    aimem("init", "--no-input", "--client", "cursor")
    aimem("init", "--no-input", "--client", "zed")
    aimem("init", "--remove", "--no-input", "--client", "cursor")
    assert not (project / ".cursor").exists()
    assert (project / ".zed").exists()
    assert (project / "AGENTS.md").exists()
    assert (project / ".aimem.toml").exists()
    aimem("init", "--remove", "--no-input", "--client", "zed")
    assert list(project.iterdir()) == []


def test_what_two_projects_share_stays_while_one_needs_it(
    aimem: Aimem, tmp_path: Path, home: Path
) -> None:
    file = home / ".codeium" / "windsurf" / "mcp_config.json"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        aimem("init", "--no-input", "--client", "windsurf", "--output", str(tmp_path / name))
    aimem("init", "--remove", "--no-input", "--output", str(tmp_path / "one"))
    assert read(file)["mcpServers"]["aimem"] == SERVER
    assert list((tmp_path / "one").iterdir()) == []
    aimem("init", "--remove", "--no-input", "--output", str(tmp_path / "two"))
    assert not file.exists()
    assert snapshot(home, without=("aimem",)) == {}


def test_new_files_have_the_permissions_that_new_files_have_here(
    aimem: Aimem, project: Path
) -> None:
    make(project, {"AGENTS.md": "# Private\n"})
    (project / "AGENTS.md").chmod(0o600)
    before = os.umask(0o027)
    try:
        aimem("init", "--no-input", "--client", "cursor")
    finally:
        os.umask(before)
    assert stat.S_IMODE((project / ".cursor" / "mcp.json").stat().st_mode) == 0o640
    assert stat.S_IMODE((project / "AGENTS.md").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "loaded"), [(["--dry-run"], False), (["--template", "claude-config"], True)]
)
def test_only_templates_load_cookiecutter(
    project: Path, tmp_path: Path, arguments: list[str], loaded: bool
) -> None:
    dump = (
        "import sys; from aimem_tui.cli.main import main; main(sys.argv[2:]);"
        " open(sys.argv[1], 'w').write(' '.join(sys.modules))"
    )
    file = tmp_path / "modules"
    ran = process(str(file), "init", *arguments, command=[sys.executable, "-c", dump], cwd=project)
    assert ran.code == 0, ran.err
    modules = set(file.read_text().split())
    assert ("cookiecutter" in modules) == loaded
    assert modules & {"textual", "pycrdt", "mcp"} == set()


def test_another_value_stays_unless_told_and_comes_back(aimem: Aimem, project: Path) -> None:
    text = '{"mcpServers": {"aimem": {"command": "mine"}}}'
    make(project, {".cursor/mcp.json": text, ".aimem.toml": 'workspace = "default" # ours\n'})
    ran = aimem("init", "--no-input", "--client", "cursor")
    assert "mcpServers.aimem is there and differs; it stays" in ran.err
    assert (project / ".cursor" / "mcp.json").read_text() == text
    assert "# ours" in (project / ".aimem.toml").read_text()
    aimem("init", "--yes", "--client", "cursor")
    assert read(project / ".cursor" / "mcp.json")["mcpServers"]["aimem"] == SERVER
    aimem("init", "--remove", "--no-input")
    assert (project / ".cursor" / "mcp.json").read_text() == text


@pytest.mark.parametrize(
    ("client", "file", "content", "says"),
    [
        ("cursor", ".cursor/mcp.json", "{ broken", "not JSON"),
        ("cursor", ".cursor/mcp.json", b"\xff\xfe{}", "not UTF-8"),
        ("cursor", ".cursor/mcp.json", '{"mcpServers": []}', "mcpServers is not an object"),
        ("codex", ".codex/config.toml", "a = ", "not TOML"),
        (
            "claude",
            ".claude/settings.local.json",
            '{"enabledPlugins": ["a@b"]}',
            "enabledPlugins is not an object",
        ),
    ],
)
def test_a_file_that_cannot_be_edited_is_left_and_the_lines_are_shown(
    aimem: Aimem, project: Path, client: str, file: str, content: str | bytes, says: str
) -> None:
    make(project, {file: content})
    ran = aimem("init", "--no-input", "--client", client)
    assert says in ran.err
    assert "To add it yourself" in ran.err
    assert "aimem" in ran.err.partition("To add it yourself")[2]
    data = content if isinstance(content, bytes) else content.encode()
    assert (project / file).read_bytes() == data


def test_nothing_is_written_through_a_link_of_the_project(
    aimem: Aimem, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / ".cursor").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "agents.md").write_text("theirs")
    (project / "AGENTS.md").symlink_to(tmp_path / "agents.md")
    ran = aimem("init", "--no-input", "--client", "cursor")
    assert ran.err.count("is left as it is") == 2
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (tmp_path / "agents.md").read_text() == "theirs"


def test_a_persons_own_file_may_be_a_link_and_stays_one(
    aimem: Aimem, project: Path, home: Path
) -> None:
    make(home, {"dotfiles/claude.json": "{}", ".claude/settings.json@": "../dotfiles/claude.json"})
    aimem("init", "--no-input", "--scope", "user")
    assert (home / ".claude" / "settings.json").is_symlink()
    assert read(home / "dotfiles" / "claude.json")["enabledPlugins"] == {"aimem@aimem": True}
    aimem("init", "--remove", "--no-input", "--scope", "user")
    assert (home / "dotfiles" / "claude.json").read_text() == "{}"


def test_a_dry_run_and_a_run_without_consent_write_nothing(
    aimem: Aimem, project: Path, home: Path
) -> None:
    ran = aimem("init", "--dry-run", "--client", "codex", "--json").json
    assert [Path(file["path"]).name for file in ran["files"]] == [
        "config.toml",
        "AGENTS.md",
        ".aimem.toml",
    ]
    said = aimem.fails("init", code=4)
    assert "enabledPlugins" in said
    assert "--no-input" in said
    assert list(project.iterdir()) == []
    assert snapshot(home) == {}


def test_the_project_is_found_from_a_folder_within_it(
    aimem: Aimem, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_all(make(project, {"src/deep/code.py": ""}))
    monkeypatch.chdir(project / "src" / "deep")
    aimem("init", "--no-input", "--client", "agents", "--into", "acme/")
    assert tomllib.loads((project / ".aimem.toml").read_text())["into"] == "acme"
    assert "Everything is connected" in aimem("init", "--no-input", "--client", "agents").out


def test_a_newer_plugin_takes_the_place_of_the_older(
    aimem: Aimem, project: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aimem_tui.setup import plugin_copy

    monkeypatch.setattr(plugin_copy, "__version__", "0.0.1")
    aimem("init", "--no-input")
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AIMEM_HOME", str(home / "aimem"))
    monkeypatch.chdir(project)
    assert "Changed 1 file" in aimem("init", "--no-input").out
    settings = read(project / ".claude" / "settings.local.json")
    path = settings["extraKnownMarketplaces"]["aimem"]["source"]["path"]
    assert not path.endswith("0.0.1")
    assert Path(path).is_dir()
    aimem("init", "--remove", "--no-input")
    assert list(project.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--client", "emacs"], 2, "emacs"),
        (["--scope", "world"], 2, "world"),
        (["--scope", "user", "--client", "agents"], 4, "nothing to add"),
        (["-w", "nowhere"], 3, "no workspace called nowhere"),
        (["--into", "../up"], 5, ".."),
        (["--output", "missing"], 3, "no folder missing"),
        (["--remove", "--into", "x"], 5, "--into does not go with --remove"),
    ],
)
def test_a_wrong_word_is_explained(
    aimem: Aimem, project: Path, arguments: list[str], code: int, says: str
) -> None:
    assert says in aimem.fails("init", "--no-input", *arguments, code=code)
    assert list(project.iterdir()) == []


def test_thoughts_that_are_there_already_are_mentioned(
    aimem: Aimem, project: Path, home: Path
) -> None:
    own = str(project.resolve()).replace("/", "-").replace("_", "-")
    make(project, {"thoughts/plan.md": "# Plan\n"})
    make(
        home,
        {
            f".claude/projects/{own}/memory/a.md": "# A\n",
            ".claude/projects/-other/memory/b.md": "# B\n",
        },
    )
    said = aimem("init", "--no-input").err
    assert f"aimem import {project.resolve() / 'thoughts'}" in said
    assert f"{own}/memory" in said
    assert "-other" not in said


def test_the_commands_in_the_guide_are_understood() -> None:
    commands = [part for part in GUIDE.split("`") if part.startswith("aimem ")]
    assert len(commands) >= 8
    for line in commands:
        _, name, *arguments = shlex.split(line)
        command = root_command.get_command(root_command.make_context("aimem", []), name)
        assert command is not None, name
        command.make_context(name, arguments)
