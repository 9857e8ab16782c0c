"""What is worth knowing at the beginning of a piece of work, in a page.

- Decisions of late, plans that are open with what is left of them, what was edited in the last days
  and by whom, and who is at work just now: facts with their paths, never orders. What stands in
  thoughts is quoted as one short line each, so that it cannot pass for anything else.
- The page never exceeds its budget. Each part gets a share, what one does not need goes to those
  behind it, and a part that was cut says how to see the rest.
- A handful of statements, each along an index, however large the workspace is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aimem_tui import words
from aimem_tui.markdown import frontmatter
from aimem_tui.markdown.classify import first_value
from aimem_tui.markdown.scan import plain_text
from aimem_tui.markdown.tasks import Checkbox, tasks
from aimem_tui.model import Filter, Kind, Lifecycle, Thought
from aimem_tui.store import catalogue
from aimem_tui.workspace.agents import facts, reading
from aimem_tui.workspace.agents.reading import Change

if TYPE_CHECKING:
    import apsw

    from aimem_tui.workspace.workspace import Workspace

BUDGET = 6_000
"""Characters of a page, if nothing else is said: about 1,500 tokens."""

_DAY_MS = 86_400_000
_DECIDED_DAYS = 90
_OPEN_DAYS = 60
_CHANGED_DAYS = 7
_DECISIONS, _PLANS, _CHANGES, _PEOPLE = 8, 6, 12, 8
_TASKS = 5
_LONGEST_GIST = 160
_LONGEST_NAME = 80
_DECISION_HEADINGS = ("decision", "decision outcome", "outcome", "we decided")


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, and what it says in a line."""

    thought: Thought
    gist: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that is not done, with the first of its open tasks."""

    thought: Thought
    tasks: tuple[Checkbox, ...]
    open: int
    """How many tasks are open in all."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody who is at work in the workspace now."""

    name: str
    agent: bool
    path: str
    """Of the thought they are at; empty if none is known."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is worth knowing; each part the newest first."""

    workspace: str
    into: str
    """The folder it is about; empty: all."""
    at: int
    """When it was gathered, ms since the Unix epoch."""
    decisions: tuple[Decision, ...]
    plans: tuple[Plan, ...]
    changes: tuple[Change, ...]
    people: tuple[Presence, ...]
    more_decisions: bool = False
    more_plans: bool = False
    more_changes: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.decisions or self.plans or self.changes or self.people)


def gather(workspace: Workspace, *, into: str = "", now: int | None = None) -> Context:
    """What is worth knowing in a workspace, or below a folder of it.

    Args:
        now: ms since the Unix epoch; None: by the workspace's clock.
    """
    now = workspace.clock() if now is None else now
    into = into.strip("/")
    lives = (Lifecycle.NONE, Lifecycle.DRAFT, Lifecycle.ACTIVE)
    decided, opened, since = (now - n * _DAY_MS for n in (_DECIDED_DAYS, _OPEN_DAYS, _CHANGED_DAYS))
    with workspace.database.snapshot() as connection:
        decisions = _newest(connection, Kind.DECISION, (*lives, Lifecycle.DONE), into, decided)
        plans = _newest(connection, Kind.PLAN, lives, into, opened)
        changes = reading.recent(workspace, since=since, limit=_CHANGES, path=into)
    return Context(
        workspace.name,
        into,
        now,
        tuple(Decision(each.thought, _gist(each.text)) for each in decisions[:_DECISIONS]),
        tuple(_plan(each) for each in plans[:_PLANS]),
        changes.changes,
        _people(workspace),
        len(decisions) > _DECISIONS,
        len(plans) > _PLANS,
        changes.more,
    )


def project_context(
    workspace: Workspace, *, into: str = "", budget: int = BUDGET, now: int | None = None
) -> str:
    """What is worth knowing as a page of markdown; empty where there is nothing to say.

    Args:
        into: the folder of the workspace that it is about; empty: all.
        budget: characters; the page is never longer.
        now: ms since the Unix epoch; None: by the workspace's clock.
    """
    return in_words(gather(workspace, into=into, now=now), budget)


