"""Full-text search over titles, paths and texts: SQLite FTS5, ranked by BM25.

Thoughts that hold all the words come first; where there are few of those, thoughts that hold some
follow.

Ranking reads every match, so words that very many thoughts hold would take long, and their
frequency says little. Of more than ``RANKED`` matches those with the words in the title come first,
newest first; then the best of the newest; then, should a filter leave few of these, older ones. A
search costs the same few statements, however many thoughts match and are shown.
"""

from __future__ import annotations

import os
import re

import apsw

from aimem_tui.model import Filter, SearchHit, SearchResults
from aimem_tui.search import query
from aimem_tui.store import catalogue

MATCH_START, MATCH_END = "\x01", "\x02"
"""What stands before and after a match in a snippet."""

# What stands there until the text's own U+0001 and U+0002 are out of the way; in no text.
_START, _END = (f"\x03{os.urandom(8).hex()}{side}" for side in "<>")

COUNT_LIMIT = 1_000
RANKED = 1_000
"""So many matches at most are ranked, which takes a few microseconds each."""

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
    hits = _best(connection, match, wanted, limit)
    total = len(hits) if len(hits) < limit else _count(connection, match, wanted)
    if len(hits) < min(_FEW, limit) and len(parsed.terms) > 1:
        _add(hits, _best(connection, parsed.match(any_term=True), wanted, limit), limit)
        hits = _scored_by_place(hits)
        total = len(hits)
    return SearchResults(text, tuple(hits), total)


def _best(connection: apsw.Connection, match: str, wanted: Filter, limit: int) -> list[SearchHit]:
    oldest = _oldest_ranked(connection, match)
    if oldest is None:
        return _hits(connection, match, wanted, limit)
    # Twice, because the engine marks in the text only what is looked for in the text.
    titled = f"({{title}} : ({match})) AND ({match})"
    hits = _hits(connection, titled, wanted, limit, ranked=False)
    if len(hits) < limit:
        _add(hits, _hits(connection, match, wanted, limit, oldest=oldest), limit)
    if len(hits) < limit:
        _add(hits, _hits(connection, match, wanted, limit, ranked=False), limit)
    return _scored_by_place(hits)


def _scored_by_place(hits: list[SearchHit]) -> list[SearchHit]:
    """The hits of several queries, whose own scores say nothing of each other."""
    return [hit._replace(score=1 / (1 + place)) for place, hit in enumerate(hits)]


def _add(hits: list[SearchHit], more: list[SearchHit], limit: int) -> None:
    """Append hits that are not there yet, until there are ``limit``."""
    known = {hit.thought.id for hit in hits}
    hits += [hit for hit in more if hit.thought.id not in known][: limit - len(hits)]


def _oldest_ranked(connection: apsw.Connection, match: str) -> int | None:
    """The oldest of the newest ``RANKED`` matches; None if there are no more than that."""
    row = connection.execute(
        "SELECT rowid FROM fulltext WHERE fulltext MATCH ? ORDER BY rowid DESC LIMIT 1 OFFSET ?",
        (match, RANKED),
    ).fetchone()
    return None if row is None else int(row[0])


def _hits(
    connection: apsw.Connection,
    match: str,
    wanted: Filter,
    limit: int,
    *,
    ranked: bool = True,
    oldest: int = 0,
) -> list[SearchHit]:
    """Matches from ``oldest`` on that pass the filter, the best first or else the newest."""
    score, order = ("-f.rank", "f.rank") if ranked else ("0", "f.rowid DESC")
    condition = catalogue.where(wanted)
    # The snippet is asked for here, where the engine is at the match: to find one match again
    # costs about as much as to find them all.
    rows = connection.execute(
        f"SELECT {score}, snippet(fulltext, 2, ?, ?, '', ?), f.body, {catalogue.COLUMNS}"
        " FROM fulltext AS f CROSS JOIN thoughts AS t ON t.n = f.rowid"
        f" WHERE f.fulltext MATCH ? AND f.rowid >= ? AND {condition.sql}"
        f" ORDER BY {order} LIMIT ?",
        (_START, _END, _SNIPPET_WORDS, match, oldest, *condition.values, limit),
    )
    hits = []
    for row in rows:
        snippet, line = _snippet(str(row[1]), str(row[2]))
        hits.append(SearchHit(catalogue.thought(row[3:]), float(row[0]), snippet, line))
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


def _snippet(excerpt: str, body: str) -> tuple[str, int]:
    """A passage with its matches marked, on one line, and the line of the text it begins in."""
    plain = excerpt.replace(_START, "").replace(_END, "")
    start = body.find(plain)
    marked = excerpt.find(_START)
    line = body.count("\n", 0, start + marked) if start >= 0 <= marked else 0
    before = "… " if start > 0 else ""
    after = " …" if start >= 0 and start + len(plain) < len(body) else ""
    excerpt = excerpt.replace(MATCH_START, "").replace(MATCH_END, "")
    excerpt = excerpt.replace(_START, MATCH_START).replace(_END, MATCH_END)
    return before + re.sub(r"\s+", " ", excerpt).strip() + after, line
