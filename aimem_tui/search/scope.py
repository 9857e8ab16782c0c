"""Which thoughts a search is about, as a condition on the table of thoughts."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import apsw

from aimem_tui.model import Filter
from aimem_tui.search.query import Scope
from aimem_tui.store import catalogue
from aimem_tui.store.catalogue import Where


def condition(wanted: Filter, scope: Scope) -> Where:
    """What must hold of a thought: the filter, and what was typed among the words."""
    found = catalogue.where(wanted)
    for group in scope.groups:
        ways = [_of(each, trashed=wanted.trashed) for each in group]
        found.clauses.append(f"({' OR '.join(f'({way.sql})' for way in ways)})")
        found.values += [value for way in ways for value in way.values]
    for each in scope.unwanted:
        way = _of(each, trashed=wanted.trashed)
        found.clauses.append(f"NOT ({way.sql})")
        found.values += way.values
    return found


def among(connection: apsw.Connection, numbers: Sequence[int], where: Where) -> set[int]:
    """Those of some thoughts for which a condition holds."""
    # In this order, or the engine may look through all thoughts that are shown.
    rows = connection.execute(
        "SELECT t.n FROM carray(?) AS given CROSS JOIN thoughts AS t ON t.n = given.value"
        f" WHERE {where.sql}",
        (apsw.carray(array_of(numbers)), *where.values),
    )
    return {int(row[0]) for row in rows}


def array_of(numbers: Sequence[int]) -> array[int]:
    """Numbers of thoughts as SQLite takes them all at once."""
    # An empty array is nowhere, which apsw refuses; no thought has this number.
    return array("q", numbers or (-1,))


def restricts(wanted: Filter, scope: Scope) -> bool:
    """Whether anything but the trash is left out."""
    return wanted != Filter() or bool(scope.groups or scope.unwanted)


def _of(wanted: Filter, *, trashed: bool) -> Where:
    return catalogue.where(wanted._replace(trashed=trashed))
