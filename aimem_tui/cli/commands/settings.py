"""Settings: ``config``."""

from __future__ import annotations

import click

from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import bold
from aimem_tui.cli.types import SettingKey, Text
from aimem_tui.settings import Value

_COLUMNS = (
    Column("KEY", style="bold"),
    Column("VALUE", flexible=True),
    Column("FROM"),
    Column("", flexible=True, style="dim"),
)

_key = click.argument("key", type=SettingKey(), help="The setting, as in user.name.")


@click.group(
    "config",
    cls=LazyGroup,
    default="list",
    short_help="See and change settings.",
    context_settings=SETTINGS,
)
def config_command() -> None:
    """See and change settings. Without a command, list them."""


@command("list", short_help="List all settings.")
@json_option
@click.pass_obj
def list_command(session: Session, as_json: bool) -> None:
    """List all settings, and where each value comes from."""
    values = session.settings.all()
    if as_json:
        output.json_object({"settings": [shapes.setting(value) for value in values]})
        return
    output.table(
        _COLUMNS,
        (
            (value.setting.key, value.value or "-", value.source, value.setting.description)
            for value in values
        ),
    )


@command("get", short_help="Print a setting.")
@_key
@json_option
@click.pass_obj
def get_command(session: Session, key: str, as_json: bool) -> None:
    """Print the value in force."""
    value = session.settings.value(key)
    if as_json:
        output.json_object({"setting": shapes.setting(value)})
    else:
        output.line(value.value)


@command("set", short_help="Change a setting.")
@_key
@click.argument("value", type=Text(), metavar="VALUE", help="Its new value.")
@json_option
@click.pass_obj
def set_command(session: Session, key: str, value: str, as_json: bool) -> None:
    """Change a setting."""
    session.settings.set(key, value)
    _say(session.settings.value(key), as_json=as_json)


@command("unset", short_help="Go back to the default.")
@_key
@json_option
@click.pass_obj
def unset_command(session: Session, key: str, as_json: bool) -> None:
    """Go back to the default of a setting."""
    session.settings.unset(key)
    _say(session.settings.value(key), as_json=as_json)


@command("path", short_help="Print where settings are kept.")
@json_option
@click.pass_obj
def path_command(session: Session, as_json: bool) -> None:
    """Print the file that settings are kept in."""
    file = str(session.home.settings_file)
    if as_json:
        output.json_object({"path": file})
    else:
        output.line(file)


for _command in (list_command, get_command, set_command, unset_command, path_command):
    config_command.add_command(_command)


def _say(value: Value, *, as_json: bool) -> None:
    if as_json:
        output.json_object({"setting": shapes.setting(value)})
    else:
        output.line(bold(value.setting.key), f" is {value.value or 'empty'}.")
    if value.source == "environment":
        note(f"The environment variable {value.setting.environment} says so for now.")
