"""Vectors in one byte a number, and how far each can be from the vector it stands for.

A record is ``HEAD + dimensions`` bytes: a scale ``s`` and an error ``e``, both float32, then codes
``c`` of one signed byte each. It stands for the vector ``x`` as ``s * c``, with
``e >= |x - s * c|`` (Euclidean). For a query ``q`` of length 1 the inequality of Cauchy and Schwarz
then gives ``|x . q - s * (c . q)| <= e``: what is proven to be among the best, or not to be, needs
no look at the vector itself. For MiniLM's vectors e is about 0.007.

A quarter of the bytes is a quarter of the memory, and as fast to scan as the vectors themselves:
memory is slower than turning bytes into floats is.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aimem_tui.index.vectors.port import Vectors
from aimem_tui.index.vectors.table import HEAD

Records: TypeAlias = NDArray[np.int8]
_MOST = 127


def encode(vectors: Vectors) -> Records:
    """The records of vectors, shape (n, HEAD + dimensions)."""
    scales = (np.abs(vectors).max(axis=1, keepdims=True) / _MOST).astype(np.float32)
    codes = np.rint(vectors / scales).astype(np.int8)
    far = np.linalg.norm(vectors.astype(np.float64) - codes * scales.astype(np.float64), axis=1)
    # Rounding to float32 must not make an error smaller than it is.
    errors = np.nextafter(far.astype(np.float32), np.float32(np.inf))
    heads = np.column_stack((scales[:, 0], errors)).astype(np.float32)
    return np.hstack((heads.view(np.int8), codes))


def heads(records: Records) -> tuple[Vectors, Vectors]:
    """The scales and the errors of records, each of shape (n,)."""
    pairs = np.ascontiguousarray(records[:, :HEAD]).view(np.float32)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def codes(records: Records) -> Records:
    """The codes of records, shape (n, dimensions); not a copy."""
    return records[:, HEAD:]


def possible(scores: Vectors, errors: Vectors, k: int, dimensions: int) -> NDArray[np.intp]:
    """Which vectors can be among the k nearest to a query, when each score may be off by its error.

    Args:
        scores: the scaled scalar products of codes with a query of length 1, shape (n,).
        errors: of the records, shape (n,).
    """
    if len(scores) <= k:
        return np.arange(len(scores))
    surely = scores - errors
    kth = len(surely) - k
    return np.flatnonzero(scores + errors >= np.partition(surely, kth)[kth] - rounding(dimensions))


def rounding(dimensions: int) -> float:
    """A bound for what float32 arithmetic adds to the error of a scalar product of unit vectors.

    Adding up n products of float32 numbers errs by at most n * 2^-24 times the sum of their
    absolute values (Higham, Accuracy and Stability of Numerical Algorithms, 3.1), which is at most
    1 here; twice that for scaling, and twice again for the comparison with another such sum.
    """
    return float(4 * (dimensions + 2) * 2.0**-24)
