"""The server's side of a websocket (RFC 6455), on a transport of asyncio.

- Only what the protocol needs: binary messages, whole or in fragments; no extensions, so nothing
  has to be unpacked before its size is known. A text message is refused (1003).
- A frame's length is checked before anything of it is kept; what has come of a frame is all that is
  kept. Between frames a socket holds no buffer.
- Whatever a client must not do ends the connection with 1002.
- Pings are answered unless the peer takes nothing just now, so that they cannot pile up.

Why not aiohttp's own: ``docs/decisions/0006-websockets.md``.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1
from typing import cast

from aimem_relay.channel import Receiver

HIGH_WATER = 64 << 10
"""So many bytes may wait for a socket before it counts as not writable."""
CLOSE_S = 2.0
"""How long a peer has to answer a goodbye."""
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FIN, _RESERVED, _OPCODE, _CONTROL, _MASKED = 0x80, 0x70, 0x0F, 0x08, 0x80

PROTOCOL_ERROR = 1002
NOT_BINARY = 1003
TOO_BIG = 1009


class BadHandshake(Exception):
    """A request does not ask for a websocket as it should; the message says why."""


def accept(method: str, headers: Mapping[str, str]) -> bytes:
    """The answer to a request for a websocket (RFC 6455, section 4.2).

    Args:
        headers: by their names in lower case.

    Raises:
        BadHandshake: if it is none.
    """
    upgrade = [part.strip().lower() for part in headers.get("upgrade", "").split(",")]
    connection = [part.strip().lower() for part in headers.get("connection", "").split(",")]
    if method != "GET" or "websocket" not in upgrade or "upgrade" not in connection:
        raise BadHandshake("A websocket is spoken here.")
    if headers.get("sec-websocket-version") != "13":
        raise BadHandshake("Version 13 of the websocket protocol is spoken here.")
    key = headers.get("sec-websocket-key", "")
    try:
        if len(b64decode(key, validate=True)) != 16:
            raise BadHandshake("The key is no key.")
    except (Base64Error, ValueError):
        raise BadHandshake("The key is no key.") from None
    digest = b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
    )


class WebSocket(asyncio.Protocol):
    """A :class:`aimem_relay.channel.Channel` over one TCP connection.

    Args:
        transport: of the connection whose upgrade was accepted.
        address: where the peer is.
        max_frame: the largest message to begin with, in bytes.
    """

    __slots__ = (
        "_buffer",
        "_closing",
        "_ended",
        "_fragments",
        "_receiver",
        "_transport",
        "address",
        "max_frame",
        "writable",
    )

    def __init__(self, transport: asyncio.Transport, address: str, max_frame: int) -> None:
        self.address = address
        self.max_frame = max_frame
        self.writable = True
        self._transport = transport
        self._receiver: Receiver | None = None
        self._buffer: bytes | bytearray = b""
        self._fragments: bytearray | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._ended = False
        transport.set_write_buffer_limits(HIGH_WATER)

    def attach(self, receiver: Receiver) -> None:
        """Say who is told what comes."""
        self._receiver = receiver

    # Channel

    def send(self, frames: Sequence[bytes]) -> None:
        """See :meth:`aimem_relay.channel.Channel.send`."""
        if self._closing is not None or self._ended:
            return
        parts: list[bytes] = []
        for frame in frames:
            parts.append(_head(_BINARY, len(frame)))
            parts.append(frame)
        self._transport.write(b"".join(parts))

    def pause_reading(self) -> None:
        """See :meth:`aimem_relay.channel.Channel.pause_reading`."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See :meth:`aimem_relay.channel.Channel.resume_reading`."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self, code: int) -> None:
        """See :meth:`aimem_relay.channel.Channel.close`."""
        if self._closing is not None or self._ended:
            return
        self._transport.write(_head(_CLOSE, 2) + code.to_bytes(2, "big"))
        loop = asyncio.get_running_loop()
        self._closing = loop.call_later(CLOSE_S, self._transport.abort)
        # The answer to the goodbye must be heard.
        self.resume_reading()

    def abort(self) -> None:
        """See :meth:`aimem_relay.channel.Channel.abort`."""
        self._transport.abort()

    # asyncio.Protocol

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone."""
        self._ended = True
        if self._closing is not None:
            self._closing.cancel()
        self._buffer, self._fragments = b"", None
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost()

    def pause_writing(self) -> None:
        """More waits for the socket than should."""
        self.writable = False
        if self._receiver is not None:
            self._receiver.writable_changed()

    def resume_writing(self) -> None:
        """The socket has taken what waited."""
        self.writable = True
        if self._receiver is not None:
            self._receiver.writable_changed()

    def eof_received(self) -> bool:
        """The peer sends no more; without a goodbye nothing can be made of that."""
        return False

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if not self._ended:
            self._read(data)

    def _read(self, data: bytes) -> None:
        """Take the whole frames out of what has come."""
        buffer = self._buffer
        if buffer:
            # Only a frame that has not come whole yet lies here.
            if not isinstance(buffer, bytearray):
                buffer = bytearray(buffer)
            buffer += data
        else:
            buffer = data
        at, end = 0, len(buffer)
        while end - at >= 2:
            first, second = buffer[at], buffer[at + 1]
            size, head = second & 0x7F, 6
            if size >= 126:
                head = 8 if size == 126 else 14
                if end - at < head:
                    break
                size = int.from_bytes(buffer[at + 2 : at + head - 4], "big")
            if not self._may_come(first, second, size):
                return
            if end - at < head + size:
                break
            start = at + head
            payload = _unmasked(buffer[start : start + size], buffer[start - 4 : start])
            at = start + size
            if not self._frame(first, payload):
                return
        if at:
            # A copy, so that the whole is let go.
            self._buffer = buffer[at:]
        else:
            self._buffer = buffer
        if not self._buffer:
            self._buffer = b""

    def _may_come(self, first: int, second: int, size: int) -> bool:
        """Whether a frame may begin so; otherwise the connection is being ended."""
        opcode = first & _OPCODE
        control = bool(opcode & _CONTROL)
        known = opcode in (_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG)
        wrong = first & _RESERVED or not known or not second & _MASKED
        wrong = wrong or (control and (size > 125 or not first & _FIN))
        wrong = wrong or (
            not control and (opcode == _CONTINUATION) != (self._fragments is not None)
        )
        if wrong:
            return self._refuse(PROTOCOL_ERROR)
        if opcode == _TEXT:
            return self._refuse(NOT_BINARY)
        whole = size + (len(self._fragments) if self._fragments and not control else 0)
        if whole > self.max_frame:
            if self._closing is None and self._receiver is not None:
                self._receiver.too_large(whole)
            return self._refuse(TOO_BIG)
        return True

    def _refuse(self, code: int) -> bool:
        """End the connection; what still comes is read and thrown away.

        Closing at once would reset the connection, and the peer might never see why.
        """
        self.close(code)
        self._ended = True
        self._buffer, self._fragments = b"", None
        return False

    def _frame(self, first: int, payload: bytes) -> bool:
        """Take in a whole frame; returns whether others may follow it."""
        opcode = first & _OPCODE
        if opcode == _BINARY and first & _FIN:
            self._message(payload)
        elif opcode == _BINARY:
            self._fragments = bytearray(payload)
        elif opcode == _CONTINUATION:
            fragments = cast("bytearray", self._fragments)
            fragments += payload
            if first & _FIN:
                self._fragments = None
                self._message(bytes(fragments))
        elif opcode == _PING:
            if self.writable and self._closing is None:
                self._transport.write(_head(_PONG, len(payload)) + payload)
        elif opcode == _CLOSE:
            if self._closing is None:
                self._transport.write(_head(_CLOSE, len(payload[:2])) + payload[:2])
            self._ended = True
            self._buffer = b""
            self._transport.close()
        return not self._ended

    def _message(self, payload: bytes) -> None:
        if self._receiver is not None and self._closing is None:
            self._receiver.received(payload)


def _head(opcode: int, size: int) -> bytes:
    """The head of a whole message that is not masked."""
    if size < 126:
        return bytes((_FIN | opcode, size))
    if size < 1 << 16:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2, "big")
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big")


def _unmasked(data: bytes | bytearray, mask: bytes | bytearray) -> bytes:
    """A payload without its mask: each byte xor the mask's at its place, as one large number."""
    size = len(data)
    if not any(mask):
        return bytes(data)
    key = bytes(mask) * (size // 4 + 1)
    return (int.from_bytes(data, "little") ^ int.from_bytes(key[:size], "little")).to_bytes(
        size, "little"
    )


Opened = Callable[[WebSocket, str], None]
"""Is told of a websocket that was accepted, and of the path that was asked for."""
