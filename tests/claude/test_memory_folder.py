"""Claude Code's own memory of a project is taken in, and no other project's."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from aimem_tui.claude import memory
from aimem_tui.claude.places import place_of
from aimem_tui.claude.surroundings import surroundings_of
from aimem_tui.workspace import discovery
from aimem_tui.workspace.workspace import Workspace
from tests.claude.sessions import ClaudeCode

TOPIC = (
    "---\nname: api-style\ndescription: How the API is written\ntype: feedback\n"
    "modified: 2026-08-22T10:00:00Z\n---\n\nErrors are problem details.\n"
)


def goal(folder: Path, file: Path, transcript: Path | None = None) -> str | None:
    place = place_of(surroundings_of(folder), file, transcript)
    return None if place is None else place.goal


def test_what_claude_remembers_is_kept_where_the_first_start_would_put_it(
    claude: ClaudeCode, workspace: Workspace, home: Path
) -> None:
    claude.write(claude.memory / "api-style.md", TOPIC)
    claude.write(claude.memory / "MEMORY.md", "- [API style](api-style.md): problem details\n")
    (offered,) = discovery.sources(claude.project, home)
    assert {thought.path for thought in workspace.thoughts()} == {
        f"{offered.into}/api-style.md",
        f"{offered.into}/MEMORY.md",
    }
    assert workspace.text(workspace.get("api-style.md").id) == TOPIC
    assert workspace.get("api-style.md").kind == "memory"


def test_another_projects_memory_is_not_this_ones(claude: ClaudeCode) -> None:
    other = claude.memory.parents[1] / "-home-ada-secret" / "memory" / "MEMORY.md"
    assert goal(claude.project, other) is None
    assert goal(claude.project, claude.memory.parent / "session.jsonl") is None
    assert goal(claude.project, claude.memory / "MEMORY.md") == "memory/app/MEMORY.md"


def test_the_conversations_file_tells_which_memory_is_meant(claude: ClaudeCode) -> None:
    """Where the name is not the one that follows from the path, say because that is long."""
    folder = claude.memory.parents[1] / "named-otherwise"
    assert goal(claude.project, folder / "memory" / "a.md") is None
    assert goal(claude.project, folder / "memory" / "a.md", folder / "s.jsonl") is not None


def test_all_worktrees_share_the_memory_of_their_repository(claude: ClaudeCode, home: Path) -> None:
    git = ["git", "-C", str(claude.project), "-c", "user.name=Ada", "-c", "user.email=a@localhost"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    for tree in (home / "wt" / "ENG-1", claude.project / ".claude" / "worktrees" / "eng-2"):
        subprocess.run([*git, "worktree", "add", "-q", str(tree)], check=True)
        (tree / "src").mkdir()
        assert goal(tree / "src", claude.memory / "a.md") == "memory/app/a.md"
        assert goal(tree, tree / "thoughts" / "a.md") == "a.md"


def test_a_long_path_has_a_name_of_which_only_the_beginning_is_known(home: Path) -> None:
    project = home.joinpath(*(["a" * 60] * 5))
    project.mkdir(parents=True)
    name = memory.encoded(project) + "-1x9kq2"
    folder = home / ".claude" / "projects" / name / "memory"
    assert goal(project, folder / "a.md") is not None
    assert goal(project, folder.parents[1] / name[:150] / "memory" / "a.md") is None


def test_the_configuration_folder_may_be_elsewhere(
    claude: ClaudeCode, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home / "work"))
    name = claude.memory.parent.name
    assert goal(claude.project, claude.memory / "a.md") is None
    assert goal(claude.project, home / "work" / "projects" / name / "memory" / "a.md") is not None
    own = home / "work" / "projects" / "tenant" / "memory" / "a.md"
    assert goal(claude.project, own) is None
    monkeypatch.setenv("CLAUDE_CODE_PROJECT_DIR_NAME", "tenant")
    assert goal(claude.project, own) is not None


@pytest.mark.parametrize(
    "file", ["~/.claude/settings.json", ".claude/settings.json", ".claude/settings.local.json"]
)
def test_the_settings_may_choose_another_folder(claude: ClaudeCode, home: Path, file: str) -> None:
    settings = claude.project / Path(file).expanduser()
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"autoMemoryDirectory": "~/notes/claude"}))
    assert goal(claude.project, home / "notes/claude/MEMORY.md") == "memory/claude/MEMORY.md"
    assert goal(claude.project, home / "notes/other.md") is None


@pytest.mark.parametrize(
    "chosen", ["~/", "/", "~/code", "~/../", "relative", "~nobody/x", 7, None, "~/code/web-app"]
)
def test_no_setting_makes_a_memory_of_a_home_or_of_the_project(
    claude: ClaudeCode, home: Path, chosen: object
) -> None:
    settings = claude.project / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"autoMemoryDirectory": chosen}))
    for file in (home / "secret.md", home / "code/x.md", claude.project / "src/a.md"):
        assert goal(claude.project, file) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"autoMemoryDirectory":', "null", "[" * 5000])
def test_broken_settings_choose_nothing(claude: ClaudeCode, home: Path, content: str) -> None:
    settings = claude.project / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(content)
    assert goal(claude.project, home / "notes.md") is None


def test_a_repository_whose_pointer_is_nonsense_is_its_own(home: Path) -> None:
    for number, content in enumerate(("", "gitdir: nowhere", "\xff", "gitdir: ../x\0y")):
        tree = home / f"tree{number}"
        tree.mkdir()
        (tree / ".git").write_text(content)
        assert surroundings_of(tree).roots == (tree,)
        assert surroundings_of(tree).main is None


def test_claude_may_have_gone_elsewhere_meanwhile(
    claude: ClaudeCode, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(claude.project))
    assert goal(home, claude.project / "thoughts" / "a.md") == "a.md"
    assert goal(claude.project / "src", claude.project / "thoughts" / "a.md") == "a.md"
    assert os.path.realpath(home) != os.path.realpath(claude.project)
