"""What looking for thoughts and looking back at one brings up."""

from __future__ import annotations

from typing import NamedTuple

from aimem_tui.model.thought import Thought


class SearchHit(NamedTuple):
    """A thought that a search found. ``snippet`` marks matches with U+0001 and U+0002."""

    thought: Thought
    score: float
    """Higher is better; only comparable within one answer."""
    snippet: str
    line: int
    """The line of the first match, from 0."""


class SearchResults(NamedTuple):
    """What a search found, best first."""

    query: str
    hits: tuple[SearchHit, ...]
    total: int
    """How many thoughts match in all (counting stops at 1,000)."""


class Revision(NamedTuple):
    """A moment in a thought's history: edits of one author close in time, taken together."""

    number: int
    """Counts from 1, oldest first."""
    author: str
    started_at: int
    ended_at: int
    note: str
    """Why, where somebody said so: a commit's subject, ``restored revision 4``."""
    added: int
    """Characters added since the revision before it."""
    removed: int


class Activity(NamedTuple):
    """That somebody edited a thought; a revision without its text."""

    author: str
    ended_at: int
    note: str
