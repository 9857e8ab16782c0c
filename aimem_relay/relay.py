"""One pod of the relay: its rooms and connections, and the turns they take.

- Stateless: what is here is a copy of the ledger's, and of what the other pods say. A pod that is
  killed costs its connections a reconnect.
- The way of an entry: a connection hands it to the committer; the committer stores what has
  gathered and tells the change; the room takes it in; then, in one turn, everybody in the room is
  sent what is new, and senders their acknowledgement. Other pods hear a hint and read the ledger;
  without a bus, and every now and then, they look for themselves.
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
from aimem_relay.bus.port import Bus, Hint, Message
from aimem_relay.channel import Channel
from aimem_relay.committer import CommitLimits, Committer
from aimem_relay.config import Config
from aimem_relay.connection import Connection
from aimem_relay.ledger.port import Change, Ledger, LedgerDown
from aimem_relay.metrics import Metrics
from aimem_relay.people import People
from aimem_relay.room import RING_BYTES, RING_RECORDS, Room
from crdt.session.replica import Limits
from crdt.wire.messages import CloseCode

TURN_S = 0.001
"""A room's turns are this far apart at least."""
LOOK_S = 0.1
"""How often it is looked which connections are due."""
SWEEP_S = 1.0
LINGER_MS = 10_000
"""How long a room is kept when nobody is there any more."""
LOOK_ANYWAY = 10
"""With a bus, other pods' commits are looked for this many times more seldom than without."""
FETCHES = 16
"""How many parts of logs are read from the ledger at a time."""
GOODBYE_S = 3.0
"""How long connections that were closed have to go."""
FULL = "This workspace has used up its space on the relay."


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
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Task[Room]] = {}
        self._connections: dict[int, Connection] = {}
        self._numbers = 0
        self._soon: dict[Connection, None] = {}
        self._grown: dict[Room, None] = {}
        self._turn_is_due = False
        self._due: list[tuple[int, int, Connection]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()
        self._nobody = asyncio.Event()
        self._look_now = asyncio.Event()

    # Life

    async def start(self) -> None:
        """Begin."""
        self.committer.start()
        await self.bus.start(self._heard, self._watching)
        for forever in (self._look_after_all, self._sweep, self._look_for_others):
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
            self._loop.call_later(goes_in, self._send_away, connection, delay_ms)
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
        # Those who wait for a commit hear of it first.
        await asyncio.sleep(0)
        for connection in [*self._connections.values()]:
            connection.pump()
            self._send_away(connection, self.admission.delay_ms())
            connection.pump()
        tasks = [*self._tasks, *self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.bus.close()

    @staticmethod
    def _send_away(connection: Connection, delay_ms: int) -> None:
        connection.end(CloseCode.GOING_AWAY, "The relay is restarting.", delay_ms)

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
            # Once more around, so that all who wait for a commit hear of it before.
            self._loop.call_soon(self._loop.call_soon, self._take_turn)

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
        """The room of a workspace, opened if need be; it stays while it is in use.

        Raises:
            LedgerDown: if the ledger does not answer.
        """
        while True:
            room = self._rooms.get(workspace)
            if room is not None:
                room.empty_since = None
                return room
            task = self._opening.get(workspace)
            if task is None:
                task = self._loop.create_task(self._open(workspace))
                self._opening[workspace] = task
            try:
                # Others wait for it as well, whatever becomes of this one.
                return await asyncio.shield(task)
            finally:
                if task.done():
                    self._opening.pop(workspace, None)

    async def _open(self, workspace: str) -> Room:
        room = Room(await self.ledger.open(workspace), self.config.presence_per_workspace)
        self._rooms[workspace] = room
        self._judge_space(room)
        self.bus.watch(workspace)
        # Something may have been committed while the ledger answered.
        self._catch_up(room)
        return room

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.people.look(self._rooms.values())
            now = self.now()
            for room in [*self._rooms.values()]:
                if room not in self._grown:
                    room.rest()
                if room.in_use:
                    room.empty_since = None
                elif room.empty_since is None:
                    room.empty_since = now
                elif now - room.empty_since >= LINGER_MS:
                    self._close(room)

    def _close(self, room: Room) -> None:
        if self._rooms.get(room.workspace) is room:
            del self._rooms[room.workspace]
            self._grown.pop(room, None)
            self.bus.unwatch(room.workspace)

    # The ledger

    def changed(self, change: Change) -> None:
        """This pod has changed the ledger: let everybody know who has to."""
        if change.version > change.since:
            self.bus.tell(change.workspace, Hint(change.version))
        room = self._rooms.get(change.workspace)
        if room is not None:
            self._apply(room, change)

    def _apply(self, room: Room, change: Change) -> None:
        if change.log != room.copy.log:
            self._renewed(room, change)
            return
        before = room.copy.version
        if not room.apply(change):
            self._catch_up(room)
        elif room.copy.version > before:
            room.committed_at = room.committed_at or self.clock()
            self._judge_space(room)
            self._grown[room] = None
            self._turn_soon()

    def _renewed(self, room: Room, change: Change) -> None:
        """An older ledger was put in place: nothing that is here is good any more."""
        log.event("the ledger was renewed", logging.WARNING, workspace=room.workspace)
        self._close(room)
        room.tell_followers(change)
        for connection in [*room.connections.values()]:
            connection.end(
                CloseCode.TRY_LATER, "The relay was set back.", self.admission.delay_ms()
            )

    def _catch_up(self, room: Room) -> None:
        """Get what the ledger has and the room has not."""
        room.behind = True
        if not room.catching_up:
            room.catching_up = True
            self.spawn(self._catching_up(room))

    async def _catching_up(self, room: Room) -> None:
        try:
            while room.behind and self._rooms.get(room.workspace) is room:
                room.behind = False
                copy = room.copy
                try:
                    change = await self.ledger.tail(
                        room.workspace, copy.version, copy.last, RING_RECORDS, RING_BYTES
                    )
                except LedgerDown:
                    room.behind = True
                    await asyncio.sleep(self.config.poll_s)
                    continue
                self._apply(room, change)
        finally:
            room.catching_up = False

    async def _look_for_others(self) -> None:
        """Follow what other pods commit, where no hint tells of it."""
        beat = 0
        while True:
            asked = True
            try:
                async with asyncio.timeout(self.config.poll_s):
                    await self._look_now.wait()
            except TimeoutError:
                asked = False
            self._look_now.clear()
            beat += 1
            if self.bus.alone or not self._rooms:
                continue
            if self.bus.connected and not asked and beat % LOOK_ANYWAY:
                continue
            try:
                versions = await self.ledger.versions([*self._rooms])
            except LedgerDown:
                continue
            for workspace, newest in versions.items():
                room = self._rooms.get(workspace)
                if room is not None and newest > room.copy.version:
                    self._catch_up(room)

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

    def _judge_space(self, room: Room) -> None:
        most = self.config.workspace_bytes
        full = bool(most) and room.copy.size >= most
        if full == room.full:
            return
        room.full = full
        log.event("a workspace is full" if full else "a workspace has space", room=room.workspace)
        for connection in [*room.connections.values()]:
            if full:
                connection.set_degraded(FULL)
            else:
                connection.space_found()

    # The bus

    def _watching(self, workspace: str) -> None:
        """From now on the bus tells of a workspace; what it told before was not heard."""
        if not workspace:
            self._look_now.set()
            return
        room = self._rooms.get(workspace)
        if room is not None:
            self._catch_up(room)
            self.people.meet(room)

    def _heard(self, workspace: str, message: Message) -> None:
        room = self._rooms.get(workspace)
        if not isinstance(message, Hint):
            self.people.heard(room, message)
        elif room is not None and message.version > room.copy.version:
            self._catch_up(room)

    # Measuring

    def measure(self) -> bytes:
        """The page for Prometheus."""
        metrics = self.metrics
        metrics.connections.set(len(self._connections))
        metrics.rooms.set(len(self._rooms))
        metrics.presences.set(sum(len(room.presence) for room in self._rooms.values()))
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
