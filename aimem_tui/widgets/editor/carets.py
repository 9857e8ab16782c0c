"""Where carets are, and where they go when the text changes under them.

A place in the text is a byte offset everywhere outside of the widget: that is what the document
counts in, and moving it through a change is arithmetic. Locations (rows and columns) are made
from it at the last moment.

The rule for a caret at which something is inserted: it stays before the insertion, for everybody.
Only who types moves behind what they typed. A place inside a deleted range goes to its start.
A selection keeps what it selects: what is inserted at either of its edges stays outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from crdt.adapter import Change, byte_length


@dataclass(frozen=True, slots=True)
class Caret:
    """Another person's caret and selection, in UTF-8 bytes of the text."""

    name: str
    initials: str
    color: int
    """Which of `people.PERSON_COLORS`, 0 to 7."""
    head: int
    anchor: int
    """Where the selection began; the same as ``head`` if nothing is selected."""


@dataclass(frozen=True, slots=True)
class Step:
    """A change as places see it: ``deleted`` bytes at ``start`` give way to ``inserted`` bytes."""

    start: int
    deleted: int
    inserted: int

    @classmethod
    def of(cls, change: Change) -> Step:
        """The step that a change makes."""
        return cls(change.start, change.deleted, byte_length(change.inserted))

    def move(self, byte: int, *, behind: bool = False) -> int:
        """Where a place goes; ``behind`` an insertion made exactly there, or stays before it."""
        if byte < self.start or (byte == self.start and not behind):
            return byte
        if byte < self.start + self.deleted:
            return self.start
        return byte - self.deleted + self.inserted


class ByteSelection(NamedTuple):
    """A selection in UTF-8 bytes of the text; where nothing is selected, both are the caret."""

    anchor: int
    """Where the selection began."""
    head: int
    """The caret."""

    @classmethod
    def caret(cls, byte: int) -> ByteSelection:
        """A caret that selects nothing."""
        return cls(byte, byte)

    def move(self, steps: Iterable[Step], *, behind: bool = False) -> ByteSelection:
        """Where the selection goes: it keeps what it selects, and takes in nothing at its edges.

        If it selects nothing, it goes ``behind`` what is inserted exactly there, or stays before.
        """
        anchor, head = self
        for step in steps:
            order = head - anchor
            anchor = step.move(anchor, behind=order > 0 or (behind and not order))
            head = step.move(head, behind=order < 0 or (behind and not order))
        return ByteSelection(anchor, head)


@dataclass(slots=True)
class ShownCaret:
    """Another person's caret as it is in the text by now."""

    caret: Caret
    named_until: float
    """Until when it carries a flag with the name, in seconds of `time.monotonic`."""


class OtherCarets:
    """The other people's carets in one text."""

    def __init__(self) -> None:
        self._shown: list[ShownCaret] = []

    def __len__(self) -> int:
        return len(self._shown)

    def __iter__(self) -> Iterator[ShownCaret]:
        return iter(self._shown)

    def show(self, carets: Iterable[Caret], named_until: float) -> None:
        """Show these and no others; who is new or has moved is named until then."""
        until = {(shown.caret.name, shown.caret.head): shown.named_until for shown in self._shown}
        self._shown = [
            ShownCaret(caret, until.get((caret.name, caret.head), named_until)) for caret in carets
        ]

    def follow(self, steps: Sequence[Step]) -> None:
        """Go along with a change of the text."""
        for shown in self._shown:
            anchor, head = ByteSelection(shown.caret.anchor, shown.caret.head).move(steps)
            shown.caret = replace(shown.caret, head=head, anchor=anchor)
