"""Thoughts found by a part of a name: in the middle of a title, of a path, of a name in the text.

Words are found whole, or by their beginnings; ``rse_line`` in ``parse_line_end`` and ``flow`` in
``workflows`` are neither. Two tables know all letters in threes: of titles and paths in the
workspace's file, so that they hold for every edit at once, and of the names in texts (see
:mod:`aimem_tui.markdown.names`) in the machine's index, for each passage.

A part counts by BM25, as a word does: the fewer names have it, the more it says. One that is no
word anywhere counts more than a word if nothing else was typed or while it is typed: nothing else
can be meant. Among other words it counts little; mostly it is a word that memory does not have. One
that is a word as well counts as little, and only where it is all there is or is still being typed:
who looks for ``cat`` rarely means ``concatenate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import apsw

from aimem_tui.errors import AimemError
from aimem_tui.search import scope
from aimem_tui.search.fulltext import Scored
from aimem_tui.search.query import Query
from aimem_tui.search.scripts import quoted
from aimem_tui.store.catalogue import Where

if TYPE_CHECKING:
    from aimem_tui.index.reader import IndexReader

CALLED, SAID = 3.0, 2.0
"""How much a part of a title or path, and of a name in the text, counts beside a word."""
BESIDE = 1 / 6
"""How much of this, if it is a word as well, or one among others."""
_MOST = 8
_TITLE, _PATH = 2.0, 1.0
_RANKED = 2_000
"""Of more names than that with a part, the newest are ranked."""


class Parts(NamedTuple):
    """What may be a part of a name, and how much it counts."""

    strange: tuple[str, ...] = ()
    """No text has these as words."""
    familiar: tuple[str, ...] = ()
    nothing_else: bool = False
    """Nothing was typed but strange parts: the search is for a name."""
    share: float = 1.0
    """How much of its worth a strange part has."""


def parts(connection: apsw.Connection, query: Query) -> Parts:
    """What of a search to look for in names."""
    typed = query.parts
    if not typed:
        return Parts()
    words = [quoted(part) for part in typed]
    if query.part_grows:
        words[-1] += "*"
    exists = "EXISTS (SELECT 1 FROM fulltext WHERE fulltext MATCH ?)"
    known = connection.execute(f"SELECT {', '.join([exists] * len(words))}", words).fetchone()
    assert known is not None, "it is asked without a table"
    strange = [part for part, is_word in zip(typed, known, strict=True) if not is_word]
    alone = query.part_grows or len(query.text.split()) == 1
    familiar = [typed[-1]] if known[-1] and alone else []
    nothing_else = len(strange) == len(query.text.split())
    strange = sorted(strange, key=len, reverse=True)[:_MOST]
    share = 1.0 if nothing_else or query.part_grows else BESIDE
    return Parts(tuple(strange), tuple(familiar), nothing_else, share)


def ranked(
    connection: apsw.Connection,
    reader: IndexReader | None,
    wanted: Parts,
    where: Where,
    *,
    limit: int,
    restricted: bool,
) -> list[Scored]:
    """Thoughts with parts of names, best first; names in texts as far as they are indexed.

    Args:
        restricted: whether the condition had better be looked at before a thought is ranked.
    """
    total: dict[int, float] = {}
    for some, share in ((wanted.strange, wanted.share), (wanted.familiar, BESIDE)):
        match = " OR ".join(map(quoted, some))
        if not match:
            continue
        called = _called(connection, match, where, limit, restricted)
        said = _said(connection, reader, match, where, limit) if reader is not None else []
        for factor, found in ((share * CALLED, called), (share * SAID, said)):
            for thought, score in found:
                total[thought] = total.get(thought, 0.0) + factor * score
    return _best(total)[:limit]


def joined(words: Iterable[Scored], named: Iterable[Scored]) -> list[Scored]:
    """One ranking by words and by parts of names."""
    total = dict(words)
    for thought, score in named:
        total[thought] = total.get(thought, 0.0) + score
    return _best(total)


def _newest_from(table: str) -> str:
    """In SQL: the number of the oldest of the newest so many rows that match."""
    return (
        f"coalesce((SELECT rowid FROM {table} WHERE {table} MATCH ?"
        " ORDER BY rowid DESC LIMIT 1 OFFSET ?), 0)"
    )


def _best(scores: dict[int, float]) -> list[Scored]:
    return [Scored(*item) for item in sorted(scores.items(), key=lambda item: (-item[1], -item[0]))]


def _called(
    connection: apsw.Connection, match: str, where: Where, limit: int, restricted: bool
) -> Iterable[tuple[int, float]]:
    order = "f.rank + 0" if restricted else "f.rank"
    return connection.execute(
        "SELECT f.rowid, -f.rank FROM names AS f CROSS JOIN thoughts AS t ON t.n = f.rowid"
        f" WHERE f.names MATCH ? AND f.rank MATCH ? AND f.rowid >= {_newest_from('names')}"
        f" AND {where.sql} ORDER BY {order} LIMIT ?",
        (match, f"bm25({_TITLE}, {_PATH})", match, _RANKED, *where.values, limit),
    )


def _said(
    connection: apsw.Connection, reader: IndexReader, match: str, where: Where, limit: int
) -> Sequence[tuple[int, float]]:
    best: dict[int, float] = {}
    # What is wrong with an index is said by the search for passages.
    with suppress(AimemError), reader.index.snapshot() as index:
        space = reader.space
        if space is None:
            return []
        table = space.names
        rows = index.execute(
            f"SELECT chunks.thought, -rank FROM {table} CROSS JOIN chunks"
            f" ON chunks.id = {table}.rowid WHERE {table} MATCH ?"
            f" AND {table}.rowid >= {_newest_from(table)}",
            (match, match, _RANKED),
        )
        for thought, score in rows:
            best[thought] = max(score, best.get(thought, 0.0))
    wanted = scope.among(connection, [*best], where)
    found = ((thought, score) for thought, score in best.items() if thought in wanted)
    return sorted(found, key=lambda item: -item[1])[:limit]
