"""One websocket and the session that speaks over it, on the side that dials or that answers.

- All of it runs in one event loop. What the session reports goes to ``on_event`` at once and in
  order; whoever changes the session from outside calls :meth:`Connection.wake` afterwards.
- Sending is pull-based: a frame is built only when the websocket has taken the ones before it, so
  a slow peer costs no memory.
- Receiving stops while too much waits to be stored. A peer that keeps the protocol never comes to
  that bound, as it has no more than the session's window under way.
- The last frame of a session is an error that says why it ends; the websocket is closed with the
  same code once that frame is out, or after ``LINGER_S``.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from aiohttp import ClientError, WSMsgType

from crdt.session import Session, State
from crdt.session import events as ev
from crdt.wire.messages import PERMANENT, CloseCode

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse
    from aiohttp.web import WebSocketResponse

Socket: TypeAlias = "ClientWebSocketResponse[bool] | WebSocketResponse[bool]"
"""Either side's."""

BURST_BYTES = 64 << 10
"""About how much is pulled from the session at a time."""
MOST_WAITING_BYTES = 24 << 20
MOST_WAITING_FRAMES = 256
"""With so much received and not yet stored nothing more is read from the socket."""
LINGER_S = 2.0
"""How long the last words may take."""
CLOSE_S = 2.0
"""How long to wait for the other side's part of closing; for whoever opens the websocket, too."""
_TICK_S = 1.0
_SHORTEST_WAIT_S = 0.001

_BROKEN = (ClientError, ConnectionError, TimeoutError)


def monotonic_ms() -> int:
    """Milliseconds of a clock that never goes back."""
    return time.monotonic_ns() // 1_000_000


@dataclass(slots=True)
class Traffic:
    """What went over a connection: frames and their bytes, without the websocket's own."""

    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


