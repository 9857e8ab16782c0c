"""Completion: the scripts are what the shells understand, and offer what is there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import COMMAND, Aimem, environment, process

SHELLS = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_printed_for_each_shell(aimem: Aimem, shell: str) -> None:
    script = aimem("completion", shell).out
    assert f"_AIMEM_COMPLETE={shell}" in script
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    checked = subprocess.run(SHELLS[shell], input=script.encode(), capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, b"")


def test_an_unknown_shell_is_explained(aimem: Aimem) -> None:
    assert "'bash', 'zsh', 'fish'" in aimem.fails("completion", "tcsh", code=2)


Offered = Callable[..., list[str]]


@pytest.fixture
def offered(aimem: Aimem, monkeypatch: pytest.MonkeyPatch) -> Offered:
    """The values offered for the last word of a line; ``word`` is what bash takes for it."""

    def offer(line: str, shell: str = "zsh", word: str | None = None) -> list[str]:
        with monkeypatch.context() as patch:
            patch.setenv("_AIMEM_COMPLETE", shell)
            patch.setenv("_AIMEM_LINE", line)
            if word is not None:
                patch.setenv("_AIMEM_WORD", word)
            ran = aimem()
        assert ran.err == ""
        return [answer.split("\t")[1] for answer in ran.out.splitlines()]

    return offer


@pytest.fixture
def filled(aimem: Aimem) -> Aimem:
    for path in ("plans/auth", "plans/auth/login", "plans/old/a", "plans/old/b", "readme"):
        aimem("new", path)
    aimem("tag", "readme", "api", "auth")
    aimem("new", "gone")
    aimem("trash", "gone")
    aimem("workspace", "create", "team")
    return aimem


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("aimem sh", ["show"]),
        ("aimem history sh", ["show"]),
        ("aimem workspace ", ["list", "create", "use", "path"]),
        ("aimem show ", ["plans/", "readme.md"]),
        ("aimem show pl", ["plans/"]),
        ("aimem show plans/", ["plans/auth.md", "plans/auth/", "plans/old/"]),
        ("aimem show plans/auth.md", ["plans/auth.md"]),
        ("aimem show nothing", []),
        ("aimem show 'plans/au", ["plans/auth.md", "plans/auth/"]),
        ("aimem history re", ["restore", "readme.md"]),
        ("aimem history show plans/old/", ["plans/old/a.md", "plans/old/b.md"]),
        ("aimem history plans/auth.md --li", ["--limit"]),
        ("aimem restore ", ["gone.md"]),
        ("aimem list --path pl", ["plans/"]),
        ("aimem list --path=pl", ["plans/"]),
        ("aimem list --tag a", ["api", "auth"]),
        ("aimem list --kind pl", ["plan"]),
        ("aimem list --lo", ["--long"]),
        ("aimem tag readme.md ap", ["api"]),
        ("aimem config get us", ["user.name"]),
        ("aimem -w te", ["team"]),
        ("aimem -w team show ", []),
        ("aimem list --workspace team --path ", []),
        ("AIMEM_DEBUG=1 aimem workspace use t", ["team"]),
        ("aimem completion ", ["bash", "zsh", "fish"]),
    ],
)
@pytest.mark.usefixtures("filled")
def test_what_can_stand_there_is_offered(offered: Offered, line: str, values: list[str]) -> None:
    assert offered(line) == values


def test_files_are_left_to_the_shell() -> None:
    ran = process(env={"_AIMEM_COMPLETE": "zsh", "_AIMEM_LINE": "aimem import ./x"}, stdin=None)
    assert ran.out.split("\t")[0] == "file"


def test_each_shell_gets_the_part_of_the_word_that_it_replaces(
    filled: Aimem, offered: Offered
) -> None:
    assert offered("aimem list --path=pl", "fish") == ["--path=plans/"]
    assert offered("aimem list --path=pl", "bash", word="pl") == ["plans/"]
    filled("new", "notes/10:30 talk")
    assert offered("aimem show notes/10:3", "bash", word="3") == ["30 talk.md"]


def test_completing_makes_no_workspace(offered: Offered, aimem_home: Path) -> None:
    assert offered("aimem show ") == []
    assert not aimem_home.exists()


def test_completing_offers_nothing_when_something_is_wrong(filled: Aimem, aimem_home: Path) -> None:
    (aimem_home / "workspaces" / "default" / "workspace.db").write_bytes(b"no database" * 999)
    ran = process(env={"_AIMEM_COMPLETE": "bash", "_AIMEM_LINE": "aimem show "}, stdin=None)
    assert ran.out == ""


@pytest.fixture
def path_with_aimem(tmp_path: Path) -> str:
    """A PATH on which ``aimem`` is this one."""
    file = tmp_path / "bin" / "aimem"
    file.parent.mkdir()
    file.write_text(f'#!/bin/sh\nexec "{COMMAND[0]}" -c "{COMMAND[2]}" "$@"\n')
    file.chmod(0o755)
    return f"{file.parent}{os.pathsep}{os.environ['PATH']}"


def in_bash(line: str, word: str, path: str) -> list[str]:
    script = (
        "source <(aimem completion bash)\n"
        'COMP_LINE=$1 COMP_POINT=${#1}; _aimem_completion aimem "$2" ""\n'
        'for each in "${COMPREPLY[@]}"; do printf "%s\\n" "$each"; done\n'
    )
    ran = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", line, word],
        capture_output=True,
        env=environment({"PATH": path}),
        check=True,
    )
    assert ran.stderr == b""
    return ran.stdout.decode().splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_with_the_script(filled: Aimem, path_with_aimem: str) -> None:
    filled("new", "notes/two words * and 'more'")
    assert in_bash("aimem stat", "stat", path_with_aimem) == ["status"]
    assert in_bash("aimem show plans/o", "plans/o", path_with_aimem) == ["plans/old/"]
    assert in_bash("aimem show notes/", "notes/", path_with_aimem) == [
        "notes/two words * and 'more'.md"
    ]


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_completes_with_the_script(filled: Aimem, path_with_aimem: str) -> None:
    filled("new", "notes/two words")
    script = 'source (aimem completion fish | psub); for line in $argv; complete -C "$line"; end'
    ran = subprocess.run(
        ["fish", "--no-config", "-c", script, "aimem show notes/t", "aimem list --path=pl"],
        capture_output=True,
        env=environment({"PATH": path_with_aimem}),
        check=True,
    )
    assert ran.stdout.decode().split("\n") == ["notes/two words.md", "--path=plans/", ""]
