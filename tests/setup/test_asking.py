"""``aimem init`` in a real terminal: what is asked, how often, and what the answers do."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.terminal import Terminal
from tests.cli.running import COMMAND, environment
from tests.setup.trees import cookiecutter, make, snapshot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")

SLUG = "{{ cookiecutter.slug }}"
END_OF_INPUT = "\x04"


@contextmanager
def started(project: Path, *arguments: str) -> Iterator[Terminal]:
    """``aimem init`` in a terminal."""
    variables = environment({"AIMEM_AUTHOR": "Ada Lovelace", "NO_COLOR": "1"})
    with Terminal([*COMMAND, "init", *arguments], env=variables, cwd=project) as terminal:
        yield terminal


def answer(terminal: Terminal, dialogue: Sequence[tuple[str, str]]) -> None:
    """Wait for each question in turn, a regular expression, and type the reply and Enter."""
    for question, reply in dialogue:
        terminal.wait_for(question.encode())
        shown = re.search(question.encode(), terminal.output)
        assert shown is not None
        del terminal.output[: shown.end()]
        terminal.press(reply.encode() + (b"" if reply == END_OF_INPUT else b"\n"))


def ended(terminal: Terminal, pattern: str) -> str:
    """What is shown until the end."""
    terminal.wait_for(pattern.encode())
    terminal.settle()
    return terminal.output.decode()


def test_each_variable_is_asked_with_its_help_and_a_wrong_answer_again(project: Path) -> None:
    with started(project, "--template", "thoughts-repo") as terminal:
        answer(
            terminal,
            [
                (r"\[acme\]", "Acme"),
                (r"\[thoughts\]", "a/b"),
                ("has no slashes", "notes"),
                (r"username  Your name as a folder\. \(3 of 12\)", ""),
                (r"\[your-org\]", ""),
                (r"\[thoughts\]", ""),
                (r"\[github.com/your-org/thoughts\]", "-"),
                (r"\[~/projects\]", ""),
                (r"\[yes\]", "perhaps"),
                (r"Type yes or no\.", "n"),
                (r"\[git\]", "none"),
                (r"create_user_directory", ""),
                (r"include_global_directory", "no"),
                (r"include_sync_scripts", "no"),
            ],
        )
        ended(terminal, "Wrote")
    tree = set(snapshot(project))
    assert "notes/thoughts/ada-lovelace/notes/.gitkeep" in tree
    assert "notes/.git" not in tree
    assert "notes/sync-thoughts.sh" not in tree
    assert "notes/thoughts/searchable/shared" not in tree


CONTEXT = {
    "slug": "thing",
    "title": "{{ cookiecutter.slug | upper }}",
    "licence": ["MIT", "Apache-2.0", "{{ cookiecutter.slug }}"],
    "docker": False,
    "matrix": {"a": {"b": "{{ cookiecutter.slug }}"}},
    "__made": "{{ cookiecutter.title }}!",
    "_kept": "{{ cookiecutter.slug }}",
}


def test_answers_give_what_cookiecutter_gives_for_them(project: Path, tmp_path: Path) -> None:
    tree = {
        "cookiecutter.json": json.dumps(CONTEXT),
        f"{SLUG}/all.txt": "{{ cookiecutter.title }} {{ cookiecutter.licence }} {{ cookiecutter }}",
    }
    template = make(tmp_path / "asked", tree)
    extra = ["slug=other", "licence=Apache-2.0", "docker=yes"]
    cookiecutter(str(template), project / "ours", *extra)
    (project / "ours").rename(project / "theirs")
    with started(project, "--template", str(template), "--output", "ours") as terminal:
        answer(
            terminal,
            [
                (r"\[thing\]", "other"),
                (r"\[OTHER\]", ""),
                ("3  other", "7"),
                ("number from 1 to 3", "2"),
                (r"\[no\]", "y"),
                (r"JSON object", "{"),
                ("needs a JSON object", ""),
            ],
        )
        ended(terminal, "Wrote")
    assert snapshot(project / "ours") == snapshot(project / "theirs")


def test_a_file_that_differs_is_shown_and_asked_about(project: Path, tmp_path: Path) -> None:
    names = ("a", "b", "c", "d")
    files = {f"{SLUG}/{name}.txt": "theirs\n" for name in names}
    template = make(tmp_path / "t", {"cookiecutter.json": '{"slug": "s"}', **files})
    make(project, {f"s/{name}.txt": "mine\n" for name in names})
    with started(project, "--template", str(template)) as terminal:
        answer(
            terminal,
            [
                (r"\[s\]", ""),
                (r"(?s)a\.txt is there already.*-mine.*\+theirs.*\[mine\]", "x"),
                ("Type one of: mine, theirs, all, stop", ""),
                (r"(?s)b\.txt is there already.*\[mine\]", "t"),
                (r"(?s)c\.txt is there already.*\[mine\]", "all"),
            ],
        )
        said = ended(terminal, "is kept in")
    assert "a.txt  yours differs" in said
    texts = [(project / "s" / f"{name}.txt").read_text() for name in names]
    assert texts == ["mine\n", "theirs\n", "theirs\n", "theirs\n"]


def test_to_stop_writes_nothing_at_all(project: Path, tmp_path: Path) -> None:
    tree = {"cookiecutter.json": '{"slug": "s"}', f"{SLUG}/a": "1", f"{SLUG}/b": "2"}
    template = make(tmp_path / "t", tree)
    make(project, {"s/b": "mine"})
    before = snapshot(project)
    with started(project, "--template", str(template)) as terminal:
        answer(terminal, [(r"\[s\]", ""), (r"\[mine\]", "stop")])
        ended(terminal, "Nothing was written")
    assert snapshot(project) == before
    with started(project, "--template", str(template)) as terminal:
        answer(terminal, [(r"\[s\]", END_OF_INPUT)])
        ended(terminal, "The input ended")
    assert snapshot(project) == before


@pytest.mark.parametrize(("reply", "made"), [("run", True), ("without", False), ("", None)])
def test_a_template_with_hooks_asks_first(
    project: Path, tmp_path: Path, reply: str, made: bool | None
) -> None:
    hook = "from pathlib import Path\nPath('made').touch()\n"
    tree = {"cookiecutter.json": '{"slug": "s"}', f"{SLUG}/a": "1"}
    template = make(tmp_path / "t", {**tree, "hooks/post_gen_project.py": hook})
    with started(project, "--template", str(template)) as terminal:
        answer(terminal, [(r"(?s)hooks/post_gen_project\.py  2 lines.*\[stop\]", reply)])
        if made is not None:
            answer(terminal, [(r"\[s\]", "")])
        ended(terminal, "Wrote" if made is not None else "Nothing was written")
    assert (project / "s").exists() == (made is not None)
    assert (project / "s" / "made").exists() == bool(made)


def test_agents_are_chosen_shown_and_connected(project: Path, home: Path) -> None:
    make(home, {".cursor/x": ""})
    make(project, {"thoughts/plan.md": "# Plan\n", ".cursor/mcp.json": "{}"})
    with started(project) as terminal:
        answer(
            terminal,
            [
                (r"\[claude cursor\]", "emacs"),
                ("emacs is none of them", "cursor 9"),
                (r"(?s)For whom.*local.*\[1\]", ""),
                (r"Folder  ", "../up"),
                (r"\n", "acme"),
                (r"(?s)mcp\.json  changed.*mcpServers.*Make these changes.*\[yes\]", ""),
                (r"(?s)Take in .*thoughts.*\[yes\]", ""),
            ],
        )
        ended(terminal, "1 new")
    assert json.loads((project / ".cursor" / "mcp.json").read_text())["mcpServers"]
    with started(project, "--remove") as terminal:
        answer(terminal, [(r"Take this out.*\n?.*\[yes\]", "")])
        ended(terminal, "Changed 3 files")
    assert (project / ".cursor" / "mcp.json").read_text() == "{}"


def test_a_no_changes_nothing(project: Path) -> None:
    with started(project, "--client", "codex", "--scope", "project", "--into", "x") as terminal:
        answer(terminal, [(r"(?s)Make these changes.*\[yes\]", "n")])
        ended(terminal, "Nothing was changed")
    assert list(project.iterdir()) == []
