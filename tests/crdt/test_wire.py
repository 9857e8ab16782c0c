"""Frames: what is sent arrives as it was, and nothing else gets in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.entry import Checkpoint, Entry
from crdt.errors import WireError
from crdt.vector import Vector
from crdt.wire import codec
from crdt.wire.messages import (
    MAX_BATCH,
    Ack,
    CaughtUp,
    CloseCode,
    Entries,
    Error,
    GoingAway,
    Grant,
    Hello,
    Message,
    Ping,
    Pong,
    Presence,
    Refresh,
    Role,
    Status,
    Tip,
    Want,
    Welcome,
    WireEntry,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
seqs = st.integers(1, (1 << 63) - 1)
entries = st.builds(
    Entry,
    replica=ids,
    seq=seqs,
    thought=ids,
    update=st.binary(max_size=60),
    at=st.integers(-(1 << 62), 1 << 62),
    author=TEXTS,
    note=TEXTS,
    sealed=st.integers(0, 9),
    signature=st.binary(max_size=64),
)
checkpoints = st.builds(
    Checkpoint,
    thought=ids,
    state=st.binary(max_size=60),
    vector=st.dictionaries(ids, seqs, min_size=1, max_size=4).map(Vector),
    at=st.integers(0, 1 << 50),
    author=TEXTS,
    sealed=st.integers(0, 9),
    signature=st.binary(max_size=64),
)

ID = bytes(range(16))
ONE_OF_EACH: list[Message] = [
    Hello(1, 1, ID, ID, ID, Role.WRITER, 1 << 20, b"secret", "aimem/1"),
    Welcome(1, ID, ID, Role.READER, 0, 1 << 20),
    Want(1, [Tip(ID, 4, b"12345678")], b"token"),
    Entries(1, 1, 0, b"t", [ID], [ID], ["Ann"], [WireEntry(0, 1, 0, 7, 0, b"\0\0")]),
    CaughtUp(1, 2, b"t", Vector({ID.hex(): 3}).to_bytes()),
    Ack(2),
    Presence("ann", b"{}"),
    Ping(1),
    Pong(),
    Refresh(b"secret"),
    Grant(Role.READER, 9),
    GoingAway(500, "restart"),
    Status(True, "the disk is full"),
    Error(CloseCode.GAP.value, "entries are missing"),
]


@given(st.lists(entries, min_size=1, max_size=8))
def test_entries_arrive_as_they_were(batch: list[Entry]) -> None:
    message = codec.pack_entries(batch, run=1, mark=2, left=3, token=b"t")
    again = codec.decode(codec.encode(message))
    assert again == message
    assert isinstance(again, Entries)
    assert codec.unpack_entries(again) == batch


@given(st.lists(checkpoints, min_size=1, max_size=4))
def test_checkpoints_arrive_as_they_were(batch: list[Checkpoint]) -> None:
    message = codec.pack_checkpoints(batch, run=1, mark=2, left=3, token=b"t")
    again = codec.decode(codec.encode(message))
    assert again == message
    assert codec.unpack_checkpoints(again) == batch  # type: ignore[arg-type]


@given(st.lists(entries, min_size=1, max_size=8))
def test_an_entry_costs_no_more_than_is_reckoned(batch: list[Entry]) -> None:
    frame = codec.encode(codec.pack_entries(batch, run=1, mark=2, left=3, token=b"t" * 64))
    assert len(frame) <= 128 + sum(codec.cost_of_entry(entry) for entry in batch)


@given(st.lists(checkpoints, min_size=1, max_size=4))
def test_a_checkpoint_costs_no_more_than_is_reckoned(batch: list[Checkpoint]) -> None:
    frame = codec.encode(codec.pack_checkpoints(batch, run=1, mark=2, left=3, token=b"t" * 64))
    assert len(frame) <= 128 + sum(codec.cost_of_checkpoint(one) for one in batch)


@pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: type(message).__name__)
def test_a_message_from_a_later_version_is_read_as_far_as_it_is_known(message: Message) -> None:
    raw: list[Any] = msgspec.msgpack.decode(codec.encode(message))
    assert codec.decode(msgspec.msgpack.encode([*raw, {"later": [1, 2]}, None])) == message


def test_what_an_earlier_version_leaves_out_has_its_default() -> None:
    raw: list[Any] = msgspec.msgpack.decode(codec.encode(ONE_OF_EACH[0]))
    assert codec.decode(msgspec.msgpack.encode(raw[:-2])) == Hello(
        1, 1, ID, ID, ID, Role.WRITER, 1 << 20
    )


@pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: type(message).__name__)
def test_a_frame_that_is_cut_short_or_goes_on_is_refused(message: Message) -> None:
    frame = codec.encode(message)
    for end in range(len(frame)):
        with pytest.raises(WireError):
            codec.decode(frame[:end])
    with pytest.raises(WireError):
        codec.decode(frame + b"\0")


@given(st.sampled_from(ONE_OF_EACH), st.data())
def test_a_mutated_frame_is_a_message_or_is_refused(message: Message, data: st.DataObject) -> None:
    frame = bytearray(codec.encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = codec.decode(bytes(frame))
    except WireError:
        return
    assert codec.decode(codec.encode(read)) == read


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ([99, 1], "unknown message"),
        ([3, 1, [[b"short", 1]]], "an id of 5 bytes"),
        ([3, 1, [[ID, 0]]], "a sequence number of 0"),
        ([3, 1, [[ID, 1 << 63]]], "a sequence number of 64 bits"),
        ([3, 1, [], b"x" * 65], "a token of 65 bytes"),
        ([4, 1, 1, 0, b"", [ID], [ID], [""], []], "no entries"),
        ([4, 1, 0, 0, b"", [ID], [ID], [""], [[0, 1, 0, 0, 0, b""]]], "a mark of 0"),
        ([4, 1, 1, 0, b"", [ID], [ID], ["x" * 257], [[0, 1, 0, 0, 0, b""]]], "a long author"),
        ([7, "1"], "a mark that is a text"),
        ([7], "a missing field"),
        ([8, "", b""], "presence of nobody"),
        ([8, "k", b"x" * 4097], "a long presence"),
        ([1, 1, 1, ID, ID, ID, "owner", 1 << 20], "a role that is not known"),
        ({"t": 7}, "a map"),
    ],
)
def test_values_out_of_their_limits_are_refused(frame: object, why: str) -> None:
    with pytest.raises(WireError):
        codec.decode(msgspec.msgpack.encode(frame))


@pytest.mark.parametrize(
    "frame",
    [
        b"\x93\x03\x01\xdd\xff\xff\xff\xff",
        b"\x93\x03\x01\xdd\x00\x00\xff\xff",
        b"\x92\x07\x01" + b"\x91" * 100_000,
        b"\x94\x07\x01\x01\xdd\xff\xff\xff\xff",
        b"\x92\x0b\xc6\xff\xff\xff\xff",
    ],
    ids=["list", "long list", "nested", "unknown field", "bytes"],
)
def test_a_count_that_lies_is_refused(frame: bytes) -> None:
    with pytest.raises(WireError):
        codec.decode(frame)


def test_a_batch_has_a_largest_count() -> None:
    entry = [0, 1, 0, 0, 0, b""]
    fits = [4, 1, 1, 0, b"", [ID], [ID], [""], [entry] * MAX_BATCH]
    assert isinstance(codec.decode(msgspec.msgpack.encode(fits)), Entries)
    fits[-1] = [entry] * (MAX_BATCH + 1)
    with pytest.raises(WireError, match="length"):
        codec.decode(msgspec.msgpack.encode(fits))


@pytest.mark.parametrize("place", [0, 2, 4])
def test_an_entry_that_points_outside_its_batch_is_refused(place: int) -> None:
    entry: list[Any] = [0, 1, 0, 0, 0, b""]
    entry[place] = 1
    message = codec.decode(msgspec.msgpack.encode([4, 1, 1, 0, b"", [ID], [ID], [""], [entry]]))
    assert isinstance(message, Entries)
    with pytest.raises(WireError, match="outside"):
        codec.unpack_entries(message)


def test_close_codes_are_numbers_a_websocket_may_close_with() -> None:
    assert all(code.value in (1000, 1001, 1009, 1013) or code.value >= 4000 for code in CloseCode)


def test_entries_that_differ_in_anything_have_other_digests() -> None:
    base = Entry(ID.hex(), 1, ID.hex(), b"u", 5, "Ann", "why")
    others = [
        Entry("f" * 32, 1, ID.hex(), b"u", 5, "Ann", "why"),
        Entry(ID.hex(), 2, ID.hex(), b"u", 5, "Ann", "why"),
        Entry(ID.hex(), 1, "f" * 32, b"u", 5, "Ann", "why"),
        Entry(ID.hex(), 1, ID.hex(), b"v", 5, "Ann", "why"),
        Entry(ID.hex(), 1, ID.hex(), b"u", 6, "Ann", "why"),
        Entry(ID.hex(), 1, ID.hex(), b"u", 5, "Annw", "hy"),
        Entry(ID.hex(), 1, ID.hex(), b"u", 5, "Ann", "why", sealed=1),
    ]
    assert len({entry.digest() for entry in [base, *others]}) == len(others) + 1
    signed = Entry(ID.hex(), 1, ID.hex(), b"u", 5, "Ann", "why", signature=b"s")
    assert signed.digest() == base.digest()


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"author": "é" * 256, "note": "é" * 4_096, "signature": bytes(512)}, True),
        ({"update": bytes(16 << 20)}, True),
        ({"author": "a" * 257}, False),
        ({"author": "a\0"}, False),
        ({"author": "a\ud83d"}, False),
        ({"note": "n" * 4_097}, False),
        ({"note": "n\0"}, False),
        ({"signature": bytes(513)}, False),
        ({"update": bytes((16 << 20) + 1)}, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_entry_is_good_for_others_if_they_take_it(change: dict[str, Any], fits: bool) -> None:
    entry = Entry("1" * 32, 1, "2" * 32, b"\0\0", 1, "Ann")._replace(**change)
    if fits:
        codec.check_entry(entry)
    else:
        with pytest.raises(WireError):
            codec.check_entry(entry)
    try:
        message = codec.decode(
            codec.encode(codec.pack_entries([entry], run=1, mark=1, left=0, token=b""))
        )
        assert isinstance(message, Entries)
        taken = codec.unpack_entries(message) == [entry]
    except (WireError, UnicodeEncodeError):
        taken = False
    assert taken == fits
