"""How answers are written: short lines of text within a budget, the way to the rest always said."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aimem_tui.errors import BadInput
from aimem_tui.model import Thought

ANSWER_LIMIT = 6_000
"""Characters of an answer unless more is asked for; about 1,500 tokens."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says: one or several texts, a thought's own words apart from what is said of it.

    ``thought``, ``first`` and ``last`` are where the agent is now: a thought's id, and offsets in
    its text where those are known.
    """

    texts: tuple[str, ...]
    thought: str = ""
    first: int = -1
    last: int = -1


def when(at: int) -> str:
    """A moment in UTC: ``2026-11-20 14:02Z``."""
    try:
        return (_EPOCH + timedelta(milliseconds=at)).strftime("%Y-%m-%d %H:%MZ")
    except OverflowError:
        return "at no time"


def day(at: int) -> str:
    """The day of a moment in UTC."""
    return when(at)[:10]


def row(thought: Thought) -> str:
    """A thought in a line: path, title where the path does not say it, what it is, when by whom."""
    facts = [thought.kind.value]
    if thought.status:
        facts.append(line(thought.status, 20))
    if thought.tasks_total:
        facts.append(f"{thought.tasks_done}/{thought.tasks_total} tasks")
    if thought.tags:
        facts.append(" ".join(f"#{line(tag, 20)}" for tag in thought.tags[:4]))
    stem = thought.name.removesuffix(".md").replace("-", " ").replace("_", " ").casefold()
    title = line(thought.title, 80)
    called = "" if title.casefold().replace("-", " ") == stem else f" | {title}"
    return f"{thought.path}{called} | {', '.join(facts)} | {edited(thought)}"


def edited(thought: Thought) -> str:
    """When a thought was edited last, and by whom."""
    by = f" by {line(thought.updated_by, 50)}" if thought.updated_by else ""
    return f"{day(thought.updated_at)}{by}"


def line(text: str, most: int) -> str:
    """A text as one line of at most so many characters."""
    flat = " ".join(text[: 4 * most].split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def fitting(rows: Iterable[str], budget: int = ANSWER_LIMIT) -> list[str]:
    """The first rows that fit a budget of characters; always one, if there is one."""
    kept: list[str] = []
    for each in rows:
        budget -= len(each) + 1
        if budget < 0 and kept:
            break
        kept.append(each)
    return kept


def call(tool: str, **arguments: str | int | bool) -> str:
    """A call of a tool, as agents write it: ``read_thought(thought="a.md", first_line=40)``."""
    return f"{tool}({', '.join(f'{name}={_quoted(value)}' for name, value in arguments.items())})"


def cursor(*parts: str | int) -> str:
    """Where a list goes on, for the agent to give back as it is."""
    raw = "\n".join(map(str, parts)).encode(errors="surrogatepass")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def parts_of(cursor: str, number: int) -> Sequence[str]:
    """What a cursor was made of; nothing where there is none.

    Raises:
        BadInput: if it is none of ours.
    """
    if not cursor:
        return ()
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\n", number)
    except (binascii.Error, ValueError):
        parts = []
    if len(parts) != number:
        raise BadInput("There is no such cursor.", hint="Leave it out to begin at the start.")
    return parts


def offset_of(cursor: str, most: int) -> int:
    """How many a list has shown already.

    Raises:
        BadInput: if the cursor is none of ours.
    """
    parts = parts_of(cursor, 1)
    if not parts:
        return 0
    if not parts[0].isascii() or not parts[0].isdigit() or int(parts[0][:9]) > most:
        raise BadInput("There is no such cursor.", hint="Leave it out to begin at the start.")
    return int(parts[0])


def _quoted(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{value}"'
