"""What a thought was before: ``history``, ``history show``, ``history restore``."""

from __future__ import annotations

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.options import thought_argument
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import Piece, Span, bold, dim

_COLUMNS = (
    Column("NO", right=True, style="bold"),
    Column("WHEN"),
    Column("BY", flexible=True),
    Column("ADDED", right=True),
    Column("REMOVED", right=True),
    Column("NOTE", flexible=True),
)


@click.group(
    "history",
    cls=LazyGroup,
    default="list",
    short_help="See and restore what a thought was.",
    context_settings=SETTINGS,
)
def history_command() -> None:
    """See and restore what a thought was.

    `aimem history THOUGHT` lists its revisions: edits of one author that lie close together. A
    thought that is called like one of the commands below is reached by its path or as in
    `aimem history list show`.
    """


@command("list", short_help="List the revisions, newest first.")
@thought_argument()
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest.")
@json_option
@click.pass_obj
def list_command(session: Session, thought: str, limit: int | None, as_json: bool) -> None:
    """List a thought's revisions, newest first."""
    workspace = session.reading()
    found = workspace.get(thought, trashed=True)
    revisions = workspace.history(found.id)[::-1][:limit]
    if as_json:
        output.json_object(
            {
                "thought": shapes.thought(found),
                "revisions": [shapes.revision(revision) for revision in revisions],
            }
        )
        return
    now = session.clock()
    output.table(
        _COLUMNS,
        (
            (
                str(revision.number),
                words.when(revision.ended_at, now),
                revision.author,
                f"+{revision.added:,}",
                f"-{revision.removed:,}",
                revision.note,
            )
            for revision in revisions
        ),
    )


@command("show", short_help="Print a thought as it was.")
@thought_argument()
@click.argument("number", type=click.IntRange(min=1), help="The revision.")
@click.option("--diff", is_flag=True, help="Print what the revision changed instead.")
@json_option
@click.pass_obj
def show_command(session: Session, thought: str, number: int, diff: bool, as_json: bool) -> None:
    """Print a thought as it was at the end of a revision."""
    from aimem_tui.workspace import difference

    workspace = session.reading()
    found = workspace.get(thought, trashed=True)
    past = workspace.revision(found.id, number)
    changes = list(difference.unified(past.before, past.text)) if diff or as_json else []
    if as_json:
        output.json_object(
            {
                "thought": shapes.thought(found),
                "revision": shapes.revision(past.revision),
                "text": past.text,
                "diff": "".join(f"{line}\n" for line in changes),
            }
        )
    elif not diff:
        output.text(past.text)
    elif changes:
        for line in changes:
            output.line(_coloured(line))
    else:
        note(dim("This revision changed no line."))


@command("restore", short_help="Make a thought what it was.")
@thought_argument()
@click.argument("number", type=click.IntRange(min=1), help="The revision.")
@json_option
@click.pass_obj
def restore_command(session: Session, thought: str, number: int, as_json: bool) -> None:
    """Make a thought's text what it was at the end of a revision.

    This is an edit like any other: the revisions since then stay, and can be restored as well.
    """
    found = session.find(thought)
    workspace = session.open()
    before = workspace.text(found.id)
    found = workspace.restore_revision(found.id, number)
    changed = workspace.text(found.id) != before
    if as_json:
        output.json_object(shapes.changed(found, changed))
    elif changed:
        output.line(bold(found.path), f" is what it was in revision {number}.")
    else:
        output.line("Nothing changed in ", bold(found.path), ".")


history_command.add_command(list_command)
history_command.add_command(show_command)
history_command.add_command(restore_command)


def _coloured(line: str) -> Piece:
    style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return Span(line, style) if style else line
