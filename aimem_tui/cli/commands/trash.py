"""The trash: ``trash``, ``restore``, ``purge``."""

from __future__ import annotations

import click

from aimem_tui import words
from aimem_tui.cli import diagnostics, output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.options import thoughts_argument
from aimem_tui.cli.styling import bold
from aimem_tui.errors import Ambiguous, Refused
from aimem_tui.model import Filter, Thought
from aimem_tui.workspace.workspace import Workspace


@command("trash", short_help="Put thoughts into the trash.")
@thoughts_argument()
@json_option
@click.pass_obj
def trash_command(session: Session, thoughts: tuple[str, ...], as_json: bool) -> None:
    """Put thoughts into the trash. `aimem restore` takes them out again."""
    found = [session.find(name) for name in thoughts]
    workspace = session.open()
    trashed = [workspace.trash(thought.id) for thought in found]
    if as_json:
        output.json_object(shapes.thoughts(trashed))
        return
    for thought in found:
        output.line("Put ", bold(thought.path), " into the trash.")


@command("restore", short_help="Take thoughts out of the trash.")
@thoughts_argument(trashed=True)
@json_option
@click.pass_obj
def restore_command(session: Session, thoughts: tuple[str, ...], as_json: bool) -> None:
    """Take thoughts out of the trash."""
    workspace = session.reading()
    found = [_in_trash(workspace, name) for name in thoughts]
    restored = [workspace.restore(thought.id) for thought in found]
    if as_json:
        output.json_object(shapes.thoughts(restored))
        return
    for thought in restored:
        output.line("Took ", bold(thought.path), " out of the trash.")


@command("purge", short_help="Remove thoughts in the trash for good.")
@thoughts_argument(trashed=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def purge_command(session: Session, thoughts: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Remove thoughts in the trash for good, with their history. This cannot be undone."""
    workspace = session.reading()
    found = [_in_trash(workspace, name) for name in thoughts]
    if not yes:
        _ask(found)
    workspace.purge(*(thought.id for thought in found))
    if as_json:
        output.json_object(shapes.thoughts(found))
        return
    for thought in found:
        output.line("Purged ", bold(thought.path), ".")


def _ask(thoughts: list[Thought]) -> None:
    if not diagnostics.can_ask():
        raise Refused(
            "Nothing was purged.", why="Purging cannot be undone.", hint="To purge: add --yes."
        )
    named = thoughts[0].path if len(thoughts) == 1 else words.count(len(thoughts), "thought")
    if not diagnostics.confirm(f"Remove {named} for good, with all its history?"):
        raise Refused("Nothing was purged.")


def _in_trash(workspace: Workspace, name: str) -> Thought:
    """The thought in the trash that a person means.

    A path in the trash may belong to several thoughts, and to one outside of it.

    Raises:
        NotFound, Ambiguous, Refused: in words.
    """
    paths = (name, f"{name}.md")
    trashed = [t for t in workspace.thoughts(Filter(path=name, trashed=True)) if t.path in paths]
    if len(trashed) == 1:
        return trashed[0]
    if trashed:
        ids = ", ".join(thought.id for thought in trashed[:5])
        raise Ambiguous(
            f"Several thoughts in the trash are called {name}.", why=f"{ids}.", hint="Say the id."
        )
    found = workspace.get(name, trashed=True)
    if found.trashed_at is None:
        raise Refused(f"{name} is not in the trash.", hint=f"To put it there: aimem trash {name}.")
    return found
