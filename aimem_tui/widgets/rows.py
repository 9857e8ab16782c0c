"""What a list shows: rows of styled text, and the model that hands them out.

Nothing here knows Textual. A model answers four questions about the rows that can be seen; the
list widget asks only for those on screen, so a model of 100,000 rows costs what 40 rows cost.
A style is a *name*; the widget that draws a row turns it into colours of the theme.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

Item = TypeVar("Item")


class Span(NamedTuple):
    """A run of text in one style.

    A named tuple and not a dataclass: rows are compared and hashed for every line that is drawn.
    """

    text: str
    style: str = ""
    """Names of styles, separated by spaces; empty for plain text."""
    link: int = -1
    """Which link of its block it belongs to, counted from 0; -1 where it is none."""


class Row(NamedTuple):
    """One row of a list. Two equal rows look the same, so a row is its own cache key."""

    lines: tuple[tuple[Span, ...], ...]
    """One tuple of spans for each line of the row, at most the list's row height."""
    meta: tuple[Span, ...] = ()
    """Stands at the right edge of the first line and is never cut."""
    badges: tuple[Span, ...] = ()
    """Stands left of ``meta``, one space between each."""
    indent: int = 0
    """Cells left free before every line."""

    @classmethod
    def of(cls, text: str, style: str = "", *, meta: str = "", indent: int = 0) -> Row:
        """A row of one line in one style."""
        return cls(((Span(text, style),),), (Span(meta, "muted"),) if meta else (), indent=indent)


class RowModel(Protocol):
    """What a list asks of its model. Indices count visible rows from 0."""

    def count(self) -> int:
        """How many rows there are."""

    def key(self, index: int) -> Hashable:
        """What stays the same about a row when others come and go."""

    def row(self, index: int) -> Row:
        """What to draw. Called for the rows on screen only."""

    def row_of(self, key: Hashable) -> int | None:
        """Where the row with this key is now; None when it is not there."""


class ItemModel(Generic[Item]):
    """A model over a sequence of items: search results, recent thoughts, revisions, the trash.

    Args:
        key: the lasting identity of an item.
        row: how an item is drawn.
        items: what to begin with.
    """

    def __init__(
        self,
        *,
        key: Callable[[Item], Hashable],
        row: Callable[[Item], Row],
        items: Sequence[Item] = (),
    ) -> None:
        self._key = key
        self._row = row
        self.replace(items)

    def replace(self, items: Sequence[Item]) -> None:
        """Show these items from now on; the list needs ``model_changed()`` afterwards."""
        self.items = items
        self._rows: dict[Hashable, int] | None = None

    def count(self) -> int:
        """How many items there are."""
        return len(self.items)

    def key(self, index: int) -> Hashable:
        """The key of the item at ``index``."""
        return self._key(self.items[index])

    def row(self, index: int) -> Row:
        """How the item at ``index`` is drawn."""
        return self._row(self.items[index])

    def row_of(self, key: Hashable) -> int | None:
        """Where the item with this key is; the first one, should a key come twice."""
        if self._rows is None:
            self._rows = {}
            for index, item in enumerate(self.items):
                self._rows.setdefault(self._key(item), index)
        return self._rows.get(key)
