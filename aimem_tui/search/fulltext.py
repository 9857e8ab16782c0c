"""The thoughts whose title, path or text has the words of a search, ranked by BM25 (SQLite FTS5).

Needs nothing but the workspace's file, and a handful of statements, however many thoughts match.
"""

from __future__ import annotations

from typing import NamedTuple

import apsw

from aimem_tui.search.matching import Plan
from aimem_tui.store.catalogue import Where

WEIGHTS = (3.0, 1.0, 1.0)
"""How much a word counts in title, path and text."""
COUNT_LIMIT = 1_000

_BM25 = f"bm25({', '.join(map(str, WEIGHTS))})"


class Scored(NamedTuple):
    """A thought, by its number inside the file, and how well it matches; higher is better."""

    thought: int
    score: float


def ranked(
    connection: apsw.Connection, plan: Plan, where: Where, *, limit: int, restricted: bool
) -> list[Scored]:
    """The thoughts that match best, best first.

    Args:
        restricted: whether the condition leaves out so much that it had better be looked at before
            a thought is ranked.
    """
    if not plan.match:
        return []
    found = dict(_ranked(connection, plan.match, plan.newest_from, where, limit, restricted))
    if plan.titled and len(found) <= limit:
        titled = _ranked(connection, plan.titled, plan.titled_from, where, limit, restricted)
        for thought, score in titled:
            found[thought] = max(score, found.get(thought, score))
    if plan.newest_from and len(found) < limit:
        least = min(found.values(), default=1.0)
        for place, thought in enumerate(_newest(connection, plan.match, where, limit)):
            found.setdefault(thought, least / (2 + place))
    best = sorted(found.items(), key=lambda item: (-item[1], -item[0]))
    return [Scored(*item) for item in best[:limit]]


def count(connection: apsw.Connection, plan: Plan, where: Where) -> int:
    """How many thoughts match; counting stops at :data:`COUNT_LIMIT`."""
    if not plan.match:
        return 0
    return int(
        connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM fulltext AS f CROSS JOIN thoughts AS t"
            f" ON t.n = f.rowid WHERE f.fulltext MATCH ? AND {where.sql} LIMIT ?)",
            (plan.match, *where.values, COUNT_LIMIT),
        ).get
    )


def _ranked(
    connection: apsw.Connection,
    match: str,
    newest_from: int,
    where: Where,
    limit: int,
    restricted: bool,
) -> list[tuple[int, float]]:
    # Ordered by its hidden column the engine ranks all before the condition is looked at; ordered
    # by an expression the condition comes first, at the cost of a look at each thought.
    order = "f.rank + 0" if restricted else "f.rank"
    rows = connection.execute(
        "SELECT f.rowid, -f.rank FROM fulltext AS f CROSS JOIN thoughts AS t ON t.n = f.rowid"
        " WHERE f.fulltext MATCH ? AND f.rank MATCH ? AND f.rowid >= ?"
        f" AND {where.sql} ORDER BY {order} LIMIT ?",
        (match, _BM25, newest_from, *where.values, limit),
    )
    return [(int(number), float(score)) for number, score in rows]


def _newest(connection: apsw.Connection, match: str, where: Where, limit: int) -> list[int]:
    rows = connection.execute(
        "SELECT f.rowid FROM fulltext AS f CROSS JOIN thoughts AS t ON t.n = f.rowid"
        f" WHERE f.fulltext MATCH ? AND {where.sql} ORDER BY f.rowid DESC LIMIT ?",
        (match, *where.values, limit),
    )
    return [int(row[0]) for row in rows]
