"""The chunks of one thought: written so that only what changed is written.

A chunk is known by the digest of what the table of words holds of it. One that is there already
keeps its rows, however far it has moved in the text; all others go and come. All functions work in
the caller's transaction, which has read the thought (see :mod:`aimem_tui.index.file`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import apsw

from aimem_tui.index import contents, spaces
from aimem_tui.index.contents import Contents, digest
from aimem_tui.index.spaces import SPARE, Space
from aimem_tui.markdown import chunks, names
from aimem_tui.markdown.chunks import Chunk
from aimem_tui.markdown.describe import is_markdown

NOT_SHOWN = b""
"""The digest of a thought that is in the trash or was purged."""
_FORMAT = f"{chunks.VERSION} {chunks.SIZE} {chunks.OVERLAP} {chunks.CODE_BOUND}"


class Source(NamedTuple):
    """A thought as the workspace has it now."""

    thought: int
    shown: bool
    purged: bool
    updated_at: int
    title: str
    path: str
    text: str

    @property
    def digest(self) -> bytes:
        """Of all that its chunks depend on."""
        if not self.shown:
            return NOT_SHOWN
        return digest(_FORMAT, self.title, self.path, self.text)

    def chunks(self) -> tuple[Chunk, ...]:
        """Its chunks; none if it is not shown."""
        if not self.shown:
            return ()
        return chunks.chunk(self.title, self.text, markdown=is_markdown(self.path))


class _Old(NamedTuple):
    id: int
    place: tuple[int, int, int, int, str]
    words: bytes
    content: int


def sources(workspace: apsw.Connection, thoughts: Sequence[int]) -> dict[int, Source]:
    """Thoughts as a workspace has them, by their numbers."""
    rows = workspace.execute(
        "SELECT t.n, t.shown, t.purged, t.updated_at, texts.title, texts.path, texts.body"
        " FROM thoughts AS t JOIN texts ON texts.n = t.n"
        " WHERE t.n IN (SELECT value FROM json_each(?))",
        (str(list(thoughts)),),
    )
    return {row[0]: Source(row[0], bool(row[1]), bool(row[2]), *row[3:]) for row in rows}


def words_digest(title: str, chunk: Chunk, text: str) -> bytes:
    """What tells a chunk from others: what is said of it in the table of words, and more."""
    first = "first" if chunk.start == 0 else ""
    return digest(first, title, *chunk.headings, text[chunk.start : chunk.end])


def known_digest(connection: apsw.Connection, space: Space, thought: int) -> bytes | None:
    """The digest under which a thought was indexed; None if it was not."""
    found = connection.execute(
        "SELECT digest FROM thoughts WHERE space = ? AND thought = ?", (space.n, thought)
    ).get
    return None if found is None else bytes(found)


def update(connection: apsw.Connection, space: Space, taken: Contents, source: Source) -> int:
    """Bring the chunks of a thought up to date; returns how many were written."""
    old: dict[bytes, list[_Old]] = {}
    for row in _rows(connection, space, source.thought):
        old.setdefault(row.words, []).append(row)
    written = 0
    for chunk in source.chunks():
        words = words_digest(source.title, chunk, source.text)
        place = _place(chunk)
        if found := old.get(words):
            same = found.pop(0)
            if same.place != place:
                connection.execute(
                    "UPDATE chunks SET ordinal = ?, first = ?, last = ?, line = ?, headings = ?"
                    " WHERE id = ?",
                    (*place, same.id),
                )
            continue
        content = taken.take(
            digest(chunks.embedded(source.title, chunk, source.text)), source.updated_at
        )
        connection.execute(
            "INSERT INTO chunks (space, thought, ordinal, first, last, line, headings, words,"
            " content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (space.n, source.thought, *place, words, content),
        )
        number = connection.last_insert_rowid()
        connection.execute(
            f"INSERT INTO {space.words} (rowid, title, headings, body) VALUES (?, ?, ?, ?)",
            (
                number,
                source.title,
                "\n".join(chunk.headings),
                source.text[chunk.start : chunk.end],
            ),
        )
        _insert_names(connection, space, number, source.text, chunk.start, chunk.end)
        written += 1
    for row in (each for rows in old.values() for each in rows):
        _delete_chunk(connection, space, row.id)
        taken.leave(row.content)
    connection.execute(
        "INSERT OR REPLACE INTO thoughts (space, thought, digest) VALUES (?, ?, ?)",
        (space.n, source.thought, source.digest),
    )
    return written


def said_names(text: str, start: int, end: int) -> str:
    """The names in a passage, as the table of names takes them."""
    return "\n".join(names.in_text(text, start, end))


def leave(connection: apsw.Connection, space: Space, taken: Contents, thought: int) -> None:
    """Take a thought out of the index whose file does not know it any more."""
    for row in _rows(connection, space, thought):
        _delete_chunk(connection, space, row.id)
        taken.leave(row.content)
    _delete_thought(connection, space, thought)


def forget(connection: apsw.Connection, space: Space, gone: Sequence[int]) -> None:
    """Take purged thoughts out of the index for good: chunks, words, vectors, and all spare ones.

    Needs no numpy. Takes seconds where there are very many chunks.
    """
    for thought in gone:
        for row in _rows(connection, space, thought):
            _delete_chunk(connection, space, row.id)
            if not connection.execute(
                "SELECT EXISTS (SELECT 1 FROM chunks WHERE content = ?)", (row.content,)
            ).get:
                contents.remove(connection, [row.content])
        _delete_thought(connection, space, thought)
    # Among the spare may be what the thoughts once said.
    contents.empty_spare(connection)
    # The words of rows that were deleted stay in the tables, out of sight, until their parts merge.
    for table in (space.words, space.names):
        connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")


def drop_space(connection: apsw.Connection, space: Space, now: int) -> None:
    """Remove a space; its vectors become spare."""
    held = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT content FROM chunks WHERE space = ?", (space.n,)
        )
    ]
    for table in ("chunks", "thoughts", "waiting"):
        connection.execute(f"DELETE FROM {table} WHERE space = ?", (space.n,))
    connection.execute(f"DROP TABLE IF EXISTS {space.words}")
    connection.execute(f"DROP TABLE IF EXISTS {space.names}")
    connection.execute("DELETE FROM spaces WHERE n = ?", (space.n,))
    contents.spare(connection, held, now)
    drop_unused_models(connection)


def drop_unused_models(connection: apsw.Connection) -> None:
    """Remove the models that serve no space and are not to serve one next."""
    used = {
        number
        for space in spaces.all_spaces(connection)
        for number in (space.making, space.model.n if space.model else None)
    }
    unused = [model for model in spaces.models(connection) if model.n not in used]
    if not used or not unused:
        return
    for model in unused:
        model.vectors.drop(connection)
        connection.execute("DELETE FROM waiting WHERE model = ?", (model.n,))
        connection.execute("DELETE FROM models WHERE n = ?", (model.n,))
    having: set[int] = set()
    for model in spaces.models(connection):
        having.update(model.vectors.ids(connection, SPARE))
    spare = [row[0] for row in connection.execute("SELECT id FROM contents WHERE space = 0")]
    contents.remove(connection, [each for each in spare if each not in having])


def _place(chunk: Chunk) -> tuple[int, int, int, int, str]:
    return chunk.ordinal, chunk.start, chunk.end, chunk.line, "\n".join(chunk.headings)


def _rows(connection: apsw.Connection, space: Space, thought: int) -> list[_Old]:
    rows = connection.execute(
        "SELECT id, ordinal, first, last, line, headings, words, content FROM chunks"
        " WHERE space = ? AND thought = ? ORDER BY ordinal",
        (space.n, thought),
    )
    return [_Old(row[0], row[1:6], bytes(row[6]), row[7]) for row in rows]


def _delete_chunk(connection: apsw.Connection, space: Space, chunk: int) -> None:
    connection.execute("DELETE FROM chunks WHERE id = ?", (chunk,))
    connection.execute(f"DELETE FROM {space.words} WHERE rowid = ?", (chunk,))
    connection.execute(f"DELETE FROM {space.names} WHERE rowid = ?", (chunk,))


def _insert_names(
    connection: apsw.Connection, space: Space, chunk: int, text: str, start: int, end: int
) -> None:
    connection.execute(
        f"INSERT INTO {space.names} (rowid, said) VALUES (?, ?)",
        (chunk, said_names(text, start, end)),
    )


def _delete_thought(connection: apsw.Connection, space: Space, thought: int) -> None:
    connection.execute("DELETE FROM thoughts WHERE space = ? AND thought = ?", (space.n, thought))
