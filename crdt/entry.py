"""The entry: one immutable change to one thought, as the log keeps it and machines exchange it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that one replica made to one thought.

    ``(replica, seq)`` names it for ever; applying it twice changes nothing.
    """

    replica: str
    """The replica that made it: 32 hexadecimal digits."""
    seq: int
    """Counts from 1 per replica, without gaps."""
    thought: str
    """The id of the thought it changes."""
    update: bytes
    """A Yjs update, encoding version 1."""
    at: int
    """When it was made, ms since the Unix epoch, by the maker's clock. Never used for order."""
    author: str
    """Who made it, for people."""
    note: str = ""
    """Why, where somebody said so. An entry with a note is a revision of its own."""