class Connection:
    """A session on a websocket.

    Args:
        socket: open; the connection closes it.
        session: fresh. The dialling side has called ``connect`` on it; the answering side calls
            ``admit`` or :meth:`close` when :class:`~crdt.session.events.HelloReceived` comes.
        on_event: takes each event in the event loop; it must not block.
        clock: as :func:`monotonic_ms`; the session was given the same.
    """

    def __init__(
        self,
        socket: Socket,
        session: Session,
        on_event: Callable[[ev.Event], None],
        *,
        clock: Callable[[], int] = monotonic_ms,
    ) -> None:
        self.session = session
        self.traffic = Traffic()
        self.failure: Exception | None = None
        """What went wrong on this side, where it was neither the peer nor the network."""
        self._socket = socket
        self._on_event = on_event
        self._clock = clock
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._over = asyncio.Event()
        self._waiting: deque[tuple[int, int]] = deque()
        self._waiting_bytes = 0
        self._gone: ev.PeerGone | None = None

    @property
    def is_open(self) -> bool:
        """Whether the greeting is over and the session is not."""
        return self.session.state is State.OPEN

    @property
    def waiting_bytes(self) -> int:
        """How much was received and is not stored yet, in bytes of frames."""
        return self._waiting_bytes

    def wake(self) -> None:
        """Send what there is to send: the session was told something."""
        self._wake.set()

    def stored(self, mark: int) -> None:
        """What was reported up to ``mark`` is on disk: acknowledge it, and go on reading."""
        while self._waiting and self._waiting[0][0] <= mark:
            self._waiting_bytes -= self._waiting.popleft()[1]
        self._room.set()
        self.session.stored(mark)
        self.wake()

    def fork(self, replica: str, seq: int) -> None:
        """The store holds another entry under this name than the peer sent: end the session."""
        self._report(self.session.fork(replica, seq))

    def close(self, code: CloseCode, reason: str = "", *, delay_ms: int = 0) -> None:
        """End the session with an error that says why."""
        self._report(self.session.close(code, reason, delay_ms=delay_ms))

    async def run(self) -> ev.PeerGone:
        """Carry frames until the session is over.

        Returns: how it ended; the same event has been reported.
        """
        reader = asyncio.create_task(self._guard(self._read()))
        others = [asyncio.create_task(self._guard(part())) for part in (self._write, self._tick)]
        try:
            await self._over.wait()
            await asyncio.wait(others[:1], timeout=LINGER_S)
        finally:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            self._report(self.session.lost())
            # The reader goes on until then: a socket closed over unread frames takes the last
            # words with it.
            await self._hang_up()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        assert self._gone is not None
        return self._gone

    # The three tasks

    async def _read(self) -> None:
        while True:
            await self._wait_for_room()
            try:
                message = await self._socket.receive()
            except _BROKEN:
                self._report(self.session.lost())
                return
            if message.type is WSMsgType.BINARY:
                self._take(message.data)
            elif message.type is WSMsgType.TEXT:
                self.close(CloseCode.BAD_FRAME, "A frame is a binary message.")
            elif message.type in (WSMsgType.CLOSE, WSMsgType.ERROR):
                self._lost(self._socket.close_code, str(message.extra or ""))
                return
            else:
                self._report(self.session.lost())
                return

    def _take(self, frame: bytes) -> None:
        self.traffic.frames_received += 1
        self.traffic.bytes_received += len(frame)
        events = self.session.receive(frame, self._clock())
        for event in events:
            if isinstance(event, (ev.EntriesReceived, ev.CheckpointsReceived, ev.CaughtUp)):
                self._waiting.append((event.mark, len(frame)))
                self._waiting_bytes += len(frame)
        self._report(events)

    async def _wait_for_room(self) -> None:
        while (
            self._waiting_bytes > MOST_WAITING_BYTES or len(self._waiting) > MOST_WAITING_FRAMES
        ) and self.session.state is not State.CLOSED:
            self._room.clear()
            await self._room.wait()

    async def _write(self) -> None:
        session = self.session
        while True:
            self._wake.clear()
            frames = session.pull(BURST_BYTES, self._clock())
            for frame in frames:
                await self._socket.send_bytes(frame)
                self.traffic.frames_sent += 1
                self.traffic.bytes_sent += len(frame)
            if frames or session.has_more():
                # Sending need not wait for anything, and others want their turn.
                await asyncio.sleep(0)
                continue
            due = session.next_tick()
            if due is None:
                self._report(session.tick(self._clock()))
                return
            try:
                async with asyncio.timeout(max((due - self._clock()) / 1_000, _SHORTEST_WAIT_S)):
                    await self._wake.wait()
            except TimeoutError:
                self._report(session.tick(self._clock()))

    async def _tick(self) -> None:
        """Time passes even while a frame does not get through."""
        while self.session.state is not State.CLOSED:
            await asyncio.sleep(_TICK_S)
            self._report(self.session.tick(self._clock()))

    async def _guard(self, part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except _BROKEN:
            # The reader comes to the end of the stream and, before it, to what the peer said last.
            self._wake.set()
        except Exception as error:
            self.failure = error
            self.close(CloseCode.INTERNAL, "This side failed.")
            self._over.set()

    # Inside

    def _report(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            if isinstance(event, ev.PeerGone):
                self._gone = event
            self._on_event(event)
        if self._gone is not None:
            self._over.set()
            self._room.set()
        self._wake.set()

    def _lost(self, code: int | None, reason: str) -> None:
        """The socket is closed; its code says why where no error message has come before it."""
        events = self.session.lost()
        with suppress(ValueError):
            known = CloseCode(code)
            events = [
                replace(event, code=known, reason=reason, permanent=known in PERMANENT)
                if isinstance(event, ev.PeerGone)
                else event
                for event in events
            ]
        self._report(events)

    async def _hang_up(self) -> None:
        code = self.session.close_code
        if code is None or code is CloseCode.LOST:
            code = CloseCode.GOING_AWAY
        with suppress(*_BROKEN, RuntimeError):
            async with asyncio.timeout(2 * CLOSE_S):
                await self._socket.close(code=code.value)
