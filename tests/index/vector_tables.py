"""An index file with one table of small vectors, and what every search in it has to find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aimem_tui.index.file import IndexFile
from aimem_tui.index.vectors.port import Ids, Neighbours, Vectors
from aimem_tui.index.vectors.table import VectorTable

DIMENSIONS = 12
TABLE = VectorTable(1, DIMENSIONS)
ROUNDING = 4e-6

Held = Mapping[int, NDArray[np.float32]]


@contextmanager
def opened(path: Path) -> Iterator[IndexFile]:
    """An index file as one process has it open, with a table of vectors."""
    with IndexFile(path) as index:
        with index.write() as connection:
            TABLE.create(connection)
        yield index


def random_vectors(count: int, seed: int = 0, dimensions: int = DIMENSIONS) -> Vectors:
    """Vectors of length 1, in a few bundles so that some are close."""
    random = np.random.default_rng(seed)
    middles = random.standard_normal((5, dimensions))
    vectors = middles[random.integers(5, size=count)] + 0.4 * random.standard_normal(
        (count, dimensions)
    )
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ids(first: int, last: int) -> Ids:
    """Consecutive ids, the last included."""
    return np.arange(first, last + 1, dtype=np.int64)


def put(index: IndexFile, space: int, which: Ids, vectors: Vectors) -> None:
    """Store vectors in a transaction of their own."""
    with index.write() as connection:
        TABLE.put(connection, space, which, vectors)


def assert_nearest(
    found: Neighbours, held: Held, query: Vectors, k: int, among: Ids | None = None
) -> None:
    """That an answer is what comparing with every vector gives; ties may stand either way."""
    allowed = set(held) if among is None else set(held) & set(among.tolist())
    exact = {each: float(held[each].astype(np.float64) @ query) for each in allowed}
    expected = sorted(exact.values(), reverse=True)[:k]
    assert len(set(found.ids.tolist())) == len(found) == len(expected)
    assert set(found.ids.tolist()) <= allowed
    np.testing.assert_allclose(found.cosines, expected, atol=ROUNDING, rtol=0)
    np.testing.assert_allclose(
        found.cosines, [exact[each] for each in found.ids.tolist()], atol=ROUNDING, rtol=0
    )
    assert (np.diff(found.cosines) <= 0).all()
