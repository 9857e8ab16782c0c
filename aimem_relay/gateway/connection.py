"""One stock client: what it sends, what it is sent, and when it is dropped.

- What is to be sent waits in one queue, in order. An answer that holds what is not on disk yet
  holds up what is behind it until that is on disk, or the connection ends.
- A client that does not take what is sent is dropped at a bound; it comes back and is told what it
  lacks then. One that sends too fast is read slower.
- An update that comes before the client has answered our first sync message may build on what that
  answer will bring. What does not fit until then is no fault, and not asked for again.
- Only its own presence is taken from a client, and taken back when the connection is gone.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from aimem_relay import logging as log
from aimem_relay.access import Decision, Denied, Grant, wall_ms
from aimem_relay.gateway import awareness, protocol
from aimem_relay.gateway.ports import Limits, Refused
from aimem_relay.gateway.thought import Offered, Thought
from crdt.errors import CrdtError, WireError
from crdt.wire.messages import CloseCode, Role

MAX_ASKS = 3
"""How often a client is asked for what is missing without an answer that brings it."""
ECHO_COST = 0.02
"""For how many frames one counts that only says what the client was told of others: a stock client
sends all of that back."""
READ_ONLY = "You may read this thought, not change it."


class Connection:
    """A stock client that has a thought open.

    Args:
        socket: its websocket, accepted.
        grant: what it may do.
        check: decides about it anew.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        thought: Thought,
        grant: Grant,
        check: Callable[[], Awaitable[Decision]],
        limits: Limits,
    ) -> None:
        self._socket = socket
        self._thought = thought
        self._number = thought.new_connection()
        self._grant = grant
        self._check = check
        self._limits = limits
        self._queue: deque[tuple[bytes, asyncio.Future[Refused | None] | None]] = deque()
        self._queued = 0
        self._wake = asyncio.Event()
        self._synced = False
        self._asks = 0
        self._allowance = limits.frames_per_s * 10.0
        self._read_at = time.monotonic()
        self._told = awareness.Told()
        self._greeted = asyncio.Event()
        self._sees_people = False
        self._changed: set[int] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._told_at = 0.0
        self._own: dict[int, float] = {}
        self._clocks: dict[int, int] = {}
        self._ended: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()

    async def run(self) -> Refused:
        """Serve the client until it goes, or has to; returns why."""
        thought = self._thought
        thought.join(self)
        tasks = [
            asyncio.create_task(work) for work in (self._read(), self._write(), self._look_after())
        ]
        try:
            over: list[asyncio.Future[Any]] = [*tasks, self._ended]
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and (error := task.exception()) is not None:
                    log.failure("serving a stock client failed", error)
                    self.end(CloseCode.INTERNAL, "The relay has failed; it is not your fault.")
            self.end(CloseCode.LOST, "")
        finally:
            thought.leave(self)
            if self._telling is not None:
                self._telling.cancel()
            for client in [*self._own]:
                thought.announce(self._number, client, b"")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._ended.result()

    # What the thought tells

    def send(self, frame: bytes) -> None:
        """Send this behind what waits."""
        self._put(frame, None)

    def people_changed(self, clients: set[int]) -> None:
        """Tell the client of others."""
        if not self._sees_people:
            return
        self._changed |= clients
        if self._telling is None:
            loop = asyncio.get_running_loop()
            due = self._told_at + self._limits.presence_s
            if loop.time() >= due:
                self._tell_people()
            else:
                self._telling = loop.call_at(due, self._tell_people)

    def _tell_people(self) -> None:
        self._telling = None
        self._told_at = asyncio.get_running_loop().time()
        changed, self._changed = self._changed, set()
        said = self._told.tell(self._thought.people, changed - self._own.keys(), wall_ms())
        if said.states:
            self.send(protocol.encode(said))

    def end(self, code: CloseCode, reason: str) -> None:
        """Drop the client."""
        if not self._ended.done():
            self._ended.set_result(Refused(code, reason))

    # What is sent

    def _put(self, frame: bytes, after: asyncio.Future[Refused | None] | None) -> None:
        if self._ended.done():
            return
        # What was asked for may be large; the bound is on what comes by itself.
        if self._queue and self._queued + len(frame) > self._limits.waiting_bytes:
            self.end(CloseCode.TRY_LATER, "You take too little of what is sent.")
            return
        self._queue.append((frame, after))
        self._queued += len(frame)
        self._wake.set()

    def _ask(self) -> None:
        """Want all that the client has and we have not."""
        self.send(protocol.encode(protocol.SyncStep1(self._thought.state_vector())))

    async def _write(self) -> None:
        while True:
            while self._queue:
                frame, after = self._queue[0]
                if after is not None and (refused := await asyncio.shield(after)) is not None:
                    self.end(refused.code, refused.reason)
                    return
                try:
                    async with asyncio.timeout(self._limits.send_s):
                        await self._socket.send_bytes(frame)
                except TimeoutError:
                    self.end(CloseCode.TRY_LATER, "You take nothing of what is sent.")
                    return
                except ConnectionError:
                    return
                self._queue.popleft()
                self._queued -= len(frame)
            self._wake.clear()
            await self._wake.wait()

    async def _look_after(self) -> None:
        """Tell a newcomer of others; keep the connection alive; end it when its time is up."""
        limits = self._limits
        try:
            async with asyncio.timeout(limits.greeting_s):
                await self._greeted.wait()
        except TimeoutError:
            pass
        self._show_people()
        while True:
            await asyncio.sleep(limits.keep_alive_s)
            said = self._told.renew(self._thought.people, wall_ms())
            self.send(protocol.encode(said))
            now = time.monotonic()
            for client in [one for one, at in self._own.items() if now - at > limits.outdated_s]:
                self._forget(client)
            if self._grant.expires and self._grant.expires <= wall_ms():
                decision = await self._check()
                if isinstance(decision, Denied):
                    self.end(decision.code, decision.reason)
                    return
                self._grant = decision

    def _show_people(self) -> None:
        if not self._sees_people:
            self._sees_people = True
            self.people_changed(self._thought.people.clients())

    # What comes

    async def _read(self) -> None:
        if self._grant.role is Role.WRITER:
            # First of all: what the client has written elsewhere comes only when it is asked for.
            await self._thought.ready.wait()
            self._ask()
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY:
                self.end(CloseCode.BAD_FRAME, "Only binary messages are understood.")
                return
            try:
                cost = await self._take(message.data)
            except WireError as error:
                self.end(CloseCode.BAD_FRAME, _sentence(error))
                return
            except Refused as refused:
                self.end(refused.code, refused.reason)
                return
            except CrdtError:
                self.end(CloseCode.TRY_LATER, "The thought is being opened anew.")
                return
            await self._slow_down(cost)

    async def _take(self, frame: bytes) -> float:
        """Do what a frame asks for; returns for how many frames it counts."""
        message = protocol.decode(frame)
        match message:
            case protocol.SyncStep1():
                await self._thought.ready.wait()
                update, after = self._thought.missing(message.state_vector)
                self._put(protocol.encode(protocol.SyncStep2(update)), after)
            case protocol.SyncStep2():
                self._synced = True
                await self._update(message.update)
            case protocol.Update():
                await self._update(message.update)
            case protocol.Awareness():
                return self._awareness(message)
            case protocol.QueryAwareness():
                self._show_people()
                self.people_changed(self._thought.people.clients())
        return 1.0

    async def _update(self, update: bytes) -> None:
        thought = self._thought
        await thought.has_room()
        await thought.ready.wait()
        try:
            if self._grant.role is Role.WRITER:
                self._note(thought.offer(update, self._grant.name))
            elif not thought.holds(update):
                self.send(protocol.encode(protocol.PermissionDenied(READ_ONLY)))
                await self._flushed()
                raise Refused(CloseCode.FORBIDDEN, READ_ONLY)
        except WireError as error:
            raise Refused(CloseCode.BAD_UPDATE, _sentence(error)) from error

    def _note(self, offered: Offered) -> None:
        if offered.stored is not None:
            offered.stored.add_done_callback(self._stored)
        if offered.complete:
            self._asks = 0
        elif self._synced:
            self._asks += 1
            if self._asks > MAX_ASKS:
                raise Refused(CloseCode.GAP, "What your changes build on is missing.")
            self._ask()

    def _stored(self, stored: asyncio.Future[Refused | None]) -> None:
        refused = None if stored.cancelled() else stored.result()
        if refused is not None:
            # Stock clients are back in no time, with the same changes.
            wait = self._limits.retry_s * random.uniform(0.5, 1.5)
            asyncio.get_running_loop().call_later(wait, self.end, refused.code, refused.reason)

    async def _flushed(self) -> None:
        """Wait, but not for long, until what waits was sent."""
        for _ in range(100):
            if not self._queue:
                return
            await asyncio.sleep(0.01)

    def _awareness(self, message: protocol.Awareness) -> float:
        now, cost = time.monotonic(), ECHO_COST
        for one in message.states:
            if one.client in self._told:
                continue
            cost = 1.0
            known = one.client in self._own
            if one.state == awareness.GONE:
                if known:
                    self._forget(one.client)
                continue
            if known and one.clock < self._clocks[one.client]:
                continue
            if not known and len(self._own) >= self._limits.clients_per_connection:
                raise Refused(CloseCode.BAD_FRAME, "You speak of too many clients.")
            state = awareness.to_presence(self._thought.id, one, self._grant.name)
            if not state:
                raise Refused(CloseCode.BAD_FRAME, "What you say of yourself is too large.")
            self._own[one.client] = now
            self._clocks[one.client] = one.clock
            self._thought.announce(self._number, one.client, state)
        self._greeted.set()
        return cost

    def _forget(self, client: int) -> None:
        del self._own[client]
        self._thought.announce(self._number, client, b"")

    async def _slow_down(self, cost: float) -> None:
        """Wait where the client has sent more than it may."""
        limits, now = self._limits, time.monotonic()
        earned = (now - self._read_at) * limits.frames_per_s
        self._allowance = min(self._allowance + earned, limits.frames_per_s * 10.0) - cost
        self._read_at = now
        if self._allowance < 0:
            await asyncio.sleep(-self._allowance / limits.frames_per_s)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
