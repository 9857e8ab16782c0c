"""Files that Claude Code writes become thoughts, and changes of thoughts, at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from aimem_tui import paths
from aimem_tui.model import ExportOptions, Filter, ImportOptions
from aimem_tui.workspace import project as projects
from aimem_tui.workspace import registry
from aimem_tui.workspace.project import Project
from aimem_tui.workspace.workspace import Workspace
from tests.claude.sessions import ClaudeCode, told
from tests.cli.running import process

PLAN = "# Login\n\n## Steps\n\n- [ ] one\n- [ ] two\n"
AUTHOR = "Ada via Claude Code"


def all_paths(workspace: Workspace) -> list[str]:
    return [thought.path for thought in workspace.thoughts()]


def text(workspace: Workspace, path: str) -> str:
    return workspace.text(workspace.get(path).id)


def lines(content: str) -> list[str]:
    return content.splitlines()


def test_a_file_that_claude_writes_is_a_thought_by_the_person_and_claude_code(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    ran = claude.write(claude.project / "thoughts/plans/login.md", PLAN)
    assert (ran.out, ran.err) == ("", "")
    thought = workspace.get("plans/login.md")
    assert workspace.text(thought.id) == PLAN
    assert (thought.created_by, thought.updated_by) == (AUTHOR, AUTHOR)
    for name in ("ada", "claude"):
        assert workspace.count(Filter(author=name)) == 1


def test_an_edit_is_a_change_of_the_same_thought_and_keeps_what_others_wrote(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    file = claude.project / "thoughts/plans/login.md"
    claude.write(file, PLAN)
    thought = workspace.get("plans/login.md")
    workspace.append(thought.id, "- [ ] three, by Ben")
    claude.edit(file, "- [ ] one\n", "- [x] one\n")
    assert workspace.text(thought.id) == (
        "# Login\n\n## Steps\n\n- [x] one\n- [ ] two\n- [ ] three, by Ben\n"
    )
    last = workspace.past(thought.id)[-1].revision
    assert (last.author, last.added, last.removed) == (AUTHOR, 1, 1)


def test_claude_is_told_of_edits_that_its_file_lacks(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    file = claude.project / "thoughts/plans/log in.md"
    assert told(claude.write(file, PLAN)) == ""
    workspace.append(workspace.get("plans/log in.md").id, "- [ ] three")
    said = told(claude.edit(file, "one", "first"))
    assert "plans/log in.md" in said
    assert "aimem show 'plans/log in.md'" in said


def test_a_person_and_claude_can_write_the_same_thought_at_the_same_moment(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    file = claude.project / "thoughts/notes.md"
    claude.write(file, "# Notes\n")
    thought = workspace.get("notes.md")
    live = workspace.open_live(thought.id)
    for number in range(5):
        live.document.replace_text(live.document.text + f"Ben {number}\n")
        hook = claude.begin(
            "post-tool-use", claude.writing(file, file.read_text() + f"Claude {number}\n")
        )
        live.document.replace_text(live.document.text + f"Ben again {number}\n")
        _, err = hook.communicate(timeout=120)
        assert (hook.returncode, err) == (0, b"")
    live.close()
    workspace.settle()
    found = lines(workspace.text(thought.id))
    wanted = ["# Notes"]
    for number in range(5):
        wanted += [f"Ben {number}", f"Ben again {number}", f"Claude {number}"]
    assert sorted(found) == sorted(wanted)


def test_the_same_file_again_changes_nothing(claude: ClaudeCode, workspace: Workspace) -> None:
    file = claude.project / "thoughts/plans/login.md"
    claude.write(file, PLAN)
    before = workspace.get("plans/login.md")
    for _ in range(2):
        claude.write(file, PLAN)
    assert workspace.get("plans/login.md") == before
    assert len(workspace.past(before.id)) == 1


def test_a_later_import_of_the_folder_knows_the_files(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    thoughts = claude.project / "thoughts"
    claude.write(thoughts / "plans/login.md", PLAN)
    claude.write(thoughts / "notes.md", "# Notes\n")
    claude.edit(thoughts / "notes.md", "Notes", "More notes")
    report = workspace.import_folder(thoughts, ImportOptions(author="Ben"))
    assert (report.created, report.updated, report.unchanged) == (0, 0, 2)


def test_files_that_were_imported_are_known_whatever_folder_was_imported(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    thoughts = claude.project / "thoughts"
    for root, into in ((claude.project, "web"), (thoughts, "shared"), (thoughts / "plans", "p")):
        name = f"{into}.md"
        (thoughts / "plans").mkdir(parents=True, exist_ok=True)
        (thoughts / "plans" / name).write_text("# A\n")
        workspace.import_folder(root, ImportOptions(author="Ben", into=into))
        known = len(all_paths(workspace))
        claude.edit(thoughts / "plans" / name, "# A", "# B")
        assert len(all_paths(workspace)) == known
        again = workspace.import_folder(root, ImportOptions(author="Ben", into=into))
        assert (again.created, again.updated) == (0, 0)


def test_a_new_file_goes_where_its_folder_was_imported(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    thoughts = claude.project / "thoughts"
    (thoughts / "plans").mkdir(parents=True)
    (thoughts / "plans" / "a.md").write_text("# A\n")
    workspace.import_folder(thoughts, ImportOptions(author="Ben", into="teams/web"))
    claude.write(thoughts / "plans/b.md", "# B\n")
    assert all_paths(workspace) == ["teams/web/plans/a.md", "teams/web/plans/b.md"]


def test_an_import_of_a_single_file_elsewhere_does_not_move_what_comes_after(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    todo = claude.project.parent / "todo.md"
    todo.write_text("# To do\n")
    workspace.import_folder(todo, ImportOptions(author="Ben"))
    claude.write(claude.project / "thoughts/plans/a.md", "# A\n")
    assert all_paths(workspace) == ["plans/a.md", "todo.md"]


def test_a_file_that_was_exported_from_here_is_known(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    thought = workspace.create("plans/login.md", PLAN)
    thoughts = claude.project / "thoughts"
    workspace.export(thoughts, ExportOptions())
    claude.edit(thoughts / "plans/login.md", "one", "first")
    assert all_paths(workspace) == ["plans/login.md"]
    assert "- [ ] first\n" in workspace.text(thought.id)


def test_an_edit_that_came_by_git_as_well_is_not_made_twice(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    """A colleague's line arrives from their machine as a change, and in the file by git."""
    file = claude.project / "thoughts/plans/login.md"
    claude.write(file, PLAN)
    thought = workspace.get("plans/login.md")
    workspace.append(thought.id, "- [ ] three")
    file.write_text(PLAN + "- [ ] three\n")
    claude.edit(file, "one", "first")
    assert workspace.text(thought.id) == PLAN.replace("one", "first") + "- [ ] three\n"


