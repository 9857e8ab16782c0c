"""Tasks and facts: ``list_tasks``, ``tick_task``, ``remember``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aimem_tui import words
from aimem_tui.errors import NotFound
from aimem_tui.mcp import texts
from aimem_tui.mcp.arguments import Flag, Given, Number, Text
from aimem_tui.mcp.desk import Call
from aimem_tui.mcp.texts import Answer
from aimem_tui.mcp.tools.tool import PATH, THOUGHT, Tool
from aimem_tui.model import Filter, Kind

if TYPE_CHECKING:
    from aimem_tui.workspace.agents.reading import ThoughtTasks

_FACT = 2_000


def _list(call: Call, given: Given) -> Answer:
    from aimem_tui.workspace.agents import reading

    limit, done = given.number("limit"), given.flag("done")
    if given.has("thought"):
        thought = call.access.find(call.workspace, given.text("thought"))
        found = [reading.tasks_of(call.workspace, [thought], with_done=done)]
    else:
        kind = given.text("kind")
        wanted = Filter(path=given.text("path"), kinds=(kind,) if kind else ())
        found = [
            reading.open_tasks(call.workspace, each, limit=limit, with_done=done)
            for each in call.access.filters(wanted)
        ]
    listed = [
        each for tasks in found for each in tasks.thoughts if call.access.has(each.thought.path)
    ]
    lines = [line for each in listed for line in _lines(each)]
    tasks = sum(line.startswith("  ") for line in lines)
    if not tasks:
        return Answer(("No open tasks there." if not done else "No tasks there.",))
    kept = _first(lines, limit)
    shown = sum(line.startswith("  ") for line in kept)
    cut = shown < tasks or any(each.more for each in found)
    end = ["There are more: set path or thought, or a larger limit."] if cut else []
    about = words.count(shown, "task" if done else "open task")
    return Answer(("\n".join([f"{about}, with their lines:", *kept, *end]),))


def _lines(listed: ThoughtTasks) -> Iterator[str]:
    if not listed.tasks:
        return
    yield f"{listed.thought.path} | {texts.line(listed.thought.title, 80)}"
    for task in listed.tasks:
        below = f" ({texts.line(task.section, 50)})" if task.section else ""
        mark = "x" if task.done else " "
        yield f"  {task.line}: [{mark}] {texts.line(task.text, 200)}{below}"


def _first(lines: list[str], limit: int) -> list[str]:
    """So many tasks, with the thoughts that they are in."""
    kept: list[str] = []
    for line in texts.fitting(lines):
        if line.startswith("  "):
            if not limit:
                break
            limit -= 1
        kept.append(line)
    while kept and not kept[-1].startswith("  "):
        kept.pop()
    return kept


def _tick(call: Call, given: Given) -> Answer:
    from aimem_tui.workspace.agents import editing

    call.access.check_writing()
    thought = call.access.find(call.workspace, given.text("thought"))
    done = given.flag("done")
    line = given.number("line") or None
    ticked = editing.tick(call.writing, thought.id, given.text("task"), line=line, done=done)
    state = "done" if done else "open"
    task = ticked.task
    what = f"{thought.path}, line {task.line}: {texts.line(task.text, 200)}"
    if not ticked.changed:
        return Answer((f"Is {state} already: {what}",), thought.id)
    left = ticked.thought.tasks_total - ticked.thought.tasks_done
    said = f"Now {state}: {what} ({words.count(left, 'task')} left there)"
    return Answer((said,), thought.id, task.at, task.at + 1)


def _remember(call: Call, given: Given) -> Answer:
    from aimem_tui.workspace.agents import remembering
    from aimem_tui.workspace.agents.remembering import What

    path, folder = _place(call, given.text("path").strip())
    kept = remembering.remember(
        call.writing,
        given.text("fact"),
        about=given.text("about"),
        kind=given.text("type"),
        path=path,
        folder=folder,
    )
    where = f"{kept.thought.path}, line {kept.line}"
    if kept.what is What.KNOWN:
        return Answer((f"Known already in {where}: {texts.line(kept.text, 400)}",), kept.thought.id)
    new = " (new)" if kept.what is What.MADE else ""
    said = [f"Remembered in {where}{new}."]
    if kept.near is not None and call.access.has(kept.near.path):
        said.append(
            f"Like it, and perhaps out of date now: {kept.near.path}, line {kept.near.line}:"
            f" {texts.line(kept.near.text, 300)}"
        )
    return Answer(("\n".join(said),), kept.thought.id)


def _place(call: Call, path: str) -> tuple[str, str]:
    """The path of the thought that a fact is to go to, and the folder whose memory counts."""
    if not path:
        folder = call.into
        if call.access.is_bounded and not folder:
            folder = call.access.folders[0]
        return (folder, "") if folder.endswith(".md") else ("", folder)
    try:
        return call.access.find(call.workspace, path).path, ""
    except NotFound:
        return call.access.check_new(call.workspace, path), ""


TOOLS = (
    Tool(
        "list_tasks",
        "List tasks",
        "The open checkboxes of all thoughts or one, with their lines.",
        (
            PATH,
            Text("thought", "Only of this one.", most=1_100),
            Text("kind", "", choices=tuple(Kind)),
            Flag("done", "Also those that are done."),
            Number("limit", "", default=30, most=200),
        ),
        _list,
    ),
    Tool(
        "tick_task",
        "Tick a task",
        "Mark a checkbox as done, or as open again.",
        (
            THOUGHT,
            Text("task", "Words of it.", required=True, most=1_000),
            Number("line", "Where words alone do not tell."),
            Flag("done", "", default=True),
        ),
        _tick,
        writes=True,
        destroys=True,
    ),
    Tool(
        "remember",
        "Remember a fact",
        "Keep a fact for the team's later sessions: it is put where it belongs, and only if it is"
        " not known. One sentence that makes sense by itself.",
        (
            Text("fact", "", required=True, most=_FACT),
            Text("about", "Its topic, in a word or two.", most=200),
            Text("type", "", choices=("user", "feedback", "project", "reference")),
            Text("path", "The thought to put it into, instead of the best.", most=1_100),
        ),
        _remember,
        writes=True,
    ),
)
