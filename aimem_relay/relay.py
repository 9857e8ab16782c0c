"""One pod of the relay: its connections, and the turns they take in what its rooms have.

- Stateless: what is here is a copy of the ledger's, and of what the other pods say. A pod that is
  killed costs its connections a reconnect.
- The way of an entry: a connection hands it to the committer; the committer stores what has
  gathered and tells the change; the room takes it in; then, in one turn, everybody in the room is
  sent what is new, and senders their acknowledgement. How rooms follow what other pods commit:
  ``rooms.py``.
- A large room is served at most as often as it takes to serve it: under load what leaves in a turn
  grows, not the number of turns.
- When the ledger cannot store, everybody is told; nothing is acknowledged, and nobody is sent away.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import random
import secrets
import time
from collections.abc import Callable, Coroutine
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aimem_relay import logging as log
from aimem_relay.access import Gate
from aimem_relay.admission import Admission
from aimem_relay.bus.port import Bus
from aimem_relay.channel import Channel
from aimem_relay.committer import CommitLimits, Committer
from aimem_relay.config import Config
from aimem_relay.connection import Connection
from aimem_relay.ledger.port import Change, Ledger
from aimem_relay.metrics import Metrics
from aimem_relay.people import People
from aimem_relay.room import Room
from aimem_relay.rooms import FULL, Rooms
from crdt.session.replica import Limits
from crdt.wire.messages import CloseCode

TURN_S = 0.001
"""A room's turns are this far apart at least."""
LOOK_S = 0.1
"""How often it is looked which connections are due."""
SWEEP_S = 1.0
FETCHES = 16
"""How many parts of logs are read from the ledger at a time."""
GOODBYE_S = 3.0
"""How long connections that were closed have to go."""


