"""The sync scripts on real repositories: what anyone wrote arrives, or it is said why not.

``sync-thoughts.sh`` is run. PowerShell and cmd are not on the machines that test, so the other two
are read: the same git commands, words and exit codes, and nothing else that could differ.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.templates.thoughts_repos import COMBINATIONS, PAYLOAD, git, label, render

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")

NAME = "sync-thoughts.sh"
SHELLS = [[shell] for shell in ("dash", "bash", "zsh", "ksh") if shutil.which(shell)]
SHELLS += [["busybox", "sh"]] if shutil.which("busybox") else []
PLAN = "thoughts/shared/plans/plan.md"


@pytest.fixture(autouse=True)
def known_to_git(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada Example\n\temail = ada@example.com\n", encoding="utf-8"
    )


@dataclass(frozen=True, slots=True)
class Done:
    status: int
    told: str


def sync(clone: Path, *arguments: str, shell: Sequence[str] = (), cwd: Path | None = None) -> Done:
    """Run a clone's script, by itself or with the given shell."""
    done = subprocess.run(
        [*shell, str(clone / NAME), *arguments],
        cwd=cwd or clone.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout)


def write(clone: Path, name: str, text: str) -> None:
    path = clone / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read(clone: Path, name: str) -> str:
    return (clone / name).read_text(encoding="utf-8")


def start(folder: Path) -> Path:
    """A repository with the scripts and one plan, as the template makes it."""
    folder.mkdir()
    for script in ("sync-thoughts.sh", "sync-thoughts.ps1", "sync-thoughts.bat", ".gitattributes"):
        shutil.copy(PAYLOAD / script, folder)
    write(folder, PLAN, "".join(f"line {number}\n" for number in range(1, 10)))
    git(folder, "init", "--quiet")
    git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Start")
    return folder


@dataclass(frozen=True, slots=True)
class Team:
    remote: Path
    ada: Path
    bob: Path

    def on_remote(self) -> str:
        return git(self.remote, "rev-parse", "main")


def make_team(folder: Path) -> Team:
    remote = folder / "remote.git"
    folder.mkdir(exist_ok=True)
    git(folder, "init", "--quiet", "--bare", str(remote))
    git(remote, "symbolic-ref", "HEAD", "refs/heads/main")
    ada = start(folder / "ada")
    git(ada, "remote", "add", "origin", str(remote))
    git(ada, "push", "--quiet", "--set-upstream", "origin", "main")
    git(folder, "clone", "--quiet", str(remote), "bob")
    return Team(remote, ada, folder / "bob")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return make_team(tmp_path / "team")