def in_words(context: Context, budget: int = BUDGET) -> str:
    """A context as a page of markdown of at most so many characters."""
    if context.is_empty:
        return ""
    where = f", below {context.into}/" if context.into else ""
    beginning = f"Team memory (aimem, workspace {context.workspace}{where}), as of now:\n"
    end = (
        "\nTo read one: aimem show PATH, or the tool read_thought."
        " To find more: aimem search WORDS, or search_thoughts.\n"
    )
    parts = [
        _Part("At work now", _people_lines(context.people), False, ""),
        _Part(
            "Open plans",
            [_plan_lines(each, context.at) for each in context.plans],
            context.more_plans,
            _more("aimem list --kind plan --sort updated", context.into),
        ),
        _Part(
            "Decisions of late",
            [_decision_lines(each, context.at) for each in context.decisions],
            context.more_decisions,
            _more("aimem list --kind decision --sort updated", context.into),
        ),
        _Part(
            f"Edited in the last {_CHANGED_DAYS} days",
            [_change_lines(each, context.at) for each in context.changes],
            context.more_changes,
            _more(f"aimem recent --since {_CHANGED_DAYS}d", context.into),
        ),
    ]
    left = budget - len(beginning) - len(end)
    written = [part for part in parts if part.items]
    page = ""
    for behind, part in zip(range(len(written) - 1, -1, -1), written, strict=True):
        # An even share; what one part leaves over, those behind it may use.
        page += _fitted(part, (left - len(page)) // (behind + 1))
    if not page:
        return (beginning.rstrip()[: max(0, budget - 1)] + "\n") if budget > len(beginning) else ""
    return beginning + page + end


@dataclass(frozen=True, slots=True)
class _Part:
    title: str
    items: Sequence[str]
    """Whole lines each."""
    more: bool
    hint: str


def _fitted(part: _Part, room: int) -> str:
    """A part, as much of it as there is room for; empty where not even one item fits."""
    head = f"\n## {part.title}\n"
    rest = f"- More: {part.hint}\n" if part.hint else "- There are more.\n"
    whole = head + "".join(part.items) + (rest if part.more else "")
    if len(whole) <= room:
        return whole
    text, kept = head, 0
    for item in part.items:
        if len(text) + len(item) + len(rest) > room:
            break
        text, kept = text + item, kept + 1
    return text + rest if kept else ""


def _more(command: str, into: str) -> str:
    return f"{command} --path {into}" if into else command


def _people_lines(people: Iterable[Presence]) -> list[str]:
    return [
        f"- {_line(each.name)}{' (agent)' if each.agent else ''}"
        f"{f' at {each.path}' if each.path else ''}\n"
        for each in people
    ]


def _plan_lines(plan: Plan, now: int) -> str:
    thought = plan.thought
    status = f"{_line(thought.status)}, " if thought.status else ""
    total = thought.tasks_total
    done = f", {total - plan.open} of {total} tasks done" if total else ""
    edited = f"{words.when(thought.updated_at, now)} by {_line(thought.updated_by)}"
    lines = [f"- {thought.path}: {_line(thought.title)} ({status}edited {edited}{done})\n"]
    lines += [f"  - line {task.line}: [ ] {_line(task.text)}\n" for task in plan.tasks]
    if plan.open > len(plan.tasks):
        lines.append(f"  - {plan.open - len(plan.tasks)} more: aimem tasks {thought.path}\n")
    return "".join(lines)


def _decision_lines(decision: Decision, now: int) -> str:
    thought = decision.thought
    status = f"{_line(thought.status)}, " if thought.status else ""
    edited = f"{words.when(thought.updated_at, now)} by {_line(thought.updated_by)}"
    gist = f": {decision.gist}" if decision.gist else ""
    return f"- {thought.path}: {_line(thought.title)} ({status}edited {edited}){gist}\n"


def _change_lines(change: Change, now: int) -> str:
    thought = change.thought
    what = "new" if change.made else "edited"
    authors = ", ".join(_line(author) for author in change.authors[:3])
    others = f" and {len(change.authors) - 3} more" if len(change.authors) > 3 else ""
    when = words.when(thought.updated_at, now)
    return f"- {thought.path} ({what} {when} by {authors}{others})\n"


@dataclass(frozen=True, slots=True)
class _Read:
    thought: Thought
    text: str


def _newest(
    connection: apsw.Connection, kind: Kind, lives: Sequence[Lifecycle], into: str, since: int
) -> list[_Read]:
    """Thoughts of a kind that are still alive, edited last first, one more than is shown."""
    condition = catalogue.where(Filter(path=into, kinds=(kind.value,), since=since))
    condition.add(
        f"t.lifecycle IN ({', '.join('?' * len(lives))})", *(each.value for each in lives)
    )
    rows = connection.execute(
        f"SELECT {catalogue.COLUMNS} FROM thoughts AS t WHERE {condition.sql}"
        " ORDER BY t.updated_at DESC, t.id LIMIT ?",
        (*condition.values, max(_DECISIONS, _PLANS) + 1),
    ).fetchall()
    found = [catalogue.thought(row) for row in rows]
    return [_Read(thought, catalogue.text(connection, thought.id)) for thought in found]


def _plan(read: _Read) -> Plan:
    left = [task for task in tasks(read.text) if not task.done]
    return Plan(read.thought, tuple(left[:_TASKS]), len(left))


def _gist(text: str) -> str:
    """What a decision says in a line: its summary, else its section *Decision*, else its start."""
    from aimem_tui.markdown import sections

    found = frontmatter.properties(text)
    written = first_value(found, "description", "summary", "decision")
    if written:
        return _line(written, _LONGEST_GIST)
    for section in sections.outline(text):
        if section.title.casefold().rstrip(":.") in _DECISION_HEADINGS:
            text = text[section.body : section.own_end]
            break
    first = next((each.text for each in facts.statements(text)), "")
    return _line(first, _LONGEST_GIST)


def _people(workspace: Workspace) -> tuple[Presence, ...]:
    """Agents of this machine, and whom the program that syncs here sees, without oneself."""
    from aimem_tui import locks
    from aimem_tui.sync.crowd import Crowd
    from aimem_tui.sync.visitors import Visitors

    folder = workspace.database.path.parent
    elsewhere = Crowd(folder).seen()
    if elsewhere:
        lock = locks.to_sync(folder)
        if lock.take():
            # Nobody syncs: what is written there was left behind.
            lock.release()
            elsewhere = ()
    found: dict[tuple[str, str], Presence] = {}
    for person in (*Visitors(folder).seen(), *elsewhere):
        if person.name == workspace.author:
            continue
        path = _path(workspace, person.thought)
        found.setdefault((person.name, path), Presence(person.name, person.agent, path))
    return tuple(found.values())[:_PEOPLE]


def _path(workspace: Workspace, thought: str) -> str:
    row = (
        workspace.database.read()
        .execute("SELECT path FROM thoughts WHERE id = ? AND shown", (thought,))
        .fetchone()
    )
    return "" if row is None else str(row[0])


def _line(text: str, longest: int = _LONGEST_NAME) -> str:
    """A text of somebody's as one short line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in plain_text(text)).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
