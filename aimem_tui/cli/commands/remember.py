"""Keeping a fact: ``remember``."""

from __future__ import annotations

import click

from aimem_tui.cli import output, project_folder, shapes, texts
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import UsageProblem, note
from aimem_tui.cli.styling import bold, dim
from aimem_tui.cli.types import FolderName, Text, ThoughtName
from aimem_tui.workspace.agents.remembering import TYPES, What


@command("remember", short_help="Keep a fact, once, where it belongs.")
@click.argument("fact", type=Text(), required=False, help="The fact; - reads standard input.")
@click.option("--about", type=Text(), metavar="TOPIC", help="What it is about, in a word or two.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(TYPES),
    help="About the person, how to work, the project, or where to find things.",
)
@click.option(
    "--to", "target", type=ThoughtName(), metavar="THOUGHT", help="Write it to this thought."
)
@click.option(
    "--path", type=FolderName(), metavar="FOLDER", help="Only look at memory in this folder."
)
@json_option
@click.pass_obj
def remember_command(
    session: Session,
    fact: str | None,
    about: str | None,
    kind: str | None,
    target: str | None,
    path: str | None,
    as_json: bool,
) -> None:
    """Keep a fact, once, where it belongs.

    It goes to the memory whose topic is nearest; where none is, to a new one below `memory`. What
    memory says already is not written again. In a project whose .aimem.toml names a folder, only
    memory in that folder counts; --path / is the whole workspace.

    \b
    aimem remember "Deploys run on Fridays at noon."
    aimem remember "Ada reviews the schema." --about database --type project
    """
    given = texts.given_text(fact)
    if given is None:
        raise UsageProblem("There is nothing to remember.", hint='Say it: aimem remember "a fact".')
    if target and path:
        raise UsageProblem("A thought and a folder were given.", hint="Use --to or --path.")
    from aimem_tui.workspace.agents import remembering

    done = remembering.remember(
        session.reading(),
        given,
        about=about or "",
        kind=kind or "",
        path=target or "",
        folder="" if target else project_folder.chosen(session, path),
    )
    if as_json:
        output.json_object(shapes.remembered(done))
        return
    where = bold(f"{done.thought.path}:{done.line}")
    if done.what is What.KNOWN:
        output.line("Known already: ", where, ".")
        return
    output.line("Remembered in ", where, "." if done.what is What.ADDED else ", which is new.")
    if done.near is not None:
        note(dim(f"{done.near.path}:{done.near.line} says something like it: {done.near.text}"))
