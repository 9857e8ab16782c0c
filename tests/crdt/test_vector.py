"""A vector says exactly what a copy of a workspace holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import CrdtError, GapError
from crdt.vector import Vector

replicas = st.sampled_from([f"{digit}" * 32 for digit in "0123456789abcdef"])
seqs = st.integers(1, 300) | st.integers(1, 2**63 - 1)
vectors = st.dictionaries(replicas, seqs, max_size=6).map(Vector)
A, B = "a" * 32, "b" * 32


@given(vectors)
def test_the_wire_form_comes_back_as_it_went(vector: Vector) -> None:
    assert Vector.from_bytes(vector.to_bytes()) == vector


@given(vectors, st.data())
def test_bytes_are_refused_or_are_the_one_form_of_a_vector(
    vector: Vector, data: st.DataObject
) -> None:
    raw = bytearray(vector.to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    changed = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        read = Vector.from_bytes(changed)
    except CrdtError:
        return
    assert read.to_bytes() == changed


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"\x80",
        b"\x00",
        b"\x81\x00",
        b"\xff" * 9 + b"\x01",
        b"\xff" * 10 + b"\x01",
        b"\x01" + bytes(15),
        b"\x01" + bytes.fromhex(A) + b"\x01",
    ],
    ids=["none", "cut", "zero", "overlong", "2**64-1", "endless", "half a replica", "twice"],
)
def test_a_number_or_replica_that_cannot_be_is_refused(tail: bytes) -> None:
    with pytest.raises(CrdtError):
        Vector.from_bytes(bytes.fromhex(A) + tail)


def test_replicas_out_of_order_are_refused() -> None:
    one, other = Vector({A: 1}).to_bytes(), Vector({B: 1}).to_bytes()
    assert Vector.from_bytes(one + other) == Vector({A: 1, B: 1})
    with pytest.raises(CrdtError, match="order"):
        Vector.from_bytes(other + one)


@given(vectors, vectors)
def test_two_copies_together_hold_what_either_holds_and_no_more(one: Vector, other: Vector) -> None:
    both = one.merged(other)
    assert both == other.merged(one)
    assert both.covers(one)
    assert both.covers(other)
    assert all(seq in (one[replica], other[replica]) for replica, seq in both.items())
    assert (both == one) == one.covers(other)


@given(vectors, vectors)
def test_covering_means_having_every_entry(one: Vector, other: Vector) -> None:
    assert one.covers(other) == all(one[replica] >= seq for replica, seq in other.items())
    assert one.covers(one)
    assert one.covers(Vector())


@given(vectors, replicas)
def test_only_the_very_next_entry_advances_a_vector(vector: Vector, replica: str) -> None:
    held = vector[replica]
    if held < 2**63 - 2:
        assert vector.advanced(replica, held + 1)[replica] == held + 1
        with pytest.raises(GapError):
            vector.advanced(replica, held + 2)
    with pytest.raises(GapError):
        vector.advanced(replica, held)
    assert vector[replica] == held, "a vector does not change"


def test_an_unknown_replica_counts_as_0_and_is_not_in_the_vector() -> None:
    vector = Vector({A: 3, B: 0})
    assert (vector[B], vector.get(B), B in vector, len(vector)) == (0, 0, False, 1)
    assert vector == Vector({A: 3})
    assert hash(vector) == hash(Vector({A: 3}))
    assert vector != {A: 3}
    assert repr(vector) == "Vector({aaaaaaaa: 3})"