def hook(repository: Path, name: str, script: str) -> None:
    folder = Path(git(repository, "rev-parse", "--absolute-git-dir")) / "hooks"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def no_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause between two tries takes no time."""
    program = tmp_path / "bin" / "sleep"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def clean(clone: Path) -> bool:
    """Nothing is left half done."""
    marks = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "SYNC_THOUGHTS_MESSAGE")
    folder = Path(git(clone, "rev-parse", "--absolute-git-dir"))
    return not any((folder / mark).exists() for mark in marks) and not git(
        clone, "status", "--porcelain"
    )


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: " ".join(words))
def test_what_two_write_in_turns_arrives_at_both(shell: list[str], team: Team) -> None:
    write(team.ada, "thoughts/shared/research/a b ü.md", "# From Ada\n")
    first = sync(team.ada, shell=shell)
    assert (first.status, "a b ü.md" in first.told) == (0, True)
    write(team.bob, "thoughts/bob/notes/b.md", "# From Bob\n")
    assert sync(team.bob, shell=shell).status == 0
    assert sync(team.ada, shell=shell).status == 0
    assert read(team.ada, "thoughts/bob/notes/b.md") == "# From Bob\n"
    assert read(team.bob, "thoughts/shared/research/a b ü.md") == "# From Ada\n"
    assert clean(team.ada)
    assert clean(team.bob)


def test_two_edits_of_one_file_in_different_places_are_both_kept(team: Team) -> None:
    write(team.ada, PLAN, read(team.ada, PLAN).replace("line 1\n", "line 1 by Ada\n"))
    write(team.bob, PLAN, read(team.bob, PLAN).replace("line 9\n", "line 9 by Bob\n"))
    assert [sync(team.ada).status, sync(team.bob).status, sync(team.ada).status] == [0, 0, 0]
    merged = read(team.ada, PLAN)
    assert merged == read(team.bob, PLAN)
    assert "by Ada" in merged
    assert "by Bob" in merged
    subjects = git(team.ada, "log", "--format=%s").splitlines()
    assert subjects[0] == "Merge the thoughts of others"
    assert str(team.remote) not in git(team.ada, "log")


def test_a_file_that_is_gone_is_gone_everywhere(team: Team) -> None:
    write(team.ada, "thoughts/shared/plans/old.md", "old\n")
    assert sync(team.ada).status == sync(team.bob).status == 0
    (team.bob / "thoughts/shared/plans/old.md").unlink()
    assert sync(team.bob).status == sync(team.ada).status == 0
    assert not (team.ada / "thoughts/shared/plans/old.md").exists()


@pytest.mark.usefixtures("no_pauses")
def test_two_who_sync_at_the_same_moment_lose_nothing(team: Team) -> None:
    for round_ in range(4):
        runs = []
        for clone in (team.ada, team.bob):
            write(clone, f"thoughts/shared/research/{clone.name}{round_}.md", f"{round_}\n")
            runs.append(
                subprocess.Popen(
                    [str(clone / NAME)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            )
        told = [run.communicate(timeout=120)[0].decode() for run in runs]
        assert [run.returncode for run in runs] == [0, 0], told
    assert sync(team.ada).status == sync(team.bob).status == 0
    files = {f"thoughts/shared/research/{who}{n}.md" for who in ("ada", "bob") for n in range(4)}
    for clone in (team.ada, team.bob):
        assert files <= set(git(clone, "ls-tree", "-r", "--name-only", "HEAD").splitlines())


def ada_pushes_before(team: Team, times: int) -> None:
    """Ada's change reaches the remote between Bob's merge and Bob's push, that many times."""
    hook(
        team.bob,
        "pre-push",
        "unset GIT_DIR GIT_INDEX_FILE GIT_PREFIX GIT_WORK_TREE\n"
        f"cd '{team.ada}' || exit 1\n"
        "n=$(ls .git/pushed* 2>/dev/null | wc -l)\n"
        f'[ "$n" -lt {times} ] || exit 0\n'
        'touch ".git/pushed$n"; echo "$n" >"thoughts/ada$n.md"\n'
        "./sync-thoughts.sh >/dev/null 2>&1",
    )


@pytest.mark.usefixtures("no_pauses")
def test_who_is_overtaken_tries_again(team: Team) -> None:
    ada_pushes_before(team, 2)
    write(team.bob, "thoughts/bob.md", "bob\n")
    done = sync(team.bob)
    assert (done.status, done.told.count("Others were quicker.")) == (0, 2)
    assert {"thoughts/bob.md", "thoughts/ada0.md", "thoughts/ada1.md"} <= set(
        git(team.remote, "ls-tree", "-r", "--name-only", "main").splitlines()
    )


@pytest.mark.usefixtures("no_pauses")
def test_who_is_always_overtaken_is_told_in_the_end_and_has_lost_nothing(team: Team) -> None:
    ada_pushes_before(team, 5)
    write(team.bob, "thoughts/bob.md", "bob\n")
    done = sync(team.bob)
    assert (done.status, "five times" in done.told) == (1, True)
    assert clean(team.bob)
    assert sync(team.bob).status == 0
    assert git(team.remote, "show", "main:thoughts/bob.md") == "bob"


def conflict(team: Team) -> Done:
    write(team.ada, PLAN, read(team.ada, PLAN).replace("line 5\n", "line 5 by Ada\n"))
    write(team.bob, PLAN, read(team.bob, PLAN).replace("line 5\n", "line 5 by Bob\n"))
    write(team.bob, "thoughts/bob.md", "bob\n")
    assert sync(team.ada).status == 0
    return sync(team.bob)


