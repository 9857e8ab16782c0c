"""A real relay's gateway under lies: each is answered, and the other stock clients go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import pytest

from aimem_relay.gateway import protocol
from crdt.adapter import Change, EngineDoc
from crdt.document import ThoughtDocument
from crdt.errors import WireError
from crdt.session import events as ev
from crdt.update_check import check_update
from crdt.wire.messages import CloseCode, Role
from tests.crdt.histories import settled
from tests.crdt.hostile_updates import mutated
from tests.fuzz.lies import COSTLY_UPDATE
from tests.fuzz.relay import MEMORY, Person, RunningRelay, relay, until
from tests.session.pairs import WORKSPACE, disk, thought

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")

QUICK, MANY = 60, 1_500
ANSWERED_S = 10.0


class Stock:
    """A client that speaks y-websocket's protocol and holds the document.

    Args:
        client: its Yjs client id.
    """

    def __init__(self, client: int) -> None:
        self.doc = EngineDoc(client)
        self.echoes = 0
        self.code: int | None = None
        self.reason = ""
        self.opened = asyncio.Event()
        self.synced = asyncio.Event()
        self._made: list[bytes] = []
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.doc.on_update(self._made.append)

    async def talk(self, http: aiohttp.ClientSession, running: RunningRelay, role: Role) -> None:
        """Connect, and take in what comes until the connection ends."""
        url = f"http://127.0.0.1:{running.port}/yjs/{WORKSPACE}/{thought(7)}"
        token = running.token(WORKSPACE, role).decode()
        headers = {"Authorization": f"Bearer {token}"}
        async with http.ws_connect(url, headers=headers, autoclose=False, max_msg_size=0) as socket:
            self._socket = socket
            self.opened.set()
            await self.send(protocol.encode(protocol.SyncStep1(self.doc.state_vector())))
            while True:
                message = await socket.receive()
                if message.type is aiohttp.WSMsgType.BINARY:
                    await self._hear(message.data)
                elif message.type is aiohttp.WSMsgType.CLOSE:
                    self.code, self.reason = message.data, message.extra or ""
                    await socket.close()
                    return
                else:
                    return

    async def send(self, frame: bytes) -> None:
        assert self._socket is not None
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await self._socket.send_bytes(frame)

    async def write(self, text: str) -> None:
        """Insert at the beginning."""
        self._made.clear()
        self.doc.splice([Change(0, 0, text)])
        for update in self._made:
            await self.send(protocol.encode(protocol.Update(update)))

    async def leave(self) -> None:
        assert self._socket is not None
        await self._socket.close()

    async def _hear(self, frame: bytes) -> None:
        with contextlib.suppress(WireError):
            match protocol.decode(frame):
                case protocol.SyncStep1(state_vector):
                    update = self.doc.update_since(state_vector)
                    await self.send(protocol.encode(protocol.SyncStep2(update)))
                case protocol.SyncStep2(update):
                    self.doc.apply(update)
                    self.synced.set()
                case protocol.Update(update):
                    self.doc.apply(update)
                    self.echoes += 1


@dataclass
class Street:
    """A relay and a stock client that works on the thought that is lied about."""

    relay: RunningRelay
    http: aiohttp.ClientSession
    neighbour: Stock

    async def visit(self, client: Stock, role: Role = Role.WRITER) -> asyncio.Task[None]:
        talking = asyncio.create_task(client.talk(self.http, self.relay, role))
        await asyncio.wait_for(client.opened.wait(), ANSWERED_S)
        return talking

    async def check_neighbour(self) -> None:
        """What the neighbour writes comes back once it is on disk."""
        neighbour, echoes = self.neighbour, self.neighbour.echoes
        await neighbour.write("x")
        await until(
            lambda: neighbour.echoes > echoes or neighbour.code is not None,
            "the neighbour's change came back",
        )
        assert neighbour.code is None, f"the neighbour was sent away: {neighbour.reason}"

    async def text(self) -> str:
        """The thought as somebody new is given it."""
        newcomer = Stock(5)
        talking = await self.visit(newcomer, Role.READER)
        await asyncio.wait_for(newcomer.synced.wait(), ANSWERED_S)
        await newcomer.leave()
        await talking
        return newcomer.doc.text()

    def check_relay(self) -> None:
        assert self.relay.process.poll() is None, self.relay.log.read_text(encoding="utf-8")[-3000:]
        assert self.relay.most_memory() < MEMORY
        for line in self.relay.log.read_text(encoding="utf-8").splitlines():
            assert json.loads(line)["level"] not in ("error", "critical"), line


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    with relay(tmp_path) as running:
        async with aiohttp.ClientSession() as http:
            await make_thought(running, http)
            street = Street(running, http, Stock(4))
            talking = await street.visit(street.neighbour)
            await asyncio.wait_for(street.neighbour.synced.wait(), ANSWERED_S)
            yield street
            await street.neighbour.leave()
            await talking


async def make_thought(running: RunningRelay, http: aiohttp.ClientSession) -> None:
    """What stock clients open has to be there."""
    _, update = ThoughtDocument.create(3, path="a.md", text="Hi\n", at=1, by="Ann")
    maker = Person(disk(3))
    url, token = running.url(WORKSPACE), running.token(WORKSPACE)
    talking = asyncio.create_task(maker.talk(http, url, token))
    seq = maker.write(thought(7), update)
    await until(lambda: ev.Acknowledged(seq) in maker.events, "the thought was stored")
    maker.take(maker.session.close(CloseCode.NORMAL, "done"))
    maker.wake()
    await talking


def _bytes(data: bytes) -> bytes:
    """As lib0 writes a byte array."""
    return protocol.encode(protocol.Update(data))[2:]


def _awareness(states: list[tuple[int, int, str]]) -> bytes:
    return protocol.encode(
        protocol.Awareness(tuple(protocol.ClientState(*state) for state in states))
    )


HOSTILE = {
    "a costly update": protocol.encode(protocol.Update(COSTLY_UPDATE)),
    "a costly answer": protocol.encode(protocol.SyncStep2(COSTLY_UPDATE)),
    "a costly state": protocol.encode(protocol.SyncStep1(b"\x80\x80\x80\x80\x01")),
    "a length that lies": b"\0\2\xff\xff\xff\xff\x07",
    "an endless number": b"\0\2" + b"\xff" * 100,
    "nothing": b"",
    "a message that is none": b"\x09",
    "a sync message that is none": b"\0\7\0",
    "something behind": protocol.encode(protocol.QueryAwareness()) + b"x",
    "people without end": b"\x01" + _bytes(b"\xff\xff\xff\xff\x07"),
    "a crowd": _awareness([(n, 1, "{}") for n in range(1, 2_000)]),
    "a person who is no JSON": _awareness([(9, 1, "{")]),
    "a person who is a list": _awareness([(9, 1, "[]")]),
    "a deep person": _awareness([(9, 1, '{"a":' * 700 + "1" + "}" * 700)]),
    "a large person": _awareness([(9, 1, json.dumps({"a": "x" * 5_000}))]),
    "a number that is none": _awareness([(9, 1, '{"a": NaN}')]),
    "half of a surrogate pair": b"\x01" + _bytes(b"\x01\x09\x01\x05\xed\xa0\x80{}"),
    "zeros": bytes(1 << 20),
    "deep values": protocol.encode(
        protocol.Update(
            b"\x01\x01\x01\x00\x28\x01\x04meta\x01a\x01" + b"\x75\x01" * 50_000 + b"\x7e\0"
        )
    ),
}


def is_wrong(frame: bytes) -> bool:
    """Whether it is no frame that a client may send, whatever the thought holds."""
    try:
        message = protocol.decode(frame)
        if isinstance(message, protocol.SyncStep1):
            protocol.check_state_vector(message.state_vector)
        elif isinstance(message, protocol.SyncStep2 | protocol.Update):
            check_update(message.update)
    except WireError:
        return True
    return False


async def sent_away(street: Street, frames: list[bytes], client: int) -> tuple[int | None, str]:
    """Say something as a new client; the code and reason of the close, if that comes."""
    liar = Stock(client)
    talking = await street.visit(liar)
    for frame in frames:
        await liar.send(frame)
    wrong = any(map(is_wrong, frames))
    with contextlib.suppress(TimeoutError, aiohttp.ClientError, ConnectionError):
        await asyncio.wait_for(asyncio.shield(talking), ANSWERED_S if wrong else 0.1)
    if not talking.done():
        await liar.leave()
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            await asyncio.wait_for(talking, ANSWERED_S)
    return liar.code, liar.reason


async def test_what_no_client_may_say_is_answered_with_a_reason(street: Street) -> None:
    await street.check_neighbour()
    for n, (kind, frame) in enumerate(HOSTILE.items()):
        before = await street.text()
        code, reason = await sent_away(street, [frame], 100 + n)
        assert code is not None and code >= 4400 and reason, f"{kind}: {code} {reason}"
        assert await street.text() == before, kind
        await street.check_neighbour()
    assert await street.text() == street.neighbour.doc.text()
    street.check_relay()


async def tell_lies(street: Street, seeds: range) -> Counter[int]:
    """Let liars come, one after another, with a history of which one frame is changed.

    What is well formed and still untrue is left out: whoever may write can spoil a thought.
    """
    updates = settled(1)[0].updates()[:20]
    ends: Counter[int] = Counter()
    for seed in seeds:
        rng = Random(seed)
        frames = [protocol.encode(protocol.SyncStep1(b"\0"))]
        frames += [protocol.encode(protocol.Update(update)) for update in updates]
        frames.append(_awareness([(9, 1, '{"user": {"name": "Eve"}}')]))
        at = rng.randrange(len(frames))
        frames[at] = mutated(frames[at], rng)
        if not is_wrong(frames[at]):
            continue
        code, reason = await sent_away(street, frames, 1_000 + seed)
        assert code is not None and 4400 <= code < 4500 and reason, f"seed {seed}: {code} {reason}"
        ends[code] += 1
        if seed % 10 == 0:
            await street.check_neighbour()
    await street.check_neighbour()
    assert await street.text() == street.neighbour.doc.text()
    street.check_relay()
    return ends


async def test_lies_to_the_gateway_are_answered_and_nobody_else_notices(street: Street) -> None:
    ends = await tell_lies(street, range(QUICK))
    assert sum(ends.values()) > QUICK // 2 and len(ends) > 1


@pytest.mark.heavy
async def test_many_lies_to_the_gateway_are_answered(street: Street) -> None:
    await tell_lies(street, range(QUICK, QUICK + MANY))
