"""What to know at the start of a piece of work: ``context``."""

from __future__ import annotations

import click

from aimem_tui.cli import output, project_folder, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.types import FolderName
from aimem_tui.workspace.agents.context import BUDGET

_LEAST = 500


@command("context", short_help="What an agent should know at the start.")
@click.option("--into", type=FolderName(), metavar="FOLDER", help="Only what is in this folder.")
@click.option(
    "--limit",
    type=click.IntRange(min=_LEAST),
    default=BUDGET,
    show_default=True,
    metavar="CHARS",
    help="Characters at most.",
)
@json_option
@click.pass_obj
def context_command(session: Session, into: str | None, limit: int, as_json: bool) -> None:
    """What an agent, or a person, should know at the start of a piece of work.

    Who is at work now, the plans that are open with what is left of them, decisions of late, and
    what was edited in the last days, in one page. Without --into it is about the folder that the
    project's .aimem.toml names, else about the whole workspace, as with --into /.

    \b
    aimem context
    aimem context --into work/api --limit 3000
    """
    from aimem_tui.workspace.agents import context

    workspace = session.reading()
    folder = project_folder.chosen(session, into)
    found = context.gather(workspace, into=folder, now=session.clock())
    if as_json:
        output.json_object(shapes.context(found))
        return
    page = context.in_words(found, limit)
    if page:
        output.text(page)
    else:
        note("There is nothing to say yet.")
