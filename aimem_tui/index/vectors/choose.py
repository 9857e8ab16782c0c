"""Which way a space's vectors are searched."""

from __future__ import annotations

from aimem_tui.index.vectors.matrix import MatrixIndex
from aimem_tui.index.vectors.port import Ids, Neighbours, Snapshot, VectorIndex, Vectors
from aimem_tui.index.vectors.stream import StreamIndex
from aimem_tui.index.vectors.table import VectorTable
from aimem_tui.index.vectors.vec0 import Vec0Index


def open_index(table: VectorTable, space: int, snapshot: Snapshot) -> VectorIndex:
    """The quickest exact index of a space's vectors; keep it as long as the space is searched.

    The first search is one pass through the file, and with the second the vectors come into memory:
    a command that searches once never waits for that. A table that sqlite-vec has laid out in a way
    that is not known is searched by sqlite-vec itself.

    Args:
        table: the model's; while it is not there, nothing is found.
        space: the space's number.
        snapshot: see :data:`~aimem_tui.index.vectors.port.Snapshot`.

    Raises:
        StorageError: if the index file cannot be read.
    """
    with snapshot() as connection:
        standing = table.standing(connection)
    if standing is not None and not standing.blocks:
        return Vec0Index(table, space, snapshot)
    return WarmingIndex(table, space, snapshot)


class WarmingIndex:
    """A space's vectors of a model, in the file for the first search and in memory from then on.

    Args:
        table: the model's.
        space: the space's number.
        snapshot: see :data:`~aimem_tui.index.vectors.port.Snapshot`.
    """

    def __init__(self, table: VectorTable, space: int, snapshot: Snapshot) -> None:
        self._stream = StreamIndex(table, space, snapshot)
        self._matrix = MatrixIndex(table, space, snapshot)
        self._searched = False

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""
        return self._stream.dimensions

    def nearest(self, query: Vectors, k: int, among: Ids | None = None) -> Neighbours:
        """See :meth:`aimem_tui.index.vectors.port.VectorIndex.nearest`."""
        index, self._searched = self._matrix if self._searched else self._stream, True
        return index.nearest(query, k, among)

    def vectors(self, ids: Ids) -> Vectors:
        """See :meth:`aimem_tui.index.vectors.port.VectorIndex.vectors`."""
        return self._stream.vectors(ids)
