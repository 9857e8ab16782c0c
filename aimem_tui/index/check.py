"""Comparing the index with the workspace it was made from, by making everything again.

Nothing is changed. What the index has not read yet is no disagreement. Each finding is a sentence
about one thing, for people; the first few of a kind are enough to know that it has to be rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import apsw

from aimem_tui.index import contents, spaces, thoughts
from aimem_tui.index.contents import digest
from aimem_tui.index.file import IndexFile, explained
from aimem_tui.index.job import Embeds
from aimem_tui.index.reader import changed_since
from aimem_tui.index.spaces import Space
from aimem_tui.index.thoughts import Source
from aimem_tui.markdown import chunks
from aimem_tui.store.connection import Database
from aimem_tui.store.tokenizer import TOKENIZE

_AT_ONCE = 50
_SAME = 0.999
"""The cosine from which two vectors are one: what another order of additions may change."""


def check(
    database: Database,
    index: IndexFile,
    embedder: Embeds | None = None,
    *,
    most: int | None = None,
    words: bool = True,
) -> list[str]:
    """What disagrees between a workspace's texts and its part of the index; nothing is well.

    Args:
        embedder: of the model that serves, to make the vectors again, too.
        most: only so many thoughts, the ones changed last, are cut into chunks again.
        words: whether all words are compared, too; takes as long as indexing them.
    """
    with index.snapshot() as connection, database.snapshot() as workspace:
        whose = spaces.whose(workspace, database.path)
        space = spaces.find(connection, whose.replica)
        if space is None:
            return []
        changed = changed_since(workspace, space.version, hidden=True)
        if changed is None:
            return []
        said: dict[int, str] = {}
        found = [
            *_thoughts(connection, workspace, space, changed, most, said),
            *_contents(connection, space),
            *_word_rows(connection, space),
        ]
        if embedder is not None:
            found += _vectors(connection, space, embedder, said)
        if words and most is None and not changed:
            found += _words(connection, workspace, space, index)
    return found


def _thoughts(
    connection: apsw.Connection,
    workspace: apsw.Connection,
    space: Space,
    changed: frozenset[int],
    most: int | None,
    said: dict[int, str],
) -> Iterator[str]:
    rows: list[Any] = workspace.execute(
        "SELECT n, shown FROM thoughts ORDER BY updated_at DESC LIMIT ?",
        (-1 if most is None else most,),
    ).fetchall()
    looked_at = [number for number, _ in rows if number not in changed]
    for at in range(0, len(looked_at), _AT_ONCE):
        group = looked_at[at : at + _AT_ONCE]
        for source in thoughts.sources(workspace, group).values():
            if not source.purged:
                yield from _thought(connection, space, source, said)
    if most is None:
        shown = {number for number, is_shown in rows if is_shown}
        held = connection.execute("SELECT DISTINCT thought FROM chunks WHERE space = ?", (space.n,))
        for (number,) in held:
            if number not in shown and number not in changed:
                yield f"The thought {number} is not shown, and can be found."


def _thought(
    connection: apsw.Connection, space: Space, source: Source, said: dict[int, str]
) -> Iterator[str]:
    if thoughts.known_digest(connection, space, source.thought) != source.digest:
        yield f"{source.path} was not indexed as it is."
        return
    rows: list[Any] = connection.execute(
        "SELECT ordinal, first, last, line, headings, words, contents.id, contents.digest,"
        " contents.space FROM chunks LEFT JOIN contents ON contents.id = chunks.content"
        " WHERE chunks.space = ? AND thought = ? ORDER BY ordinal",
        (space.n, source.thought),
    ).fetchall()
    made = source.chunks()
    there = [(*row[:4], tuple(row[4].split("\n")) if row[4] else ()) for row in rows]
    if list(made) != there:
        yield f"{source.path} has other passages than the index."
        return
    for chunk, (*_, words, content, known, place) in zip(made, rows, strict=True):
        string = chunks.embedded(source.title, chunk, source.text)
        if words != thoughts.words_digest(source.title, chunk, source.text):
            yield f"{source.path} has another passage at {chunk.line}."
        if (known, place) != (digest(string), space.n):
            yield f"{source.path} has a passage at {chunk.line} with the content of another."
        said[content] = string


def _contents(connection: apsw.Connection, space: Space) -> Iterator[str]:
    held = {
        row[0] for row in connection.execute("SELECT id FROM contents WHERE space = ?", (space.n,))
    }
    used = {
        row[0]
        for row in connection.execute("SELECT content FROM chunks WHERE space = ?", (space.n,))
    }
    if held - used:
        yield f"{len(held - used)} contents are nobody's."
    if used - held:
        yield f"{len(used - held)} contents are missing."
    for model in contents.models_of(connection, space):
        vectors = set(model.vectors.ids(connection, space.n))
        waiting = {
            row[0]
            for row in connection.execute(
                "SELECT content FROM waiting WHERE model = ? AND space = ?", (model.n, space.n)
            )
        }
        if held - vectors - waiting:
            yield f"{len(held - vectors - waiting)} passages have no vector and wait for none."
        if vectors & waiting:
            yield f"{len(vectors & waiting)} passages have a vector and wait for one."
        if (vectors | waiting) - held:
            yield f"{len((vectors | waiting) - held)} vectors are nobody's."


def _word_rows(connection: apsw.Connection, space: Space) -> Iterator[str]:
    held = {
        row[0] for row in connection.execute("SELECT id FROM chunks WHERE space = ?", (space.n,))
    }
    for what, table in (("words", space.words), ("names", space.names)):
        rows = {row[0] for row in connection.execute(f"SELECT id FROM {table}_docsize")}
        if rows != held:
            yield f"The {what} of {len(rows ^ held)} passages are missing or nobody's."


def _vectors(
    connection: apsw.Connection, space: Space, embedder: Embeds, said: dict[int, str]
) -> Iterator[str]:
    if space.model is None:
        return
    import numpy as np

    keys = [key for key in space.model.vectors.ids(connection, space.n) if key in said]
    for at in range(0, len(keys), _AT_ONCE):
        group = keys[at : at + _AT_ONCE]
        held = space.model.vectors.fetch(connection, np.array(group, np.int64))
        made = embedder.embed([said[key] for key in group])
        wrong = int(((held * made).sum(axis=1) < _SAME).sum())
        if wrong:
            yield f"{wrong} passages have the vector of something else."


def _words(
    connection: apsw.Connection, workspace: apsw.Connection, space: Space, index: IndexFile
) -> Iterator[str]:
    """Compare all words and names with those of tables that are made again from the texts."""
    with explained(index.path):
        reader = apsw.Connection(str(index.path))
    try:
        reader.execute(
            "CREATE VIRTUAL TABLE temp.words USING fts5 (title, headings, body, content = '',"
            f' tokenize = "{TOKENIZE}");'
            "CREATE VIRTUAL TABLE temp.names USING fts5 (said, content = '',"
            " tokenize = 'trigram remove_diacritics 1');"
        )
        shown: list[Any] = workspace.execute("SELECT n FROM thoughts WHERE shown").fetchall()
        for (number,) in shown:
            for source in thoughts.sources(workspace, [number]).values():
                rows = connection.execute(
                    "SELECT id, headings, first, last FROM chunks WHERE space = ? AND thought = ?",
                    (space.n, source.thought),
                )
                for chunk, headings, first, last in rows:
                    reader.execute(
                        "INSERT INTO temp.words (rowid, title, headings, body) VALUES (?, ?, ?, ?)",
                        (chunk, source.title, headings, source.text[first:last]),
                    )
                    reader.execute(
                        "INSERT INTO temp.names (rowid, said) VALUES (?, ?)",
                        (chunk, thoughts.said_names(source.text, first, last)),
                    )
        yield from _compared(reader, space.words, "words")
        yield from _compared(reader, space.names, "names")
    finally:
        reader.close()


def _compared(reader: apsw.Connection, table: str, what: str) -> Iterator[str]:
    """Compare a table of the index with one of what it should hold, made beside it."""
    reader.execute(
        f"CREATE VIRTUAL TABLE temp.held_{what} USING fts5vocab (main, {table}, instance);"
        f"CREATE VIRTUAL TABLE temp.made_{what} USING fts5vocab (temp, {what}, instance)"
    )
    every = "SELECT term, doc, col, offset FROM temp.{} ORDER BY term, doc, col, offset"
    held = reader.execute(every.format(f"held_{what}"))
    made = reader.cursor().execute(every.format(f"made_{what}"))
    for one, other in zip_longest(held, made):
        if one != other:
            yield f"The {what} of passages differ, first at {one or other}."
            return
