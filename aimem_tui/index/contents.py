"""Contents: the strings that are embedded, by their digests, and where their vectors go.

- A content has, for each model that serves its space or is to serve it next, either a vector or a
  place in the queue (``waiting``), never both.
- A new chunk looks for its content's vector before it queues: in its own space, among the spare,
  in other spaces. What no chunk has any more becomes spare, unless it never had a vector.
- All is done in the caller's transaction; vectors are moved and copied together by
  :meth:`Contents.flush`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import apsw

from aimem_tui.index import spaces
from aimem_tui.index.spaces import SPARE, Model, Space

SPARE_DAYS = 30
SPARE_BYTES = 50_000_000
_NUMBER_BYTES = 5
"""Bytes of a vector's number in the file: as a float and as a byte."""


def digest(*parts: str) -> bytes:
    """16 bytes that tell strings apart."""
    hashed = blake2b(digest_size=16)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        hashed.update(len(raw).to_bytes(8, "big") + raw)
    return hashed.digest()


def models_of(connection: apsw.Connection, space: Space) -> list[Model]:
    """The models whose vectors a space has or waits for."""
    wanted = {space.making, space.model.n if space.model else None}
    return [model for model in spaces.models(connection) if model.n in wanted]


class Contents:
    """The contents of one space, within one transaction.

    Args:
        now: milliseconds since the Unix epoch.
    """

    def __init__(self, connection: apsw.Connection, space: Space, now: int) -> None:
        self._connection = connection
        self._space = space.n
        self._now = now
        self._models = models_of(connection, space)
        self._moved: dict[int, int] = {}
        self._fresh: dict[int, tuple[list[int], int]] = {}
        self._left: set[int] = set()

    def take(self, digest: bytes, at: int) -> int:
        """The id of a content that a chunk has.

        Args:
            at: when its thought was last changed; the newest is embedded first.
        """
        found: dict[int, int] = {
            int(space): int(number)
            for number, space in self._connection.execute(
                "SELECT id, space FROM contents WHERE digest = ?", (digest,)
            )
        }
        if self._space in found:
            return found[self._space]
        if SPARE in found:
            number = found[SPARE]
            self._connection.execute(
                "UPDATE contents SET space = ?, spared_at = NULL WHERE id = ?",
                (self._space, number),
            )
            self._moved[number] = at
            return number
        self._connection.execute(
            "INSERT INTO contents (space, digest) VALUES (?, ?)", (self._space, digest)
        )
        number = self._connection.last_insert_rowid()
        self._fresh[number] = (list(found.values()), at)
        return number

    def leave(self, content: int) -> None:
        """A chunk does not have a content any more."""
        self._left.add(content)

    def flush(self) -> None:
        """Bring vectors to where their contents are, queue what has none, spare what is left."""
        self._find_vectors()
        unused = [
            content
            for content in self._left
            if not self._connection.execute(
                "SELECT EXISTS (SELECT 1 FROM chunks WHERE content = ?)", (content,)
            ).get
        ]
        spare(self._connection, unused, self._now)
        self._moved, self._fresh, self._left = {}, {}, set()

    def _find_vectors(self) -> None:
        if not self._moved and not self._fresh:
            return
        wanted = {**self._moved, **{content: at for content, (_, at) in self._fresh.items()}}
        for model in spaces.models(self._connection):
            having: set[int] = set()
            if self._moved:
                having |= self._move(model, list(self._moved))
            having |= self._copy(model)
            if model in self._models:
                queue(
                    self._connection,
                    model,
                    self._space,
                    [(content, at) for content, at in wanted.items() if content not in having],
                )

    def _move(self, model: Model, ids: Sequence[int]) -> set[int]:
        import numpy as np

        keys = np.array(ids, np.int64)
        model.vectors.move(self._connection, keys, self._space)
        there = model.vectors.fetch(self._connection, keys).any(axis=1)
        return {int(each) for each in keys[there]}

    def _copy(self, model: Model) -> set[int]:
        pairs = [(new, twin) for new, (twins, _) in self._fresh.items() for twin in twins]
        if not pairs or model not in self._models:
            return set()
        import numpy as np

        found = model.vectors.fetch(self._connection, np.array([old for _, old in pairs], np.int64))
        rows = {new: row for row, (new, _) in enumerate(pairs) if found[row].any()}
        if rows:
            keys = np.array(list(rows), np.int64)
            model.vectors.put(self._connection, self._space, keys, found[list(rows.values())])
        return set(rows)


def queue(
    connection: apsw.Connection, model: Model, space: int, contents: Iterable[tuple[int, int]]
) -> None:
    """Queue contents, each with the time of its thought, for the vectors of a model."""
    connection.executemany(
        "INSERT OR IGNORE INTO waiting (model, space, content, at) VALUES (?, ?, ?, ?)",
        [(model.n, space, content, at) for content, at in contents],
    )


def spare(connection: apsw.Connection, contents: Sequence[int], now: int) -> None:
    """Keep the vectors of contents that no chunk has any more, for a while."""
    kept: list[int] = []
    gone: list[int] = []
    for content in contents:
        twin = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM contents WHERE space = 0 AND digest ="
            " (SELECT digest FROM contents WHERE id = ?))",
            (content,),
        ).get
        (gone if twin else kept).append(content)
    connection.executemany("DELETE FROM waiting WHERE content = ?", [(each,) for each in contents])
    if kept:
        import numpy as np

        keys = np.array(kept, np.int64)
        having = np.zeros(len(keys), bool)
        for model in spaces.models(connection):
            model.vectors.move(connection, keys, SPARE)
            having |= model.vectors.fetch(connection, keys).any(axis=1)
        connection.executemany(
            "UPDATE contents SET space = 0, spared_at = ? WHERE id = ?",
            [(now, int(each)) for each in keys[having]],
        )
        gone += [int(each) for each in keys[~having]]
    remove(connection, gone)


def remove(connection: apsw.Connection, contents: Sequence[int]) -> None:
    """Remove contents with their vectors. Needs no numpy."""
    if not contents:
        return
    for model in spaces.models(connection):
        model.vectors.remove(connection, contents)
    for table, column in (("waiting", "content"), ("contents", "id")):
        connection.executemany(
            f"DELETE FROM {table} WHERE {column} = ?", [(each,) for each in contents]
        )


def prune_spare(connection: apsw.Connection, now: int, *, bytes_kept: int = SPARE_BYTES) -> int:
    """Remove spare contents that are old or too many; returns how many."""
    widest = max((model.dimensions for model in spaces.models(connection)), default=1)
    most = bytes_kept // (widest * _NUMBER_BYTES)
    gone: list[Any] = connection.execute(
        f"{_SPARE} AND (spared_at < ? OR id IN"
        f" ({_SPARE} ORDER BY spared_at DESC LIMIT -1 OFFSET ?))",
        (now - SPARE_DAYS * 86_400_000, most),
    ).fetchall()
    remove(connection, [row[0] for row in gone])
    return len(gone)


def empty_spare(connection: apsw.Connection) -> None:
    """Remove all spare contents."""
    spare: list[Any] = connection.execute(_SPARE).fetchall()
    remove(connection, [row[0] for row in spare])


_SPARE = "SELECT id FROM contents WHERE space = 0"