def instructions(told: str) -> list[list[str]]:
    return [line.split() for line in told.splitlines() if line.startswith("  git ")]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: " ".join(words))
def test_a_true_conflict_is_told_and_changes_nothing(shell: list[str], team: Team) -> None:
    conflict(team)
    git(team.bob, "reset", "--quiet", "--hard", "HEAD")
    before = git(team.bob, "rev-parse", "HEAD")
    on_remote = team.on_remote()
    done = sync(team.bob, shell=shell)
    assert done.status == 3
    assert PLAN in done.told.splitlines()
    assert "CONFLICT" not in done.told
    assert clean(team.bob)
    assert git(team.bob, "rev-parse", "HEAD") == before
    assert team.on_remote() == on_remote
    assert "line 5 by Bob\n" in read(team.bob, PLAN)


def test_the_way_out_of_a_conflict_is_the_one_that_is_told(team: Team) -> None:
    done = conflict(team)
    assert done.status == 3
    pull, add, commit = instructions(done.told)
    git(team.bob, *pull[1:], status=1)
    unfinished = sync(team.bob)
    assert (unfinished.status, "not finished" in unfinished.told) == (1, True)
    both = re.sub(r"^[<=>]{7}.*\n", "", read(team.bob, PLAN), flags=re.MULTILINE)
    write(team.bob, PLAN, both)
    git(team.bob, *add[1:])
    git(team.bob, *commit[1:])
    assert sync(team.bob).status == sync(team.ada).status == 0
    assert read(team.ada, PLAN) == both
    assert "by Ada" in both
    assert "by Bob" in both


def test_a_file_changed_here_and_removed_there_is_a_conflict(team: Team) -> None:
    (team.ada / PLAN).unlink()
    write(team.bob, PLAN, "changed\n")
    assert sync(team.ada).status == 0
    done = sync(team.bob)
    assert (done.status, PLAN in done.told) == (3, True)
    assert read(team.bob, PLAN) == "changed\n"
    assert clean(team.bob)


def test_names_of_files_in_conflict_are_told_as_they_are(team: Team) -> None:
    name = "thoughts/shared/plans/Über uns – 計画.md"
    write(team.ada, name, "a\n")
    write(team.bob, name, "b\n")
    assert sync(team.ada).status == 0
    assert name in sync(team.bob).told.splitlines()


def test_only_thoughts_are_committed(team: Team) -> None:
    write(team.ada, "code.py", "staged = 1\n")
    git(team.ada, "add", "code.py")
    write(team.ada, ".gitattributes", read(team.ada, ".gitattributes") + "*.x text\n")
    write(team.ada, "thoughts/a.md", "a\n")
    assert sync(team.ada).status == 0
    assert git(team.ada, "show", "--format=", "--name-only", "HEAD") == "thoughts/a.md"
    assert git(team.ada, "status", "--porcelain").splitlines() == [
        " M .gitattributes",
        "A  code.py",
    ]


def test_what_is_being_worked_on_elsewhere_survives_a_merge(team: Team) -> None:
    write(team.bob, "thoughts/b.md", "b\n")
    write(team.ada, "thoughts/a.md", "a\n")
    write(team.ada, ".gitattributes", read(team.ada, ".gitattributes") + "*.x text\n")
    assert sync(team.bob).status == sync(team.ada).status == 0
    assert git(team.ada, "status", "--porcelain") == " M .gitattributes"
    assert (team.ada / "thoughts/b.md").exists()


def test_a_merge_that_would_overwrite_work_elsewhere_is_not_begun(team: Team) -> None:
    write(team.bob, ".gitattributes", read(team.bob, ".gitattributes") + "*.y text\n")
    git(team.bob, "commit", "--quiet", "--all", "-m", "Attributes")
    git(team.bob, "push", "--quiet")
    write(team.ada, ".gitattributes", read(team.ada, ".gitattributes") + "*.x text\n")
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    assert (done.status, ".gitattributes" in done.told) == (1, True)
    assert git(team.ada, "status", "--porcelain") == " M .gitattributes"
    assert "*.x text" in read(team.ada, ".gitattributes")


