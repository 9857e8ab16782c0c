"""Python programs that use pycrdt's own provider join like any other stock client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pycrdt
from aiohttp import WSMsgType

from aimem_relay.gateway.protocol import Update
from crdt.wire.messages import Role
from tests.gateway.raw import raw_client
from tests.gateway.relays import TEXT, THOUGHT, WORKSPACE, RunningRelay
from tests.gateway.stock import PATIENCE_S


class AiohttpChannel:
    """pycrdt's channel over a websocket of aiohttp; frames of no concern to pycrdt are left out."""

    path = THOUGHT

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    def __aiter__(self) -> AiohttpChannel:
        return self

    async def __anext__(self) -> bytes:
        return await self.recv()

    async def send(self, message: bytes) -> None:
        await self._socket.send_bytes(message)

    async def recv(self) -> bytes:
        message = await self._socket.receive()
        if message.type is not WSMsgType.BINARY:
            raise StopAsyncIteration
        return message.data


class Editor:
    """A document that a provider keeps in step."""

    def __init__(self) -> None:
        self.doc = pycrdt.Doc()
        self.text = self.doc.get("content", type=pycrdt.Text)
        self._changed = asyncio.Event()
        self._subscription = self.doc.observe(lambda _event: self._changed.set())

    async def until(self, part: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while part not in str(self.text):
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def provided(
    relay: RunningRelay, editor: Editor, role: Role = Role.WRITER
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    headers = {"Authorization": f"Bearer {relay.token(role)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{relay.url}/yjs/{WORKSPACE}/{THOUGHT}", headers=headers) as socket,
        pycrdt.Provider(editor.doc, AiohttpChannel(socket)) as provider,
    ):
        async with asyncio.timeout(PATIENCE_S):
            await provider.synced.wait()
        yield socket


async def test_two_providers_write_one_thought(relay: RunningRelay) -> None:
    ann, ben = Editor(), Editor()
    async with provided(relay, ann), provided(relay, ben):
        await ann.until(TEXT)
        ann.text.insert(0, "Ann 日 ")
        await ben.until("Ann 日")
        ben.text.insert(len(b"Ann "), "👍 Ben ")
        await ann.until("Ben")
    assert str(ann.text) == str(ben.text) == await relay.text()


async def test_what_a_provider_wrote_offline_arrives(relay: RunningRelay) -> None:
    ann = Editor()
    async with provided(relay, ann):
        await ann.until(TEXT)
    ann.text.insert(0, "away ")
    async with raw_client(relay) as ben:
        await ben.sync()
        await ben.write(0, "here ")
        async with provided(relay, ann):
            await ben.until_text("away")
            await ann.until("here")
    assert str(ann.text) == await relay.text()


async def test_a_provider_that_closes_has_everything_stored(relay: RunningRelay) -> None:
    ann = Editor()
    async with raw_client(relay) as ben:
        await ben.sync()
        async with provided(relay, ann):
            await ann.until(TEXT)
            for n in range(50):
                ann.text += f"{n}\n"
        await ben.until_text("\n49\n")
        assert await relay.text() == str(ann.text)


async def test_a_provider_that_may_only_read_is_dropped_when_it_writes(
    relay: RunningRelay,
) -> None:
    rita = Editor()
    async with provided(relay, rita, Role.READER) as socket, raw_client(relay) as ben:
        await ben.sync()
        for n in range(5):
            # The provider sends back what it is sent; that is no writing.
            await ben.write(0, f"for all {n} ", deleted=n)
            await rita.until(f"for all {n} ")
        rita.text.insert(0, "no ")
        async with asyncio.timeout(PATIENCE_S):
            while not socket.closed:
                await asyncio.sleep(0)
        assert socket.close_code == 4403
        await ben.write(0, "x")
        assert isinstance(await ben.until(Update), Update)
        assert "no " not in await relay.text()
