"""Frames of stock clients: read exactly as Yjs writes them, and nothing else."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_relay.gateway import protocol
from aimem_relay.gateway.protocol import (
    MAX_NUMBER,
    MAX_STATE_BYTES,
    Awareness,
    ClientState,
    Message,
    PermissionDenied,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    Update,
)
from crdt.errors import WireError
from tests.crdt.histories import settled
from tests.gateway.npm import answers

numbers = st.one_of(st.integers(0, 300), st.integers(0, MAX_NUMBER))
states = st.one_of(
    st.just("null"),
    st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=20), st.integers())).map(
        lambda value: json.dumps(value, ensure_ascii=False)
    ),
).filter(lambda state: state.isascii() or _is_utf8(state))
messages = st.one_of(
    st.builds(SyncStep1, st.binary(max_size=300)),
    st.builds(SyncStep2, st.binary(max_size=300)),
    st.builds(Update, st.binary(max_size=300)),
    st.lists(st.builds(ClientState, numbers, numbers, states), max_size=5).map(
        lambda listed: Awareness(tuple(listed))
    ),
    st.just(QueryAwareness()),
)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_json(message: Message) -> dict[str, object]:
    """As the program in node says it."""
    match message:
        case SyncStep1():
            return {"kind": 0, "step": 0, "data": message.state_vector.hex()}
        case SyncStep2():
            return {"kind": 0, "step": 1, "data": message.update.hex()}
        case Update():
            return {"kind": 0, "step": 2, "data": message.update.hex()}
        case Awareness():
            listed = [
                {"client": one.client, "clock": one.clock, "state": one.state}
                for one in message.states
            ]
            return {"kind": 1, "states": listed}
        case _:
            return {"kind": 3}


@given(messages)
def test_what_is_written_is_read_again(message: Message) -> None:
    assert protocol.decode(protocol.encode(message)) == message


@given(messages, st.data())
def test_a_frame_that_is_cut_short_or_goes_on_is_refused(message: Message, data: st.DataObject):
    frame = protocol.encode(message)
    cut = data.draw(st.integers(0, len(frame) - 1))
    for broken in (frame[:cut], frame + data.draw(st.binary(min_size=1, max_size=3))):
        with pytest.raises(WireError):
            protocol.decode(broken)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(frame: bytes) -> None:
    try:
        message = protocol.decode(frame)
    except WireError:
        return
    assert protocol.decode(protocol.encode(message)) == message


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (b"", "cut short"),
        (b"\x02\x00\x02no", "kind 2"),
        (b"\x04", "kind 4"),
        (b"\x00\x03\x00", "kind 3"),
        (b"\x00\x02\xff\xff\xff\xff\x0f", "count is larger"),
        (b"\x00\x02" + b"\x80" * 8 + b"\x01", "too long"),
        (b"\x00\x02" + b"\xff" * 7 + b"\x7f", "too large"),
        (b"\x01\x03\xff\xff\x03", "count is larger"),
        (b"\x01\x06\x01\x01\x01\x02\xff\xfe", "not UTF-8"),
        (b"\x01\x06\x01\x01\x01\x02no", "not JSON"),
        (b"\x01\x07\x01\x01\x01\x03NaN", "not JSON"),
        (b"\x01\x06\x01\x01\x01\x0212", "not an object"),
        (b"\x01\x05\x00\x01\x01\x00\x00", "follows"),
    ],
)
def test_a_frame_that_lies_is_refused_with_a_reason(frame: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why):
        protocol.decode(frame)


def test_what_somebody_says_of_himself_is_bounded() -> None:
    for state in (json.dumps({"x": "é" * MAX_STATE_BYTES}), "[" * MAX_STATE_BYTES):
        with pytest.raises(WireError):
            protocol.decode(protocol.encode(Awareness((ClientState(1, 1, state),))))
    many = tuple(ClientState(n, 1, "{}") for n in range(protocol.MAX_STATES + 1))
    with pytest.raises(WireError):
        protocol.decode(protocol.encode(Awareness(many)))


def test_a_refusal_is_written_as_y_protocols_reads_it() -> None:
    assert protocol.encode(PermissionDenied("né")) == b"\x02\x00\x03n\xc3\xa9"


@given(st.integers(0, 200))
def test_the_state_vectors_of_documents_are_well_formed(seed: int) -> None:
    for peer in settled(seed, steps=10):
        state_vector = peer.doc.state_vector()
        protocol.check_state_vector(state_vector)
        assert protocol.clocks(state_vector).keys() <= {100, 101, 102}


@pytest.mark.parametrize("state_vector", [b"", b"\x01", b"\x80\x80\x80\x80\x01", b"\x00\x00"])
def test_a_state_vector_that_lies_is_refused(state_vector: bytes) -> None:
    with pytest.raises(WireError):
        protocol.check_state_vector(state_vector)


def test_yjs_reads_what_we_write_and_writes_what_we_read() -> None:
    rng = Random(1)
    written = [
        SyncStep1(b"\0"),
        SyncStep2(b"\0\0"),
        Update(rng.randbytes(70_000)),
        QueryAwareness(),
        Awareness(()),
        Awareness((ClientState(MAX_NUMBER, 1 << 32, '{"user":{"name":"Zoë 👍"}}'),)),
        Awareness(tuple(ClientState(n * n * 977, n, "null") for n in range(1, 300))),
    ]
    frames = [protocol.encode(message) for message in written]
    said = [json.loads(line) for line in answers("frames.js", _lines(frames))]
    assert [one["message"] for one in said] == [as_json(message) for message in written]
    assert [one["frame"] for one in said] == [frame.hex() for frame in frames]


def test_what_we_take_yjs_takes_for_the_same() -> None:
    rng = Random(2)
    frames = []
    for _ in range(3_000):
        state = rng.choice(("null", "{}", '{"user":{"name":"é"}}'))
        message = rng.choice(
            (
                Update(rng.randbytes(rng.randint(0, 5))),
                SyncStep1(rng.randbytes(2)),
                Awareness((ClientState(rng.getrandbits(32), rng.randint(0, 200), state),)),
            )
        )
        frame = bytearray(protocol.encode(message))
        for _ in range(rng.randint(0, 2)):
            frame[rng.randrange(len(frame))] = rng.choice((0, 1, 2, 3, 0x7F, 0x80, 0xFF))
        frames.append(bytes(frame))
    taken = 0
    for frame, line in zip(frames, answers("frames.js", _lines(frames)), strict=True):
        try:
            message = protocol.decode(frame)
        except WireError:
            continue
        taken += 1
        assert json.loads(line)["message"] == as_json(message)
    assert 500 < taken < len(frames)


def _lines(frames: list[bytes]) -> str:
    return "".join(f"{frame.hex()}\n" for frame in frames)
