"""Two copies and a real websocket between them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from aimem_tui.sync.connection import CLOSE_S, Connection, monotonic_ms
from crdt.session import Session
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire.messages import Role
from tests.simulation.disk import Disk

WORKSPACE, A, B = "aa" * 16, "11" * 16, "22" * 16


def disk(replica: str, workspace: str = WORKSPACE) -> Disk:
    return Disk(workspace, replica, replica[::-1])


@dataclass
class Side:
    """A copy in memory that stores at once what comes, and remembers what was reported."""

    disk: Disk
    limits: Limits = field(default_factory=Limits)
    storing: bool = True
    events: list[ev.Event] = field(default_factory=list)
    connection: Connection | None = None
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    on_hello: Callable[[Connection], None] = lambda connection: connection.session.admit(
        Role.WRITER
    )

    def session(self) -> Session:
        return Session(self.disk, monotonic_ms(), limits=self.limits)

    def take(self, event: ev.Event) -> None:
        self.events.append(event)
        assert self.connection is not None
        match event:
            case ev.HelloReceived():
                self.on_hello(self.connection)
            case ev.EntriesReceived() | ev.CheckpointsReceived() | ev.CaughtUp() if self.storing:
                self.store(event)
        self.happened.set()

    def store(self, event: ev.EntriesReceived | ev.CheckpointsReceived | ev.CaughtUp) -> None:
        assert self.connection is not None
        match event:
            case ev.EntriesReceived():
                self.disk.append(event.entries)
            case ev.CheckpointsReceived():
                self.disk.store_checkpoints(event.checkpoints)
            case ev.CaughtUp():
                self.disk.adopt(event.vector)
        self.disk.tokens[self.connection.session.peer_log] = event.token
        self.connection.stored(event.mark)

    def store_what_waits(self) -> None:
        """And whatever comes from now on."""
        self.storing = True
        for event in self.events:
            if isinstance(event, ev.EntriesReceived | ev.CheckpointsReceived | ev.CaughtUp):
                self.store(event)

    @property
    def waiting_bytes(self) -> int:
        return self.connection.waiting_bytes if self.connection else 0

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.happened.clear()
            await self.happened.wait()

    def of(self, kind: type[ev.Event]) -> list[ev.Event]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def server(
    handler: Callable[[web.Request], object], tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """A websocket server on a free port of this machine; yields its address."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'wss' if tls else 'ws'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(dialler: Side, answerer: Side) -> AsyncIterator[asyncio.Task[ev.PeerGone]]:
    """The two sides joined; yields the dialling side's run."""
    ended: asyncio.Future[ev.PeerGone] = asyncio.get_running_loop().create_future()

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=CLOSE_S, max_msg_size=answerer.limits.max_frame)
        await socket.prepare(request)
        answerer.connection = Connection(socket, answerer.session(), answerer.take)
        ended.set_result(await answerer.connection.run())
        return socket

    async with server(answer) as url, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(
            url, timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S), max_msg_size=17 << 20
        )
        dialler.connection = Connection(socket, dialler.session(), dialler.take)
        dialler.connection.session.connect()
        running = asyncio.create_task(dialler.connection.run())
        try:
            yield running
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asyncio.wait([ended], timeout=5)
