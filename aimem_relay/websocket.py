"""The server's side of a websocket, on a transport of asyncio.

- What the bytes mean is the business of ``websockets``: its layer without input and output
  (https://websockets.readthedocs.io/en/stable/howto/sansio.html), used as documented there. Here is
  what that leaves open: the transport, flow control, messages out of frames, and the end.
- Only what the protocol needs: binary messages, whole or in fragments; no extensions, so nothing
  has to be unpacked before its size is known. A text message is refused (1003).
- A frame's length is checked before anything of it is kept; what has come of a message is all that
  is kept. The layer is given bytes in small pieces, so that many small frames are few at a time.
- A layer's limit is set when it is made. Another limit is another layer, put in the place of the
  first where a frame has ended and none has begun.
- Nearly all frames are a whole binary message, and there is nothing to decide about those: they do
  not go through the layer, in either direction, which saves half of what a frame costs. Any other
  frame, and what is not all there, is the layer's.
- What has come of frames that have not ended is counted for all websockets together. While that is
  too much, the one with the most of it is closed, and its part let go of.
- Pongs are left out while the peer takes nothing, so that they cannot pile up.

Why a library, and why this part of it: ``docs/decisions/0006-websockets.md``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from aimem_relay.channel import Receiver

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

HIGH_WATER = 64 << 10
"""So many bytes may wait for a socket before it counts as not writable."""
CLOSE_S = 2.0
"""How long a peer has to answer a goodbye."""
PIECE = 4 << 10
"""So many bytes are given to the layer at a time."""

_WHOLE_BINARY = 0x82
"""The first byte of a binary message in one frame (RFC 6455, section 5.2)."""
_MASKED = 0x80
"""The bit of the second one that says that the frame is masked."""
_TWO_BYTES, _EIGHT_BYTES = 126, 127
"""In the place of a length: it follows, in so many bytes."""


class Unfinished:
    """What some websockets hold together of messages that have not ended.

    Args:
        most: so many bytes at a time; with more, those that hold the most have to go.
    """

    def __init__(self, most: int) -> None:
        self.held = 0
        """Bytes, at most 4 KiB too many for each that is counted."""
        self._most = most
        self._parts: dict[WebSocket, int] = {}

    def note(self, socket: WebSocket, size: int) -> None:
        """A websocket holds so many bytes now."""
        self.held += size - self._parts.pop(socket, 0)
        if size:
            self._parts[socket] = size
        while self.held > self._most:
            largest = max(self._parts, key=self._parts.__getitem__)
            self.note(largest, 0)
            largest.crowd_out()


class WebSocket(asyncio.Protocol):
    """A :class:`aimem_relay.channel.Channel` over one TCP connection.

    Args:
        transport: of the connection whose upgrade was accepted.
        address: where the peer is.
        layer: what accepted it, made with ``max_frame`` as its limit.
        max_frame: the largest message to begin with, in bytes. Another value holds from the next
            frame on that begins with bytes of its own, as it does when the peer has waited.
        unfinished: counts what this holds of messages that have not ended.
    """

    __slots__ = (
        "_begun",
        "_between",
        "_ending",
        "_fragments",
        "_layer",
        "_limit",
        "_open",
        "_receiver",
        "_transport",
        "_unfinished",
        "address",
        "max_frame",
        "writable",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        address: str,
        layer: ServerProtocol,
        max_frame: int,
        unfinished: Unfinished,
    ) -> None:
        self.address = address
        self.max_frame = max_frame
        self.writable = True
        self._transport = transport
        self._layer = layer
        self._limit = max_frame
        self._open = True
        self._between = True
        self._begun = 0
        self._unfinished = unfinished
        self._receiver: Receiver | None = None
        self._fragments: bytearray | None = None
        self._ending: asyncio.TimerHandle | None = None
        transport.set_write_buffer_limits(HIGH_WATER)

    def attach(self, receiver: Receiver) -> None:
        """Say who is told what comes."""
        self._receiver = receiver

    # Channel

    def send(self, frames: Sequence[bytes]) -> None:
        """See :meth:`aimem_relay.channel.Channel.send`."""
        if self._open:
            self._transport.write(b"".join([part for one in frames for part in (_head(one), one)]))

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
        if self._open:
            self._layer.send_close(code)
            self._end(self._layer.data_to_send())

    def abort(self) -> None:
        """See :meth:`aimem_relay.channel.Channel.abort`."""
        self._transport.abort()

    # asyncio.Protocol

    def connection_lost(self, exc: Exception | None) -> None:
        """The TCP connection is gone."""
        if self._ending is not None:
            self._ending.cancel()
        self._open = False
        self._fragments = None
        self._replace(_CLOSED)
        self._unfinished.note(self, 0)
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
        if self._open and self._between and self.max_frame != self._limit:
            self._limit = self.max_frame
            self._replace(_open_layer(self._limit))
        start, last = self._take_whole(data) if self._between else 0, len(data) - 1
        if start > last:
            return
        for at in range(start, last, PIECE):
            self._read(data[at : min(at + PIECE, last)])
        # By itself, since if it ends a frame, none has begun.
        self._between = self._read(data[last:]) and self._fragments is None
        held = 0 if self._between else self._begun + len(self._fragments or b"")
        self._unfinished.note(self, held)

    def _take_whole(self, data: bytes) -> int:
        """Take the frames at the start of ``data`` that are a whole binary message.

        Returns:
            Up to where; what follows is for the layer.
        """
        at, size = 0, len(data)
        while self._open and size - at >= 6 and data[at] == _WHOLE_BINARY:
            start, length = at + 6, data[at + 1] ^ _MASKED
            if length == _TWO_BYTES:
                start, length = at + 8, int.from_bytes(data[at + 2 : at + 4], "big")
                if length < _TWO_BYTES:
                    break
            elif length > _TWO_BYTES:
                break
            if length > min(size - start, self._limit):
                break
            at = start + length
            self._message(apply_mask(data[start:at], data[start - 4 : start]))
        return at

    def _read(self, piece: bytes) -> bool:
        """Take out the frames that a piece ends; returns whether there are any."""
        layer = self._layer
        if layer is _CLOSED:
            return False
        layer.receive_data(piece)
        frames = layer.events_received()
        # Where one has ended, another may have begun anywhere behind it.
        self._begun = len(piece) if frames else self._begun + len(piece)
        answers = layer.data_to_send()
        ended = SEND_EOF in answers
        if ended:
            self._open = False
        elif answers and self._open and self.writable:
            # Pongs, of which some may be left out (RFC 6455, section 5.5.3).
            self._transport.writelines(answers)
        for frame in frames:
            if isinstance(frame, Frame):
                if self._ending is None:
                    self._take(frame)
                # The layer holds the last frame until another has come.
                frame.data = b""
        if ended:
            self._goodbye(answers)
        return bool(frames)

    def _take(self, frame: Frame) -> None:
        """Take in a frame. The layer has seen to it that fragments come in order."""
        if frame.opcode is Opcode.TEXT:
            self._fail(CloseCode.UNSUPPORTED_DATA)
        elif frame.opcode is Opcode.BINARY and frame.fin:
            self._message(bytes(frame.data))
        elif frame.opcode is Opcode.BINARY:
            self._fragments = bytearray(frame.data)
        elif frame.opcode is Opcode.CONT and self._fragments is not None:
            self._fragments += frame.data
            if frame.fin:
                message, self._fragments = bytes(self._fragments), None
                self._message(message)

    def _message(self, message: bytes) -> None:
        if self._receiver is not None:
            self._receiver.received(message)

    # The end

    def crowd_out(self) -> None:
        """Make room: end, and let go of what has come of a message."""
        if self._receiver is not None:
            self._receiver.crowded_out()
        self._fail(CloseCode.TRY_AGAIN_LATER)

    def _goodbye(self, answers: list[bytes]) -> None:
        """The peer has said goodbye, or has broken a rule: the layer reads no more."""
        self._layer.receive_eof()
        cause = self._layer.close_exc.__cause__
        if not isinstance(cause, PayloadTooBig) or self._ending is not None:
            self._end(answers)
            return
        # The receiver has something to say first, on a layer that has not said goodbye.
        self._replace(_open_layer(self._limit))
        self._open = True
        if self._receiver is not None:
            self._receiver.too_large((cause.size or 0) + (cause.current_size or 0))
        self._fail(CloseCode.MESSAGE_TOO_BIG)

    def _fail(self, code: CloseCode) -> None:
        """End, for the peer has broken a rule; why is said unless a goodbye has been said."""
        self._layer.fail(code)
        self._end(self._layer.data_to_send())

    def _end(self, answers: list[bytes]) -> None:
        """Write the last there is, and wait for the peer's end, yet not for ever.

        What still comes is read and thrown away: closing at once would reset the connection, and
        the peer might never see why.
        """
        transport = self._transport
        self._open = False
        self._fragments = None
        if self._ending is None:
            self._ending = asyncio.get_running_loop().call_later(CLOSE_S, transport.abort)
        for part in answers:
            if part != SEND_EOF:
                transport.write(part)
                continue
            self._replace(_CLOSED)
            if not transport.can_write_eof():
                transport.close()
                continue
            try:
                transport.write_eof()
            except (OSError, RuntimeError):
                # The peer, or the transport, was faster.
                transport.abort()
        self.resume_reading()

    def _replace(self, layer: ServerProtocol) -> None:
        """Put another layer in the place of this one."""
        self._begun = 0
        old, self._layer = self._layer, layer
        if old is not _CLOSED:
            release(old)


def _head(message: bytes) -> bytes:
    """What stands before a binary message in one frame, as a server sends it."""
    length = len(message)
    if length < _TWO_BYTES:
        return bytes((_WHOLE_BINARY, length))
    if length < 1 << 16:
        return bytes((_WHOLE_BINARY, _TWO_BYTES)) + length.to_bytes(2, "big")
    return bytes((_WHOLE_BINARY, _EIGHT_BYTES)) + length.to_bytes(8, "big")


def release(layer: ServerProtocol) -> None:
    """Free the memory of a layer that is not used any more.

    It and its parser hold each other, and the garbage collector seldom looks at all there is.
    """
    vars(layer).clear()


def _open_layer(limit: int) -> ServerProtocol:
    """What reads and writes the frames of a websocket that was accepted."""
    return ServerProtocol(state=State.OPEN, max_size=limit)


_CLOSED = ServerProtocol(state=State.CLOSED)
"""In the place of a layer that has ended; never used."""

Opened = Callable[[WebSocket, str], None]
"""Is told of a websocket that was accepted, and of the path that was asked for."""
