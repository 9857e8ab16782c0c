"""Exact search in one pass through the file, with nothing kept: for whoever searches once.

A block is read, compared and forgotten. The answer is found as :mod:`.matrix` finds it, in less
than half the time that reading all into memory takes, and in next to no memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aimem_tui.index.vectors import coarse, shadow
from aimem_tui.index.vectors.port import Ids, Neighbours, Snapshot, Vectors, best, checked
from aimem_tui.index.vectors.table import HEAD, VectorTable


class StreamIndex:
    """A space's vectors of a model, read at each call.

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
        only = None if among is None else np.unique(among)
        ids: list[Ids] = [np.empty(0, np.int64)]
        blocks: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        slots: list[NDArray[np.intp]] = [np.empty(0, np.intp)]
        scores: list[Vectors] = [np.empty(0, np.float32)]
        errors: list[Vectors] = [np.empty(0, np.float32)]
        with self._snapshot() as connection:
            if self._table.standing(connection) is None:
                return Neighbours(ids[0], scores[0])
            buffer = np.empty((0, self.dimensions), np.float32)
            for number, block in shadow.pass_through(
                connection, self._table.name, self._space, HEAD + self.dimensions, only
            ):
                if len(buffer) < len(block.ids):
                    buffer = np.empty((len(block.ids), self.dimensions), np.float32)
                numbers = buffer[: len(block.ids)]
                np.copyto(numbers, coarse.codes(block.records))
                scales, error = coarse.heads(block.records)
                ids.append(block.ids)
                blocks.append(np.full(len(block.ids), number))
                slots.append(block.slots)
                scores.append(np.vecdot(numbers, unit) * scales)
                errors.append(error)
            possible = coarse.possible(
                np.concatenate(scores), np.concatenate(errors), k, self.dimensions
            )
            where = shadow.Places(np.concatenate(blocks)[possible], np.concatenate(slots)[possible])
            exact = shadow.read_rows(connection, self._table.name, where, self.dimensions)
        return best(np.concatenate(ids)[possible], np.vecdot(exact, unit), k)

    def vectors(self, ids: Ids) -> Vectors:
        """See :meth:`aimem_tui.index.vectors.port.VectorIndex.vectors`."""
        with self._snapshot() as connection:
            if self._table.standing(connection) is None:
                return np.zeros((len(ids), self.dimensions), np.float32)
            return shadow.vectors_of(
                connection, self._table.name, self._space, ids, self.dimensions
            )
