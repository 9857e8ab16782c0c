"""The websocket's bytes: whatever way they come, the same messages come out, or none."""

from __future__ import annotations

import asyncio
import gc
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.protocol import State
from websockets.server import ServerProtocol

from aimem_relay.front import MAX_HEAD, SYNC, Front, address_of
from aimem_relay.websocket import HIGH_WATER, PIECE, Unfinished, WebSocket

MOST = 70_000
GREETING = 64 << 10
LATER = 17 << 20
BINARY, TEXT, CONTINUATION, CLOSE, PING, PONG = 2, 1, 0, 8, 9, 10


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.aborted = False
        self.ended = False
        self.protocol: asyncio.BaseProtocol | None = None

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1234) if name == "peername" else default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended
        self.written += bytes(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

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
    crowded: int = 0

    def received(self, frame: bytes) -> None:
        self.frames.append(frame)

    def too_large(self, size: int) -> None:
        self.sizes.append(size)

    def crowded_out(self) -> None:
        self.crowded += 1

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


def socket(
    most: int = MOST, unfinished: Unfinished | None = None
) -> tuple[WebSocket, Transport, Heard]:
    transport, heard = Transport(), Heard()
    layer = ServerProtocol(state=State.OPEN, max_size=most)
    made = WebSocket(transport, "192.0.2.1", layer, most, unfinished or Unfinished(1 << 30))
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
    made.data_received(
        frame(BINARY, b"in time") + frame(CLOSE, b"\x03\xe8bye") + frame(BINARY, b"too late")
    )
    made.data_received(frame(BINARY, b"later still"))
    assert (code(transport), transport.ended, heard.frames) == (1000, True, [b"in time"])
    said = transport.written
    made.send([b"nothing"])
    made.close(4400)
    assert transport.written == said
    made.connection_lost(None)
    assert heard.losses == 1


async def test_the_answer_to_a_goodbye_ends_the_connection() -> None:
    made, transport, heard = socket()
    made.close(4400)
    assert (code(transport), transport.ended) == (4400, False)
    said = transport.written
    made.data_received(frame(BINARY, b"on its way") + frame(PING, b"") + frame(CLOSE, b"\x11\x30"))
    assert (transport.ended, heard.frames) == (True, [])
    assert transport.written == said
    made.connection_lost(None)


async def test_where_the_bytes_cannot_be_ended_the_connection_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As under TLS."""
    monkeypatch.setattr(Transport, "can_write_eof", lambda self: False)
    made, transport, _ = socket()
    made.data_received(frame(CLOSE, b"\x03\xe8"))
    assert (code(transport), transport.closed, transport.ended) == (1000, True, False)
    made.connection_lost(None)


async def test_what_is_said_of_a_frame_that_is_too_large_comes_before_the_goodbye() -> None:
    class Talkative(Heard):
        def too_large(self, size: int) -> None:
            made.send([b"%d" % size])
            made.close(1009)

    made, transport, _ = socket()
    made.attach(Talkative())
    made.data_received(frame(BINARY, bytes(10), fin=False) + frame(CONTINUATION, bytes(MOST))[:10])
    assert transport.written == b"\x82\x05%d" % (MOST + 10) + b"\x88\x02\x03\xf1"
    assert transport.ended
    made.connection_lost(None)


async def test_a_larger_limit_holds_for_what_comes_after_the_peer_has_waited() -> None:
    made, transport, heard = socket(GREETING)
    greeting, large = frame(BINARY, bytes(GREETING)), frame(BINARY, bytes(GREETING + 1))
    for at in range(0, len(greeting), 1_000):
        made.data_received(greeting[at : at + 1_000])
    made.max_frame = LATER
    made.data_received(large[:10])
    made.data_received(large[10:])
    assert [len(message) for message in heard.frames] == [GREETING, GREETING + 1]
    made.send([b"welcome"])
    assert transport.written == b"\x82\x07welcome"
    made.connection_lost(None)


@given(st.binary(min_size=4, max_size=4), st.integers(1, 90))
def test_a_larger_limit_cuts_no_frame_that_is_on_its_way(mask: bytes, cut: int) -> None:
    made, _, heard = socket(GREETING)
    parts = [
        frame(BINARY, b"greeting", mask),
        frame(BINARY, b"one, ", mask, fin=False),
        frame(PING, b"there?", mask),
        frame(CONTINUATION, b"and two", mask),
        frame(BINARY, b"three", mask),
    ]
    data = b"".join(parts)
    made.data_received(data[:cut])
    made.max_frame = LATER
    made.data_received(data[cut:])
    assert heard.frames == [b"greeting", b"one, and two", b"three"]
    made.data_received(frame(BINARY, bytes(GREETING + 1)))
    assert len(heard.frames) == 4


PARTS = st.lists(
    st.one_of(
        st.builds(
            frame,
            st.sampled_from([BINARY, BINARY, CONTINUATION, TEXT, PING, PONG, CLOSE, 3]),
            st.sampled_from([0, 1, 125, 126, 300, 66_000]).map(bytes),
            st.binary(min_size=4, max_size=4),
            st.booleans(),
        ),
        # Heads in a form, or with a size, that is not for this message.
        st.sampled_from(
            [
                b"\x82\x01x",
                b"\x82\xfe\x00\x03mask123",
                b"\x82\xff" + bytes(7) + b"\x03mask123",
                b"\xc2\x83mask123",
                b"\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xffmask",
            ]
        ),
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=60)
@given(PARTS, st.integers(0, 12))
def test_what_comes_at_once_means_what_it_means_byte_by_byte(parts: list[bytes], cut: int) -> None:
    """In small pieces everything goes through the library."""
    data = b"".join(parts)
    data = data[: len(data) - cut]
    loop = asyncio.new_event_loop()

    async def outcome(size: int) -> tuple[list[bytes], list[int], bool]:
        made, transport, heard = socket()
        for at in range(0, len(data), size):
            made.data_received(data[at : at + size])
        made.connection_lost(None)
        return heard.frames, heard.sizes, transport.ended

    try:
        assert loop.run_until_complete(outcome(len(data) + 1)) == loop.run_until_complete(
            outcome(5)
        )
    finally:
        loop.close()


async def test_while_too_much_is_unfinished_the_one_with_the_most_has_to_go() -> None:
    unfinished = Unfinished(100_000)
    large, large_transport, large_heard = socket(unfinished=unfinished)
    parts, _, parts_heard = socket(unfinished=unfinished)
    small, small_transport, small_heard = socket(unfinished=unfinished)
    large.data_received(frame(BINARY, bytes(60_000))[:-1])
    parts.data_received(frame(BINARY, bytes(30_000), fin=False))
    assert 90_000 < unfinished.held < 100_000
    small.data_received(frame(BINARY, bytes(20_000))[:-1])
    assert code(large_transport) == 1013
    assert (large_heard.crowded, parts_heard.crowded, small_heard.crowded) == (1, 0, 0)
    assert unfinished.held < 60_000
    # What it still sends is not kept.
    large.data_received(bytes(60_000))
    assert unfinished.held < 60_000
    small.data_received(frame(BINARY, bytes(20_000))[-1:])
    parts.data_received(frame(CONTINUATION, b"end"))
    assert unfinished.held == 0
    assert (len(small_heard.frames), len(parts_heard.frames)) == (1, 1)
    assert not small_transport.written


async def test_what_was_unfinished_at_the_end_is_not_counted_any_more() -> None:
    unfinished = Unfinished(100_000)
    for end in (b"\x82\x01x", frame(TEXT, b"x"), frame(CLOSE, b"\x03\xe8"), b""):
        made, _, _ = socket(unfinished=unfinished)
        made.data_received(frame(BINARY, bytes(30_000), fin=False))
        assert unfinished.held >= 30_000
        if end:
            made.data_received(end)
        made.connection_lost(None)
        assert unfinished.held == 0


@contextmanager
def traced() -> Iterator[int]:
    """What is allocated within is traced; gives how much was before."""
    # What is made once for all is no connection's share.
    made, _, _ = socket()
    made.data_received(frame(BINARY, b"x"))
    made.connection_lost(None)
    gc.collect()
    tracemalloc.start()
    try:
        yield tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


SLACK = GREETING // 8 + 8_000
"""What a growing buffer sets aside beyond its content, and the few objects of a connection."""

HOSTILE = st.lists(
    st.tuples(
        st.sampled_from([BINARY, CONTINUATION, PING, PONG, CLOSE, TEXT, 3]),
        st.sampled_from([0, 1, 125, 126, 5_000, GREETING - 1, GREETING, GREETING + 1, 1 << 62]),
        st.booleans(),
        st.integers(1, 20),
    ),
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@example([(BINARY, GREETING - 1, True, 1)], 1_000, False)
@given(HOSTILE, st.sampled_from([1_000, PIECE, 256 << 10]), st.booleans())
def test_a_peer_that_is_not_let_in_cannot_make_the_relay_hold_more_than_a_greeting(
    frames: list[tuple[int, int, bool, int]], chunk: int, takes: bool
) -> None:
    loop = asyncio.new_event_loop()

    async def receive() -> None:
        data = b""
        for opcode, size, fin, times in frames:
            head = bytes((opcode | (0x80 if fin else 0), 0xFF)) + size.to_bytes(8, "big")
            data += (head + bytes(4) + bytes(min(size, GREETING + 1))) * (
                times if size < 5_000 else 2
            )
        pieces = [data[at : at + chunk] for at in range(0, len(data), chunk)]
        with traced() as before:
            made, transport, _ = socket(GREETING)
            made.attach(Deaf())
            made.writable = takes
            for piece in pieces:
                made.data_received(piece)
                transport.written = b""
                assert tracemalloc.get_traced_memory()[0] - before < GREETING + SLACK
            made.connection_lost(None)

    try:
        loop.run_until_complete(receive())
    finally:
        loop.close()


class Deaf(Heard):
    """Keeps nothing."""

    def received(self, frame: bytes) -> None:
        pass

    def too_large(self, size: int) -> None:
        pass


@pytest.mark.parametrize(
    "part",
    [
        frame(CONTINUATION, b"", fin=False),
        frame(CONTINUATION, b"x", fin=False),
        frame(PING, b""),
        frame(PONG, bytes(125)),
        frame(BINARY, b""),
    ],
    ids=["empty parts", "parts of a byte", "pings", "pongs", "empty messages"],
)
async def test_thousands_of_small_frames_are_not_much_at_any_moment(part: bytes) -> None:
    data = part * ((64 << 10) // len(part))
    begin = frame(BINARY, b"x", fin=False) if part[0] == CONTINUATION else b""
    with traced() as before:
        made, transport, _ = socket(GREETING)
        made.attach(Deaf())
        made.writable = False
        made.data_received(begin or frame(BINARY, b"x"))
        for _ in range(3):
            made.data_received(data)
        held, most = tracemalloc.get_traced_memory()
        made.connection_lost(None)
    assert held - before < GREETING + SLACK
    # The frames of one piece are objects for a moment.
    assert most - before < 8 * GREETING
    assert len(transport.written) < HIGH_WATER


async def test_a_connection_that_waits_holds_nothing_of_what_has_come() -> None:
    large = frame(BINARY, bytes(LATER // 16))
    with traced() as before:
        made, _, _ = socket(LATER)
        made.attach(Deaf())
        made.data_received(large)
        assert tracemalloc.get_traced_memory()[0] - before < 8_000
        made.data_received(large[:-1])
        assert tracemalloc.get_traced_memory()[0] - before < len(large) * 9 / 8 + 8_000
        made.connection_lost(None)


async def test_a_connection_that_is_gone_holds_nothing() -> None:
    """Without the garbage collector, which may be far off."""
    endings = {
        "in the middle": frame(BINARY, bytes(MOST))[:-1],
        "in a message": frame(BINARY, bytes(MOST), fin=False),
        "goodbye": frame(CLOSE, b"\x03\xe8"),
        "broken": b"\x82\x01x" + bytes(MOST),
        "too large": frame(BINARY, bytes(MOST + 1)),
        "text": frame(TEXT, b"x"),
    }
    gc.disable()
    try:
        for kind, data in endings.items():
            with traced() as before:
                made, _, _ = socket()
                made.data_received(frame(BINARY, b"greeting"))
                made.max_frame = MOST + 1
                made.max_frame = MOST
                made.data_received(data)
                made.connection_lost(None)
                del made, _
                held = tracemalloc.get_traced_memory()[0] - before
            assert held < 2_500, kind
    finally:
        gc.enable()


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


HEADERS = {
    "Host": "relay",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    # Nothing of what a client offers is taken.
    "Sec-WebSocket-Extensions": "permessage-deflate",
    "Sec-WebSocket-Protocol": "chat",
}


def request(line: str = "GET /sync/abc?x HTTP/1.1", **other: str) -> bytes:
    headers = HEADERS | {name.replace("_", "-"): value for name, value in other.items()}
    lines = [line, *(f"{name}: {value}" for name, value in headers.items() if value)]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def front() -> tuple[Front, Transport, list[tuple[WebSocket, str]]]:
    """What a connection is to begin with, and the websockets that it becomes."""
    opened: list[tuple[WebSocket, str]] = []

    def http() -> asyncio.Protocol:
        raise AssertionError("not for aiohttp")

    def take(socket: WebSocket, path: str) -> None:
        socket.attach(Heard())
        opened.append((socket, path))

    made, transport = (
        Front(http, take, forwarded_hops=1, max_frame=GREETING, unfinished=Unfinished(1 << 30)),
        Transport(),
    )
    made.connection_made(transport)
    return made, transport, opened


async def test_the_handshake_is_that_of_the_standard() -> None:
    data = request(X_Forwarded_For="198.51.100.7, 203.0.113.9") + frame(BINARY, b"first")
    for cut in range(len(data)):
        made, transport, opened = front()
        made.data_received(data[:cut])
        if transport.protocol is None:
            made.data_received(data[cut:])
        else:
            opened[0][0].data_received(data[cut:])
        ((socket, path),) = opened
        assert transport.protocol is socket
        assert (path, socket.address, socket.max_frame) == ("/sync/abc?x", "203.0.113.9", GREETING)
        assert socket._receiver.frames == [b"first"]
        answer = transport.written
        assert answer.startswith(b"HTTP/1.1 101 ")
        # The example of RFC 6455, section 1.3.
        assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
        assert b"Extensions" not in answer
        assert b"Sec-WebSocket-Protocol" not in answer
        socket.connection_lost(None)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request(Upgrade=""), 426),
        (request(Upgrade="h2c"), 426),
        (request(Connection="close"), 426),
        (request(Sec_WebSocket_Version="8"), 400),
        (request(Sec_WebSocket_Key=""), 400),
        (request(Sec_WebSocket_Key="eHg="), 400),
        (request(Content_Length="5"), 400),
        (request("GET /sync/abc HTTP/1.0"), 505),
        (request("GET /sync/abc"), 400),
        (request().replace(b": ", b" ", 1), 400),
        (request(X="y" * 9_000), 431),
        (request()[:-2] + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /sync/" + b"a" * (MAX_HEAD + 1), 431),
    ],
    ids=str,
)
async def test_a_request_that_is_none_is_refused(data: bytes, status: int) -> None:
    made, transport, opened = front()
    made.data_received(data)
    assert transport.written.startswith(b"HTTP/1.1 %d " % status)
    assert transport.closed
    assert not opened
    said = transport.written
    made.data_received(b"more" + frame(BINARY, b"x"))
    made.connection_lost(None)
    assert transport.written == said


async def test_a_request_that_never_ends_is_not_kept_beyond_its_limit() -> None:
    made, transport, _ = front()
    with traced() as before:
        made.data_received(b"GET /sync/a HTTP/1.1\r\n")
        while not transport.closed:
            made.data_received(b"X-Header: something\r\n")
            held = tracemalloc.get_traced_memory()[0] - before
            assert held < MAX_HEAD + 4_000
    made.connection_lost(None)


def test_only_ones_own_proxies_are_believed_about_addresses() -> None:
    peer, said = ("10.0.0.1", 1234), "1.1.1.1, 2.2.2.2,3.3.3.3"
    assert address_of(peer, said, 0) == "10.0.0.1"
    assert address_of(peer, said, 1) == "3.3.3.3"
    assert address_of(peer, said, 2) == "2.2.2.2"
    assert address_of(peer, said, 4) == "10.0.0.1"
    assert SYNC.startswith(b"GET /")
