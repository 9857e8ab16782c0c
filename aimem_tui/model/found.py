"""What looking for thoughts and looking back at one brings up."""

from __future__ import annotations

from typing import NamedTuple

from aimem_tui.model.thought import Thought


class Boost(NamedTuple):
    """Why a hit stands higher than its ranks alone would put it."""

    name: str
    """``title``: it is called what was looked for. ``name``: that is a part of a name, and nothing
    but that. ``recent``: it was edited lately."""
    factor: float


class Why(NamedTuple):
    """How a hit came to its place. Places count from 1; None: not found that way."""

    fulltext: int | None = None
    """By the words in its title, path and text."""
    chunk: int | None = None
    """By the words in one passage of it."""
    semantic: int | None = None
    """By the meaning of one passage of it."""
    cosine: float | None = None
    """How near that passage is to the search in meaning, -1 to 1."""
    boosts: tuple[Boost, ...] = ()
    name: int | None = None
    """By a part of its title or path, or of a name in its text; counts into ``fulltext``."""


class SearchHit(NamedTuple):
    """A thought that a search found. ``snippet`` marks matches with U+0001 and U+0002."""

    thought: Thought
    score: float
    """Higher is better; only comparable within one answer."""
    snippet: str
    line: int
    """The line of the first match, from 0."""
    heading: str = ""
    """The heading that line stands below; empty if there is none."""
    why: Why = Why()
    similar: tuple[Thought, ...] = ()
    """Thoughts that say the same and are not shown for themselves."""


class SearchResults(NamedTuple):
    """What a search found, best first."""

    query: str
    hits: tuple[SearchHit, ...]
    total: int
    """How many thoughts match in all (counting stops at 1,000)."""
    kind: str = "fulltext"
    """How it was searched: ``fulltext``, ``semantic`` or ``hybrid``."""
    unindexed: int = 0
    """How many thoughts cannot be found by their meaning yet."""
    said: str = ""
    """What a person should know of the search, in sentences."""


class Related(NamedTuple):
    """A thought that is near another."""

    thought: Thought
    cosine: float | None
    """Of the nearest passages; None where only words were compared."""


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
