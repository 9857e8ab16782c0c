"""Entries and checkpoints: what a log holds and machines exchange.

Nothing here reads an update. Where ``sealed`` is not 0 nobody can without the workspace's key, and
whoever stores and forwards never needs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from crdt.vector import Vector

DIGEST_BYTES = 8
MAX_NAME = 256
"""The longest author, in characters."""
MAX_NOTE = 4_096
"""The longest note, in characters."""


class Entry(NamedTuple):
    """A change that one replica made to one thought.

    ``(replica, seq)`` names it for ever; applying it twice changes nothing. A tuple, because there
    are many of them, and a frozen dataclass takes several times as long to make.
    """

    replica: str
    """The replica that made it: 32 hexadecimal digits."""
    seq: int
    """Counts from 1 per replica, without gaps."""
    thought: str
    """The id of the thought it changes."""
    update: bytes
    """A Yjs update, encoding version 1; if sealed, its ciphertext."""
    at: int
    """When it was made, ms since the Unix epoch, by the maker's clock. Never used for order."""
    author: str
    """Who made it, for people."""
    note: str = ""
    """Why, where somebody said so. An entry with a note is a revision of its own."""
    sealed: int = 0
    """Which of the workspace's keys the update is encrypted with; 0 where it is in the open."""
    signature: bytes = b""
    """By the replica's device; empty where the workspace asks for none."""

    def digest(self) -> bytes:
        """Tells this entry from another one under the same name: 8 bytes of BLAKE2b.

        The signature is left out: an entry signed again is still the same.
        """
        summary = blake2b(digest_size=DIGEST_BYTES)
        summary.update(
            f"{self.replica}{self.thought}{self.seq} {self.at} {self.sealed} "
            f"{len(self.author)} {self.author}{len(self.note)} {self.note}".encode(
                "utf-8", "surrogatepass"
            )
        )
        summary.update(self.update)
        return summary.digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one thought, and which entries of the workspace it includes."""

    thought: str
    state: bytes
    """A Yjs update, version 1, that alone makes the thought; if sealed, its ciphertext."""
    vector: Vector
    """For each replica the last entry *of this thought* that the state includes."""
    at: int = 0
    """When the last of those entries was made, ms since the Unix epoch; 0 where nobody knows."""
    author: str = ""
    """Who made the last of those entries."""
    sealed: int = 0
    """Which of the workspace's keys the state is encrypted with; 0 where it is in the open."""
    signature: bytes = b""
    """By the device of whoever built it; empty where the workspace asks for none."""
