"""``docs/cli.md`` tells of every command, option, exit code, variable and field."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from aimem_tui.cli import shapes
from aimem_tui.cli.command import LazyGroup
from aimem_tui.errors import ExitCode
from aimem_tui.markdown.sections import Section
from aimem_tui.markdown.tasks import Checkbox
from aimem_tui.model import (
    ExportReport,
    Filter,
    Finding,
    ImportReport,
    Kind,
    Lifecycle,
    Revision,
    SearchHit,
    Thought,
    WorkspaceStatus,
)
from aimem_tui.settings import Settings
from aimem_tui.sync.remotes import Remote
from aimem_tui.sync.state import LinkState, SyncState
from aimem_tui.workspace.agents.context import Context
from aimem_tui.workspace.agents.reading import Change
from aimem_tui.workspace.agents.remembering import Remembered, What
from aimem_tui.workspace.registry import WorkspaceEntry
from tests.cli.commands import WITHOUT_JSON, every_command
from tests.cli.running import ROOT, Aimem

DOCS = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
COMMANDS = [pytest.param(*each, id=" ".join(each[0]) or "aimem") for each in every_command()]
THOUGHT = Thought(
    "0" * 32, "a", "a", "A", Kind.NOTE, "", Lifecycle.NONE, (), 0, "", 0, "", None, 0, 0, 0, 0
)


def sections() -> dict[str, str]:
    """The parts of the page under their headings; a command's is its words alone."""
    found = {}
    for part in re.split(r"^#{2,3} ", DOCS, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        words = heading.strip("`").split()
        name = " ".join(word for word in words if not re.fullmatch(r"[\[\]A-Z.]+", word))
        found[name if heading.startswith("`") else heading] = f"{heading}\n{body}"
    return found


def words_of(text: str) -> set[str]:
    """All options and arguments that a text names in code."""
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*|\b[A-Z]{2,}\b", text))


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_with_its_options_and_arguments_is_documented(
    path: tuple[str, ...], command: click.Command
) -> None:
    parts = sections()
    section = parts[" ".join(("aimem", *path))]
    known = words_of(section) | words_of(parts["What holds for every command"])
    if "(#filters)" in section:
        known |= words_of(parts["Filters"])
    context = click.Context(command)
    for param in command.params:
        if isinstance(param, click.Option):
            assert set(param.opts) <= known, (path, param.opts)
        else:
            assert words_of(param.make_metavar(context)) <= words_of(section), (path, param.name)


def test_no_command_or_option_is_documented_that_is_not_there() -> None:
    commands = {" ".join(("aimem", *path)): command for path, command in every_command()}
    for name, section in sections().items():
        if not name.startswith("aimem"):
            continue
        options = {opt for param in commands[name].params for opt in param.opts}
        table = "\n".join(re.findall(r"^\| (`-.*?) \|", section, flags=re.MULTILINE))
        assert {word for word in words_of(table) if word.startswith("-")} <= options, name


def test_every_exit_code_is_documented_with_its_number() -> None:
    rows = re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", DOCS, flags=re.MULTILINE)
    assert {name: int(number) for number, name in rows} == {
        code.name: code.value for code in ExitCode
    }


def test_every_variable_that_is_read_is_documented() -> None:
    names = set()
    for file in (ROOT / "aimem_tui").rglob("*.py"):
        names |= set(re.findall(r"\"(AIMEM_[A-Z]+)\"", file.read_text(encoding="utf-8")))
    assert names <= set(re.findall(r"`(AIMEM_[A-Z]+)`", DOCS))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("thought", shapes.thought(THOUGHT)),
        ("hit", shapes.hit(SearchHit(THOUGHT, 1.0, "", 0))),
        ("revision", shapes.revision(Revision(1, "", 0, 0, "", 0, 0))),
        ("status", shapes.status(WorkspaceStatus("", "", 0, 0, 0, 0, None, "", 0, 0))),
        ("import report", shapes.import_report(ImportReport(), dry_run=False)),
        ("export report", shapes.export_report(ExportReport())),
        ("finding", shapes.finding(Finding("", True, ""))),
        ("setting", shapes.setting(Settings(Path("none")).value("theme"))),
        ("remote", shapes.remote(Remote("", ""))),
        ("sync state", shapes.sync(SyncState())),
        ("sync remote", shapes.link(LinkState("", ""))),
        ("workspace", shapes.workspace(WorkspaceEntry("", Path(), 0), True)),
        ("section", shapes.section(Section("", 1, (), 1, 1, 0, 0, 0, 0))),
        ("task", shapes.task(Checkbox(1, "", False, "", 0, 1))),
        ("change", shapes.change(Change(THOUGHT, False, ()))),
        (
            "what became of a fact",
            shapes.remembered(Remembered(THOUGHT, 1, What.KNOWN, "")),
        ),
        ("context", shapes.context(Context("", "", 0, (), (), (), ()))),
    ],
)
def test_every_field_is_documented(name: str, shape: shapes.Shape) -> None:
    described = re.search(rf"^\*\*{name}\*\*: (.*?)(?:\n\n|\Z)", DOCS, re.MULTILINE | re.DOTALL)
    assert described is not None
    plain = re.sub(r"\([^()]*\)", "", described[1])
    assert re.findall(r"`(\w+)`", plain) == list(shape)


def test_the_objects_of_all_commands_are_documented() -> None:
    rows = re.findall(r"^\| ((?:`[a-z ]+`(?:, )?)+) \|", sections()["JSON"], flags=re.MULTILINE)
    named = {command for row in rows for command in re.findall(r"`([a-z ]+)`", row)}
    assert named == {
        " ".join(path) or "aimem" for path, _ in every_command() if path not in WITHOUT_JSON
    }


def test_the_examples_at_the_top_work(aimem: Aimem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.chdir(ROOT / "docs")
    (block,) = re.findall(r"```\n(aimem new.*?)```", DOCS, flags=re.DOTALL)
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        if words[1] not in ("import", "export"):
            aimem(*words[1:])


def test_filters_are_the_fields_of_a_filter() -> None:
    options = {word.removeprefix("--") for word in words_of(sections()["Filters"]) if "--" in word}
    fields = {
        name.removesuffix("s") if name in ("kinds", "tags") else name for name in Filter._fields
    }
    assert options == fields - {"trashed"}


def test_groups_list_their_commands_in_the_help(aimem: Aimem) -> None:
    for path, command in every_command():
        if isinstance(command, LazyGroup):
            said = aimem(*path, "--help").out
            assert all(name in said for name in command.list_commands(click.Context(command)))
