"""The workspaces of this machine: ``workspace``."""

from __future__ import annotations

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import DEFAULT_WORKSPACE, Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import bold
from aimem_tui.cli.types import WorkspaceName
from aimem_tui.workspace import registry

_COLUMNS = (
    Column(""),
    Column("NAME", style="bold"),
    Column("SIZE", right=True),
    Column("FILE", flexible=True, keep_end=True, style="dim"),
)

_name = click.argument("name", type=WorkspaceName(), metavar="NAME", help="The workspace.")


@click.group(
    "workspace",
    cls=LazyGroup,
    default="list",
    short_help="See, make and choose workspaces.",
    context_settings=SETTINGS,
)
def workspace_command() -> None:
    """See, make and choose workspaces. Without a command, list them."""


@command("list", short_help="List the workspaces.")
@json_option
@click.pass_obj
def list_command(session: Session, as_json: bool) -> None:
    """List the workspaces of this machine; * marks the one in use."""
    current = session.workspace_name
    entries = registry.entries(session.home)
    if as_json:
        output.json_object(
            {"workspaces": [shapes.workspace(entry, entry.name == current) for entry in entries]}
        )
        return
    if not entries:
        note("There are no workspaces yet. The first is made when it is needed.")
        return
    output.table(
        _COLUMNS,
        (
            (
                "*" if entry.name == current else "",
                entry.name,
                words.size(entry.size),
                str(entry.file),
            )
            for entry in entries
        ),
    )


@command("create", short_help="Make a workspace.")
@_name
@click.option("--use", is_flag=True, help="Use it from now on.")
@json_option
@click.pass_obj
def create_command(session: Session, name: str, use: bool, as_json: bool) -> None:
    """Make an empty workspace."""
    registry.refuse_existing(session.home, name)
    made = session.make(name)
    if use:
        session.settings.set("workspace", name)
    if as_json:
        output.json_object({"workspace": shapes.workspace(made, session.workspace_name == name)})
        return
    output.line("Made the workspace ", bold(name), ".")
    if use:
        _say_used(session, name)
    else:
        note(f"To use it from now on: aimem workspace use {name}.")


@command("use", short_help="Choose the workspace to use.")
@_name
@json_option
@click.pass_obj
def use_command(session: Session, name: str, as_json: bool) -> None:
    """Use a workspace from now on, wherever none is named."""
    if name == DEFAULT_WORKSPACE and not registry.file_of(session.home, name).is_file():
        session.make(name)
    file = registry.require(session.home, name)
    session.settings.set("workspace", name)
    if as_json:
        entry = registry.WorkspaceEntry(name, file, file.stat().st_size)
        in_use = session.workspace_name == name
        output.json_object({"workspace": shapes.workspace(entry, in_use)})
    else:
        _say_used(session, name)


@command("path", short_help="Print a workspace's file.")
@click.argument(
    "name", type=WorkspaceName(), required=False, metavar="[NAME]", help="The workspace."
)
@json_option
@click.pass_obj
def path_command(session: Session, name: str | None, as_json: bool) -> None:
    """Print the file of a workspace; without a name, of the one in use."""
    chosen = name or session.workspace_name
    file = str(
        registry.file_of(session.home, chosen)
        if chosen == DEFAULT_WORKSPACE
        else registry.require(session.home, chosen)
    )
    if as_json:
        output.json_object({"path": file})
    else:
        output.line(file)


for _command in (list_command, create_command, use_command, path_command):
    workspace_command.add_command(_command)


def _say_used(session: Session, name: str) -> None:
    output.line("From now on ", bold(name), " is used.")
    value = session.settings.value("workspace")
    if value.source == "environment" and value.value != name:
        note(f"For now the environment variable AIMEM_WORKSPACE says {value.value}.")
    elif session.workspace_name != name:
        note(f"In this project's folder it stays {session.workspace_name}.")