def test_what_is_staged_elsewhere_keeps_git_from_merging_and_the_way_out_is_told(
    team: Team,
) -> None:
    write(team.bob, "thoughts/b.md", "b\n")
    assert sync(team.bob).status == 0
    write(team.ada, "code.py", "staged = 1\n")
    git(team.ada, "add", "code.py")
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    assert (done.status, "unstage them with git reset" in done.told) == (1, True)
    assert git(team.ada, "status", "--porcelain") == "A  code.py"
    git(team.ada, "reset", "--quiet")
    assert sync(team.ada).status == 0
    assert git(team.ada, "status", "--porcelain") == "?? code.py"


def test_it_runs_from_any_folder_and_by_any_path(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "decoy" / "team" / "ada").mkdir(parents=True)
    monkeypatch.setenv("CDPATH", str(tmp_path / "decoy"))
    for number, cwd in enumerate([Path("/"), tmp_path, team.ada / "thoughts", team.ada]):
        write(team.ada, f"thoughts/{number}.md", "x\n")
        relative = Path(os.path.relpath(team.ada, cwd))
        done = sync(relative, shell=["sh"], cwd=cwd)
        assert (done.status, "Pushed" in done.told) == (0, True), done.told


def test_a_worktree_has_its_own_branch_and_shares_it(team: Team) -> None:
    tree = team.ada.parent / "tree"
    git(team.ada, "worktree", "add", "--quiet", "-b", "topic", str(tree))
    assert (tree / ".git").is_file()
    write(tree, "thoughts/topic.md", "topic\n")
    assert sync(tree, "-m", "On a topic").status == 0
    assert git(team.remote, "log", "-1", "--format=%s", "topic") == "On a topic"
    assert git(tree, "rev-parse", "--abbrev-ref", "@{upstream}") == "origin/topic"
    assert git(team.remote, "log", "-1", "--format=%s", "main") == "Start"
    assert not (team.ada / "thoughts/topic.md").exists()


def test_the_upstream_may_have_another_name_and_another_remote(team: Team) -> None:
    second = team.remote.parent / "second.git"
    git(team.remote.parent, "init", "--quiet", "--bare", str(second))
    git(team.ada, "remote", "add", "backup", str(second))
    git(team.ada, "push", "--quiet", "--set-upstream", "backup", "main:team/thoughts")
    write(team.ada, "thoughts/a.md", "a\n")
    assert sync(team.ada).status == 0
    assert git(second, "rev-parse", "team/thoughts") == git(team.ada, "rev-parse", "HEAD")
    assert team.on_remote() == git(team.ada, "rev-parse", "HEAD~1")


def test_several_remotes_and_none_chosen_is_asked_back_before_anything_is_done(team: Team) -> None:
    git(team.ada, "branch", "--unset-upstream")
    git(team.ada, "remote", "rename", "origin", "one")
    git(team.ada, "remote", "add", "two", str(team.remote))
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    assert (done.status, "REMOTE main" in done.told) == (1, True)
    assert git(team.ada, "log", "-1", "--format=%s") == "Start"
    git(team.ada, "remote", "rename", "two", "origin")
    assert sync(team.ada).status == 0


def test_what_an_earlier_run_could_not_push_is_pushed_by_the_next(team: Team) -> None:
    away = team.remote.rename(team.remote.with_name("away"))
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    assert (done.status, "cannot be reached" in done.told) == (1, True)
    assert git(team.ada, "show", "HEAD:thoughts/a.md") == "a"
    away.rename(team.remote)
    done = sync(team.ada)
    assert (done.status, "Nothing has changed" in done.told) == (0, True)
    assert git(team.remote, "show", "main:thoughts/a.md") == "a"


def test_a_remote_that_says_no_is_asked_once(team: Team) -> None:
    hook(team.remote, "pre-receive", "echo asked >>asked; echo 'closed today' >&2; exit 1")
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    assert (done.status, "closed today" in done.told) == (1, True)
    assert (team.remote / "asked").read_text(encoding="utf-8") == "asked\n"
    assert clean(team.ada)


