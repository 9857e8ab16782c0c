"""What pods tell each other, and what a bus does.

Nothing that goes over a bus has to arrive: a hint that is lost is made up for by polling, presence
by the next announcement. While a bus is lost, ``connected`` is false and pods poll.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from msgspec import Struct


class Hint(Struct, frozen=True, array_like=True, tag=1):
    """A workspace has grown."""

    version: int
    """The ledger's version of it."""


class Announced(Struct, frozen=True, array_like=True, tag=2):
    """What has changed of the presences of a pod's connections; an empty state takes one back."""

    pod: str
    states: dict[str, bytes]


class Listed(Struct, frozen=True, array_like=True, tag=3):
    """All presences of a pod's connections in this workspace."""

    pod: str
    states: dict[str, bytes]


class Asked(Struct, frozen=True, array_like=True, tag=4):
    """A pod would like to know who is there."""

    pod: str


class Alive(Struct, frozen=True, array_like=True, tag=5):
    """A pod is there; told to all, whatever workspaces they have."""

    pod: str


Message: TypeAlias = Hint | Announced | Listed | Asked | Alive
Heard: TypeAlias = Callable[[str, Message], None]
"""Is told what another pod said about a workspace; for :class:`Alive` that is empty."""
Watching: TypeAlias = Callable[[str], None]
"""Is told that a workspace is heard of from now on; empty for what concerns all pods."""


class Bus(Protocol):
    """Carries messages between pods. Used from one event loop."""

    @property
    def connected(self) -> bool:
        """Whether other pods are heard at once."""
        ...

    @property
    def alone(self) -> bool:
        """Whether there are no other pods, so that nothing has to be looked for."""
        ...

    async def start(self, heard: Heard, watching: Watching) -> None:
        """Begin. A bus that cannot be reached goes on trying.

        Args:
            heard: is told each message of other pods, and perhaps also those of this one.
            watching: is told from when on a workspace is heard of, for the first time or again.
        """
        ...

    async def close(self) -> None:
        """End."""
        ...

    def watch(self, workspace: str) -> None:
        """Hear what is said about a workspace."""
        ...

    def unwatch(self, workspace: str) -> None:
        """Hear of it no more."""
        ...

    def tell(self, workspace: str, message: Message) -> None:
        """Tell the other pods, soon; never waits, and drops what cannot be sent."""
        ...
