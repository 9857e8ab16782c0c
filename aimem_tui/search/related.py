"""Thoughts near another one: by the meaning of its passages, else by the words that mark it out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import apsw

from aimem_tui.errors import AimemError, NotFound
from aimem_tui.model import Filter, Related
from aimem_tui.search import fulltext, matching
from aimem_tui.search.passages import Marker
from aimem_tui.search.query import STOP_WORDS, Query
from aimem_tui.store import catalogue

if TYPE_CHECKING:
    from aimem_tui.search.semantic import Meaning

_PASSAGES = 8
"""So many passages of a thought, spread over it, are compared with all others."""
_NEIGHBOURS = 40
_LEAST_COSINE = 0.35
_WORDS = 24
_READ = 20_000


def related(
    connection: apsw.Connection, thought_id: str, limit: int, meaning: Meaning | None
) -> list[Related]:
    """The thoughts nearest to one, the nearest first, without itself and without the trash.

    Raises:
        NotFound: if there is no such thought.
    """
    row = connection.execute(
        "SELECT t.n, texts.title, substr(texts.body, 1, ?) FROM thoughts AS t"
        " JOIN texts USING (n) WHERE t.id = ? AND t.purged = 0",
        (_READ, thought_id),
    ).fetchone()
    if row is None:
        raise NotFound(f"There is no thought with the id {thought_id}.")
    number, title, body = int(row[0]), str(row[1]), str(row[2])
    cosines: dict[int, float] = {}
    if meaning is not None and meaning.is_ready():
        try:
            cosines = _near(meaning, number, limit)
        except AimemError:
            cosines = {}
    if cosines:
        best = sorted(cosines, key=cosines.__getitem__, reverse=True)
        return _thoughts(connection, [(each, cosines[each]) for each in best], limit)
    return _thoughts(
        connection,
        [(each, None) for each in _by_words(connection, number, title, body, limit)],
        limit,
    )


def _near(meaning: Meaning, number: int, limit: int) -> dict[int, float]:
    vectors = meaning.reader.vectors_of(number)
    step = max(1, -(-len(vectors) // _PASSAGES))
    cosines: dict[int, float] = {}
    for vector in vectors[::step]:
        for near in meaning.near_vector(vector, _NEIGHBOURS + 2 * limit):
            if near.thought != number and near.cosine >= _LEAST_COSINE:
                cosines[near.thought] = max(near.cosine, cosines.get(near.thought, -1.0))
    return cosines


def _by_words(
    connection: apsw.Connection, number: int, title: str, body: str, limit: int
) -> list[int]:
    """Thoughts with the words that come often here: those of the title, and the most repeated."""
    marker = Marker(connection, Query())
    counts: Counter[str] = Counter()
    for text, weight in ((title, 3), (body, 1)):
        for word in marker.words(text):
            if len(word) > 2 and word not in STOP_WORDS and not word.isdigit():
                counts[word] += weight
    terms = tuple(word for word, _ in counts.most_common(_WORDS))
    plan = matching.plan(connection, "fulltext", Query(terms))
    where = catalogue.where(Filter())
    where.add("t.n != ?", number)
    found = fulltext.ranked(connection, plan, where, limit=limit, restricted=False)
    return [each.thought for each in found]


def _thoughts(
    connection: apsw.Connection, scored: list[tuple[int, float | None]], limit: int
) -> list[Related]:
    found = []
    for number, cosine in scored:
        row = connection.execute(
            f"SELECT {catalogue.COLUMNS} FROM thoughts AS t WHERE t.n = ? AND t.shown = 1",
            (number,),
        ).fetchone()
        if row is not None:
            found.append(Related(catalogue.thought(row), cosine))
        if len(found) == limit:
            break
    return found
