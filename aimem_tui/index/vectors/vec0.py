"""Exact search by sqlite-vec itself: nothing in memory, and nothing known of its tables."""

from __future__ import annotations

import apsw
import numpy as np

from aimem_tui.index.vectors.port import Ids, Neighbours, Snapshot, Vectors, best, checked
from aimem_tui.index.vectors.table import VectorTable, ensure_extension


class Vec0Index:
    """A space's vectors of a model, searched in the file.

    Args:
        table: the model's.
        space: the space's number.
        snapshot: see :data:`~aimem_tui.index.vectors.port.Snapshot`.
    """

    def __init__(self, table: VectorTable, space: int, snapshot: Snapshot) -> None:
        self._table = table
        self._space = space
        self._snapshot = snapshot

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return self._table.dimensions

    def nearest(self, query: Vectors, k: int, among: Ids | None = None) -> Neighbours:
        """See :meth:`aimem_tui.index.vectors.port.VectorIndex.nearest`."""
        unit = checked(query, k, self.dimensions)
        if among is not None and not len(among):
            return Neighbours(np.empty(0, np.int64), np.empty(0, np.float32))
        sql = (
            f"SELECT rowid, distance FROM {self._table.name}"
            " WHERE exact MATCH ? AND k = ? AND space = ?"
        )
        values: list[apsw.Binding] = [unit.tobytes(), k, self._space]
        if among is not None:
            sql += " AND rowid IN (SELECT value FROM carray(?))"
            values.append(apsw.carray(np.ascontiguousarray(among, np.int64)))
        rows: list[tuple[apsw.SQLiteValue, ...]] = []
        with self._snapshot() as connection:
            if self._table.standing(connection) is not None:
                ensure_extension(connection)
                rows = connection.execute(sql, values).fetchall()
        found = np.array(rows, np.float64).reshape(-1, 2)
        # Of vectors of length 1: |a - b|^2 = 2 - 2 a.b
        cosines = (1 - found[:, 1] ** 2 / 2).astype(np.float32)
        return best(found[:, 0].astype(np.int64), cosines, k)

    def vectors(self, ids: Ids) -> Vectors:
        """See :meth:`aimem_tui.index.vectors.port.VectorIndex.vectors`."""
        with self._snapshot() as connection:
            if self._table.standing(connection) is None:
                return np.zeros((len(ids), self.dimensions), np.float32)
            return self._table.fetch(connection, ids, self._space)
