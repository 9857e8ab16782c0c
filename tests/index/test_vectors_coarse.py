"""A vector in bytes is never further from the vector than it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aimem_tui.index.vectors import coarse
from aimem_tui.index.vectors.port import unit_rows
from tests.index.vector_tables import random_vectors

NUMBERS = st.floats(-1e6, 1e6, width=32)


def vectors(dimensions: int) -> st.SearchStrategy[np.ndarray]:
    """Vectors of length 1 of every sort: sparse, lopsided, with numbers next to nothing."""
    rows = arrays.arrays(
        np.float32, st.tuples(st.integers(1, 8), st.just(dimensions)), elements=NUMBERS
    )
    return rows.filter(lambda found: bool((np.abs(found).max(axis=1) > 0).all())).map(
        lambda found: unit_rows(found, dimensions)
    )


@given(st.sampled_from((1, 3, 24, 384)).flatmap(lambda d: st.tuples(vectors(d), vectors(d))))
def test_a_score_is_off_by_no_more_than_the_error(both: tuple[np.ndarray, np.ndarray]) -> None:
    held, queries = both
    records = coarse.encode(held)
    scales, errors = coarse.heads(records)
    numbers = coarse.codes(records).astype(np.float32)
    for query in queries:
        scores = np.vecdot(numbers, query) * scales
        exact = held.astype(np.float64) @ query.astype(np.float64)
        assert (np.abs(scores - exact) <= errors + coarse.rounding(len(query)) / 2).all()


def test_the_error_of_vectors_as_a_model_gives_them_is_small() -> None:
    _, errors = coarse.heads(coarse.encode(random_vectors(500, dimensions=384)))
    assert errors.max() < 0.015


def test_a_record_is_a_byte_a_number_and_its_head() -> None:
    assert coarse.encode(random_vectors(5, dimensions=384)).shape == (5, coarse.HEAD + 384)
