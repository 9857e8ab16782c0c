"""A real relay under lies: each is answered, nothing stored changes, and the neighbours go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiohttp
import pytest

from crdt.entry import Entry
from crdt.errors import WireError
from crdt.session import State
from crdt.session import events as ev
from crdt.wire import codec, messages
from crdt.wire.messages import CloseCode
from tests.fuzz.conversations import histories, record
from tests.fuzz.lies import lie
from tests.fuzz.relay import MEMORY, Person, RunningRelay, relay, until
from tests.session.pairs import WORKSPACE, disk, thought
from tests.simulation.disk import Disk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")

QUICK, MANY = 80, 1_000


@dataclass
class Neighbourhood:
    """A relay, somebody who works with it, and whoever lies to it."""

    relay: RunningRelay
    http: aiohttp.ClientSession
    neighbour: Person
    said: set[bytes] = field(default_factory=set)
    """Digests of all entries that were sent in a whole frame."""

    async def connect(self, person: Person) -> None:
        url, token = self.relay.url(WORKSPACE), self.relay.token(WORKSPACE)
        await person.talk(self.http, url, token)

    async def check_neighbour(self) -> None:
        """The neighbour writes, and it is on disk at the relay a moment later."""
        seq = self.neighbour.write(thought(9), b"\0\0")
        acknowledged = ev.Acknowledged(seq)
        await until(
            lambda: acknowledged in self.neighbour.events or self.neighbour.gone is not None,
            "the neighbour's entry was acknowledged",
        )
        assert self.neighbour.gone is None, "the neighbour has lost its connection"

    async def download(self) -> Disk:
        """All that the relay has, as somebody new is given it."""
        newcomer = Person(Disk(WORKSPACE, "4" * 32, "44" * 16))
        talking = asyncio.create_task(self.connect(newcomer))
        wanted = self.neighbour.disk.vector()
        await until(
            lambda: newcomer.disk.vector().covers(wanted) or newcomer.gone is not None,
            "the newcomer had everything",
        )
        assert newcomer.gone is None, newcomer.gone
        newcomer.take(newcomer.session.close(CloseCode.NORMAL, "done"))
        newcomer.wake()
        await talking
        return newcomer.disk

    def check_relay(self) -> None:
        """It runs, has room, and met nothing that it did not expect."""
        assert self.relay.process.poll() is None, self.relay.log.read_text(encoding="utf-8")[-3000:]
        assert self.relay.most_memory() < MEMORY
        for line in self.relay.log.read_text(encoding="utf-8").splitlines():
            assert json.loads(line).get("level", "").lower() not in ("error", "critical"), line


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Neighbourhood]:
    with relay(tmp_path) as running:
        async with aiohttp.ClientSession() as http:
            neighbour = Person(disk(3))
            town = Neighbourhood(running, http, neighbour)
            talking = asyncio.create_task(town.connect(neighbour))
            await until(lambda: neighbour.session.state is State.OPEN, "the neighbour was let in")
            try:
                yield town
            finally:
                talking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await talking


class Liar(Person):
    """Somebody whose frames are changed on their way."""

    def __init__(self, town: Neighbourhood, others: list[bytes], rng: Random) -> None:
        copy = Disk(WORKSPACE, rng.randbytes(16).hex(), rng.randbytes(16).hex())
        super().__init__(copy, self._lie)
        self._town = town
        self._others = others
        self._rng = rng
        self._sent: list[bytes] = []
        self._first = rng.randrange(9)
        self.has_lied = False

    def _lie(self, frame: bytes) -> list[bytes]:
        self._sent.append(frame)
        at = len(self._sent) - 1
        lies = at == self._first or (at > self._first and self._rng.random() < 0.1)
        said = lie(self._sent, at, self._others, self._rng) if lies else [frame]
        self.has_lied |= lies
        for one in said:
            self._town.said |= {entry.digest() for entry in _entries_in(one)}
        return said


def _entries_in(frame: bytes) -> list[Entry]:
    with contextlib.suppress(WireError):
        message = codec.decode(frame)
        if isinstance(message, messages.Entries):
            return codec.unpack_entries(message)
    return []


async def tell_lies(town: Neighbourhood, seeds: range) -> Counter[str]:
    """Let liars come, one after another; returns how they were sent away."""
    made = histories()
    others = [record(Random(n), made).frames for n in range(4)]
    ends: Counter[str] = Counter()
    for seed in seeds:
        rng = Random(seed)
        liar = Liar(town, rng.choice(others), rng)
        for n, update in enumerate(rng.choice(made)[: rng.randint(1, 12)]):
            liar.write(thought(n % 3), update)
        if rng.random() < 0.3:
            liar.disk.compact(thought(0))
        liar.session.set_presence("k" * rng.choice((1, 128)), b"x")
        ends[await _visit(town, liar, seed)] += 1
        if seed % 10 == 0:
            await town.check_neighbour()
    return ends


async def _visit(town: Neighbourhood, liar: Liar, seed: int) -> str:
    """How the relay has sent the liar away; "stayed" where it had no reason to."""
    talking = asyncio.create_task(town.connect(liar))
    quiet = 0
    before = -1
    while not talking.done() and quiet < 8:
        await asyncio.sleep(0.01)
        heard = len(liar.events) + len(liar._sent)
        quiet = quiet + 1 if heard == before else 0
        before = heard
    stayed = not talking.done()
    if stayed:
        liar.take(liar.session.close(CloseCode.NORMAL, "done"))
        liar.wake()
    try:
        async with asyncio.timeout(15):
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                await talking
    except TimeoutError:
        raise AssertionError(f"seed {seed}: the relay never closes") from None
    gone = liar.gone
    assert gone is not None
    if stayed:
        return "stayed"
    assert gone.code is not CloseCode.INTERNAL, f"seed {seed}: {gone}"
    if gone.code is CloseCode.LOST:
        # The liar has said goodbye itself, or broken the rules of websockets.
        assert liar.closed_with not in (None, 1006, 1011), f"seed {seed}: {liar.closed_with}"
    elif gone.by_peer:
        assert gone.reason, f"seed {seed}: sent away without a reason"
    return gone.code.name


async def check_content(town: Neighbourhood) -> None:
    """The relay holds all that the neighbour wrote, and of others only what they have said."""
    await town.check_neighbour()
    held = await town.download()
    mine = town.neighbour.disk
    assert held.vector() == mine.vector()
    for name, entry in held.by_name.items():
        assert mine.by_name.get(name) == entry, f"{name} is not what the neighbour has"
        assert entry.replica == mine.replica or entry.digest() in town.said
    # What is not there as an entry the relay has put into a checkpoint meanwhile.
    lost = mine.by_name.keys() - held.by_name.keys()
    assert {mine.by_name[name].thought for name in lost} <= {
        checkpoint.thought for _, checkpoint in held.checkpoints
    }


async def test_lies_are_answered_and_nobody_else_notices(town: Neighbourhood) -> None:
    ends = await tell_lies(town, range(QUICK))
    assert ends["stayed"] < QUICK // 2 and len(ends) > 5, ends
    await check_content(town)
    town.check_relay()


@pytest.mark.heavy
async def test_many_lies_are_answered_and_nobody_else_notices(town: Neighbourhood) -> None:
    await tell_lies(town, range(QUICK, QUICK + MANY))
    await check_content(town)
    town.check_relay()
