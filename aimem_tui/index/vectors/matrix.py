"""Exact search in memory, a byte for each number: for whoever searches more than once.

- In memory are the records of :mod:`~aimem_tui.index.vectors.coarse`, a quarter of the vectors'
  bytes, in the blocks in which sqlite-vec keeps them. A query is compared with all of them; by the
  error that is known of each, those that can be among the best are told, about twice ``k``; these
  are read from the file as they are and compared again. So the answer is exact, whatever the
  vectors are like: what they are like only says how many are read.
- Blocks never change. When the table has another version, the blocks whose version is another are
  read again, and a new matrix shares the others. A reader in a transaction of its own gets the
  blocks of that moment; what a writer has not committed is shared with nobody.
- One thread's work: no pool of threads is woken, neither ours nor one of numpy's. ``numpy.vecdot``
  takes a row at a time, which is below what a BLAS shares out, and all that takes long runs without
  the interpreter's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import apsw
import numpy as np
from numpy.typing import NDArray

from aimem_tui.index.vectors import coarse, shadow
from aimem_tui.index.vectors.port import Ids, Neighbours, Snapshot, Vectors, best, checked
from aimem_tui.index.vectors.shadow import Places
from aimem_tui.index.vectors.table import VectorTable

_MOSTLY = 0.5
"""From this share of the rows on, computing all is as quick as picking some."""


class MatrixIndex:
    """A space's vectors of a model, in memory from the first call on.

    Args:
        table: the model's.
        space: the space's number.
        snapshot: see :data:`~aimem_tui.index.vectors.port.Snapshot`.
    """

    def __init__(self, table: VectorTable, space: int, snapshot: Snapshot) -> None:
        self._table = table
        self._space = space
        self._snapshot = snapshot
        self._matrix = _Matrix.of({}, 0, 0)
        self._lock = threading.Lock()

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return self._table.dimensions

    def nearest(self, query: Vectors, k: int, among: Ids | None = None) -> Neighbours:
        """See :meth:`aimem_tui.index.vectors.port.VectorIndex.nearest`."""
        unit = checked(query, k, self.dimensions)
        with self._snapshot() as connection:
            matrix = self._current(connection)
            rows = None if among is None else matrix.rows_of(among)
            scores = matrix.scores(unit, rows)
            errors = matrix.errors if rows is None else matrix.errors[rows]
            possible = coarse.possible(scores, errors, k, self.dimensions)
            if rows is not None:
                possible = rows[possible]
            exact = self._exact(connection, matrix, possible)
        return best(matrix.ids[possible], np.vecdot(exact, unit), k)

    def vectors(self, ids: Ids) -> Vectors:
        """See :meth:`aimem_tui.index.vectors.port.VectorIndex.vectors`."""
        with self._snapshot() as connection:
            if self._table.standing(connection) is None:
                return np.zeros((len(ids), self.dimensions), np.float32)
            return shadow.vectors_of(
                connection, self._table.name, self._space, ids, self.dimensions
            )

    def _exact(self, connection: apsw.Connection, matrix: _Matrix, rows: _Rows) -> Vectors:
        return shadow.read_rows(connection, self._table.name, matrix.places(rows), self.dimensions)

    def _current(self, connection: apsw.Connection) -> _Matrix:
        """The matrix of the moment that a connection sees."""
        standing = self._table.standing(connection)
        if standing is None:
            return _Matrix.of({}, 0, 0)
        matrix = self._matrix
        if (matrix.generation, matrix.version) == (standing.generation, standing.version):
            return matrix
        # Two threads that come at once shall not both read everything.
        with self._lock:
            known = self._matrix.blocks if self._matrix.generation == standing.generation else {}
            matrix = _Matrix.of(
                self._read(connection, known), standing.generation, standing.version
            )
            if connection.txn_state("main") != apsw.SQLITE_TXN_WRITE:
                self._matrix = matrix
        return matrix

    def _read(self, connection: apsw.Connection, known: Mapping[int, _Block]) -> dict[int, _Block]:
        """The blocks of the space, of which those that are known are not read again."""
        blocks: dict[int, _Block] = {}
        for number, version in connection.execute(
            "SELECT block, version FROM vector_blocks WHERE model = ? AND space = ? ORDER BY block",
            (self._table.model, self._space),
        ):
            block = known.get(number)
            if block is None or block.version != version:
                held = shadow.read_block(connection, self._table.name, number)
                if held is None:
                    continue
                scales, errors = coarse.heads(held.records)
                block = _Block(version, held.ids, held.slots, held.records, scales, errors)
            blocks[number] = block
        return blocks


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    version: int
    ids: Ids
    slots: NDArray[np.int64]
    records: coarse.Records
    scales: Vectors
    errors: Vectors


_Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class _Matrix:
    """All blocks of a space at one moment; a row is counted through all of them."""

    generation: int
    version: int
    blocks: Mapping[int, _Block]
    starts: NDArray[np.intp]
    """The first row of each block, and behind the last."""
    ids: Ids
    scales: Vectors
    errors: Vectors

    @classmethod
    def of(cls, blocks: Mapping[int, _Block], generation: int, version: int) -> _Matrix:
        held = blocks.values()
        return cls(
            generation,
            version,
            blocks,
            np.cumsum([0, *(len(block.ids) for block in held)], dtype=np.intp),
            np.concatenate([np.empty(0, np.int64), *(block.ids for block in held)]),
            np.concatenate([np.empty(0, np.float32), *(block.scales for block in held)]),
            np.concatenate([np.empty(0, np.float32), *(block.errors for block in held)]),
        )

    @cached_property
    def _by_id(self) -> tuple[_Rows, Ids]:
        """The rows in the order of their ids, and the ids in that order."""
        # Ids are given out in ascending order, so there is next to nothing to sort.
        order = np.argsort(self.ids, kind="stable")
        return order, self.ids[order]

    def rows_of(self, ids: Ids) -> _Rows:
        """The rows of those ids that are there, ascending, each once."""
        if not len(self.ids):
            return np.empty(0, np.intp)
        order, ascending = self._by_id
        at = np.minimum(np.searchsorted(ascending, ids), len(order) - 1)
        wanted = np.zeros(len(order), np.bool_)
        wanted[order[at[ascending[at] == ids]]] = True
        return np.flatnonzero(wanted)

    def places(self, rows: _Rows) -> Places:
        """Where rows are in the file."""
        which = np.searchsorted(self.starts, rows, side="right") - 1
        numbers = np.fromiter(self.blocks, np.int64, len(self.blocks))
        held = list(self.blocks.values())
        slots = [
            held[block].slots[row]
            for block, row in zip(which.tolist(), (rows - self.starts[which]).tolist(), strict=True)
        ]
        return Places(numbers[which], np.array(slots, np.int64))

    def scores(self, query: Vectors, rows: _Rows | None) -> Vectors:
        """About the cosine of each row, or of each of some ascending rows, with a unit vector."""
        if rows is not None and len(rows) > _MOSTLY * len(self.ids):
            return self.scores(query, None)[rows]
        found = np.empty(len(self.ids) if rows is None else len(rows), np.float32)
        bounds = self.starts if rows is None else np.searchsorted(rows, self.starts)
        buffer = np.empty((np.diff(bounds).max(initial=0), len(query)), np.float32)
        for number, block in enumerate(self.blocks.values()):
            first, last = int(bounds[number]), int(bounds[number + 1])
            if first == last:
                continue
            codes = coarse.codes(block.records)
            if rows is not None:
                codes = codes[rows[first:last] - self.starts[number]]
            numbers = buffer[: last - first]
            np.copyto(numbers, codes)
            np.vecdot(numbers, query, out=found[first:last])
        found *= self.scales if rows is None else self.scales[rows]
        return found