def test_an_empty_remote_gets_the_branch_and_becomes_its_upstream(tmp_path: Path) -> None:
    lone = start(tmp_path / "lone")
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    git(lone, "remote", "add", "origin", str(tmp_path / "empty.git"))
    assert sync(lone).status == 0
    assert git(lone, "status", "--branch", "--porcelain") == "## main...origin/main"


def test_a_remote_with_another_history_is_told_and_can_be_joined(team: Team) -> None:
    lone = start(team.remote.parent / "lone")
    write(lone, "thoughts/lone.md", "lone\n")
    git(lone, "add", "--all")
    git(lone, "commit", "--quiet", "--amend", "-m", "Another start")
    git(lone, "remote", "add", "origin", str(team.remote))
    done = sync(lone)
    assert (done.status, "history of its own" in done.told) == (1, True)
    (join,) = instructions(done.told)
    git(lone, *join[1:], "--no-edit")
    assert sync(lone).status == sync(team.bob).status == 0
    assert read(team.bob, "thoughts/lone.md") == "lone\n"


def test_without_a_remote_it_commits_and_says_how_to_share(tmp_path: Path) -> None:
    lone = start(tmp_path / "lone")
    write(lone, "thoughts/a.md", "a\n")
    done = sync(lone)
    assert (done.status, "git remote add origin" in done.told) == (0, True)
    assert git(lone, "show", "HEAD:thoughts/a.md") == "a"


def test_when_there_is_nothing_to_do_nothing_is_done(team: Team) -> None:
    before = git(team.ada, "rev-parse", "HEAD")
    done = sync(team.ada)
    assert (done.status, "Nothing has changed" in done.told) == (0, True)
    assert git(team.ada, "rev-parse", "HEAD") == before == team.on_remote()


def break_off(state: str) -> Callable[[Path], object]:
    return {
        "detached": lambda at: git(at, "checkout", "--quiet", "--detach"),
        "no repository": lambda at: shutil.rmtree(at / ".git"),
        "no thoughts": lambda at: shutil.rmtree(at / "thoughts"),
        "in a merge": lambda at: (at / ".git/MERGE_HEAD").write_text(git(at, "rev-parse", "HEAD")),
        "in a rebase": lambda at: (at / ".git/rebase-merge").mkdir(),
    }[state]


@pytest.mark.parametrize(
    "state", ["detached", "no repository", "no thoughts", "in a merge", "in a rebase"]
)
def test_where_it_cannot_work_it_does_nothing_and_says_why(state: str, team: Team) -> None:
    head = team.on_remote()
    break_off(state)(team.ada)
    if state != "no thoughts":
        write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    assert done.status == 1
    assert done.told.strip().endswith(".") or "To " in done.told
    assert team.on_remote() == head
    if state != "no repository":
        assert git(team.ada, "rev-parse", "HEAD") == head
        assert git(team.ada, "diff", "--cached", "--name-only") == ""


def test_where_nobody_is_known_to_git_it_says_so_and_keeps_everything(
    team: Team, home: Path
) -> None:
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n", encoding="utf-8")
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    assert (done.status, "user.email" in done.told) == (1, True)
    assert read(team.ada, "thoughts/a.md") == "a\n"


def test_a_repository_without_a_commit_begins_with_its_thoughts(tmp_path: Path) -> None:
    lone = start(tmp_path / "lone")
    shutil.rmtree(lone / ".git")
    git(lone, "init", "--quiet")
    git(lone, "symbolic-ref", "HEAD", "refs/heads/main")
    assert sync(lone).status == 0
    assert git(lone, "ls-tree", "-r", "--name-only", "HEAD") == PLAN


MESSAGES = [
    "plain",
    'Ada\'s "plan"',
    "first line\n\nsecond paragraph",
    "`touch pwned` $(touch pwned) ; touch pwned & touch pwned | touch pwned",
    "-m",
    "--amend",
    "--file=/dev/null",
    "#42 is done",
    "100 %s %d \\n \\t $HOME %PATH%",
    "Übung 計画 🧠",
    "*",
    "ends with a backslash \\",
]


