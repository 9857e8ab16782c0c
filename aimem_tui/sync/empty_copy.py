"""A copy of a workspace that is not here, for whoever only wants to ask or to check."""

from __future__ import annotations

import secrets

from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector


class EmptyCopy:
    """A copy of a workspace that is not here: it holds nothing. Its ids are used once."""

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace
        self.replica = secrets.token_hex(16)
        self.log = secrets.token_hex(16)

    def vector(self) -> Vector:
        """Nothing."""
        return Vector()

    def reach(self) -> Vector:
        """Nothing."""
        return Vector()

    def digest(self, replica: str, seq: int) -> bytes:
        """None is known."""
        return b""

    def resume_token(self, log: str) -> bytes:
        """None is known."""
        return b""

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        """Nothing."""
        return Slice((), (), after, 0, Vector())
