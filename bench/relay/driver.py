"""The load driver: one process that plays all clients of one server and counts what they get.

``python -m bench.relay.driver`` reads a :class:`Load` as JSON from standard input and prints a
:class:`Outcome` as JSON. All servers get the same connections, writers and updates in the same
rhythm; only the frames around them differ (``dialects.py``).

- A *delivery* is one update that has arrived at one connection other than its writer's.
- With a rate, each writer sends that often, whatever happens. Without one, each keeps ``window``
  updates on their way, counted at one connection of its room, so that the server is never idle and
  never swamped: deliveries a second are then its saturation.
- Latency runs from the making of an update to its arrival at one connection of each room, chosen by
  lot, by one clock.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.measure import percentile
from bench.relay.dialects import Aimem, Dialect, Hocuspocus, YWebsocket
from bench.relay.updates import MARK, Writer, found

_READY_TIMEOUT_S = 60.0
_REPEAT_S = 2.0
_TURN_S = 0.002


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be played."""

    dialect: str
    """``y``, ``hocuspocus`` or ``aimem``."""
    url: str
    """Of the server, without a path."""
    rooms: list[str]
    per_room: int
    """Connections in each."""
    writers: int
    """How many of them write."""
    rate: float = 0.0
    """Updates a second of each writer; 0 for as many as go through."""
    window: int = 32
    warm_up_s: float = 1.0
    seconds: float = 5.0
    drain_s: float = 2.0
    """How long to wait at the end for what is on its way."""
    credentials: dict[str, str] = field(default_factory=dict)
    """What opens each room."""
    connecting: int = 32
    """How many connections are opened at a time."""
    signals: bool = False
    """Whether to say ``begin`` and ``end`` on standard error around the measured time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    connections: int
    seconds: float
    written: int
    """Updates sent in the measured time."""
    deliveries: int
    """In the measured time."""
    frames: int
    """Frames that carried them."""
    expected: int
    """Deliveries that all updates sent until the end should have caused."""
    arrived: int
    """Those that have, until the end of the drain."""
    p50_ms: float
    p99_ms: float
    driver_cpu_s: float
    closed: int
    """Connections that the server closed."""


class Connection(WSListener):  # type: ignore[misc]
    """One client."""

    def __init__(self, run: Run, room: Room, dialect: Dialect) -> None:
        self._run = run
        self._room = room
        self.dialect = dialect
        self.transport: WSTransport | None = None
        self.is_witness = False
        self.own_sign = b""
        self._parts: list[bytes] = []
        self._unsent: list[bytes] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        for frame in self.dialect.greeting():
            transport.send(WSMsgType.BINARY, frame)

    def greet_again(self) -> None:
        """Some servers forget those who come while a room is being made."""
        if self.dialect.greeting_may_repeat and self.transport is not None:
            self.on_ws_connected(self.transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
            return
        if kind == WSMsgType.CLOSE:
            transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        if not frame.fin or self._parts:
            self._parts.append(payload)
            if not frame.fin:
                return
            payload = b"".join(self._parts)
            self._parts = []
        carried = payload.count(MARK)
        if carried and self.own_sign:
            # Some servers send it back to its writer, too.
            carried -= payload.count(self.own_sign)
        if carried:
            run = self._run
            run.deliveries += carried
            run.frames += 1
            if self.is_witness:
                self._room.witnessed(payload)
        answer = self.dialect.answer(payload)
        if answer is not None:
            transport.send(WSMsgType.BINARY, answer)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._run.closed += not self._run.over

    def send(self, update: bytes) -> None:
        """Send an update at the end of this turn of the event loop, with others made in it."""
        if not self._unsent:
            self._run.loop.call_soon(self._flush)
        self._unsent.append(update)

    def _flush(self) -> None:
        updates, self._unsent = self._unsent, []
        if self.transport is not None:
            for frame in self.dialect.wrap(updates):
                self.transport.send(WSMsgType.BINARY, frame)


class Room:
    """The connections that get each other's updates."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.connections: list[Connection] = []
        self.writers: dict[int, tuple[Connection, Writer]] = {}

    def witnessed(self, payload: bytes) -> None:
        now = time.perf_counter_ns()
        run = self._run
        for sent, number in found(payload):
            if run.measuring:
                run.latencies.append(now - sent)
            if run.closed_loop:
                writer = self.writers.get(number)
                if writer is not None:
                    run.write(*writer)


