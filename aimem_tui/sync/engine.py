"""Keeping a workspace in step in the background, in a thread with an event loop of its own.

- Each remote has a task that dials, carries on until the connection ends, and dials again: after a
  random time that grows with each failure, no sooner than the other side asks; not at all where
  only a person can change what is wrong, until the list of remotes or the credential is changed.
- The list of remotes is looked at every few seconds: what another process adds is connected.
- In the background only one process of a machine syncs a workspace; the others wait for its lock
  and go on when it has ended. What they write it sends, as all share the file; who is there it
  tells them by another (``crowd``).
- What the engine says, it says by ``on_state``, in its own thread and not more often than a screen
  can show.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import TypeAlias

import aiohttp

from aimem_tui import __version__, locks
from aimem_tui.errors import AimemError
from aimem_tui.locks import FileLock
from aimem_tui.store.connection import Database
from aimem_tui.sync.backoff import Backoff
from aimem_tui.sync.connection import LINGER_S
from aimem_tui.sync.credentials import Credentials
from aimem_tui.sync.crowd import Crowd
from aimem_tui.sync.dialling import CannotDial, dial, why_gone
from aimem_tui.sync.exchange import Exchange
from aimem_tui.sync.link import Link
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.remotes import Kind, Remote, Remotes
from aimem_tui.sync.state import Phase, SyncState
from crdt.session import events as ev
from crdt.wire.messages import CloseCode

AGENT = f"aimem {__version__}"
REMOTES_POLL_S = 2.0
LOCK_POLL_S = 2.0
CROWD_POLL_S = 0.5
"""How far apart one process tells the others of its machine who is there, and they look."""
TELL_S = 0.05
"""How far apart two states are told at least."""
STABLE_S = 10.0
"""A connection that lasted so long was none of many failures in a row."""
_REFRESH_MS = 60_000
"""How long before its end a credential is renewed."""
_JOIN_S = 15.0

logger = logging.getLogger(__name__)

Locate = Callable[[Remote], Awaitable[str]]
"""Where a remote is just now: an address."""

Clients: TypeAlias = Mapping[Kind, aiohttp.ClientSession]
"""By which way: through a proxy where the environment names one, and straight on this network."""


class SyncEngine:
    """Keeps a workspace in step from ``start`` to ``stop``.

    Args:
        database: the workspace's file, open until ``stop`` has returned.
        remotes: where to.
        credentials: with what.
        agent: the program and its version.
        on_state: called in the engine's thread with each new state.
        background: whether to leave it to another process of this machine that does the same.
        wanted: which remotes; all if not given.
        beside: runs in the engine's event loop until the end: a listener, say.
        locate: finds the present address of a remote; on this network, if not given.
        clock: ms since the Unix epoch.
    """

    def __init__(
        self,
        database: Database,
        remotes: Remotes,
        credentials: Credentials,
        *,
        clock: Callable[[], int],
        agent: str = AGENT,
        on_state: Callable[[SyncState], None] | None = None,
        background: bool = True,
        wanted: Callable[[Remote], bool] = lambda remote: True,
        beside: Callable[[Exchange], Awaitable[None]] | None = None,
        locate: Locate | None = None,
    ) -> None:
        self._database = database
        self._remotes = remotes
        self._credentials = credentials
        self._agent = agent
        self._on_state = on_state
        self._background = background
        self._wanted = wanted
        self._beside = beside
        self._locate = locate or _locate
        self._clock = clock
        self._state = SyncState()
        self._told: SyncState | None = None
        self._presence: PresenceState | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._exchange: Exchange | None = None
        self._started = threading.Event()
        self._stop = asyncio.Event()
        self._changed = asyncio.Event()
        self._retry = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="aimem-sync", daemon=True)
        self.failure: BaseException | None = None
        """What the engine has ended with, where that was a defect."""

    # From any thread

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End all connections, in order, and the thread."""
        self._call(self._stop.set)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def wake(self) -> None:
        """Something was committed: send it now rather than at the next look."""
        self._call(lambda: self._exchange.look() if self._exchange else None)

    def retry(self) -> None:
        """Dial now, also what was refused: the person has changed something, or asks for it."""
        self._call(self._retry.set)

    def set_presence(self, state: PresenceState | None) -> None:
        """Tell the others where the person is; None: nowhere."""

        def tell() -> None:
            self._presence = state
            if self._exchange is not None:
                self._exchange.set_presence(state)

        self._call(tell)

    def state(self) -> SyncState:
        """How things stand."""
        return self._state

    def _call(self, action: Callable[[], object]) -> None:
        if not self._thread.is_alive():
            return
        self._started.wait(_JOIN_S)
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(action)

    # In the thread

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:
            self.failure = error
            logger.exception("synchronising has ended")
        finally:
            self._started.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        lock = locks.to_sync(self._remotes.file.parent)
        async with (
            Exchange(
                self._database, agent=self._agent, on_change=self._changed.set, clock=self._clock
            ) as exchange,
            aiohttp.ClientSession(trust_env=True) as outside,
            aiohttp.ClientSession() as inside,
        ):
            http = {Kind.RELAY: outside, Kind.PEER: inside}
            self._exchange = exchange
            exchange.set_presence(self._presence)
            self._started.set()
            teller = asyncio.create_task(self._tell(exchange))
            keeper = asyncio.create_task(self._work(exchange, http, lock))
            stopped = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait({keeper, stopped}, return_when=asyncio.FIRST_COMPLETED)
                exchange.close_connections()
            finally:
                for task in (keeper, stopped, teller):
                    task.cancel()
                ended = await asyncio.gather(keeper, stopped, teller, return_exceptions=True)
                lock.release()
                self._exchange = None
            for result in ended:
                if isinstance(result, Exception):
                    raise result
            self._publish(exchange)

    async def _tell(self, exchange: Exchange) -> None:
        while True:
            self._publish(exchange)
            await asyncio.sleep(TELL_S)
            await self._changed.wait()

    def _publish(self, exchange: Exchange) -> None:
        self._changed.clear()
        state = exchange.state()
        if state != self._told:
            self._state = self._told = state
            if self._on_state is not None:
                self._on_state(state)

    async def _work(self, exchange: Exchange, http: Clients, lock: FileLock) -> None:
        if not self._background:
            await self._sync(exchange, http)
            return
        crowd = Crowd(self._remotes.file.parent)
        while not lock.take():
            exchange.elsewhere = True
            await self._look_on(exchange, crowd)
        exchange.elsewhere = False
        exchange.people_elsewhere = ()
        crowd.clear()
        telling = asyncio.create_task(self._tell_others(exchange, crowd))
        try:
            await self._sync(exchange, http)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            crowd.clear()

    async def _look_on(self, exchange: Exchange, crowd: Crowd) -> None:
        """Show whom another process of this machine sees, for as long as it is left to that."""
        until = asyncio.get_running_loop().time() + LOCK_POLL_S
        while asyncio.get_running_loop().time() < until:
            exchange.people_elsewhere = crowd.seen()
            self._changed.set()
            await asyncio.sleep(CROWD_POLL_S)

    async def _tell_others(self, exchange: Exchange, crowd: Crowd) -> None:
        while True:
            crowd.tell(exchange.state().people)
            await asyncio.sleep(CROWD_POLL_S)

    async def _sync(self, exchange: Exchange, http: Clients) -> None:
        if self._beside is None:
            await self._keep_all(exchange, http)
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_beside(self._beside(exchange)))
            group.create_task(self._keep_all(exchange, http))

    async def _run_beside(self, beside: Awaitable[None]) -> None:
        await beside

    async def _keep_all(self, exchange: Exchange, http: Clients) -> None:
        """A task for each remote in the file, as that changes."""
        kept: dict[Remote, tuple[Link, asyncio.Task[None]]] = {}
        stamp: object = None
        try:
            while True:
                now = self._stamp()
                if now != stamp or self._retry.is_set():
                    changed = now != stamp and stamp is not None
                    again = changed or self._retry.is_set()
                    stamp = now
                    self._retry.clear()
                    remotes = self._read_remotes(exchange)
                    if remotes is not None:
                        await self._adjust(exchange, http, kept, remotes, again=again)
                with suppress(TimeoutError):
                    async with asyncio.timeout(REMOTES_POLL_S):
                        await self._retry.wait()
        finally:
            tasks = [task for _, task in kept.values()]
            speaking = [task for link, task in kept.values() if link.connection is not None]
            if speaking and self._stop.is_set():
                # The last words go out first; see Exchange.close_connections.
                await asyncio.wait(speaking, timeout=2 * LINGER_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _read_remotes(self, exchange: Exchange) -> list[Remote] | None:
        try:
            return [remote for remote in self._remotes.all() if self._wanted(remote)]
        except AimemError as error:
            exchange.notice = str(error)
            self._changed.set()
            return None

    async def _adjust(
        self,
        exchange: Exchange,
        http: Clients,
        kept: dict[Remote, tuple[Link, asyncio.Task[None]]],
        remotes: Sequence[Remote],
        *,
        again: bool,
    ) -> None:
        for remote in [*kept]:
            link, task = kept[remote]
            if remote in remotes and not (again and link.connection is None):
                continue
            del kept[remote]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            exchange.links.remove(link)
        for remote in remotes:
            if remote not in kept:
                link = Link(remote.name, remote.url)
                exchange.links.append(link)
                task = asyncio.create_task(self._keep(exchange, http, remote, link))
                kept[remote] = (link, task)
        self._changed.set()

    def _stamp(self) -> object:
        """Changes when the list of remotes or the secrets in a file do."""
        stamps = []
        for file in (self._remotes.file, self._credentials.file):
            try:
                status = file.stat()
                stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
            except OSError:
                stamps.append((0, 0, 0))
        return stamps

    # One remote

    async def _keep(self, exchange: Exchange, http: Clients, remote: Remote, link: Link) -> None:
        """Connect, and again, until that is of no use."""
        backoff = Backoff(Random(os.urandom(16)))
        reread = False
        while not self._stop.is_set():
            await exchange.ready.wait()
            if link.box is not None:
                # What came over the last connection is asked for again unless it is stored.
                await link.box.empty.wait()
            link.phase = Phase.CONNECTING
            self._changed.set()
            began = asyncio.get_running_loop().time()
            moved = link.received + link.sent
            delay_ms = 0
            try:
                gone = await self._connect(exchange, http, remote, link)
            except CannotDial as error:
                link.problem = str(error)
                if error.permanent:
                    break
                delay_ms = error.delay_ms
            except AimemError as error:
                link.problem = str(error)
                break
            except Exception:
                logger.exception("a connection could not be made")
                link.problem = f"Synchronising with {remote.name} has failed inside aimem."
            else:
                if self._stop.is_set():
                    return
                lasted = asyncio.get_running_loop().time() - began
                if link.was_complete or lasted >= STABLE_S:
                    backoff.succeeded()
                    reread = False
                if gone.code is CloseCode.UNAUTHORIZED and not reread:
                    # Somebody may have renewed it just now.
                    reread = True
                    continue
                link.problem = why_gone(gone, remote.name)
                if isinstance(link.failure, AimemError):
                    link.problem = str(link.failure)
                if gone.permanent:
                    break
                delay_ms = max(gone.delay_ms, link.delay_ms)
            link.phase = Phase.OFFLINE
            wait_s = backoff.next(delay_ms)
            # What moved was of use, however it ended.
            link.attempts = 1 if link.received + link.sent > moved else link.attempts + 1
            self._changed.set()
            await asyncio.sleep(wait_s)
        link.phase = Phase.REFUSED
        link.attempts += 1
        self._changed.set()

    async def _connect(
        self, exchange: Exchange, http: Clients, remote: Remote, link: Link
    ) -> ev.PeerGone:
        url = await self._locate(remote)
        workspace = exchange.workspace
        secret = await asyncio.to_thread(self._credentials.get, workspace, remote.name)
        socket = await dial(http[remote.kind], url, remote.fingerprint)
        renewing = asyncio.create_task(self._renew(link, workspace, remote.name, secret))
        try:
            return await exchange.join(socket, link, credential=secret.encode())
        finally:
            renewing.cancel()
            failure = link.failure
            if failure is not None and not isinstance(failure, AimemError):
                logger.error("a connection has failed", exc_info=failure)

    async def _renew(self, link: Link, workspace: str, remote: str, secret: str) -> None:
        """Hand over another credential before the present one ends, if there is one by then."""
        while True:
            await asyncio.sleep(1.0)
            connection = link.connection
            if connection is None or not link.expires:
                continue
            if self._clock() < link.expires - _REFRESH_MS:
                continue
            with suppress(AimemError):
                fresh = await asyncio.to_thread(self._credentials.get, workspace, remote)
                if fresh and fresh != secret and connection.is_open:
                    secret = fresh
                    connection.session.refresh(fresh.encode())
                    connection.wake()


async def _locate(remote: Remote) -> str:
    """A machine's network may give it another address each day; a relay's stays."""
    if remote.kind is not Kind.PEER:
        return remote.url
    from aimem_tui.sync.peer import discovery

    return await discovery.locate(remote)
