"""Reading for agents: a part of a thought, what changed last, the tasks that are open.

Every answer holds only so much, and says whether there is more. Lists follow the index of edits, so
that they look at as many thoughts as they show; texts are read where tasks or summaries are asked
for, and no document is ever loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimem_tui.errors import BadInput
from aimem_tui.markdown import sections
from aimem_tui.markdown.describe import is_markdown
from aimem_tui.markdown.lines import Line, lines_between
from aimem_tui.markdown.sections import Section
from aimem_tui.markdown.tasks import Checkbox, tasks
from aimem_tui.model import Filter, Thought
from aimem_tui.store import catalogue

if TYPE_CHECKING:
    from aimem_tui.workspace.workspace import Workspace

READ_BUDGET = 20_000
"""Characters of one reading, if nothing else is said: about 5,000 tokens."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A part of a thought. Lines count from 1."""

    thought: Thought
    text: str
    first_line: int
    """Of what was read; 0 where there is nothing."""
    last_line: int
    lines: int
    """Of the whole thought."""
    next_line: int | None = None
    """The line to go on from; None if all that was asked for is there."""
    left_out: int = 0
    """Characters of the last line that did not fit."""
    section: str = ""
    """Which section was read; empty for none."""
    sections: tuple[Section, ...] = ()
    """Those of the whole thought, where not all that was asked for is there."""


@dataclass(frozen=True, slots=True)
class Change:
    """That a thought was edited."""

    thought: Thought
    made: bool
    """It is new since then."""
    authors: tuple[str, ...]
    """Who has edited it since then, who did so last first."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What was edited, the newest first."""

    changes: tuple[Change, ...]
    more: bool
    """There are more."""


@dataclass(frozen=True, slots=True)
class ThoughtTasks:
    """A thought with tasks of it."""

    thought: Thought
    tasks: tuple[Checkbox, ...]


@dataclass(frozen=True, slots=True)
class TaskList:
    """Tasks by thought, the one edited last first."""

    thoughts: tuple[ThoughtTasks, ...]
    more: bool
    """There are more."""


def read(
    workspace: Workspace,
    thought: Thought,
    *,
    section: str = "",
    first: int | None = None,
    last: int | None = None,
    budget: int = READ_BUDGET,
) -> Reading:
    """A thought's text, or a part of it, cut at a line end where it is too long.

    Args:
        section: only this one; see :func:`aimem_tui.markdown.sections.find`.
        first, last: only these lines, both meant.
        budget: characters; at least one line, or as much of it as fits, is given.

    Raises:
        BadInput: if there is no such line, or both a section and lines are asked for.
        NotFound, Ambiguous: if no one section is meant.
    """
    if section and (first is not None or last is not None):
        raise BadInput("A section and lines were asked for.", hint="Ask for one of them.")
    text = workspace.text(thought.id)
    name, start, end = "", 0, len(text)
    if section:
        found = sections.find(text, section)
        name, start, end = found.name, found.start, found.end
    elif first is not None or last is not None:
        if text or (first or 1) > 1:
            sections.lines(text, first or 1, last)
        there = list(lines_between(text, 0, len(text)))[:last][(first or 1) - 1 :]
        start, end = (there[0].start, there[-1].end) if there else (0, 0)
    lines = sections.count_lines(text)
    if start == end:
        return Reading(thought, "", 0, 0, lines, section=name)
    return _cut(thought, text, list(lines_between(text, start, end)), lines, name, max(1, budget))


