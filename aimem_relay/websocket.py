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

HIGH_WATER = 64 << 10
"""So many bytes may wait for a socket before it counts as not writable."""
CLOSE_S = 2.0
"""How long a peer has to answer a goodbye."""
PIECE = 4 << 10
"""So many bytes are given to the layer at a time."""


class WebSocket(asyncio.Protocol):
    """A :class:`aimem_relay.channel.Channel` over one TCP connection.

    Args:
        transport: of the connection whose upgrade was accepted.
        address: where the peer is.
        layer: what accepted it, made with ``max_frame`` as its limit.
        max_frame: the largest message to begin with, in bytes. Another value holds from the next
            frame on that begins with bytes of its own, as it does when the peer has waited.
    """

    __slots__ = (
        "_between",
        "_ending",
        "_fragments",
        "_layer",
        "_limit",
        "_open",
        "_receiver",
        "_transport",
        "address",
        "max_frame",
        "writable",
    )

    def __init__(
        self, transport: asyncio.Transport, address: str, layer: ServerProtocol, max_frame: int
    ) -> None:
        self.address = address
        self.max_frame = max_frame
        self.writable = True
        self._transport = transport
        self._layer = layer
        self._limit = max_frame
        self._open = True
        self._between = True
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
            layer = self._layer
            for frame in frames:
                layer.send_binary(frame)
            self._transport.writelines(layer.data_to_send())

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
        last = len(data) - 1
        for at in range(0, last, PIECE):
            self._read(data[at : min(at + PIECE, last)])
        # By itself, since if it ends a frame, none has begun.
        self._between = self._read(data[last:]) and self._fragments is None

    def _read(self, piece: bytes) -> bool:
        """Take out the frames that a piece ends; returns whether there are any."""
        layer = self._layer
        if layer is _CLOSED:
            return False
        layer.receive_data(piece)
        frames = layer.events_received()
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
        old, self._layer = self._layer, layer
        if old is not _CLOSED:
            release(old)


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
