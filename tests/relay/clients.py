"""A client for tests: a real session over a real websocket, with a copy in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp

from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.incoming import Fork
from crdt.session.replica import Limits
from crdt.wire.messages import Role
from tests.relay.pods import WORKSPACE, Pod, token
from tests.simulation.disk import Disk

PATIENCE_S = 20.0
"""How long a test waits for what must happen, before it fails."""

E = TypeVar("E")


def insert(text: str) -> bytes:
    """A well-formed update that inserts a text."""
    data = text.encode()
    size, length = len(data), bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return b"\x01\x01\x01\x00\x04\x01\x07content" + bytes(length) + data + b"\x00"


def thought(n: int = 0) -> str:
    return f"{n:032x}"


def copy(n: int, workspace: str = WORKSPACE) -> Disk:
    """An empty copy of a workspace."""
    return Disk(workspace, f"{n:032x}", f"{n + (1 << 64):032x}")


class Client:
    """One machine, connected."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, disk: Disk, limits: Limits | None
    ) -> None:
        self.socket = socket
        self.disk = disk
        limits = limits or Limits(presence_keys=20_000, presence_per_s=5_000)
        self.session = Session(disk, self.now(), limits=limits, check=lambda update: None)
        self.events: list[ev.Event] = []
        self.presence: dict[str, bytes] = {}
        self.acknowledged = 0
        self._happened = asyncio.Event()

    @staticmethod
    def now() -> int:
        return int(asyncio.get_running_loop().time() * 1_000)

    # What a test does

    async def write(self, *updates: bytes, about: str = "") -> None:
        """Make entries."""
        for update in updates or (insert("x"),):
            self.disk.append([self.disk.make(about or thought(), update, at=1)])
        self.session.log_grew()
        await self.pump()

    async def be(self, key: str, state: bytes) -> None:
        """Announce a presence."""
        self.session.set_presence(key, state)
        await self.pump()

    async def refresh(self, credential: bytes) -> None:
        self.session.refresh(credential)
        await self.pump()

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait until something is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self._happened.clear()
                await self._happened.wait()

    async def event(self, kind: type[E]) -> E:
        """Wait for an event; returns the first of that kind."""
        await self.until(lambda: self.of(kind))
        return self.of(kind)[0]

    async def has(self, *others: Disk) -> None:
        """Wait until this copy has everything that others have."""
        for other in others:
            await self.until(lambda other=other: self.disk.vector().covers(other.vector()))

    async def is_acknowledged(self) -> None:
        """Wait until everything that was made here is on the relay's disk."""
        await self.until(lambda: self.acknowledged == self.disk.vector()[self.disk.replica])

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def gone(self) -> ev.PeerGone | None:
        ends = self.of(ev.PeerGone)
        return ends[0] if ends else None

    @property
    def texts(self) -> list[bytes]:
        """The updates that are held, in the order of this copy's log."""
        return [entry.update for entry in self.disk.entries]

    # The driver

    async def run(self) -> None:
        await self.pump()
        async for message in self.socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                break
            for event in self.session.receive(message.data, self.now()):
                self._take(event)
            await self.pump()
            self._happened.set()
        for event in self.session.lost():
            self._take(event)
        self._happened.set()

    async def pump(self) -> None:
        while not self.socket.closed:
            for frame in self.session.pull(1 << 20, self.now()):
                await self.socket.send_bytes(frame)
            if not self.session.has_more():
                break

    def _take(self, event: ev.Event) -> None:
        self.events.append(event)
        match event:
            case ev.EntriesReceived():
                try:
                    self.disk.append(event.entries)
                except Fork as fork:
                    for other in self.session.fork(fork.replica, fork.seq):
                        self._take(other)
                    return
            case ev.CheckpointsReceived():
                self.disk.store_checkpoints(event.checkpoints)
            case ev.CaughtUp():
                self.disk.adopt(event.vector)
            case ev.Acknowledged():
                self.acknowledged = event.seq
                return
            case ev.PresenceChanged():
                if event.state:
                    self.presence[event.key] = event.state
                else:
                    self.presence.pop(event.key, None)
                return
            case _:
                return
        self.disk.tokens[self.session.peer_log] = event.token
        self.session.stored(event.mark)
        self.session.log_grew()


@asynccontextmanager
async def client(
    where: Pod | str,
    disk: Disk,
    credential: bytes | None = None,
    *,
    role: Role = Role.WRITER,
    limits: Limits | None = None,
    admitted: bool = True,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[Client]:
    """A client that is connected.

    Args:
        credential: one that is good for ever unless given.
        admitted: whether to wait until it is let in.
    """
    url = where if isinstance(where, str) else where.url
    async with aiohttp.ClientSession() as http:
        path = f"{url}/sync/{disk.workspace}"
        async with http.ws_connect(path, max_msg_size=0, headers=headers) as socket:
            made = Client(socket, disk, limits)
            if credential is None:
                credential = token(disk.workspace)
            made.session.connect(role=role, credential=credential)
            running = asyncio.create_task(made.run())
            try:
                if admitted:
                    await made.until(lambda: made.session.state is State.OPEN or made.gone)
                    assert made.gone is None, made.gone
                yield made
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
