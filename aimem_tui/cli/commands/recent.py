"""What changed last: ``recent``."""

from __future__ import annotations

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import dim
from aimem_tui.cli.types import FolderName, Since

_LIMIT = 20
_COLUMNS = (
    Column("EDITED"),
    Column("PATH", flexible=True, keep_end=True, style="bold"),
    Column("BY", flexible=True),
    Column("TITLE", flexible=True),
)


@command("recent", short_help="What changed last, and who changed it.")
@click.option("--since", type=Since(), metavar="WHEN", help="Edited since: 3h, 7d, 2026-11-02.")
@click.option("--path", type=FolderName(), metavar="PATH", help="A folder, a path, or a glob.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_LIMIT,
    show_default=True,
    metavar="N",
    help="At most this many.",
)
@json_option
@click.pass_obj
def recent_command(
    session: Session, since: int | None, path: str | None, limit: int, as_json: bool
) -> None:
    """What changed last, newest first, and who changed it.

    With --since all who have edited a thought since then are named, and thoughts that are new are
    marked.

    \b
    aimem recent --since 7d
    aimem recent --path plans --limit 5
    """
    from aimem_tui.workspace.agents import reading

    found = reading.recent(session.reading(), since=since, limit=limit, path=path or "")
    if as_json:
        output.json_object(shapes.changes(found))
        return
    if not found.changes:
        note("Nothing was edited." if since is None else "Nothing was edited since then.")
        return
    now = session.clock()
    output.table(
        _COLUMNS,
        (
            (
                words.when(each.thought.updated_at, now),
                each.thought.path,
                ", ".join(each.authors) + (" (new)" if each.made else ""),
                each.thought.title,
            )
            for each in found.changes
        ),
    )
    if found.more:
        note(dim("There are more: --limit."))
