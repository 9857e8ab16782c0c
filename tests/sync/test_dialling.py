"""Reaching the other side, and saying why it cannot be reached."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from aimem_tui.sync import dialling
from aimem_tui.sync.connection import CLOSE_S, Connection
from aimem_tui.sync.dialling import CannotDial, dial
from aimem_tui.sync.peer import tls
from aimem_tui.sync.probe import Welcome, probe
from crdt.session import events as ev
from crdt.wire.messages import CloseCode, Role
from tests.sync.wires import WORKSPACE, B, Side, disk, server


async def answer(request: web.Request) -> web.WebSocketResponse:
    """As a relay does that knows one token."""
    side = Side(disk(B))

    def decide(connection: Connection) -> None:
        (hello,) = side.of(ev.HelloReceived)
        assert isinstance(hello, ev.HelloReceived)
        if hello.credential == b"token":
            connection.session.admit(Role.READER, expires=7)
        else:
            connection.close(CloseCode.TRY_LATER, "Too many.", delay_ms=5_000)

    side.on_hello = decide
    websocket = web.WebSocketResponse(timeout=CLOSE_S)
    await websocket.prepare(request)
    side.connection = Connection(websocket, side.session(), side.take)
    await side.connection.run()
    return websocket


async def failed(url: str, fingerprint: str = "") -> CannotDial:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(CannotDial) as caught:
            await dial(http, url, fingerprint)
    return caught.value


async def test_a_probe_says_how_it_was_welcomed_or_how_it_ended():
    async with server(answer) as url:
        assert await probe(url, WORKSPACE, "token", agent="test") == Welcome(Role.READER, 7)
        gone = await probe(url, WORKSPACE, "", agent="test")
    assert isinstance(gone, ev.PeerGone)
    assert (gone.code, gone.delay_ms, gone.permanent) == (CloseCode.TRY_LATER, 5_000, False)


async def test_only_the_pinned_certificate_will_do(tmp_path: Path):
    mine = tls.device_certificate(tmp_path / "mine")
    other = tls.device_certificate(tmp_path / "other")
    async with server(answer, tls.server_context(mine)) as url:
        pinned = mine.fingerprint.hex()
        welcome = await probe(url, WORKSPACE, "token", agent="test", fingerprint=pinned)
        assert isinstance(welcome, Welcome)
        error = await failed(url, other.fingerprint.hex())
        assert "another certificate" in error.problem and error.permanent
        error = await failed(url)
        assert "cannot be trusted" in error.problem and error.permanent
        assert error.problem.endswith(".") and error.hint.endswith(".")
        error = await failed(url.replace("wss", "ws"))
        assert not error.problem.startswith("ws")


async def test_tls_is_not_spoken_where_there_is_none():
    async with server(answer) as url:
        error = await failed(url.replace("ws", "wss"))
    assert "does not speak TLS" in error.problem and "ws://" in error.hint


async def test_who_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(dialling, "DIAL_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = await failed(f"ws://127.0.0.1:{silent.getsockname()[1]}")
    assert "does not answer" in error.problem and not error.permanent


async def test_who_hangs_up_at_once_cannot_be_reached():
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as rude:
        error = await failed(f"ws://127.0.0.1:{rude.sockets[0].getsockname()[1]}")
    assert "cannot be reached" in error.problem and not error.permanent


@pytest.mark.parametrize(
    ("status", "permanent", "delay_ms", "said"),
    [
        (200, True, 0, "not as a relay does"),
        (404, True, 0, "HTTP 404"),
        (401, True, 0, "does not let you in"),
        (403, True, 0, "does not let you in"),
        (429, False, 7_000, "is busy"),
        (503, False, 7_000, "is busy"),
        (500, False, 0, "HTTP 500"),
    ],
)
async def test_an_answer_that_is_no_websocket_is_explained(status, permanent, delay_ms, said):
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "7"})

    async with server(refuse) as url:
        error = await failed(url)
    assert said in error.problem
    assert (error.permanent, error.delay_ms) == (permanent, delay_ms)


async def test_a_close_code_without_an_error_message_counts_as_one():
    async def close(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse(timeout=CLOSE_S)
        await websocket.prepare(request)
        await websocket.close(code=CloseCode.TRY_LATER.value, message=b"Full.")
        return websocket

    async with server(close) as url:
        gone = await probe(url, WORKSPACE, "token", agent="test")
    assert isinstance(gone, ev.PeerGone)
    assert (gone.code, gone.reason) == (CloseCode.TRY_LATER, "Full.")


async def test_text_is_no_frame():
    closed: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def talk(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse(timeout=CLOSE_S)
        await websocket.prepare(request)
        await websocket.send_str("hello")
        async for _ in websocket:
            pass
        closed.set_result(websocket.close_code)
        return websocket

    async with server(talk) as url:
        gone = await probe(url, WORKSPACE, "token", agent="test")
        assert await closed == CloseCode.BAD_FRAME.value
    assert isinstance(gone, ev.PeerGone) and gone.code is CloseCode.BAD_FRAME
