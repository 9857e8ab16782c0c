"""Machines with a workspace each, and a server that answers for one of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from aiohttp import web

from aimem_tui.sync.connection import CLOSE_S
from aimem_tui.sync.credentials import Credentials
from aimem_tui.sync.engine import SyncEngine
from aimem_tui.sync.exchange import LIMITS, Admitted, Denied, Exchange
from aimem_tui.sync.link import Link
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.remotes import Remote, Remotes
from aimem_tui.sync.state import Person, SyncState
from aimem_tui.workspace.workspace import Workspace
from crdt.session import events as ev
from crdt.wire.messages import CloseCode, Role
from tests.sync.wires import WORKSPACE, server
from tests.workspaces import Clock, open_workspace

TOKEN = "let me in"


def is_complete(state: SyncState) -> bool:
    return bool(state.links) and all(link.complete for link in state.links)


class Station:
    """A machine: its workspace, its remotes, and what its engine has said."""

    def __init__(self, folder: Path, name: str, workspace_id: str = WORKSPACE) -> None:
        self.name = name
        self.folder = folder / name
        self.workspace: Workspace = open_workspace(self.folder, author=name, clock=Clock())
        with self.workspace.database.write() as connection:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'workspace'", (workspace_id,))
        self.remotes = Remotes(self.folder)
        self.credentials = Credentials(self.folder)
        self.states: list[SyncState] = []
        self._news = threading.Condition()

    def connect(self, url: str, *, token: str = TOKEN, name: str = "relay") -> None:
        self.credentials.keep(WORKSPACE, name, token)
        self.remotes.add(Remote(name, f"{url}/sync/{WORKSPACE}"), replace=True)

    @contextmanager
    def syncing(self, *, background: bool = False) -> Iterator[SyncEngine]:
        engine = SyncEngine(
            self.workspace.database,
            self.remotes,
            self.credentials,
            clock=Clock(),
            on_state=self._said,
            background=background,
        )
        engine.start()
        try:
            yield engine
        finally:
            engine.stop()
        assert engine.failure is None, engine.failure

    def wait(self, condition: Callable[[SyncState], bool]) -> SyncState:
        """Until the engine has said something of which that is true."""
        with self._news:
            assert self._news.wait_for(lambda: self.states and condition(self.states[-1]), 30), (
                self.states[-1:]
            )
            return self.states[-1]

    def sync(self) -> SyncState:
        """Connect, exchange everything, and hang up."""
        self.states.clear()
        with self.syncing():
            state = self.wait(is_complete)
        self.workspace.catch_up()
        return state

    def state_of(self, key: str) -> str:
        row = self.workspace.database.read().execute("SELECT value FROM meta WHERE key = ?", (key,))
        return str(row.get)

    def texts(self) -> dict[str, str]:
        self.workspace.catch_up()
        return {one.path: self.workspace.text(one.id) for one in self.workspace.thoughts()}

    def _said(self, state: SyncState) -> None:
        with self._news:
            self.states.append(state)
            self._news.notify_all()

    def close(self) -> None:
        self.workspace.close()


class Hub:
    """A copy that answers, in a thread of its own, as a relay does."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.url = ""
        self.role = Role.WRITER
        self.token = TOKEN
        self.dialled = 0
        self.busy = 0
        """So many who dial are told to come back."""
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._exchange: Exchange | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> Hub:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._stop.set)
        self._thread.join(30)

    def call(self, action: Callable[[], object]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(action)

    def cut(self) -> None:
        """Break all connections, as a network does."""

        def cut() -> None:
            assert self._exchange is not None
            for link in self._exchange.links:
                if link.connection is not None:
                    transport = link.connection._socket.get_extra_info("socket")
                    transport.shutdown(2)

        self.call(cut)

    def people(self) -> tuple[Person, ...]:
        """Who is there just now."""
        asked: Future[tuple[Person, ...]] = Future()
        self.call(lambda: asked.set_result(self._exchange.state().people))
        return asked.result(30)

    def show(self, state: PresenceState | None) -> None:
        """Be somewhere as a person, or nowhere."""

        def show() -> None:
            assert self._exchange is not None
            self._exchange.set_presence(state)

        self.call(show)

    def trouble(self) -> str:
        """Why those who have dialled cannot store just now."""
        asked: Future[str] = Future()
        self.call(
            lambda: asked.set_result(" ".join(link.trouble_there for link in self._exchange.links))
        )
        return asked.result(30).strip()

    async def decide(self, hello: ev.HelloReceived) -> Admitted | Denied:
        if hello.credential.decode() != self.token:
            return Denied(CloseCode.UNAUTHORIZED, "The token is not known here.")
        return Admitted(self.role)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with (
            Exchange(
                self.station.workspace.database,
                agent="hub",
                on_change=lambda: None,
                clock=Clock(),
            ) as exchange,
            _answering(exchange, self) as url,
        ):
            self._exchange = exchange
            self.url = url
            self._ready.set()
            await self._stop.wait()
            exchange.close_connections(CloseCode.GOING_AWAY)


@asynccontextmanager
async def _answering(exchange: Exchange, hub: Hub) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.WebSocketResponse:
        hub.dialled += 1
        if hub.dialled <= hub.busy:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(timeout=CLOSE_S, max_msg_size=LIMITS.max_frame)
        await socket.prepare(request)
        await exchange.answer(socket, Link(f"guest {hub.dialled}"), hub.decide)
        return socket

    async with server(answer) as url:
        yield url
