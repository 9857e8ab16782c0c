"""What a peer has, kept so that many connections can share it.

Most peers of a relay have almost exactly what the relay has. So a :class:`Holding` is a vector,
which is the very object that all of them share, and the little that this peer has beyond it: a
thousand idle connections of a workspace with a thousand replicas hold one vector, not a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping

from crdt.vector import Vector


class Holding:
    """For each replica the highest number that somebody has; it never goes down."""

    __slots__ = ("_base", "_beyond")

    def __init__(self, base: Vector | None = None) -> None:
        self._base = Vector() if base is None else base
        self._beyond: dict[str, int] = {}

    def __getitem__(self, replica: str) -> int:
        """The highest number had from ``replica``; 0 where there is none."""
        return self._beyond.get(replica) or self._base[replica]

    def add(self, replica: str, seq: int) -> None:
        """Note that everything up to ``seq`` is had, too."""
        if seq > self[replica]:
            self._beyond[replica] = seq

    def merge(self, other: Mapping[str, int]) -> None:
        """Note that everything in ``other`` is had, too."""
        for replica, seq in other.items():
            self.add(replica, seq)

    def covers(self, vector: Vector) -> bool:
        """Whether all of ``vector`` is had."""
        if vector is self._base:
            return True
        return all(self[replica] >= seq for replica, seq in vector.items())

    def covers_since(
        self, since: Vector, changed: Mapping[str, int], vector: Vector
    ) -> bool | None:
        """The same, quickly, for a vector that grew out of another one.

        Args:
            since: differs from ``vector`` in the replicas of ``changed`` at most.

        Returns:
            None where ``since`` is not what this rests on, so that nothing is known of the others.
        """
        if since is not self._base:
            return None
        return all(self[replica] >= vector[replica] for replica in changed)

    def is_just(self, base: Vector, beyond: Mapping[str, int]) -> bool:
        """Whether this rests on ``base``, and has exactly ``beyond`` beside it."""
        return self._base is base and self._beyond == beyond

    def move(self, vector: Vector) -> None:
        """Share ``vector``, which is all that is had, from now on."""
        self._base = vector
        if self._beyond:
            self._beyond = {}

    def rest_on(self, vector: Vector, since: Vector | None = None) -> None:
        """Share ``vector``, all of which is had, from now on.

        Args:
            since: an earlier vector of the same copy, which ``vector`` covers.
        """
        held: Mapping[str, int] = self._beyond
        if self._base is not since and self._base is not vector:
            held = {**self._base, **self._beyond}
        self._base = vector
        if held:
            self._beyond = {one: seq for one, seq in held.items() if seq > vector[one]}

    def vector(self) -> Vector:
        """What is had, as it is now."""
        return self._base.merged(self._beyond) if self._beyond else self._base
