"""What organizing asks of others: who is near whom, and whoever can put things better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple, Protocol, TypeAlias


class Near(NamedTuple):
    """A thought near another one."""

    thought: int
    """Its number inside the workspace's file."""
    cosine: float


Groups: TypeAlias = Mapping[str, Sequence[int]]
"""Thoughts by what they have in common. The same object always holds the same groups, so that what
is made of them can be kept."""


class Nearness(Protocol):
    """How near thoughts are to each other. Numbers stand for thoughts."""

    by_meaning: bool
    """False: by the words they have in common, for want of vectors."""

    def nearest(self, thought: int, limit: int, among: Set[int] | None = None) -> list[Near]:
        """The thoughts nearest to one, the nearest first; empty if nothing is known of it.

        Args:
            among: only of these.
        """
        ...

    def neighbours(self, limit: int, least: float) -> Iterator[tuple[int, list[Near]]]:
        """Every thought with the nearest others from a cosine on, the nearest first.

        Quicker than asking for each; those without such a neighbour are left out.
        """
        ...

    def likeness(self, thought: int, groups: Groups) -> dict[str, float]:
        """The cosine of a thought and the mean of each group; empty if nothing is known of it.

        Groups of which nothing is known are left out.
        """
        ...

    def cosine(self, one: int, other: int) -> float | None:
        """How near two thoughts are; None if nothing is known of one of them."""
        ...


class Improver(Protocol):
    """Whoever puts proposals better than counting can, such as a language model.

    Each method gets the text and what would be proposed without it, and may raise an
    :class:`~aimem_tui.errors.AimemError`, upon which that is proposed and the reason is told.
    What comes back is checked: only what could be accepted is proposed.
    """

    def tags(self, text: str, known: Sequence[str], proposed: Sequence[str]) -> Sequence[str]:
        """Tags for a text, the best first; ``known`` are the tags in use, the most used first."""
        ...

    def title(self, text: str, proposed: str) -> str:
        """A title for a text: one line."""
        ...

    def summary(self, text: str, proposed: str) -> str:
        """A text in one or two sentences."""
        ...

    def is_duplicate(self, kept: str, other: str) -> bool:
        """Whether two texts that have much in common are about the same and should be one."""
        ...