def recent(
    workspace: Workspace, *, since: int | None = None, limit: int = 20, path: str = ""
) -> Changes:
    """What was edited last, without what is in the trash.

    Args:
        since: ms since the Unix epoch; None: whenever.
        path: a folder, a thought's path, or a glob.
    """
    with workspace.database.snapshot() as connection:
        wanted = Filter(path=path, since=since)
        found = list(catalogue.listing(connection, wanted, order="updated", limit=limit + 1))
        shown = found[:limit]
        marks = ", ".join("?" * len(shown))
        rows = connection.execute(
            _AUTHORS.format(marks=marks), [*(thought.id for thought in shown), since or 0]
        ).fetchall()
    authors: dict[str, list[str]] = {}
    for thought, author in rows:
        authors.setdefault(str(thought), []).append(str(author))
    return Changes(
        tuple(
            Change(
                thought,
                since is not None and thought.created_at >= since,
                tuple(authors.get(thought.id, [thought.updated_by])),
            )
            for thought in shown
        ),
        len(found) > limit,
    )


def open_tasks(
    workspace: Workspace,
    wanted: Filter | None = None,
    *,
    limit: int | None = None,
    with_done: bool = False,
) -> TaskList:
    """The open tasks of thoughts that pass a filter.

    Args:
        limit: tasks at most.
        with_done: those that are done as well.
    """
    with workspace.database.snapshot() as connection:
        condition = catalogue.where(wanted or Filter())
        condition.add("t.tasks_total > 0" if with_done else "t.tasks_total > t.tasks_done")
        rows = connection.execute(
            f"SELECT {catalogue.COLUMNS} FROM thoughts AS t WHERE {condition.sql}"
            " ORDER BY t.updated_at DESC, t.id",
            condition.values,
        )
        return _listed(workspace, map(catalogue.thought, rows), limit, with_done)


def tasks_of(
    workspace: Workspace, thoughts: Sequence[Thought], *, with_done: bool = False
) -> TaskList:
    """The open tasks of some thoughts, in their order."""
    return _listed(workspace, thoughts, None, with_done)


def _listed(
    workspace: Workspace, thoughts: Iterable[Thought], limit: int | None, with_done: bool
) -> TaskList:
    # Texts are read one by one, so that none is read for nothing, or carried through a sort.
    found: list[ThoughtTasks] = []
    left = limit
    for thought in thoughts:
        if not is_markdown(thought.path):
            continue
        there = tasks(workspace.text(thought.id))
        wanted = [task for task in there if with_done or not task.done]
        kept = wanted if left is None else wanted[:left]
        if kept:
            found.append(ThoughtTasks(thought, tuple(kept)))
        if len(kept) < len(wanted):
            return TaskList(tuple(found), True)
        if left is not None:
            left -= len(kept)
    return TaskList(tuple(found), False)


def _cut(
    thought: Thought, text: str, there: Sequence[Line], lines: int, name: str, budget: int
) -> Reading:
    """The first of some lines that fit."""
    start = there[0].start
    first = sections.line_of(text, start)
    fitting = sum(line.end - start <= budget for line in there)
    kept = max(1, fitting)
    end = there[kept - 1].end if fitting else start + budget
    left_out = there[0].end - end if not fitting else 0
    cut = kept < len(there) or left_out > 0
    return Reading(
        thought,
        text[start:end],
        first,
        first + kept - 1,
        lines,
        first + kept if kept < len(there) else None,
        left_out,
        name,
        tuple(sections.outline(text)) if cut and is_markdown(thought.path) else (),
    )


_AUTHORS = """
WITH wanted AS (
    SELECT n, id FROM thoughts WHERE id IN ({marks})
), edits AS (
    SELECT wanted.id, authors.name, log.at FROM wanted
    CROSS JOIN log ON log.thought = wanted.n CROSS JOIN authors ON authors.n = log.author
    UNION ALL
    SELECT wanted.id, authors.name, checkpoints.at FROM wanted
    CROSS JOIN checkpoints ON checkpoints.thought = wanted.n
    CROSS JOIN authors ON authors.n = checkpoints.author
    UNION ALL
    SELECT wanted.id, kept_revisions.author, ended_at FROM wanted
    CROSS JOIN kept_revisions ON kept_revisions.thought = wanted.n
)
SELECT id, name FROM edits WHERE at >= ? GROUP BY id, name ORDER BY max(at) DESC, name
"""
"""Who has edited some thoughts, by entries and by what has replaced entries."""
