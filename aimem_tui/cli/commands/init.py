"""Setting a project up: ``init``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import UsageProblem
from aimem_tui.cli.types import FolderName, Text
from aimem_tui.setup.clients.names import CLIENTS, SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOR_TEMPLATES = ("config_file", "remote", "values", "accept_hooks")
_FOR_AGENTS = ("clients", "scope", "into", "remove")


@command("init", short_help="Set up a project: agents, templates.")
@click.option(
    "--template",
    type=Text(),
    metavar="NAME",
    help="claude-config, thoughts-repo, full, or a template's folder or git address.",
)
@click.option(
    "--template-source",
    "source",
    type=Text(),
    metavar="SOURCE",
    help="A folder or git address that templates are in; SOURCE#REF for a branch, tag or commit.",
)
@click.option(
    "--config-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Values for the template, as cookiecutter's configuration.",
)
@click.option("--remote", type=Text(), metavar="URL", help="The shared repository's address.")
@click.option(
    "--set",
    "values",
    type=Text(),
    multiple=True,
    metavar="KEY=VALUE",
    help="A value for the template. May be repeated.",
)
@click.option(
    "--accept-hooks", is_flag=True, help="Let the template run its own programs without asking."
)
@click.option(
    "--client",
    "clients",
    type=click.Choice(CLIENTS, case_sensitive=False),
    metavar="CLIENT",
    multiple=True,
    help=f"Connect this agent: {', '.join(CLIENTS)}. May be repeated.",
)
@click.option(
    "--scope",
    type=click.Choice(SCOPES, case_sensitive=False),
    metavar="SCOPE",
    help="For you here (local), for you everywhere (user), or for the team (project).",
)
@click.option(
    "--into",
    type=FolderName(),
    metavar="FOLDER",
    help="The folder of the workspace that this project's thoughts go to.",
)
@click.option("--remove", is_flag=True, help="Take out what init connected, and nothing else.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The project's folder. Default: this one.",
)
@click.option("--no-input", is_flag=True, help="Ask nothing. What is there stays as it is.")
@click.option("--yes", is_flag=True, help="Overwrite what differs; a backup is kept.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_context
def init_command(
    context: click.Context,
    template: str | None,
    source: str | None,
    config_file: Path | None,
    remote: str | None,
    values: tuple[str, ...],
    accept_hooks: bool,
    clients: tuple[str, ...],
    scope: str | None,
    into: str | None,
    remove: bool,
    output: Path | None,
    no_input: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set up a project.

    Without --template, connect its coding agents to memory: each change is shown before it is
    made, and --remove takes all of it out again. With --template, render files into it: nothing
    that is there is overwritten without asking.

    \b
    aimem init
    aimem init --client claude --client codex --scope project
    aimem init --template claude-config
    aimem init --template thoughts-repo --remote git@github.com:acme/thoughts.git
    """
    session = context.ensure_object(Session)
    from_template = template is not None or source is not None
    _refuse_mixed(context.params, from_template=from_template)
    from aimem_tui.cli.commands import init_agents, init_template
    from aimem_tui.cli.commands.init_terminal import Terminal

    terminal = Terminal.here(no_input=no_input)
    if from_template:
        from aimem_tui.setup.making import Order

        order = Order(
            template,
            output or Path.cwd(),
            source,
            config_file,
            remote,
            _pairs(values),
            dry_run,
            accept_hooks,
        )
        init_template.run(session, order, terminal, overwrite=yes, as_json=as_json)
        return
    wanted = init_agents.Wanted(
        clients=tuple(dict.fromkeys(clients)),
        scope=scope,
        into=into,
        root=output,
        yes=yes or no_input,
        overwrite=yes,
        dry_run=dry_run,
    )
    act = init_agents.remove if remove else init_agents.connect
    act(session, wanted, terminal, as_json=as_json)


def _refuse_mixed(params: Mapping[str, object], *, from_template: bool) -> None:
    """Refuse options that belong to the other half of the command."""
    strangers = _FOR_AGENTS if from_template else _FOR_TEMPLATES
    for name in strangers:
        if params[name]:
            option = {"values": "set", "clients": "client"}.get(name, name).replace("_", "-")
            goes = "without --template" if from_template else "with --template"
            raise UsageProblem(
                f"--{option} goes {goes}.", hint="To see how it is used: aimem init --help."
            )


def _pairs(values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise UsageProblem(f"--set {value} has no value.", hint="Write --set NAME=VALUE.")
        pairs[key.strip()] = text
    return pairs