def test_a_file_of_a_thought_that_came_from_another_machine_is_that_thought(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    """The file came by git, the thought by sync, and nothing here has seen the file before."""
    thought = workspace.create("plans/login.md", PLAN)
    file = claude.project / "thoughts/plans/login.md"
    file.parent.mkdir(parents=True)
    file.write_text(PLAN)
    workspace.append(thought.id, "- [ ] three")
    claude.edit(file, "one", "first")
    assert all_paths(workspace) == ["plans/login.md"]
    assert workspace.text(thought.id) == PLAN.replace("one", "first") + "- [ ] three\n"


def test_another_text_at_the_path_of_a_thought_is_a_thought_beside_it(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    workspace.create("plans/login.md", "# By Ben\n")
    said = told(claude.write(claude.project / "thoughts/plans/login.md", PLAN))
    assert all_paths(workspace) == ["plans/login (2).md", "plans/login.md"]
    assert text(workspace, "plans/login.md") == "# By Ben\n"
    assert "plans/login (2).md" in said


def test_a_file_elsewhere_is_nobodys_business(claude: ClaudeCode) -> None:
    for name in ("src/app.py", "src/memory/cache.md", "README.md", "../other/thoughts/a.md"):
        ran = claude.write(claude.project / name, "text\n")
        assert (ran.out, ran.err) == ("", "")
    assert registry.entries(paths.home()) == []


@pytest.mark.parametrize("folder", ["memory", ".claude/memory"])
def test_the_projects_memory_goes_to_memory(
    claude: ClaudeCode, workspace: Workspace, folder: str
) -> None:
    claude.write(claude.project / folder / "MEMORY.md", "- [Style](style.md): short\n")
    assert all_paths(workspace) == ["memory/MEMORY.md"]


def test_a_file_that_is_gone_takes_nothing_away(claude: ClaudeCode, workspace: Workspace) -> None:
    file = claude.project / "thoughts/a.md"
    claude.write(file, "# A\n")
    given = claude.writing(file, "# B\n")
    file.unlink()
    ran = claude.hook("post-tool-use", given)
    assert (ran.out, ran.err) == ("", "")
    assert text(workspace, "a.md") == "# A\n"


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00\x01", b"a\0b", b"x" * ((1 << 20) + 1), "UTF-16".encode("utf-16")],
    ids=["bytes", "nul", "large", "utf-16"],
)
def test_what_is_no_text_of_ordinary_size_is_left_out_in_a_line(
    claude: ClaudeCode, workspace: Workspace, content: bytes
) -> None:
    file = claude.project / "thoughts/a.md"
    given = claude.writing(file, "")
    file.write_bytes(content)
    ran = claude.hook("post-tool-use", given)
    assert "is left out" in ran.err
    assert all_paths(workspace) == []


def test_a_notebook_among_thoughts_is_kept_as_the_text_it_is(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    file = claude.project / "thoughts/research/figures.ipynb"
    file.parent.mkdir(parents=True)
    file.write_text('{"cells": []}\n')
    claude.hook(
        "post-tool-use",
        claude.tool("NotebookEdit", {"notebook_path": str(file), "new_source": ""}, {}),
    )
    assert all_paths(workspace) == ["research/figures.ipynb"]


# The workspace


def test_a_project_names_its_workspace_and_its_folder_there(claude: ClaudeCode) -> None:
    process("workspace", "create", "team")
    projects.write(Project(claude.project, "team", "web"))
    claude.write(claude.project / "thoughts/plans/a.md", "# A\n")
    claude.write(claude.project / "memory/MEMORY.md", "- nothing\n")
    listed = process("list", "-w", "team").out.split()
    assert listed == ["web/memory/MEMORY.md", "web/plans/a.md"]
    assert [entry.name for entry in registry.entries(paths.home())] == ["team"]


def test_the_environment_has_the_last_word_on_the_workspace(claude: ClaudeCode) -> None:
    for name in ("team", "other"):
        process("workspace", "create", name)
    projects.write(Project(claude.project, "team"))
    claude.env["AIMEM_WORKSPACE"] = "other"
    claude.write(claude.project / "thoughts/a.md", "# A\n")
    assert process("list", "-w", "other").out.split() == ["a.md"]


def test_a_workspace_that_is_not_here_is_neither_made_nor_replaced_by_another(
    claude: ClaudeCode,
) -> None:
    projects.write(Project(claude.project, "team"))
    ran = claude.write(claude.project / "thoughts/a.md", "# A\n")
    assert "There is no workspace called team." in ran.err
    assert registry.entries(paths.home()) == []


# Links and worktrees


def test_thoughts_behind_a_link_are_known_by_their_real_place(
    claude: ClaudeCode, workspace: Workspace, home: Path
) -> None:
    """As HumanLayer lays them out: links to a repository of thoughts, and second names of files."""
    shared = home / "thoughts" / "repos" / "web-app" / "shared"
    shared.mkdir(parents=True)
    thoughts = claude.project / "thoughts"
    thoughts.mkdir()
    (thoughts / "shared").symlink_to(shared)
    claude.write(thoughts / "shared/plans/login.md", PLAN)
    second = thoughts / "searchable/shared/plans/login.md"
    second.parent.mkdir(parents=True)
    os.link(shared / "plans/login.md", second)
    claude.edit(second, "one", "first")
    assert (shared / "plans/login.md").read_text() == PLAN.replace("one", "first")
    claude.edit(thoughts / "shared/plans/login.md", "two", "second")
    assert all_paths(workspace) == ["shared/plans/login.md"]
    assert text(workspace, "shared/plans/login.md") == (shared / "plans/login.md").read_text()
    report = workspace.import_folder(shared, ImportOptions(author="Ben", into="shared"))
    assert (report.created, report.updated, report.unchanged) == (0, 0, 1)


def test_a_second_name_that_an_editor_has_torn_off_is_still_the_same_thought(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    first = claude.project / "thoughts/plans/login.md"
    claude.write(first, PLAN)
    second = claude.project / "thoughts/searchable/plans/login.md"
    second.parent.mkdir(parents=True)
    second.write_text(PLAN)
    claude.edit(second, "one", "first")
    assert all_paths(workspace) == ["plans/login.md"]
    assert text(workspace, "plans/login.md") == PLAN.replace("one", "first")
    claude.edit(first, "two", "second")
    changed = PLAN.replace("one", "first").replace("two", "second")
    assert text(workspace, "plans/login.md") == changed


@pytest.mark.parametrize("target", ["secret.md", "elsewhere", "~"])
def test_a_link_does_not_lead_out_of_the_thoughts(
    claude: ClaudeCode, workspace: Workspace, home: Path, target: str
) -> None:
    (home / "secret.md").write_text("secret\n")
    thoughts = claude.project / "thoughts"
    thoughts.mkdir()
    if target == "secret.md":
        (thoughts / "a.md").symlink_to(home / "secret.md")
        file = thoughts / "a.md"
    elif target == "elsewhere":
        (home / "elsewhere").mkdir()
        (home / "elsewhere" / "a.md").symlink_to(home / "secret.md")
        (thoughts / "linked").symlink_to(home / "elsewhere")
        file = thoughts / "linked" / "a.md"
    else:
        (thoughts / "linked").symlink_to(home)
        file = thoughts / "linked" / "secret.md"
    ran = claude.write(file, "changed\n")
    assert "is left out" in ran.err
    assert all_paths(workspace) == []


def test_a_path_that_climbs_out_of_the_thoughts_is_none_of_them(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    (claude.project / "thoughts").mkdir()
    claude.write(claude.project / "thoughts" / ".." / "notes.md", "# Notes\n")
    assert all_paths(workspace) == []


def test_a_worktrees_file_is_the_same_thought_as_the_main_folders(
    claude: ClaudeCode, workspace: Workspace, home: Path
) -> None:
    projects.write(Project(claude.project, "", "web"))
    (claude.project / ".gitignore").write_text(".aimem.toml\n")
    file = claude.project / "thoughts/plans/login.md"
    claude.write(file, PLAN)
    git = [
        "git",
        "-C",
        str(claude.project),
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@localhost",
    ]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "plan"], check=True)
    tree = home / "wt" / "feature"
    subprocess.run([*git, "worktree", "add", "-q", str(tree)], check=True)
    workspace.append(workspace.get("web/plans/login.md").id, "- [ ] three, by Ben")
    there = ClaudeCode(tree)
    there.edit(tree / "thoughts/plans/login.md", "one", "first")
    there.write(tree / "thoughts/plans/new.md", "# New\n")
    claude.edit(file, "two", "second")
    assert all_paths(workspace) == ["web/plans/login.md", "web/plans/new.md"]
    assert text(workspace, "web/plans/login.md") == (
        PLAN.replace("one", "first").replace("two", "second") + "- [ ] three, by Ben\n"
    )


# Many at once, and in the way


@pytest.mark.parametrize("number", [6, pytest.param(50, marks=pytest.mark.heavy)])
def test_hooks_that_run_at_once_lose_nothing(
    claude: ClaudeCode, workspace: Workspace, number: int
) -> None:
    log = claude.project / "thoughts/log.md"
    hooks = []
    for at in range(0, number, 2):
        own = claude.writing(claude.project / f"thoughts/notes/{at}.md", f"# {at}\n")
        hooks.append(claude.begin("post-tool-use", own))
        before = log.read_text() if log.exists() else "# Log\n"
        common = claude.writing(log, before + f"- {at}\n")
        hooks.append(claude.begin("post-tool-use", common))
    for hook in hooks:
        out, err = hook.communicate(timeout=300)
        assert (hook.returncode, out, err) == (0, b"", b"")
    assert text(workspace, "log.md") == log.read_text()
    for at in range(0, number, 2):
        assert text(workspace, f"notes/{at}.md") == f"# {at}\n"
    assert len(all_paths(workspace)) == number // 2 + 1


IMPATIENT = [
    sys.executable,
    "-c",
    "import sys; from aimem_tui.cli.commands import hook; hook.WORK_S = 0.5;"
    "from aimem_tui.cli.main import main; sys.exit(main())",
]


def test_a_workspace_that_another_program_holds_does_not_hold_the_agent(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    file = claude.project / "thoughts/a.md"
    given = json.dumps(claude.writing(file, "# A\n")).encode()
    held = apsw.Connection(str(workspace.database.path))
    held.execute("BEGIN IMMEDIATE")
    ran = process("hook", "post-tool-use", stdin=given, command=IMPATIENT, cwd=claude.project)
    assert ran.code == 0
    assert ran.err.count("\n") == 1
    assert "took too long" in ran.err
    held.execute("ROLLBACK")
    assert all_paths(workspace) == []
    claude.hook("post-tool-use", given)
    assert all_paths(workspace) == ["a.md"]
