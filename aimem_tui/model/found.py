"""What looking for thoughts and looking back at one brings up."""

from __future__ import annotations

from dataclasses import dataclass

from aimem_tui.model.thought import Thought


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A thought that a search found. ``snippet`` marks matches with U+0001 and U+0002."""

    thought: Thought
    score: float
    """Higher is better; only comparable within one answer."""
    snippet: str
    line: int
    """The line of the first match, from 0."""


@dataclass(frozen=True, slots=True)
class SearchResults:
    """What a search found, best first."""

    query: str
    hits: tuple[SearchHit, ...]
    total: int
    """How many thoughts match in all (counting stops at 1,000)."""


@dataclass(frozen=True, slots=True)
class Revision:
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


@dataclass(frozen=True, slots=True)
class Activity:
    """That somebody edited a thought; a revision without its text."""

    author: str
    ended_at: int
    note: str
