"""Words of languages that the full-text engine does not take apart as people would.

- Chinese, Japanese, Thai and their like are written without blanks, so the engine takes a whole
  clause for one word. A word is looked for inside these: among the engine's words of such scripts,
  which stand together at the end of its vocabulary.
- The engine knows the endings of English words only. Words in Cyrillic, Greek or Korean letters are
  also looked for by their beginnings.
"""

from __future__ import annotations

import re

import apsw

_LOOKED_THROUGH = 50_000
"""So many clauses are looked through for a word; beyond that it is found at their beginning."""
_ALTERNATIVES = 100
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
)
_INFLECTED = re.compile("[\u0370-\u052f\u1f00-\u1fff]{5,}")
_WITH_PARTICLES = re.compile("[\uac00-\ud7a3]{2,}")


def quoted(term: str) -> str:
    """A term as the full-text engine takes it: nothing in it means anything there."""
    return '"' + term.replace('"', '""') + '"'


def expression(connection: apsw.Connection, table: str, term: str) -> str:
    """A term in the language of the engine, for a search in one of its tables."""
    if term.isascii():
        return quoted(term)
    if _INFLECTED.fullmatch(term):
        stem = term[: -2 if len(term) > 6 else -1]
        return f"({quoted(term)} OR {quoted(stem)}*)"
    if _WITH_PARTICLES.fullmatch(term):
        # A letter is a syllable, and what is hung on a word mostly one.
        stem = term[:-1] if len(term) > 2 else term
        return f"({quoted(term)} OR {quoted(stem)}*)"
    if _UNSPACED.search(term):
        clauses = _clauses_with(connection, table, term)
        return f"({' OR '.join([quoted(term) + '*', *map(quoted, clauses)])})"
    return quoted(term)


def is_unspaced(text: str) -> bool:
    """Whether a text has letters of a script that is written without blanks."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def pieces(word: str) -> list[str]:
    """What to look for of a word: itself, and of a clause each two neighbouring letters."""
    if not is_unspaced(word):
        return [word]
    found = []
    for run in _UNSPACED.findall(word):
        found += [run[at : at + 2] for at in range(len(run) - 1)] if len(run) > 3 else [run]
    rest = _UNSPACED.sub(" ", word).split()
    return list(dict.fromkeys([*found, *rest]))


def _clauses_with(connection: apsw.Connection, table: str, word: str) -> list[str]:
    vocabulary = f"temp.words_of_{table}"
    _ensure(connection, table)
    rows = connection.execute(
        "SELECT term FROM (SELECT term FROM"
        f" {vocabulary} WHERE term >= ? LIMIT ?) WHERE instr(term, ?) > 1 LIMIT ?",
        ("\u0e00", _LOOKED_THROUGH, word, _ALTERNATIVES),
    )
    return [str(row[0]) for row in rows]


def _ensure(connection: apsw.Connection, table: str) -> None:
    """The engine's own words of a table as a table, in this connection alone."""
    name = f"words_of_{table}"
    if connection.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = ?", (name,)).fetchone():
        return
    reads_only = connection.pragma("query_only")
    connection.pragma("query_only", 0)
    try:
        connection.execute(f"CREATE VIRTUAL TABLE temp.{name} USING fts5vocab (main, {table}, row)")
    finally:
        connection.pragma("query_only", reads_only)