class Relay:
    """One pod. Made, started and stopped inside one event loop.

    Args:
        ledger: started before the relay, closed after it.
        gate: decides about access.
    """

    def __init__(
        self,
        config: Config,
        ledger: Ledger,
        bus: Bus,
        gate: Gate,
        *,
        commit_limits: CommitLimits | None = None,
    ) -> None:
        self.config = config
        self.ledger = ledger
        self.bus = bus
        self.gate = gate
        self.metrics = Metrics()
        self.pod = secrets.token_hex(4)
        """Tells this pod from others."""
        self.agent = f"aimem-relay/{_version()}"
        self.limits = Limits(
            max_frame=config.max_frame,
            presence_ms=config.presence_ms,
            presence_keys=config.presence_per_connection,
        )
        self.admission = Admission(config)
        self.people = People(self)
        self.rooms = Rooms(self, self._grew)
        self.committer = Committer(
            ledger, on_change=self.changed, on_health=self._health, limits=commit_limits
        )
        self.fetches = asyncio.Semaphore(FETCHES)
        self.draining = False
        """Whether the relay is about to stop; then it is not ready."""
        self.frames_sent = 0
        self.acknowledged = 0
        self.uncommitted = 0
        """Bytes received and not yet stored."""
        self._connections: dict[int, Connection] = {}
        self._numbers = 0
        self._soon: dict[Connection, None] = {}
        self._grown: dict[Room, None] = {}
        self._turn_is_due = False
        self._due: list[tuple[int, int, Connection]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()
        self._nobody = asyncio.Event()

    # Life

    async def start(self) -> None:
        """Begin."""
        self.committer.start()
        await self.bus.start(self.rooms.heard, self.rooms.watching)
        for forever in (self._look_after_all, self._sweep, self.rooms.look_for_others):
            self.spawn(self._keep(forever))
        if self.config.checkpoints:
            from aimem_relay.checkpoints.job import CheckpointJob

            job = CheckpointJob(self.ledger, self.config, self.metrics, self.changed)
            self.spawn(self._keep(job.run))

    async def drain(self) -> None:
        """Send everybody away, over the configured time; what has come is still stored."""
        self.draining = True
        window = self.config.drain_s
        everybody = [*self._connections.values()]
        log.event("draining", connections=len(everybody), seconds=window)
        for connection in everybody:
            # They come back somewhere else, and not all at once.
            goes_in = random.uniform(0, window)
            delay_ms = int(1_000 * random.uniform(0, max(1.0, window / 2)))
            connection.going_away(int(1_000 * goes_in) + delay_ms)
            self._loop.call_later(goes_in, connection.send_away, delay_ms)
        self._nobody.clear()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(window + GOODBYE_S):
                    await self._nobody.wait()

    async def stop(self) -> None:
        """Store what is left, and end."""
        self.draining = True
        try:
            async with asyncio.timeout(max(GOODBYE_S, self.config.drain_s)):
                await self.committer.close()
        except TimeoutError:
            log.event("some of what was received could not be stored", logging.WARNING)
        for connection in [*self._connections.values()]:
            connection.pump()
            delay_ms = self.admission.delay_ms()
            connection.end(CloseCode.GOING_AWAY, "The relay is restarting.", delay_ms)
            connection.pump()
        await self.rooms.stop()
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.bus.close()

    # Time and tasks

    def now(self) -> int:
        """ms of a clock that never goes back."""
        return int(self._loop.time() * 1_000)

    def clock(self) -> float:
        """Seconds of a clock that never goes back, for measuring."""
        return time.perf_counter()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that has to wait; what goes wrong is logged."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something for ever, whatever goes wrong in it."""
        while True:
            try:
                await work()
            except Exception as error:
                log.failure("something failed and begins anew", error)
            await asyncio.sleep(SWEEP_S)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.failure("something failed", error)

    # Connections

    def accept(self, channel: Channel, workspace: str) -> Connection:
        """Take over a channel whose peer asks for a workspace.

        Returns:
            Whom the channel is to tell what comes.
        """
        self._numbers += 1
        connection = Connection(self, self._numbers, channel, workspace)
        self._connections[connection.number] = connection
        self.look_after(connection, self.now() + self.limits.greeting_ms)
        refusal = self.admission.enter(channel.address)
        if self.draining:
            refusal = self.admission.refusal("draining", "The relay is restarting.")
        if refusal is not None:
            connection.refuse(refusal)
        return connection

    def new_name(self) -> str:
        """A name for somebody who is no connection of the protocol; never used again."""
        self._numbers += 1
        return f"{self.pod}.{self._numbers}"

    def joined(self, connection: Connection, room: Room) -> None:
        """A connection was let in."""
        room.empty_since = None
        problem = self.committer.problem or (FULL if room.full else "")
        if problem:
            connection.set_degraded(problem)
        if self.draining:
            connection.going_away(self.admission.delay_ms())
        self.look_after(connection, self.now())

    def left(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.pop(connection.number, None)
        self._soon.pop(connection, None)
        self.admission.leave(connection.channel.address)
        room, connection.room = connection.room, None
        if room is not None:
            self.admission.quit(room.workspace)
            room.leave(connection)
            self.people.leave(room, connection.name)
        if not self._connections:
            self._nobody.set()

    def look_after(self, connection: Connection, at: int) -> None:
        """Call a connection's ``tick`` at a time, ms, if not before."""
        if not connection.due or at < connection.due:
            connection.due = at
            heapq.heappush(self._due, (at, connection.number, connection))

    async def _look_after_all(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            now = self.now()
            while self._due and self._due[0][0] <= now:
                at, _, connection = heapq.heappop(self._due)
                if at != connection.due:
                    continue
                connection.due = 0
                due = connection.tick(now)
                if due is not None:
                    self.look_after(connection, max(due, now + 50))

    # Turns

    def pump_soon(self, connection: Connection) -> None:
        """Let a connection send what it has, at the next turn."""
        self._soon[connection] = None
        self._turn_soon()

    def _turn_soon(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            # When all who wait for the same commit have heard of it.
            self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn_is_due = False
        grown, self._grown = self._grown, {}
        if grown:
            now = self._loop.time()
            for room in grown:
                if room.next_turn > now:
                    self._grown[room] = None
                else:
                    self._serve(room)
            if self._grown:
                first = min(room.next_turn for room in self._grown)
                self._loop.call_at(first, self._turn_soon)
        soon, self._soon = self._soon, {}
        for connection in soon:
            connection.pump()

    def _serve(self, room: Room) -> None:
        """Send everybody in a room what is new."""
        began = self._loop.time()
        for connection in [*room.connections.values()]:
            self._soon.pop(connection, None)
            connection.session.log_grew()
            connection.pump()
        ended = self._loop.time()
        room.next_turn = ended + max(TURN_S, ended - began)
        if room.committed_at:
            self.metrics.deliver_seconds.add(self.clock() - room.committed_at)
            room.committed_at = 0.0
        room.trim()

    # Rooms

    async def enter(self, workspace: str) -> Room:
        """See :meth:`aimem_relay.rooms.Rooms.enter`."""
        return await self.rooms.enter(workspace)

    def changed(self, change: Change) -> None:
        """See :meth:`aimem_relay.rooms.Rooms.changed`."""
        self.rooms.changed(change)

    def _grew(self, room: Room) -> None:
        """There is something new for those in a room."""
        self._grown[room] = None
        self._turn_soon()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.people.look(self.rooms)
            self.rooms.look(self.now(), self._grown)

    def _health(self, problem: str) -> None:
        """The ledger has stopped to answer, or answers again."""
        if problem:
            log.event("the ledger does not store", logging.ERROR)
            told = "The relay cannot store anything just now."
        else:
            log.event("the ledger stores again")
            told = ""
        for connection in [*self._connections.values()]:
            room = connection.room
            if room is not None:
                connection.set_degraded(told or (FULL if room.full else ""))

    # Measuring

    def measure(self) -> bytes:
        """The page for Prometheus."""
        metrics = self.metrics
        metrics.connections.set(self.admission.connections)
        metrics.rooms.set(len(self.rooms))
        metrics.presences.set(sum(len(room.presence) for room in self.rooms))
        metrics.queue_bytes.set(self.uncommitted)
        metrics.ledger_degraded.set(bool(self.committer.problem))
        metrics.bus_lost.set(not (self.bus.alone or self.bus.connected))
        frames, self.frames_sent = self.frames_sent, 0
        metrics.delivered.inc(frames)
        records, self.acknowledged = self.acknowledged, 0
        metrics.acknowledged.inc(records)
        return metrics.page()


def _version() -> str:
    try:
        return version("aimem")
    except PackageNotFoundError:
        return "0"
