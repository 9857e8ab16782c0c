"""Full-text search over titles, paths and texts: SQLite FTS5, ranked by BM25.

Thoughts that hold all the words come first; where there are few of those, thoughts that hold some
follow. A search costs two queries, however many thoughts match: one for the best rows, one for
their snippets.
"""

from __future__ import annotations

import re

import apsw

from aimem_tui.model import Filter, SearchHit, SearchResults
from aimem_tui.search import query
from aimem_tui.store import catalogue

MATCH_START, MATCH_END = "\x01", "\x02"
"""What stands before and after a match in a snippet."""

COUNT_LIMIT = 1_000
_SNIPPET_WORDS = 24
_FEW = 5


def search(
    connection: apsw.Connection,
    text: str,
    wanted: Filter,
    *,
    limit: int = 20,
    as_you_type: bool = False,
) -> SearchResults:
    """The thoughts that match best.

    Args:
        text: what a person typed; see :mod:`aimem_tui.search.query`.
        as_you_type: treat the last word as a beginning.
    """
    parsed = query.parse(text, as_you_type=as_you_type)
    match = parsed.match()
    if not match:
        return SearchResults(text, (), 0)
    hits = _hits(connection, match, wanted, limit)
    total = len(hits) if len(hits) < limit else _count(connection, match, wanted)
    if len(hits) < min(_FEW, limit) and len(parsed.terms) > 1:
        some = _hits(connection, parsed.match(any_term=True), wanted, limit)
        known = {hit.thought.id for hit in hits}
        hits += [hit for hit in some if hit.thought.id not in known][: limit - len(hits)]
        total = len(hits)
    return SearchResults(text, tuple(hits), total)


def _hits(
    connection: apsw.Connection, match: str, wanted: Filter, limit: int
) -> list[SearchHit]:
    condition = catalogue.where(wanted)
    rows = connection.execute(
        f"SELECT f.rowid, f.rank, {catalogue.COLUMNS}"
        " FROM fulltext AS f CROSS JOIN thoughts AS t ON t.n = f.rowid"
        f" WHERE f.fulltext MATCH ? AND {condition.sql} ORDER BY f.rank LIMIT ?",
        (match, *condition.values, limit),
    )
    hits = []
    for row in [*rows]:
        snippet, line = _snippet(connection, match, int(row[0]))
        hits.append(SearchHit(catalogue.thought(row[2:]), -float(row[1]), snippet, line))
    return hits


def _count(connection: apsw.Connection, match: str, wanted: Filter) -> int:
    condition = catalogue.where(wanted)
    return int(
        connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM fulltext AS f CROSS JOIN thoughts AS t"
            f" ON t.n = f.rowid WHERE f.fulltext MATCH ? AND {condition.sql} LIMIT ?)",
            (match, *condition.values, COUNT_LIMIT),
        ).get
    )


def _snippet(connection: apsw.Connection, match: str, number: int) -> tuple[str, int]:
    """The best passage of one thought with its matches marked, and the line it begins in."""
    excerpt, body = connection.execute(
        "SELECT snippet(fulltext, 2, ?, ?, '', ?), body FROM fulltext"
        " WHERE fulltext MATCH ? AND rowid = ?",
        (MATCH_START, MATCH_END, _SNIPPET_WORDS, match, number),
    ).get
    plain = excerpt.replace(MATCH_START, "").replace(MATCH_END, "")
    start = body.find(plain)
    marked = excerpt.find(MATCH_START)
    line = body.count("\n", 0, start + marked) if start >= 0 <= marked else 0
    before = "… " if start > 0 else ""
    after = " …" if start >= 0 and start + len(plain) < len(body) else ""
    return before + re.sub(r"\s+", " ", excerpt).strip() + after, line
