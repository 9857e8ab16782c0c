"""A real relay and what is no websocket, or one that breaks the rules of websockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys
from random import Random

import pytest

from tests.fuzz.test_relay import Neighbourhood, check_content, town
from tests.session.pairs import WORKSPACE

__all__ = ["town"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")

_HEAD = (
    f"GET /sync/{WORKSPACE} HTTP/1.1\r\nHost: relay\r\nSec-WebSocket-Version: 13\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
)
UPGRADE = f"{_HEAD}Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n\r\n".encode()

REQUESTS = {
    "endless head": b"GET /sync/" + b"a" * 200_000,
    "endless header": _HEAD.encode() + b"X: " + b"a" * 200_000,
    "many headers": _HEAD.encode() + b"X: y\r\n" * 20_000,
    "no key": f"{_HEAD}\r\n".encode(),
    "short key": f"{_HEAD}Sec-WebSocket-Key: eHg=\r\n\r\n".encode(),
    "header without a colon": _HEAD.encode() + b"nonsense\r\n\r\n",
    "another version": UPGRADE.replace(b": 13", b": 8"),
    "an old protocol": UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "no request": b"GET /sync/ \r\n\r\n",
    "another method": UPGRADE.replace(b"GET /", b"PUT /"),
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + bytes(200),
    "bytes": bytes(range(256)) * 40,
    "a path of nothing": UPGRADE.replace(WORKSPACE.encode(), b"../../etc"),
    "another path": b"GET /metrics/../../x HTTP/1.1\r\nHost: relay\r\n\r\n",
}
ENDLESS_REQUESTS = {
    "a body that never ends": b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n",
    "a head that never ends": b"GET /sync/a HTTP/1.1\r\n",
}


def frame(
    first: int, payload: bytes = b"", *, size: int | None = None, masked: bool = True
) -> bytes:
    """A frame of a websocket client (RFC 6455, section 5.2), its mask all zeros."""
    size = len(payload) if size is None else size
    mark = 0x80 if masked else 0
    if size < 126:
        head = bytes((first, mark | size))
    elif size < 1 << 16:
        head = bytes((first, mark | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, mark | 127)) + size.to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload


FRAMES = {
    "not masked": frame(0x82, b"hello", masked=False),
    "reserved bits": frame(0xF2, b"hello"),
    "an opcode that is none": frame(0x83, b"hello"),
    "a text": frame(0x81, b"hello"),
    "a long ping": frame(0x89, bytes(126)),
    "a ping in parts": frame(0x09, b"x"),
    "a rest of nothing": frame(0x80, b"x"),
    "a message within a message": frame(0x02, b"x") + frame(0x82, b"y"),
    "the largest size": frame(0x82, size=(1 << 63) - 1),
    "a size of four gigabytes": frame(0x82, size=1 << 32) + bytes(100_000),
    "too large in parts": frame(0x02, bytes(40_000)) + frame(0x00, bytes(40_000)),
    "thousands of parts": frame(0x02, b"x") + frame(0x00, b"x") * 70_000,
    "no message of the protocol": frame(0x82, bytes(100)),
    "an empty message": frame(0x82),
    "a flood of pings": frame(0x89, bytes(125)) * 20_000 + frame(0x82, b"x"),
}
ENDLESS_FRAMES = {
    "a message of which a part comes": frame(0x82, b"x", size=60_000),
    "a message without its last part": frame(0x02, b"x"),
    "half a head": b"\x82",
    "pings and nothing else": frame(0x89, b"x") * 1_000,
}


async def provoke(port: int, said: bytes) -> bytes:
    """Say something over a bare connection; returns all that was answered, once it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def speak() -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(said)
            await writer.drain()

    speaking = asyncio.create_task(speak())
    heard = b""
    try:
        async with asyncio.timeout(30):
            with contextlib.suppress(ConnectionError):
                while part := await reader.read(65_536):
                    heard += part
    finally:
        speaking.cancel()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return heard


async def provoke_all(port: int, all_said: dict[str, bytes]) -> dict[str, bytes]:
    heard = await asyncio.gather(*(provoke(port, said) for said in all_said.values()))
    return dict(zip(all_said, heard, strict=True))


def check_refused(kind: str, heard: bytes) -> None:
    """A request was answered by an error, or not at all."""
    assert not heard or heard.startswith(b"HTTP/1."), f"{kind}: {heard[:200]!r}"
    # 505: another version of HTTP.
    refusals = (*range(400, 500), 505)
    assert not heard or int(heard.split()[1]) in refusals, f"{kind}: {heard[:200]!r}"


def check_closed(kind: str, heard: bytes) -> None:
    """A websocket was closed with a code that says why, and nothing came after that."""
    answer, _, frames = heard.partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101"), kind
    first, payload = 0, b""
    while frames and first != 0x88:
        first, size, head = frames[0], frames[1], 2
        if size >= 126:
            head = 4 if size == 126 else 10
            size = int.from_bytes(frames[2:head], "big")
        payload, frames = frames[head : head + size], frames[head + size :]
    code = int.from_bytes(payload[:2], "big")
    assert first == 0x88 and not frames, f"{kind}: {first:x} {frames[:40]!r}"
    assert code in (1002, 1003, 1009) or code >= 4400, f"{kind}: {code}"


async def test_what_is_no_websocket_is_refused(town: Neighbourhood) -> None:
    for kind, heard in (await provoke_all(town.relay.port, REQUESTS)).items():
        if kind == "a path of nothing":
            check_closed(kind, heard)
        else:
            check_refused(kind, heard)
    await check_content(town)
    town.check_relay()


async def test_a_broken_websocket_is_closed_with_a_code(town: Neighbourhood) -> None:
    said = {kind: UPGRADE + frames for kind, frames in FRAMES.items()}
    for kind, heard in (await provoke_all(town.relay.port, said)).items():
        check_closed(kind, heard)
    await check_content(town)
    town.check_relay()


@pytest.mark.heavy
async def test_what_never_comes_whole_is_not_waited_for_for_ever(town: Neighbourhood) -> None:
    rng = Random(5)
    said = {kind: UPGRADE + frames for kind, frames in ENDLESS_FRAMES.items()}
    for n in range(40):
        said[f"noise {n}"] = UPGRADE + rng.randbytes(rng.choice((1, 2, 20, 3_000)))
    requests, frames = await asyncio.gather(
        provoke_all(town.relay.port, ENDLESS_REQUESTS), provoke_all(town.relay.port, said)
    )
    for kind, heard in requests.items():
        check_refused(kind, heard)
    for kind, heard in frames.items():
        check_closed(kind, heard)
    await check_content(town)
    town.check_relay()


async def test_connections_that_say_nothing_keep_nobody_out(town: Neighbourhood) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", town.relay.port) for _ in range(100)]
    for n, (_, writer) in enumerate(silent):
        writer.write((b"", b"G", UPGRADE, UPGRADE + frame(0x82, b"\x9a\x01", size=60_000))[n % 4])
        await writer.drain()
    await town.check_neighbour()
    await check_content(town)
    for _, writer in silent:
        writer.close()
    town.check_relay()
