"""One model's vectors in the index file: a vec0 table, and what tells readers that it changed.

- ``vectors_<model>`` has a row for each content: its space (the partition key), its vector
  (``exact``, for L2, which is the cosine's order for vectors of length 1) and the same in a byte a
  number (``coarse``, see :mod:`~aimem_tui.index.vectors.coarse`). sqlite-vec keeps the two side by
  side, and overwrites both with zeros when a row goes.
- Everything is written here, inside the caller's transaction. Each writing gives the table another
  version, and notes it at the blocks it has touched, so that a reader in any process reads again
  only what changed. A table that was dropped and made again has another generation.
- numpy is imported where vectors are given or taken: making, dropping and removing need none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from aimem_tui.errors import StorageError
from aimem_tui.index.vectors import shadow

if TYPE_CHECKING:
    from aimem_tui.index.vectors.port import Ids, Vectors

HEAD = 8
"""Bytes of a coarse record before its codes."""
_BOOKS = """
CREATE TABLE IF NOT EXISTS vector_tables (
    model      INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    blocks     INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS vector_blocks (
    model   INTEGER NOT NULL,
    block   INTEGER NOT NULL,
    space   INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (model, block)
) WITHOUT ROWID;
"""


def extension_path() -> Path:
    """Where sqlite-vec is, without the ending that each platform has.

    As ``sqlite_vec.loadable_path()`` says, whose package loads numpy and ``sqlite3`` first.

    Raises:
        FileNotFoundError: if it is not installed.
    """
    found = find_spec("sqlite_vec")
    if found is None or found.origin is None:
        raise FileNotFoundError("sqlite_vec is not installed")
    return Path(found.origin).with_name("vec0")


def ensure_extension(connection: apsw.Connection) -> None:
    """Make sqlite-vec known to a connection, if it is not.

    Raises:
        StorageError: if it cannot be loaded on this machine.
    """
    if connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'vec0'").get:
        return
    try:
        connection.enable_load_extension(True)
        try:
            connection.load_extension(str(extension_path()))
        finally:
            connection.enable_load_extension(False)
    except (apsw.Error, OSError) as error:
        raise StorageError(
            "Search by meaning cannot be used here.",
            why=f"The extension sqlite-vec cannot be loaded: {error}.",
            hint="Search by words works.",
        ) from error


@dataclass(frozen=True, slots=True)
class Standing:
    """Which state of a table a reader sees."""

    generation: int
    version: int
    blocks: bool
    """Whether the blocks' versions are noted: their layout is the one that is known."""


@dataclass(frozen=True, slots=True)
class VectorTable:
    """The vectors of one model.

    Args:
        model: its number in the index, given out once.
        dimensions: how many numbers its vectors have.
    """

    model: int
    dimensions: int

    @property
    def name(self) -> str:
        """The name of the vec0 table."""
        return f"vectors_{self.model}"

    def create(self, connection: apsw.Connection) -> None:
        """Make the table, if it is not there."""
        if self.standing(connection) is not None:
            return
        from secrets import randbits  # Slow to import, and not needed for a table that is there.

        ensure_extension(connection)
        connection.execute(_BOOKS)
        connection.execute(
            f"CREATE VIRTUAL TABLE {self.name} USING vec0("
            "space INTEGER PARTITION KEY,"
            f" exact FLOAT[{self.dimensions}] distance_metric=L2,"
            f" coarse INT8[{HEAD + self.dimensions}],"
            f" chunk_size={shadow.BLOCK})"
        )
        connection.execute(
            "INSERT INTO vector_tables (model, generation, version, blocks) VALUES (?, ?, 0, ?)",
            (self.model, randbits(62), shadow.is_known(connection, self.name)),
        )

    def drop(self, connection: apsw.Connection) -> None:
        """Remove the table with all it holds, if it is there."""
        if self.standing(connection) is None:
            return
        ensure_extension(connection)
        connection.execute(f"DROP TABLE {self.name}")
        connection.execute("DELETE FROM vector_tables WHERE model = ?", (self.model,))
        connection.execute("DELETE FROM vector_blocks WHERE model = ?", (self.model,))

    def standing(self, connection: apsw.Connection) -> Standing | None:
        """The state of the table as a connection sees it; None if it is not there."""
        try:
            row = connection.execute(
                "SELECT generation, version, blocks FROM vector_tables WHERE model = ?",
                (self.model,),
            ).fetchone()
        except apsw.SQLError:
            # No model has been used with this index.
            return None
        return None if row is None else Standing(row[0], row[1], bool(row[2]))

    def put(self, connection: apsw.Connection, space: int, ids: Ids, vectors: Vectors) -> None:
        """Store vectors; contents that have one, in whichever space, get the new one.

        Args:
            ids: positive and each once, shape (n,).
            vectors: shape (n, dimensions), of any length but 0; kept with length 1.

        Raises:
            ValueError: if the shapes do not fit, or a vector has no direction or numbers that are
                not finite. Nothing is stored then.
        """
        from aimem_tui.index.vectors import coarse
        from aimem_tui.index.vectors.port import unit_rows

        keys = [int(each) for each in ids]
        if len(set(keys)) != len(vectors) or min(keys, default=1) < 1:
            raise ValueError("an id is missing, given twice, or not positive")
        exact = unit_rows(vectors, self.dimensions)
        if not keys:
            return
        ensure_extension(connection)
        touched = self._delete(connection, keys)
        connection.executemany(
            f"INSERT INTO {self.name} (rowid, space, exact, coarse) VALUES (?, ?, ?, vec_int8(?))",
            zip(
                keys,
                repeat(space),
                map(bytes, exact),
                map(bytes, coarse.encode(exact)),
                strict=False,
            ),
        )
        self._note(connection, [*touched, *self._blocks_of(connection, keys)])

    def remove(self, connection: apsw.Connection, ids: Sequence[int] | Ids) -> None:
        """Remove the vectors of contents, in whichever space; those that have none are no error.

        Their bytes in the table are overwritten.
        """
        keys = [int(each) for each in ids]
        if keys:
            ensure_extension(connection)
            self._note(connection, self._delete(connection, keys))

    def move(self, connection: apsw.Connection, ids: Ids, space: int) -> None:
        """Bring vectors into another space; contents that have none are passed over."""
        found = self.fetch(connection, ids)
        there = found.any(axis=1)
        self.put(connection, space, ids[there], found[there])

    def fetch(self, connection: apsw.Connection, ids: Ids, space: int | None = None) -> Vectors:
        """Vectors by the ids of their contents, shape (n, dimensions); zeros where there is none.

        Args:
            space: only from this one; None for any.
        """
        import numpy as np

        ensure_extension(connection)
        found = np.zeros((len(ids), self.dimensions), np.float32)
        for row, each in enumerate(ids):
            for held, exact in connection.execute(
                f"SELECT space, exact FROM {self.name} WHERE rowid = ?", (int(each),)
            ):
                if space is None or held == space:
                    found[row] = np.frombuffer(exact, np.float32)
        return found

    def ids(self, connection: apsw.Connection, space: int) -> list[int]:
        """The ids of all contents of a space that have a vector, ascending."""
        ensure_extension(connection)
        rows = connection.execute(f"SELECT rowid FROM {self.name} WHERE space = ?", (space,))
        return sorted(row[0] for row in rows)

    def tidy(self, connection: apsw.Connection, most: int = 16) -> int:
        """Move vectors out of blocks that are mostly holes, so that those go.

        sqlite-vec fills the holes of each space's newest block only, and years of edits would
        leave the others sparse.

        Args:
            most: how many blocks at most; each takes some milliseconds.

        Returns: how many vectors were moved; 0 if there is nothing to do.
        """
        import numpy as np

        standing = self.standing(connection)
        if standing is None or not standing.blocks:
            return 0
        moved = 0
        for space, ids in shadow.sparse(connection, self.name, most).items():
            self.move(connection, np.array(ids, np.int64), space)
            moved += len(ids)
        return moved

    def _delete(self, connection: apsw.Connection, keys: Sequence[int]) -> list[int]:
        """Delete rows; returns the blocks they were in."""
        blocks = self._blocks_of(connection, keys)
        connection.executemany(
            f"DELETE FROM {self.name} WHERE rowid = ?", ((each,) for each in keys)
        )
        return blocks

    def _blocks_of(self, connection: apsw.Connection, keys: Sequence[int]) -> list[int]:
        standing = self.standing(connection)
        if standing is None or not standing.blocks:
            return []
        return shadow.blocks_of(connection, self.name, keys)

    def _note(self, connection: apsw.Connection, touched: Collection[int]) -> None:
        """Give the table another version, and note it at the blocks that were touched."""
        version = connection.execute(
            "UPDATE vector_tables SET version = version + 1 WHERE model = ? RETURNING version",
            (self.model,),
        ).get
        blocks = set(touched)
        if not blocks:
            return
        there = shadow.spaces_of(connection, self.name, blocks)
        connection.executemany(
            "INSERT OR REPLACE INTO vector_blocks (model, block, space, version)"
            " VALUES (?, ?, ?, ?)",
            ((self.model, block, space, version) for block, space in there),
        )
        connection.executemany(
            "DELETE FROM vector_blocks WHERE model = ? AND block = ?",
            ((self.model, gone) for gone in blocks.difference(block for block, _ in there)),
        )
