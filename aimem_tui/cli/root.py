"""The root of the command line: all commands by name, none of them imported before it is called."""

from __future__ import annotations

import click

from aimem_tui import __version__
from aimem_tui.cli import output
from aimem_tui.cli.command import SETTINGS, LazyGroup, Listed, json_option
from aimem_tui.cli.context import Session

COMMANDS = (
    Listed("list", "browse", "List thoughts.", "Read"),
    Listed("show", "browse", "Print a thought.", "Read"),
    Listed("search", "browse", "Find thoughts by words and meaning.", "Read"),
    Listed("ask", "ask", "Ask memory a question.", "Read"),
    Listed("recent", "recent", "What changed last, and who changed it.", "Read"),
    Listed("tasks", "tasks", "The open tasks; tick one.", "Read"),
    Listed("history", "history", "See and restore what a thought was.", "Read"),
    Listed("status", "upkeep", "The workspace in figures.", "Read"),
    Listed("new", "write", "Make a thought.", "Write"),
    Listed("edit", "write", "Edit a thought in your editor.", "Write"),
    Listed("append", "write", "Add lines to a thought.", "Write"),
    Listed("remember", "remember", "Keep a fact, once, where it belongs.", "Write"),
    Listed("set", "organize", "Set a property of a thought.", "Write"),
    Listed("tag", "organize", "Add, remove and list tags.", "Write"),
    Listed("move", "organize", "Give thoughts another path.", "Write"),
    Listed("organize", "suggest", "See what could be put in order, and do it.", "Order"),
    Listed("tags", "suggest", "The tags in use, and tags for thoughts.", "Order"),
    Listed("duplicates", "suggest", "Find thoughts that should be one, and merge them.", "Order"),
    Listed("trash", "trash", "Put thoughts into the trash.", "Remove"),
    Listed("restore", "trash", "Take thoughts out of the trash.", "Remove"),
    Listed("purge", "trash", "Remove thoughts in the trash for good.", "Remove"),
    Listed("import", "transfer", "Take in a folder of markdown.", "Come and go"),
    Listed("export", "transfer", "Write thoughts out as files.", "Come and go"),
    Listed("sync", "sync", "Exchange changes with the other copies.", "With others"),
    Listed("connect", "connect", "Connect the workspace to a relay.", "With others"),
    Listed("disconnect", "connect", "Forget a relay or machine.", "With others"),
    Listed("relay", "connect", "Run a relay on this machine.", "With others"),
    Listed("peer", "peer", "Exchange with another machine directly.", "With others"),
    Listed("bundle", "bundle", "Exchange by file, without a network.", "With others"),
    Listed("init", "init", "Set up a project: agents, templates.", "With agents"),
    Listed("mcp", "mcp", "Serve agents by the Model Context Protocol.", "With agents"),
    Listed("context", "context", "What an agent should know at the start.", "With agents"),
    Listed("hook", "hook", "Answer an event of Claude Code.", "With agents"),
    Listed("workspace", "workspaces", "See, make and choose workspaces.", "This machine"),
    Listed("index", "index", "See and keep the index that finds by meaning.", "This machine"),
    Listed("assist", "assist", "The language model that may help.", "This machine"),
    Listed("config", "settings", "See and change settings.", "This machine"),
    Listed("doctor", "upkeep", "Look the workspace over.", "This machine"),
    Listed("completion", "completion", "Print what makes your shell complete.", "This machine"),
)


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        output.line(f"aimem {__version__}")
        ctx.exit()


@click.group(
    "aimem",
    cls=LazyGroup,
    listed=COMMANDS,
    invoke_without_command=True,
    context_settings=SETTINGS,
    epilog="To see how a command is used: aimem COMMAND --help.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@json_option
@click.pass_context
def root(ctx: click.Context, as_json: bool) -> int:
    """aimem keeps a team's thoughts on every machine.

    Without a command it opens the app.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    session = ctx.ensure_object(Session)
    if not as_json and session.has_terminal():
        return session.open_app()
    _print_status(session, as_json=as_json)
    return 0


def _print_status(session: Session, *, as_json: bool) -> None:
    from aimem_tui.cli import shapes
    from aimem_tui.cli.commands.upkeep import print_status

    status = session.reading().status()
    if as_json:
        output.json_object(shapes.status(status))
        return
    print_status(status, session.clock())
    output.line("")
    output.line("To open the app, run aimem in a terminal. To see all commands: aimem --help.")