@pytest.mark.parametrize(
    ("message", "form"),
    [
        *((message, "-m") for message in MESSAGES),
        *(("--amend", form) for form in ("--message", "--message=")),
    ],
)
def test_a_message_is_only_ever_a_message(
    message: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = start(tmp_path / "lone")
    write(lone, "thoughts/a.md", "a\n")
    monkeypatch.chdir(tmp_path)
    arguments = [form + message] if form.endswith("=") else [form, message]
    assert sync(lone, *arguments).status == 0
    assert git(lone, "log", "-1", "--format=%B").rstrip("\n") == message
    assert git(lone, "rev-list", "--count", "HEAD") == "2"
    assert not list(tmp_path.rglob("pwned"))
    assert clean(lone)


def test_without_a_message_and_a_terminal_it_takes_the_date(team: Team) -> None:
    write(team.ada, "thoughts/a.md", "a\n")
    assert sync(team.ada).status == 0
    subject = git(team.ada, "log", "-1", "--format=%s")
    assert re.fullmatch(r"Update thoughts: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", subject)


def in_terminal(clone: Path, typed: bytes) -> str:
    """What a terminal shows while the script runs in it and somebody types."""
    here, there = pty.openpty()
    run = subprocess.Popen([str(clone / NAME)], stdin=there, stdout=there, stderr=there)
    os.close(there)
    os.write(here, typed)
    shown = b""
    try:
        while piece := os.read(here, 4096):
            shown += piece
    except OSError:
        pass  # So a terminal ends on Linux.
    os.close(here)
    assert run.wait(timeout=60) == 0, shown
    return shown.decode()


def test_in_a_terminal_it_asks_for_the_message(team: Team) -> None:
    write(team.ada, "thoughts/a.md", "a\n")
    shown = in_terminal(team.ada, b"Why `we` \\cache\n")
    assert "Message [Update thoughts: " in shown
    assert git(team.ada, "log", "-1", "--format=%s") == "Why `we` \\cache"
    write(team.ada, "thoughts/a.md", "b\n")
    in_terminal(team.ada, b"\n")
    assert git(team.ada, "log", "-1", "--format=%s").startswith("Update thoughts: ")


@pytest.mark.parametrize(
    "arguments",
    [["-m"], ["--message"], ["-m", ""], ["-m", " \n"], ["--message="], ["--force"], ["x"], ["-mx"]],
)
def test_what_is_not_understood_is_said_and_nothing_is_done(
    arguments: list[str], team: Team
) -> None:
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada, *arguments)
    assert (done.status, "--help" in done.told) == (2, True)
    assert git(team.ada, "log", "-1", "--format=%s") == "Start"


def test_help_says_every_option_and_exit_code(team: Team) -> None:
    done = sync(team.ada, "--help")
    assert (done.status, done) == (0, sync(team.ada, "-h"))
    for word in ("-m, --message", "--no-push", "-n, --dry-run", "0 done", "1 ", "2 ", "3 others"):
        assert word in done.told


def test_no_push_commits_and_asks_no_remote(team: Team) -> None:
    shutil.rmtree(team.remote)
    write(team.ada, "thoughts/a.md", "a\n")
    assert sync(team.ada, "--no-push").status == 0
    assert git(team.ada, "show", "HEAD:thoughts/a.md") == "a"


@pytest.mark.parametrize("flag", ["-n", "--dry-run"])
def test_a_dry_run_tells_and_does_nothing(flag: str, team: Team) -> None:
    write(team.bob, "thoughts/b.md", "b\n")
    assert sync(team.bob).status == 0
    write(team.ada, "thoughts/a.md", "a\n")
    assert sync(team.ada, "--no-push").status == 0
    write(team.ada, "thoughts/new.md", "new\n")
    (team.ada / PLAN).unlink()
    looks = (
        "for-each-ref",
        "status --porcelain",
        "log --oneline",
        "diff --cached",
        "count-objects",
    )
    before = [git(team.ada, *look.split()) for look in looks]
    done = sync(team.ada, flag)
    assert done.status == 0
    assert [git(team.ada, *look.split()) for look in looks] == before
    assert f" D {PLAN}\n?? thoughts/new.md\n" in done.told
    assert "not pushed to origin, branch main yet: 1." in done.told


