"""The websocket's bytes: whatever way they come, the same messages come out, or none."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_relay.front import SYNC, address_of
from aimem_relay.websocket import BadHandshake, WebSocket, accept

MOST = 70_000
BINARY, TEXT, CONTINUATION, CLOSE, PING, PONG = 2, 1, 0, 8, 9, 10


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@dataclass
class Heard:
    """Keeps what it is told."""

    frames: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    losses: int = 0

    def received(self, frame: bytes) -> None:
        self.frames.append(frame)

    def too_large(self, size: int) -> None:
        self.sizes.append(size)

    def writable_changed(self) -> None:
        pass

    def lost(self) -> None:
        self.losses += 1


def frame(
    opcode: int, payload: bytes, mask: bytes = b"\x11\x22\x33\x44", fin: bool = True
) -> bytes:
    """As a client sends it."""
    first, size = opcode | (0x80 if fin else 0), len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((first, 0x80 | 126)) + struct.pack(">H", size)
    else:
        head = bytes((first, 0x80 | 127)) + struct.pack(">Q", size)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def socket() -> tuple[WebSocket, Transport, Heard]:
    transport, heard = Transport(), Heard()
    made = WebSocket(transport, "192.0.2.1", MOST)
    made.attach(heard)
    return made, transport, heard


def code(transport: Transport) -> int:
    """The code that the connection was closed with."""
    assert transport.written[:1] == b"\x88", transport.written
    return int.from_bytes(transport.written[2:4], "big")


MESSAGES = st.lists(
    st.tuples(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.booleans()), max_size=6
)


@given(MESSAGES, st.lists(st.integers(1, 50), max_size=30), st.binary(min_size=4, max_size=4))
def test_messages_come_whole_however_their_bytes_are_cut(
    messages: list[tuple[list[bytes], bool]], cuts: list[int], mask: bytes
) -> None:
    sent, data = [], b""
    for parts, pinged in messages:
        sent.append(b"".join(parts))
        for n, part in enumerate(parts):
            last = n == len(parts) - 1
            data += frame(CONTINUATION if n else BINARY, part, mask, fin=last)
            if pinged:
                # Control frames may come between the parts of a message.
                data += frame(PING, b"there?", mask)
    made, transport, heard = socket()
    for cut in [*cuts, len(data)]:
        if data:
            made.data_received(data[:cut])
            data = data[cut:]
    assert heard.frames == sent
    pings = sum(len(parts) for parts, pinged in messages if pinged)
    assert transport.written == b"\x8a\x06there?" * pings
    assert not made._buffer


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, MOST])
def test_every_length_has_its_form(size: int) -> None:
    made, transport, heard = socket()
    payload = bytes(n % 251 for n in range(size))
    made.data_received(frame(BINARY, payload))
    assert heard.frames == [payload]
    made.send([payload])
    assert transport.written.endswith(payload)
    head = transport.written[: len(transport.written) - size]
    assert len(head) == (2 if size < 126 else 4 if size < 65_536 else 10)


@given(st.binary(max_size=400))
def test_any_bytes_end_in_messages_or_in_a_close_but_never_in_an_exception(data: bytes) -> None:
    loop = asyncio.new_event_loop()
    try:

        async def receive() -> None:
            made, _transport, heard = socket()
            made.data_received(data)
            made.data_received(data)
            made.connection_lost(None)
            assert heard.losses == 1

        loop.run_until_complete(receive())
    finally:
        loop.close()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(TEXT, b"hello"), 1003),
        (frame(3, b""), 1002),
        (frame(BINARY | 0x40, b"compressed"), 1002),
        (b"\x82\x01x", 1002),
        (frame(CONTINUATION, b"of nothing"), 1002),
        (frame(BINARY, b"one", fin=False) + frame(BINARY, b"two"), 1002),
        (frame(PING, bytes(126)), 1002),
        (frame(PING, b"", fin=False), 1002),
        (frame(BINARY, bytes(MOST + 1))[:20], 1009),
        (frame(BINARY, bytes(MOST), fin=False) + frame(CONTINUATION, b"x"), 1009),
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(8), 1009),
    ],
    ids=[
        "text",
        "unknown kind",
        "extension",
        "no mask",
        "continues nothing",
        "not continued",
        "long ping",
        "ping in parts",
        "too large",
        "too large in parts",
        "absurd length",
    ],
)
async def test_what_a_client_must_not_send_ends_the_connection(data: bytes, expected: int) -> None:
    made, transport, heard = socket()
    made.data_received(data)
    made.data_received(frame(BINARY, b"more"))
    assert code(transport) == expected
    assert heard.frames == []
    assert bool(heard.sizes) == (expected == 1009)
    made.connection_lost(None)


async def test_a_goodbye_is_answered_and_then_nothing_is_heard() -> None:
    made, transport, heard = socket()
    made.data_received(frame(CLOSE, b"\x03\xe8bye") + frame(BINARY, b"too late"))
    assert (code(transport), transport.closed, heard.frames) == (1000, True, [])
    made.send([b"nothing"])
    assert transport.written == b"\x88\x02\x03\xe8"


async def test_a_peer_that_does_not_answer_a_goodbye_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aimem_relay.websocket.CLOSE_S", 0.0)
    made, transport, _ = socket()
    made.close(4400)
    assert code(transport) == 4400
    async with asyncio.timeout(20):
        while not transport.aborted:
            await asyncio.sleep(0)


def test_the_handshake_is_that_of_the_standard() -> None:
    headers = {
        "upgrade": "websocket",
        "connection": "keep-alive, Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    # The example of RFC 6455, section 1.3.
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in accept("GET", headers)
    for name in headers:
        for value in ("", "no"):
            with pytest.raises(BadHandshake):
                accept("GET", {**headers, name: value})
    with pytest.raises(BadHandshake):
        accept("POST", headers)


def test_only_ones_own_proxies_are_believed_about_addresses() -> None:
    peer, said = ("10.0.0.1", 1234), {"x-forwarded-for": "1.1.1.1, 2.2.2.2,3.3.3.3"}
    assert address_of(peer, said, 0) == "10.0.0.1"
    assert address_of(peer, said, 1) == "3.3.3.3"
    assert address_of(peer, said, 2) == "2.2.2.2"
    assert address_of(peer, said, 4) == "10.0.0.1"
    assert SYNC.startswith(b"GET /")
