"""Tasks: ``tasks``, ``tasks list``, ``tasks tick``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import UsageProblem, note
from aimem_tui.cli.options import thought_argument
from aimem_tui.cli.styling import bold, dim
from aimem_tui.cli.types import FolderName, Text, ThoughtName
from aimem_tui.model import Filter, Kind

if TYPE_CHECKING:
    from aimem_tui.workspace.agents.reading import TaskList


@click.group(
    "tasks",
    cls=LazyGroup,
    default="list",
    short_help="The open tasks; tick one.",
    context_settings=SETTINGS,
)
def tasks_command() -> None:
    """The open tasks of thoughts, and ticking one.

    `aimem tasks` lists those of all thoughts, `aimem tasks THOUGHT` those of one. A thought that is
    called like one of the commands below is reached by its path or as in `aimem tasks list tick`.
    """


@command("list", short_help="List open tasks.")
@click.argument(
    "thoughts",
    type=ThoughtName(),
    nargs=-1,
    metavar="[THOUGHT]...",
    help="Only of these: paths, file names, or the starts of ids.",
)
@click.option("--path", type=FolderName(), metavar="PATH", help="A folder, a path, or a glob.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in Kind], case_sensitive=False),
    metavar="KIND",
    multiple=True,
    help="Of thoughts of this kind. May be repeated.",
)
@click.option("--all", "with_done", is_flag=True, help="Those that are done as well.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most this many.")
@json_option
@click.pass_obj
def list_command(
    session: Session,
    thoughts: tuple[str, ...],
    path: str | None,
    kinds: tuple[str, ...],
    with_done: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """List open tasks, those of the thought edited last first.

    Each line is a path, a line number and the task, as `aimem tasks tick` takes them.

    \b
    aimem tasks
    aimem tasks plans/auth --all
    aimem tasks --kind plan --path work
    """
    from aimem_tui.workspace.agents import reading

    workspace = session.reading()
    if thoughts:
        if path or kinds or limit:
            raise UsageProblem(
                "Thoughts were named, and chosen as well.",
                hint="Name them, or use --path, --kind and --limit.",
            )
        named = [session.find(name) for name in thoughts]
        found = reading.tasks_of(workspace, named, with_done=with_done)
    else:
        wanted = Filter(path=path or "", kinds=kinds)
        found = reading.open_tasks(workspace, wanted, limit=limit, with_done=with_done)
    if as_json:
        output.json_object(shapes.task_list(found))
    else:
        _print(found, with_done=with_done)


@command("tick", short_help="Tick a task.")
@thought_argument()
@click.argument(
    "which",
    type=Text(),
    help="Its words, its line, or both: 12, 'write tests', '12: write tests'.",
)
@click.option("--undo", is_flag=True, help="Open it again.")
@json_option
@click.pass_obj
def tick_command(session: Session, thought: str, which: str, undo: bool, as_json: bool) -> None:
    """Tick a task, or open it again with --undo.

    A part of the words will do where only one open task has it. Where the line is given with the
    words, and others have written above it meanwhile, the words decide.

    \b
    aimem tasks tick plans/auth "write tests"
    aimem tasks tick plans/auth 12
    """
    from aimem_tui.workspace.agents import editing

    found = session.find(thought)
    ticked = editing.tick(session.open(), found.id, which, done=not undo)
    if as_json:
        output.json_object(shapes.ticked(ticked))
        return
    where = bold(f"{ticked.thought.path}:{ticked.task.line}")
    if ticked.changed:
        output.line("Opened " if undo else "Ticked ", where, f": {ticked.task.text}")
    else:
        state = "open" if undo else "done"
        output.line(where, f" is {state} already: {ticked.task.text}")


tasks_command.add_command(list_command)
tasks_command.add_command(tick_command)


def _print(found: TaskList, *, with_done: bool) -> None:
    for each in found.thoughts:
        for task in each.tasks:
            output.line(
                bold(f"{each.thought.path}:{task.line}"),
                f": [{'x' if task.done else ' '}] {task.text}",
                dim(f"  ({task.section})") if task.section else "",
            )
    if not found.thoughts:
        note("There are no tasks." if with_done else "There are no open tasks.")
        return
    if found.more:
        note(dim("There are more: --limit."))
        return
    count = sum(len(each.tasks) for each in found.thoughts)
    places = words.count(len(found.thoughts), "thought")
    note(dim(f"{words.count(count, 'task')} in {places}. To tick one: aimem tasks tick."))
