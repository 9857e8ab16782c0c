"""``docs/init.md`` tells of every option, agent, scope and template, and of the real files."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from aimem_tui.cli.commands.init import init_command
from aimem_tui.setup.clients.client import Surroundings
from aimem_tui.setup.clients.names import CLIENTS, SCOPES
from aimem_tui.setup.clients.table import TABLE
from aimem_tui.setup.sources import OWN
from tests.cli.running import ROOT

DOCS = (ROOT / "docs" / "init.md").read_text(encoding="utf-8")


def rows() -> dict[str, list[str]]:
    """The cells of the table of agents by agent."""
    cells = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", DOCS, flags=re.MULTILINE)
    return {name: list(rest) for name, *rest in cells}


def test_every_option_that_changes_what_is_done_is_told_of() -> None:
    options = {
        name for param in init_command.params for name in param.opts if name.startswith("--")
    }
    shared = {"--json", "--workspace", "--dry-run"}
    assert options - shared <= set(re.findall(r"--[a-z-]+", DOCS))


def test_every_agent_scope_and_template_is_told_of() -> None:
    assert set(rows()) == set(CLIENTS) == set(TABLE)
    for name in (*SCOPES, *OWN):
        assert f"`{name}`" in DOCS or name in DOCS


@pytest.mark.parametrize("client", CLIENTS)
def test_the_files_of_an_agent_are_those_it_writes(client: str, tmp_path: Path) -> None:
    surroundings = Surroundings(tmp_path / "p", tmp_path / "h", tmp_path / "d")
    told = dict(zip(("local", "user", "project"), rows()[client], strict=True))
    for scope in SCOPES:
        cell = told["project" if told[scope] == "as `project`" else scope]
        for wish in TABLE[client].wishes(scope, surroundings):
            assert wish.file.name in cell or ".claude/" in cell, (client, scope, wish.file)


def test_the_help_names_every_agent() -> None:
    said = init_command.get_help(click.Context(init_command))
    for name in CLIENTS:
        assert name in said
