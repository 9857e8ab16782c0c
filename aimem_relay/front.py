"""What a TCP connection is: the first bytes of its first request decide.

A request below ``/sync/`` becomes a :class:`~aimem_relay.websocket.WebSocket`; any other goes to
aiohttp, which serves everything else on the same port. aiohttp closes after each answer, so that a
proxy does not send a later request below ``/sync/`` over a connection that aiohttp has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from aimem_relay.websocket import BadHandshake, Opened, WebSocket, accept

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
    """

    __slots__ = (
        "_buffer",
        "_forwarded_hops",
        "_http",
        "_max_frame",
        "_opened",
        "_timer",
        "_transport",
    )

    def __init__(
        self,
        http: Callable[[], asyncio.Protocol],
        opened: Opened,
        *,
        forwarded_hops: int,
        max_frame: int,
    ) -> None:
        self._http = http
        self._opened = opened
        self._forwarded_hops = forwarded_hops
        self._max_frame = max_frame
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
        self._buffer += data
        buffer, transport = self._buffer, self._transport
        if transport is None:
            return
        if not buffer.startswith(SYNC[: len(buffer)]):
            protocol = self._http()
            self._let_go()
            transport.set_protocol(protocol)
            protocol.connection_made(transport)
            protocol.data_received(buffer)
            return
        head, end, rest = buffer.partition(b"\r\n\r\n")
        if len(head) > MAX_HEAD:
            self._answer("431 Request Header Fields Too Large", "The request is too long.")
        elif end:
            self._upgrade(transport, head, rest)

    def _upgrade(self, transport: asyncio.Transport, head: bytes, rest: bytes) -> None:
        try:
            request, *lines = head.decode("latin-1").split("\r\n")
            method, path, version = request.split(" ")
            if version != "HTTP/1.1":
                raise BadHandshake("HTTP/1.1 is spoken here.")
            headers: dict[str, str] = {}
            for line in lines:
                name, colon, value = line.partition(":")
                name = name.lower()
                if not colon or not name or name != name.strip():
                    raise BadHandshake("The request is not valid.")
                value = value.strip()
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            answer = accept(method, headers)
        except BadHandshake as error:
            self._answer("426 Upgrade Required", str(error))
            return
        except ValueError:
            self._answer("400 Bad Request", "The request is not valid.")
            return
        address = address_of(transport.get_extra_info("peername"), headers, self._forwarded_hops)
        self._let_go()
        socket = WebSocket(transport, address, self._max_frame)
        transport.set_protocol(socket)
        transport.write(answer)
        self._opened(socket, path)
        if rest:
            socket.data_received(rest)

    def _answer(self, status: str, text: str) -> None:
        """Refuse, and close."""
        transport = self._transport
        self._let_go()
        if transport is None:
            return
        body = f"{text}\n".encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n"
        )
        transport.write(head.encode() + body)
        transport.close()

    def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._transport = None
        self._buffer = b""


def address_of(peer: object, headers: dict[str, str], hops: int) -> str:
    """The address of a client, seen through so many proxies of one's own.

    Args:
        peer: what the socket says of the other end.
    """
    direct = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    if not hops:
        return direct
    seen = [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    # Each proxy appends whom it saw; what stands before was written by the client itself.
    return seen[-hops] if len(seen) >= hops else direct
