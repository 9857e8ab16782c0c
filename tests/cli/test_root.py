"""The table of commands says what the commands say."""

from __future__ import annotations

import click
import pytest

from aimem_tui.cli.command import Command, LazyGroup, Listed
from aimem_tui.cli.root import COMMANDS
from tests.cli.commands import WITHOUT_JSON, every_command
from tests.cli.running import Aimem


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_table_and_the_command_agree(entry: Listed) -> None:
    command = entry.load()
    assert (command.name, command.short_help) == (entry.name, entry.help)


@pytest.mark.parametrize(
    ("path", "command"),
    [pytest.param(*each, id=" ".join(each[0]) or "aimem") for each in every_command()],
)
def test_every_command_has_help_for_itself_and_all_it_takes(
    aimem: Aimem, path: tuple[str, ...], command: click.Command
) -> None:
    assert isinstance(command, (Command, LazyGroup))
    for flag in ("--help", "-h"):
        said = aimem(*path, flag).out
        assert said.startswith("Usage: aimem")
    assert command.help
    for param in command.params:
        assert getattr(param, "help", ""), (path, param)
        assert getattr(param, "help", "").endswith("."), (path, param)


def test_help_and_messages_do_not_shout(aimem: Aimem) -> None:
    for path, _ in every_command():
        assert "!" not in aimem(*path, "--help").out


def test_json_is_offered_wherever_something_is_printed_or_changed() -> None:
    for path, command in every_command():
        takes = {opt for param in command.params for opt in param.opts}
        if isinstance(command, Command) and path not in WITHOUT_JSON:
            assert "--json" in takes, path