def test_started_by_a_hook_of_git_it_still_means_its_own_repository(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(team.bob / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(team.bob / ".git" / "index"))
    write(team.ada, "thoughts/a.md", "a\n")
    done = sync(team.ada)
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert done.status == 0
    assert git(team.remote, "show", "main:thoughts/a.md") == "a"
    assert clean(team.bob)


def test_a_dry_run_tells_nothing_of_what_git_adds_for_a_person(team: Team, home: Path) -> None:
    (home / ".gitconfig").write_text(
        "[status]\n\tbranch = true\n[color]\n\tui = always\n", encoding="utf-8"
    )
    assert sync(team.ada, "-n").told.startswith("Nothing has changed under thoughts/.")


def test_settings_of_the_person_do_not_change_what_it_does(team: Team, home: Path) -> None:
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.com\n"
        "[pull]\n\tff = only\n[merge]\n\tff = only\n[push]\n\tdefault = nothing\n"
        "[commit]\n\tcleanup = strip\n[core]\n\teditor = false\n[color]\n\tui = always\n"
        "[status]\n\tshort = true\n\tbranch = true\n[fetch]\n\tprune = true\n",
        encoding="utf-8",
    )
    write(team.ada, "thoughts/a.md", "a\n")
    write(team.bob, "thoughts/b.md", "b\n")
    assert sync(team.ada, "-m", "#1 by Ada").status == 0
    done = sync(team.bob, "-m", "#2 by Bob")
    assert done.status == 0, done.told
    assert sorted(git(team.bob, "log", "--format=%s").splitlines()) == [
        "#1 by Ada",
        "#2 by Bob",
        "Merge the thoughts of others",
        "Start",
    ]


EDITS = st.lists(
    st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(["own", "plan", "sync"])),
    min_size=1,
    max_size=8,
)


@pytest.mark.usefixtures("no_pauses")
@settings(max_examples=12)
@given(edits=EDITS)
def test_whatever_two_do_in_whatever_order_everything_arrives_at_both(
    edits: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    team = make_team(tmp_path_factory.mktemp("team"))
    clones = {"ada": team.ada, "bob": team.bob}
    own_line = {"ada": "line 2\n", "bob": "line 8\n"}
    for number, (who, what) in enumerate(edits):
        clone = clones[who]
        if what == "own":
            write(clone, f"thoughts/{who}/{number}.md", f"{number}\n")
        elif what == "plan":
            marked = f"edit {number} of {who}\n{own_line[who]}"
            write(clone, PLAN, read(clone, PLAN).replace(own_line[who], marked))
        else:
            assert sync(clone).status == 0
    for clone in (team.ada, team.bob, team.ada):
        assert sync(clone).status == 0
    plan = read(team.ada, PLAN)
    assert plan == read(team.bob, PLAN)
    assert git(team.ada, "rev-parse", "HEAD") == git(team.bob, "rev-parse", "HEAD")
    for number, (who, what) in enumerate(edits):
        if what == "own":
            assert read(team.bob, f"thoughts/{who}/{number}.md") == f"{number}\n"
            assert read(team.ada, f"thoughts/{who}/{number}.md") == f"{number}\n"
        if what == "plan":
            assert f"edit {number} of {who}\n" in plan


@pytest.mark.parametrize(
    "combination", [each for each in COMBINATIONS if each["include_sync_scripts"]], ids=label
)
def test_the_script_of_every_combination_works(
    combination: dict[str, object], tmp_path: Path
) -> None:
    made = render(tmp_path, **combination)
    write(made, "thoughts/shared/plans/first.md", "# First\n")
    if combination["sync_method"] == "none":
        assert sync(made).status == 1
        git(made, "init", "--quiet")
    git(tmp_path, "init", "--quiet", "--bare", "team.git")
    git(made, "remote", "add", "origin", str(tmp_path / "team.git"))
    assert sync(made).status == 0
    branch = git(made, "symbolic-ref", "--short", "HEAD")
    assert (
        git(tmp_path / "team.git", "show", f"{branch}:thoughts/shared/plans/first.md") == "# First"
    )


def script(name: str) -> str:
    """A script without its comments."""
    text = (PAYLOAD / name).read_bytes().decode("ascii")
    return re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)


