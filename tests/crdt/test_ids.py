"""Ids sort by time, are told from other words, and fit where they have to."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.ids import client_id, is_id, time_of, uuid7

times = st.integers(0, 2**48 - 1)
random10 = st.binary(min_size=10, max_size=10)


@given(times, random10)
def test_an_id_is_a_uuid_of_version_7_that_carries_its_time(at: int, random: bytes) -> None:
    made = uuid7(at, random)
    read = uuid.UUID(made)
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert time_of(made) == at
    assert is_id(made)
    assert read.hex == made


@given(times, random10, times, random10)
def test_ids_sort_by_time(at: int, random: bytes, later: int, other: bytes) -> None:
    if at < later:
        assert uuid7(at, random) < uuid7(later, other)


@given(times, random10, random10)
def test_all_random_bits_but_those_of_version_and_variant_count(
    at: int, random: bytes, other: bytes
) -> None:
    def kept(raw: bytes) -> bytes:
        return bytes([raw[0] & 0x0F, raw[1], raw[2] & 0x3F, *raw[3:]])

    assert (uuid7(at, random) == uuid7(at, other)) == (kept(random) == kept(other))


@pytest.mark.parametrize(("at", "random"), [(-1, bytes(10)), (2**48, bytes(10)), (0, bytes(9))])
def test_what_does_not_fit_is_refused(at: int, random: bytes) -> None:
    with pytest.raises(ValueError, match=r"48 bits|10 random bytes"):
        uuid7(at, random)


@pytest.mark.parametrize(
    "text", ["", "0" * 31, "0" * 33, "A" * 32, "g" * 32, "0" * 31 + "\n", "0" * 32 + "\n", "٣" * 32]
)
def test_other_words_are_no_ids(text: str) -> None:
    assert not is_id(text)


@given(st.binary(min_size=4, max_size=4))
def test_a_client_id_has_32_bits_and_is_never_0(random: bytes) -> None:
    assert 1 <= client_id(random) < 2**32
    assert client_id(random) in (int.from_bytes(random, "big"), 1)


def test_a_client_id_needs_4_bytes() -> None:
    assert client_id(b"\0\0\0\0") == 1
    assert client_id(b"\xff\xff\xff\xff") == 2**32 - 1
    with pytest.raises(ValueError, match="4 random bytes"):
        client_id(b"\0\0\0")
