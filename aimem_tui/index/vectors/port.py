"""What a search by meaning needs of an index of vectors, whichever way it is kept.

- A vector belongs to a *content* and carries its id, a positive integer that the caller gives out.
- Vectors are float32 of length 1, so a scalar product is a cosine.
- An index reads one space (one workspace) of one model's vectors. What other connections and other
  processes have committed is seen by the next call; inside a caller's transaction, what that sees.
- Filters come before the best are picked: with ``among`` an answer has ``k`` neighbours whenever
  there are so many to choose from.
- An index may be used by any thread, and lets go of the interpreter while it computes.

Writing is the table's (:class:`aimem_tui.index.vectors.table.VectorTable`): in the caller's
transaction, so that a content, its passages and its vector change together.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import apsw

Ids: TypeAlias = NDArray[np.int64]
Vectors: TypeAlias = NDArray[np.float32]
Snapshot: TypeAlias = "Callable[[], AbstractContextManager[apsw.Connection]]"
"""Gives this thread's connection with all statements seeing the same moment, and turns SQLite's
errors into words: :meth:`aimem_tui.index.file.IndexFile.snapshot`."""

MAX_NEIGHBOURS = 1000
"""The most neighbours that one call gives."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Contents near a query, best first."""

    ids: Ids
    """Shape (n,)."""
    cosines: Vectors
    """Shape (n,), -1 to 1."""

    def __len__(self) -> int:
        return len(self.ids)


class VectorIndex(Protocol):
    """One space's vectors of one model, for reading."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""

    def nearest(self, query: Vectors, k: int, among: Ids | None = None) -> Neighbours:
        """The contents whose vectors have the greatest cosine with a query.

        Args:
            query: shape (dimensions,), of any length but 0.
            k: how many at most, 1 to :data:`MAX_NEIGHBOURS`.
            among: only these ids, in any order; ids that are not in the space are passed over.

        Raises:
            ValueError: if the query has another shape, no direction, or numbers that are not
                finite, or k is out of range.
            StorageError: if the index cannot be read.
        """

    def vectors(self, ids: Ids) -> Vectors:
        """The vectors of some contents, shape (n, dimensions), in the order of the ids.

        An id that is not in the space (another process may just have removed it) has a row of
        zeros.

        Raises:
            StorageError: if the index cannot be read.
        """


def unit_rows(vectors: Vectors, dimensions: int) -> Vectors:
    """Rows brought to length 1.

    Args:
        vectors: shape (n, dimensions).

    Raises:
        ValueError: if the shape is another, or a row has no direction or numbers that are not
            finite.
    """
    if vectors.ndim != 2 or vectors.shape[1] != dimensions:
        raise ValueError(f"shape {vectors.shape} is not (n, {dimensions})")
    exact = vectors.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ValueError("a vector has no direction, or numbers that are not finite")
    return np.ascontiguousarray(exact / lengths, np.float32)


def checked(query: Vectors, k: int, dimensions: int) -> Vectors:
    """A query brought to length 1.

    Raises:
        ValueError: as :meth:`VectorIndex.nearest` says.
    """
    if not 1 <= k <= MAX_NEIGHBOURS:
        raise ValueError(f"k is {k}, not 1 to {MAX_NEIGHBOURS}")
    if query.shape != (dimensions,):
        raise ValueError(f"a query of shape {query.shape} is not ({dimensions},)")
    return unit_rows(query[np.newaxis], dimensions).reshape(dimensions)


def best(ids: Ids, cosines: Vectors, k: int) -> Neighbours:
    """The k best, in order; equal ones by their ids."""
    order = np.lexsort((ids, -cosines))[:k]
    return Neighbours(ids[order], cosines[order])
