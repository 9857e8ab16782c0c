"""A client that speaks y-websocket frame by frame, so that a test decides each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import WSMsgType

from aimem_relay.gateway import protocol
from aimem_relay.gateway.protocol import (
    Awareness,
    ClientState,
    Message,
    SyncStep1,
    SyncStep2,
    Update,
)
from crdt.adapter import Change, EngineDoc, byte_length
from crdt.wire.messages import Role
from tests.gateway.relays import THOUGHT, WORKSPACE, RunningRelay
from tests.gateway.stock import PATIENCE_S


class RawClient:
    """One connection, and the document it keeps."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, client: int) -> None:
        self.socket = socket
        self.doc = EngineDoc(client)
        self.said: list[Awareness] = []
        self.denied = b""

    async def send(self, message: Message) -> None:
        """Send one message."""
        await self.socket.send_bytes(protocol.encode(message))

    async def say(self, *states: tuple[int, int, str]) -> None:
        """Send what is said of clients: id, clock and JSON."""
        await self.send(Awareness(tuple(ClientState(*one) for one in states)))

    async def receive(self) -> Message | None:
        """The next message, done as a stock client does; None once the connection has ended."""
        came = await self.socket.receive()
        if came.type is not WSMsgType.BINARY:
            assert came.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)
            return None
        if came.data[:1] == b"\x02":
            self.denied = came.data
            return await self.receive()
        message = protocol.decode(came.data)
        match message:
            case SyncStep1():
                missing = self.doc.update_since(message.state_vector)
                await self.send(SyncStep2(missing))
            case SyncStep2() | Update():
                self.doc.apply(message.update)
            case Awareness():
                self.said.append(message)
        return message

    async def until(self, kind: type[Message]) -> Message:
        """The next message of a kind."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(message := await self.receive(), kind):
                assert message is not None, f"closed: {self.socket.close_code}"
            return message

    async def until_text(self, text: str) -> None:
        """Receive until the document holds a text."""
        async with asyncio.timeout(PATIENCE_S):
            while text not in self.doc.text():
                assert await self.receive() is not None, f"closed: {self.socket.close_code}"

    async def until_closed(self) -> int:
        """Receive until the connection ends; the close code."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.receive() is not None:
                pass
        code = self.socket.close_code
        assert code is not None
        return code

    async def sync(self) -> None:
        """Ask for everything, and answer what is asked."""
        await self.send(SyncStep1(self.doc.state_vector()))
        await self.until(SyncStep2)

    def edit(self, at: int, text: str, *, deleted: int = 0) -> bytes:
        """Write to the document, at a place in code points; returns the update."""
        made: list[bytes] = []
        stop = self.doc.on_update(made.append)
        before = self.doc.text()
        start, gone = byte_length(before[:at]), byte_length(before[at : at + deleted])
        self.doc.splice([Change(start, gone, text)])
        stop()
        return made[0]

    async def write(self, at: int, text: str, *, deleted: int = 0) -> None:
        """Write and send that."""
        await self.send(Update(self.edit(at, text, deleted=deleted)))


@asynccontextmanager
async def raw_client(
    relay: RunningRelay,
    role: Role = Role.WRITER,
    *,
    thought: str = THOUGHT,
    client: int = 1_000,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[RawClient]:
    """A client that has connected and said nothing yet."""
    headers = {"Authorization": f"Bearer {relay.token(role)}"} if headers is None else headers
    url = f"{relay.url}/yjs/{WORKSPACE}/{thought}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, headers=headers, max_msg_size=0) as socket,
    ):
        yield RawClient(socket, client)