def plain(words: str) -> str:
    """Words with the two shells' spelling of variables made one."""
    for shell, power in (
        ("${ref#refs/heads/}", "$theirBranch"),
        ("$attempt of", "$($attempt + 1) of"),
    ):
        words = words.replace(shell, "$" + power.strip("$()").split()[0])
        words = words.replace(power, "$" + power.strip("$()").split()[0])
    return re.sub(r"\$\{?(\w+)\}?", lambda m: "$" + m[1].replace("_", "").lower(), words)


def git_commands(text: str, call: str) -> set[str]:
    """The git commands that a script runs, without what is done with their answers."""
    found = re.findall(
        call + r"((?:[^\s'\"|>;)]|'[^'\n]*'|\"[^\"\n]*\"| (?![|>&]))+)", text, re.MULTILINE
    )
    return {" ".join(plain(re.sub(r"['\"]", "", words)).split()) for words in found}


def test_both_scripts_run_the_same_git_commands() -> None:
    shell = git_commands(script(NAME), r"(?:^\s*|\$\(|if |! )git ")
    power = git_commands(script("sync-thoughts.ps1"), r"& git ")
    assert "push --quiet --porcelain --set-upstream $remote $refspec" in shell
    assert "commit --quiet --cleanup=whitespace --file=$messagefile -- thoughts" in shell
    assert len(shell) == 22
    assert shell == power


def sentences(text: str) -> set[str]:
    """What a script says, but for what holds an expression of its shell."""
    quoted = re.findall(r"'([^'\n]*)'|\"([^\"\n]*)\"", text)
    told = {plain(single or double) for single, double in quoted}
    foreign = re.compile(r"\$\(|\$1|\$argument|\$count|Update|yyyy|sync-thoughts")
    spoken = {words for words in told if re.search(r"[a-z] [a-zA-Z$]", words)}
    return {words for words in spoken if not foreign.search(words)}


def test_both_scripts_say_the_same_and_mean_the_same_by_their_exit_codes() -> None:
    shell, power = script(NAME), script("sync-thoughts.ps1")
    stops = re.findall(r"\bstop (\d) ['\"]([^$].*?|\$(?:remote|there) .*?)['\"]", shell)
    told = re.findall(r"Stop-Sync (\d) (?:@\(\s*|\(@\()?['\"](.*?)['\"]", power)
    assert {(code, plain(words)) for code, words in stops} == {
        (code, plain(words)) for code, words in told
    }
    assert len(stops) >= 14
    usage = r"Commits what.*?\n\n(.*?)\n\n"
    assert re.findall(usage, shell, re.DOTALL) == re.findall(usage, power, re.DOTALL)
    assert sentences(shell) == sentences(power)
    assert len(sentences(shell)) >= 40


def test_the_powershell_script_keeps_to_what_every_windows_has() -> None:
    text = script("sync-thoughts.ps1")
    assert "param(" not in text.lower()
    assert "2>" not in text
    assert not re.search(r"&&|\|\||\?\?|\?\.|Invoke-Expression|\biex\b|Start-Process", text)
    assert text.count("{") == text.count("}")
    assert text.replace(r"\(", "").count("(") == text.count(")")


def test_the_batch_file_only_starts_the_powershell_script_beside_it() -> None:
    data = (PAYLOAD / "sync-thoughts.bat").read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n")
    lines = data.decode("ascii").splitlines()
    (work,) = [line for line in lines if "%*" in line]
    assert '-File "%~dp0sync-thoughts.ps1" %*' in work
    assert work.startswith('"%SystemRoot%\\System32\\')
    assert lines[-1] == "exit /b %ERRORLEVEL%"
    assert not re.search(r"%[1-9]|\bgit\b|\bset /p\b", data.decode("ascii"))
