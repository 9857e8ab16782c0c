"""Which thoughts a search is about, as a condition on the table of thoughts."""

from __future__ import annotations

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


def restricts(wanted: Filter, scope: Scope) -> bool:
    """Whether anything but the trash is left out."""
    return wanted != Filter() or bool(scope.groups or scope.unwanted)


def _of(wanted: Filter, *, trashed: bool) -> Where:
    return catalogue.where(wanted._replace(trashed=trashed))