class Run:
    """One load, played once."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.closed_loop = load.rate == 0
        self.measuring = False
        self.over = False
        self.deliveries = self.frames = self.written = self.closed = 0
        self.latencies: list[int] = []
        self._rooms: list[Room] = []

    def write(self, connection: Connection, writer: Writer) -> None:
        if not self.over:
            self.written += 1
            connection.send(writer.update())

    async def play(self) -> Outcome:
        load = self.load
        await self._connect()
        everyone = [(c, w) for room in self._rooms for c, w in room.writers.values()]
        sending = None
        if self.closed_loop:
            for connection, writer in everyone:
                for _ in range(load.window):
                    self.write(connection, writer)
        else:
            sending = asyncio.create_task(self._send_at_rate(everyone))
        await asyncio.sleep(load.warm_up_s)
        self._tell("begin")
        cpu, started = time.process_time(), time.perf_counter()
        written, deliveries, frames = self.written, self.deliveries, self.frames
        self.measuring = True
        await asyncio.sleep(load.seconds)
        self.measuring = False
        seconds = time.perf_counter() - started
        cpu = time.process_time() - cpu
        written, deliveries, frames = (
            self.written - written,
            self.deliveries - deliveries,
            self.frames - frames,
        )
        self._tell("end")
        self.over = True
        if sending is not None:
            await sending
        expected = self.written * (load.per_room - 1)
        await self._drain(expected)
        latencies = [value / 1e6 for value in self.latencies] or [0.0]
        outcome = Outcome(
            len(load.rooms) * load.per_room,
            round(seconds, 3),
            written,
            deliveries,
            frames,
            expected,
            self.deliveries,
            round(percentile(latencies, 50), 3),
            round(percentile(latencies, 99), 3),
            round(cpu, 3),
            self.closed,
        )
        for room in self._rooms:
            for connection in room.connections:
                if connection.transport is not None:
                    connection.transport.disconnect()
        return outcome

    async def _connect(self) -> None:
        load = self.load
        gate = asyncio.Semaphore(load.connecting)
        number = 0
        opening = []
        for name in load.rooms:
            room = Room(self)
            self._rooms.append(room)
            for place in range(load.per_room):
                connection = Connection(self, room, _dialect(load, name))
                room.connections.append(connection)
                if place < load.writers:
                    number += 1
                    client = random.getrandbits(30) | 1
                    writer = Writer(number, client)
                    connection.own_sign = writer.sign
                    room.writers[number] = (connection, writer)
                opening.append(_open(gate, load.url, connection))
            readers = room.connections[load.writers :] or room.connections
            random.choice(readers).is_witness = True
        await asyncio.gather(*opening)
        await self._let_in([one for room in self._rooms for one in room.connections])

    async def _let_in(self, waiting: list[Connection]) -> None:
        until = time.monotonic() + _READY_TIMEOUT_S
        repeat = time.monotonic() + _REPEAT_S
        while waiting := [one for one in waiting if not one.dialect.ready]:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(waiting)} connections were not let in")
            if time.monotonic() > repeat:
                repeat += _REPEAT_S
                for one in waiting:
                    one.greet_again()
            await asyncio.sleep(0.05)

    async def _send_at_rate(self, everyone: list[tuple[Connection, Writer]]) -> None:
        apart = 1 / self.load.rate
        started = time.perf_counter()
        due = [(started + random.random() * apart, place) for place in range(len(everyone))]
        due.sort()
        # Each round goes through the writers in one order, so no queue has to be kept sorted.
        turn, place = 0, 0
        while not self.over:
            now = time.perf_counter()
            while due[place][0] + turn * apart <= now:
                self.write(*everyone[due[place][1]])
                place += 1
                if place == len(due):
                    place, turn = 0, turn + 1
            await asyncio.sleep(_TURN_S)

    async def _drain(self, expected: int) -> None:
        until = time.monotonic() + self.load.drain_s
        while self.deliveries < expected and time.monotonic() < until:
            await asyncio.sleep(0.02)

    def _tell(self, word: str) -> None:
        if self.load.signals:
            print(word, file=sys.stderr, flush=True)


def _dialect(load: Load, room: str) -> Dialect:
    if load.dialect == "aimem":
        return Aimem(room, load.credentials[room].encode())
    kinds: dict[str, Callable[[str], Dialect]] = {"y": YWebsocket, "hocuspocus": Hocuspocus}
    return kinds[load.dialect](room)


async def _open(gate: asyncio.Semaphore, url: str, connection: Connection) -> None:
    async with gate:
        await ws_connect(lambda: connection, url + connection.dialect.path())


async def _play(load: Load) -> Outcome:
    return await Run(load).play()


def main() -> None:
    """Play the load that comes on standard input."""
    load = Load(**json.load(sys.stdin))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(_play(load))
    json.dump(asdict(outcome), sys.stdout)
    print()


if __name__ == "__main__":
    main()
