"""What a TCP connection is: the first bytes of its first request decide.

A request below ``/sync/`` becomes a :class:`~aimem_relay.websocket.WebSocket`; any other goes to
aiohttp, which serves everything else on the same port. aiohttp closes after each answer, so that a
proxy does not send a later request below ``/sync/`` over a connection that aiohttp has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from aimem_relay.websocket import Opened, Unfinished, WebSocket, release

SYNC = b"GET /sync/"
MAX_HEAD = 16 << 10
"""The largest head of a request, in bytes."""
HEAD_S = 10.0
"""How long it may take to come."""


class Front(asyncio.Protocol):
    """The protocol of a connection until it is known what it asks for.

    Args:
        http: makes the protocol that serves other requests.
        opened: takes over a websocket.
        forwarded_hops: how many proxies stand before the relay.
        max_frame: the largest message that a websocket takes to begin with, in bytes.
        unfinished: counts what all websockets hold of messages that have not ended.
    """

    __slots__ = (
        "_buffer",
        "_forwarded_hops",
        "_http",
        "_max_frame",
        "_opened",
        "_timer",
        "_transport",
        "_unfinished",
    )

    def __init__(
        self,
        http: Callable[[], asyncio.Protocol],
        opened: Opened,
        *,
        forwarded_hops: int,
        max_frame: int,
        unfinished: Unfinished,
    ) -> None:
        self._http = http
        self._opened = opened
        self._forwarded_hops = forwarded_hops
        self._max_frame = max_frame
        self._unfinished = unfinished
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._timer = asyncio.get_running_loop().call_later(HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone before it said what it wants."""
        self._let_go()

    def data_received(self, data: bytes) -> None:
        """A part of the first request has come."""
        transport = self._transport
        if transport is None:
            return
        self._buffer += data
        buffer = self._buffer
        if not buffer.startswith(SYNC[: len(buffer)]):
            protocol = self._http()
            self._let_go()
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
            protocol.data_received(buffer)
            return
        head, end, rest = buffer.partition(b"\r\n\r\n")
        if len(head) > MAX_HEAD:
            text = "The request is too long."
            self._refuse(_response("431 Request Header Fields Too Large", text))
        elif end:
            self._upgrade(transport, head + end, rest)

    def _upgrade(self, transport: asyncio.Transport, head: bytes, rest: bytes) -> None:
        layer = ServerProtocol(max_size=self._max_frame)
        layer.receive_data(head)
        requests = layer.events_received()
        request = requests[0] if requests else None
        if isinstance(request, Request):
            layer.send_response(layer.accept(request))
        answer = b"".join(layer.data_to_send())
        # One that was refused has its answer; what is no request has none.
        if not isinstance(request, Request) or layer.state is not State.OPEN:
            release(layer)
            self._refuse(answer or _response("400 Bad Request", "The request is not valid."))
            return
        forwarded = request.headers.get_all("X-Forwarded-For")
        address = address_of(
            transport.get_extra_info("peername"), ",".join(forwarded), self._forwarded_hops
        )
        self._let_go()
        socket = WebSocket(transport, address, layer, self._max_frame, self._unfinished)
        transport.set_protocol(socket)
        transport.write(answer)
        self._opened(socket, request.path)
        if rest:
            socket.data_received(rest)

    def _refuse(self, answer: bytes) -> None:
        """Answer, and close."""
        transport = self._transport
        self._let_go()
        if transport is not None:
            transport.write(answer)
            transport.close()

    def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._transport = None
        self._buffer = b""


def address_of(peer: object, forwarded: str, hops: int) -> str:
    """The address of a client, seen through so many proxies of one's own.

    Args:
        peer: what the socket says of the other end.
        forwarded: what ``X-Forwarded-For`` says.
    """
    direct = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    if not hops:
        return direct
    seen = [part.strip() for part in forwarded.split(",") if part.strip()]
    # Each proxy appends whom it saw; what stands before was written by the client itself.
    return seen[-hops] if len(seen) >= hops else direct


def _response(status: str, text: str) -> bytes:
    body = f"{text}\n".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
