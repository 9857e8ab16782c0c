"""A way between clients and servers that can be slow, break, swallow everything, and count."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.processes import PATIENCE_S

_CHUNK = 16_384
_EXTENDED = {126: 2, 127: 8}


@dataclass(slots=True)
class Carried:
    """What went one way since the count began."""

    bytes: int = 0
    frames: int = 0
    """Websocket messages' frames, without those that only keep the connection."""


class _FrameCounter:
    """Counts the data frames in one direction of one connection (RFC 6455, section 5.2)."""

    def __init__(self) -> None:
        self._buffer = b""
        self._skip = 0
        self._upgraded = False

    def feed(self, data: bytes) -> int:
        """Take the next bytes; returns how many data frames begin in them."""
        if not self._upgraded:
            self._buffer += data
            _, end, data = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return 0
            self._upgraded, self._buffer = True, b""
        data, self._buffer = self._buffer + data, b""
        found = 0
        while data:
            if self._skip:
                passed = min(self._skip, len(data))
                self._skip -= passed
                data = data[passed:]
                continue
            extended = _EXTENDED.get(data[1] & 0x7F, 0) if len(data) > 1 else 8
            if len(data) < 2 + extended:
                self._buffer = data
                break
            length = int.from_bytes(data[2 : 2 + extended]) if extended else data[1] & 0x7F
            masked = 4 if data[1] & 0x80 else 0
            found += not data[0] & 0x08
            self._skip = 2 + extended + masked + length
        return found


class Proxy:
    """Listens on the loopback interface and passes on to the first of several ports that answers.

    Args:
        ports: where to.
        in_turn: the next connection goes to the next port.
    """

    def __init__(self, *ports: int, in_turn: bool = False) -> None:
        self._ports = deque(ports)
        self._in_turn = in_turn
        self.port = 0
        self.delay_s = 0.0
        """How long each piece is on its way."""
        self.cut_every = 0
        """After so many bytes towards the client a connection breaks; 0 for never."""
        self.cuts = 0
        """How often that has happened."""
        self.down, self.up = Carried(), Carried()
        """Towards clients, and towards servers."""
        self._opened = 0
        self._alive_from = 0
        self._news = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.until("the proxy's port", lambda: bool(self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop.set)
        self._thread.join(PATIENCE_S)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"ws://127.0.0.1:{self.port}"

    def count_anew(self) -> None:
        """Begin to count again."""
        self.down, self.up = Carried(), Carried()

    def until(self, what: str, true: Callable[[], bool]) -> None:
        """Wait until something is so; looked at whenever something is carried."""
        with self._news:
            assert self._news.wait_for(true, PATIENCE_S), (
                f"waited in vain for {what}; towards clients went {self.down}, back {self.up}."
            )

    def cut(self) -> None:
        """Break all connections."""
        self._call(lambda: [task.cancel() for task in self._connections])

    def swallow(self) -> None:
        """From now on nothing comes through in the connections there are, and nobody is told.

        As when a machine falls asleep, or a router forgets a connection. New ones work.
        """
        self._alive_from = self._opened + 1

    def swallow_all(self) -> None:
        """Nothing comes through, in new connections neither, until :meth:`swallow` is called."""
        self._alive_from = sys.maxsize

    def _call(self, action: Callable[[], object]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(action)

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._tell()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._opened += 1
        number = self._opened
        ways: list[asyncio.Task[None]] = []
        writers = [writer]
        try:
            there, back = await self._connected()
            writers.append(back)
            ways = [
                asyncio.create_task(self._way(number, reader, back, lambda: self.up, 0)),
                asyncio.create_task(
                    self._way(number, there, writer, lambda: self.down, self.cut_every)
                ),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if not any(way.done() and way.exception() for way in ways):
                # One side has closed in order: what it has said last still arrives.
                for each in writers:
                    each.close()
                    await each.wait_closed()
        except OSError:
            pass
        finally:
            for way in ways:
                way.cancel()
            for each in writers:
                each.transport.abort()
            await asyncio.gather(*ways, return_exceptions=True)
            self._tell()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for port in [*self._ports]:
            try:
                connected = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                self._ports.rotate(-1)
            else:
                self._ports.rotate(-self._in_turn)
                return connected
        raise ConnectionRefusedError

    async def _way(
        self,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        carried: Callable[[], Carried],
        most: int,
    ) -> None:
        counter = _FrameCounter()
        left = most
        while data := await reader.read(_CHUNK):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            if number < self._alive_from:
                continue
            total = carried()
            total.bytes += len(data)
            total.frames += counter.feed(data)
            left -= len(data)
            if most and left <= 0:
                self.cuts += 1
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
            self._tell()
