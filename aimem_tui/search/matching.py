"""A search as a query of SQLite's full-text engine that takes bounded time.

A text need not have all the words; BM25 ranks those first that have the rare ones often. What takes
time is the ranking: about a microsecond for each word in each text that has it, while to walk
through the texts that have a word, without ranking, takes a twentieth of that. So where the words
of a search are in more places than :data:`RANKED`:

- texts are ranked that have one of the rarer words, and of those that have only commoner ones such
  as have several of these together;
- should even that leave too many, those with the words in the title, and of the others the newest.

All words count in the score of a text that is ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import apsw

from aimem_tui.search import scripts
from aimem_tui.search.query import Query
from aimem_tui.search.scripts import quoted

RANKED = 10_000
"""So many places of words are ranked at most, in about as many microseconds."""
_WORDS_USED = 40
"""Of more words than that the commonest are left out."""
_TELLING_BEGINNING = 3
_ROWS_OF_LETTERS = 1_000
"""Of texts with words that begin with a letter or two, which each have dozens."""


class Plan(NamedTuple):
    """What to ask the engine."""

    match: str
    """The query; empty if no text has any of the words."""
    newest_from: int = 0
    """Only rows from this one on are to be ranked; 0: all."""
    titled: str = ""
    """Where rows were cut: a query for those with the words in the title, whatever their row."""
    titled_from: int = 0
    absent: tuple[str, ...] = ()
    """Exact words that no text has, and that were not insisted on, as there were other words."""


def plan(connection: apsw.Connection, table: str, query: Query) -> Plan:
    """How to ask a full-text table, whose first column is called ``title``, for a search."""
    words = [scripts.expression(connection, table, term) for term in query.terms]
    if query.open_ended and words:
        words[-1] = quoted(query.terms[-1]) + "*"
    phrases = [quoted(phrase) for phrase in query.phrases]
    counts = {word: _count(connection, table, word, RANKED + 1) for word in (*words, *phrases)}
    present = sorted((word for word in words if counts[word]), key=counts.__getitem__)
    present = present[:_WORDS_USED]
    absent = tuple(phrase for phrase in query.phrases if not counts[quoted(phrase)])
    phrases = [phrase for phrase in phrases if counts[phrase]]
    if not present and (absent or not phrases):
        return Plan("", absent=absent)
    if phrases:
        gate = _all(phrases)
    elif sum(counts[word] for word in present) <= RANKED:
        return Plan(_without(query, _any(present)), absent=absent)
    else:
        gate = _gate(connection, table, present, counts)
    return _gated(connection, table, query, gate, [*phrases, *present])._replace(absent=absent)


def _gate(
    connection: apsw.Connection, table: str, words: Sequence[str], counts: dict[str, int]
) -> str:
    """Which texts are worth ranking: with a rarer word, or with several commoner ones."""
    budget = _rows_for(words)
    rare: list[str] = []
    for word in words:
        if counts[word] > budget:
            break
        budget -= counts[word]
        rare.append(word)
    together: list[str] = []
    for word in words[len(rare) :]:
        together.append(word)
        if len(together) > 1:
            number = _count(connection, table, _all(together), budget + 1)
            if not number:
                together.pop()
            elif number <= budget:
                break
    if len(together) > 1 or not rare:
        return _any([*rare, _all(together)])
    return _any(rare)


def _gated(
    connection: apsw.Connection, table: str, query: Query, gate: str, words: Sequence[str]
) -> Plan:
    # A word in the gate counts twice, and those in it are the ones that tell most.
    is_all = gate in (_any(words), _all(words))
    match = _without(query, gate if is_all else f"({gate}) AND ({_any(words)})")
    rows = _rows_for(words)
    is_letters = query.open_ended and len(query.terms[-1]) < _TELLING_BEGINNING
    if is_letters:
        rows = min(rows, _ROWS_OF_LETTERS)
    oldest = _oldest(connection, table, _without(query, gate), rows)
    if not oldest or is_letters:
        return Plan(match, oldest)
    in_title = f"{{title}} : ({gate})"
    # Once more in every column, because the engine counts only what is looked for.
    titled = _without(query, f"({in_title}) AND ({_any(words)})")
    return Plan(match, oldest, titled, _oldest(connection, table, in_title, rows))


def _rows_for(words: Sequence[str]) -> int:
    """How many texts may be ranked, each for all words and for those of the gate."""
    return max(RANKED // (2 * len(words)), min(RANKED, 500))


def _oldest(connection: apsw.Connection, table: str, match: str, rows: int) -> int:
    """The oldest of the newest so many rows that match; 0 if there are no more than that."""
    row = connection.execute(
        f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid DESC LIMIT 1 OFFSET ?",
        (match, rows),
    ).fetchone()
    return 0 if row is None else int(row[0])


def _without(query: Query, match: str) -> str:
    unwanted = _any([quoted(term) for term in query.excluded])
    return f"({match}) NOT ({unwanted})" if unwanted else match


def _any(terms: Sequence[str]) -> str:
    return " OR ".join(terms)


def _all(terms: Sequence[str]) -> str:
    return f"({' AND '.join(terms)})" if len(terms) > 1 else terms[0]


def _count(connection: apsw.Connection, table: str, match: str, most: int) -> int:
    """How many texts match; counting stops at ``most``."""
    return int(
        connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {table} MATCH ? LIMIT ?)",
            (match, most),
        ).get
    )
