"""Edits by agents, with where they are afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aimem_tui.markdown import sections
from aimem_tui.markdown import tasks as checkboxes
from aimem_tui.markdown.tasks import Checkbox
from aimem_tui.model import Thought
from crdt.textdiff import Splice, apply

if TYPE_CHECKING:
    from aimem_tui.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did."""

    thought: Thought
    """As it is now."""
    changed: bool
    first_line: int
    """Where the edit begins and ends now, lines counted from 1; 0 if nothing has changed."""
    last_line: int


@dataclass(frozen=True, slots=True)
class Ticked:
    """What ticking a task did."""

    thought: Thought
    """As it is now."""
    task: Checkbox
    """As it is now."""
    changed: bool


def edit(workspace: Workspace, thought: str, change: Callable[[str], Sequence[Splice]]) -> Edited:
    """Change the text of the thought with an id; see :mod:`aimem_tui.markdown.edits` for edits.

    Raises:
        NotFound: if there is no such thought; and whatever ``change`` raises, with nothing changed.
        BadInput: if no thought can have the text that comes of it.
    """
    first, last = 0, 0

    def followed(text: str) -> Sequence[Splice]:
        nonlocal first, last
        edits = change(text)
        if edits:
            new = apply(text, edits)
            grown = sum(len(each.text) - (each.end - each.start) for each in edits)
            end = edits[-1].end + grown
            first = sections.line_of(new, edits[0].start)
            last = sections.line_of(new, max(edits[0].start, end - 1))
        return edits

    now = workspace.edit_text(thought, followed)
    return Edited(now, first > 0, first, last)


def tick(
    workspace: Workspace, thought: str, which: str, *, line: int | None = None, done: bool = True
) -> Ticked:
    """Tick a task of the thought with an id, or open it again.

    Args:
        which, line: see :func:`aimem_tui.markdown.tasks.pick`.

    Raises:
        NotFound, Ambiguous, BadInput: if no one task is meant, with those there are.
    """
    meant: Checkbox | None = None

    def ticking(text: str) -> Sequence[Splice]:
        nonlocal meant
        meant = checkboxes.pick(text, which, line=line, done=done)
        return checkboxes.tick(text, "", line=meant.line, done=done)

    edited = edit(workspace, thought, ticking)
    assert meant is not None, "an edit asks for what to change"
    return Ticked(edited.thought, replace(meant, done=done), edited.changed)
