"""What organizing reads of a workspace: its thoughts as rows, and their texts one after the other.

Only what is shown: nothing in the trash is put in order, and nothing learns from it. Reading costs
one statement for all rows, and one for a page of texts, so that a workspace of any size is read
without holding it in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import apsw

from aimem_tui.model import Kind, Thought
from aimem_tui.store import catalogue

_PAGE = 200
_FIRST = 200_000
"""Characters of a text that are read where many are read."""


class Card(NamedTuple):
    """A thought, and its number inside the workspace's file."""

    n: int
    thought: Thought

    @property
    def is_markdown(self) -> bool:
        """Whether it is a thought rather than a file that travels with thoughts."""
        return self.thought.kind is not Kind.FILE


class Library:
    """A workspace as organizing reads it, at one moment.

    Args:
        connection: for reading; used by one thread at a time.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.text = lru_cache(maxsize=256)(self._text)
        """The whole text of the thought with a number, or an empty one if there is none."""

    @cached_property
    def cards(self) -> dict[int, Card]:
        """All thoughts that are shown, by number, the newest edit first."""
        rows = self._connection.execute(
            f"SELECT t.n, {catalogue.COLUMNS} FROM thoughts AS t WHERE t.shown = 1"
            " ORDER BY t.updated_at DESC, t.id"
        )
        return {int(row[0]): Card(int(row[0]), catalogue.thought(row[1:])) for row in rows}

    @cached_property
    def by_id(self) -> dict[str, Card]:
        """All thoughts that are shown, by id."""
        return {card.thought.id: card for card in self.cards.values()}

    @cached_property
    def links_in(self) -> dict[int, int]:
        """How many links name each thought's file, by number; none where there are none."""
        names: dict[str, int] = {}
        for name, count in self._connection.execute(
            "SELECT links.name, count(DISTINCT links.thought) FROM links JOIN thoughts AS t"
            " ON t.n = links.thought WHERE t.shown = 1 GROUP BY links.name"
        ):
            names[str(name)] = int(count)
        found = {}
        for n, card in self.cards.items():
            count = names.get(card.thought.name.removesuffix(".md").casefold(), 0)
            if count:
                found[n] = count
        return found

    def texts(self, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
        """The texts of thoughts, each cut off where no comparison reads on."""
        wanted = list(numbers)
        for start in range(0, len(wanted), _PAGE):
            yield from self._page(wanted[start : start + _PAGE])

    def _page(self, numbers: Sequence[int]) -> list[tuple[int, str]]:
        marks = ", ".join("?" * len(numbers))
        rows = self._connection.execute(
            f"SELECT n, substr(body, 1, {_FIRST}) FROM texts WHERE n IN ({marks})", numbers
        )
        found = {int(n): str(body) for n, body in rows}
        return [(n, found[n]) for n in numbers if n in found]

    def _text(self, number: int) -> str:
        row = self._connection.execute("SELECT body FROM texts WHERE n = ?", (number,)).fetchone()
        return "" if row is None else str(row[0])
