"""The rooms of a pod: opened when somebody needs them, and kept as the ledger has them.

- A room takes in what this pod commits, from the committer. What other pods commit it is told by
  the bus, and reads from the ledger; without a bus, and every now and then, it is looked for.
- What is missing in between is read from the ledger, never guessed at.
- A room that nobody needs stays for a while, for those who come back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container, Iterator
from typing import TYPE_CHECKING

from aimem_relay import logging as log
from aimem_relay.bus.port import Hint, Message
from aimem_relay.ledger.port import Change, LedgerDown
from aimem_relay.room import RING_BYTES, RING_RECORDS, Room
from crdt.wire.messages import CloseCode

if TYPE_CHECKING:
    from aimem_relay.relay import Relay

LINGER_MS = 10_000
"""How long a room is kept when nobody is there any more."""
LOOK_ANYWAY = 10
"""With a bus, other pods' commits are looked for this many times more seldom than without."""
FULL = "This workspace has used up its space on the relay."


class Rooms:
    """All rooms of a pod.

    Args:
        on_growth: told of a room that has something new for those who are in it.
    """

    def __init__(self, relay: Relay, on_growth: Callable[[Room], None]) -> None:
        self._relay = relay
        self._on_growth = on_growth
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Task[Room]] = {}
        self._look_now = asyncio.Event()

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def __len__(self) -> int:
        return len(self._rooms)

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
                task = asyncio.create_task(self._open(workspace))
                self._opening[workspace] = task
            try:
                # Others wait for it as well, whatever becomes of this one.
                return await asyncio.shield(task)
            finally:
                if task.done():
                    self._opening.pop(workspace, None)

    def look(self, now: int, busy: Container[Room]) -> None:
        """Let go of what is not needed any more; call it every now and then.

        Args:
            now: ms.
            busy: rooms that have something new for those who are in them.
        """
        for room in [*self]:
            if room not in busy:
                room.rest()
            if room.in_use:
                room.empty_since = None
            elif room.empty_since is None:
                room.empty_since = now
            elif now - room.empty_since >= LINGER_MS:
                self._close(room)

    async def stop(self) -> None:
        """Open no more."""
        tasks = [*self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self, workspace: str) -> Room:
        relay = self._relay
        copy = await relay.ledger.open(workspace)
        room = self._rooms[workspace] = Room(copy, relay.config.presence_per_workspace)
        self._judge_space(room)
        relay.bus.watch(workspace)
        # Something may have been committed while the ledger answered.
        self._catch_up(room)
        return room

    def _close(self, room: Room) -> None:
        if self._rooms.get(room.workspace) is room:
            del self._rooms[room.workspace]
            self._relay.bus.unwatch(room.workspace)

    # What this pod has committed

    def changed(self, change: Change) -> None:
        """This pod has changed the ledger: let everybody know who has to."""
        if change.version > change.since:
            self._relay.bus.tell(change.workspace, Hint(change.version))
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
            room.committed_at = room.committed_at or self._relay.clock()
            self._judge_space(room)
            self._on_growth(room)

    def _renewed(self, room: Room, change: Change) -> None:
        """An older ledger was put in place: nothing that is here is good any more."""
        log.event("the ledger was renewed", logging.WARNING, workspace=room.workspace)
        self._close(room)
        room.tell_followers(change)
        for connection in [*room.connections.values()]:
            delay_ms = self._relay.admission.delay_ms()
            connection.end(CloseCode.TRY_LATER, "The relay was set back.", delay_ms)

    def _judge_space(self, room: Room) -> None:
        most = self._relay.config.workspace_bytes
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

    # What other pods have committed

    def watching(self, workspace: str) -> None:
        """From now on the bus tells of a workspace (or of all); nothing was heard of it before."""
        if not workspace:
            self._look_now.set()
            return
        room = self._rooms.get(workspace)
        if room is not None:
            self._catch_up(room)
            self._relay.people.meet(room)

    def heard(self, workspace: str, message: Message) -> None:
        """The bus has brought something."""
        room = self._rooms.get(workspace)
        if not isinstance(message, Hint):
            self._relay.people.heard(room, message)
        elif room is not None and message.version > room.copy.version:
            self._catch_up(room)

    async def look_for_others(self) -> None:
        """Follow what other pods commit, where no hint tells of it; for ever."""
        relay, beat = self._relay, 0
        while True:
            asked = True
            try:
                async with asyncio.timeout(relay.config.poll_s):
                    await self._look_now.wait()
            except TimeoutError:
                asked = False
            self._look_now.clear()
            beat += 1
            if relay.bus.alone or not self._rooms:
                continue
            if relay.bus.connected and not asked and beat % LOOK_ANYWAY:
                continue
            try:
                versions = await relay.ledger.versions([*self._rooms])
            except LedgerDown:
                continue
            for workspace, newest in versions.items():
                room = self._rooms.get(workspace)
                if room is not None and newest > room.copy.version:
                    self._catch_up(room)

    def _catch_up(self, room: Room) -> None:
        """Get what the ledger has and the room has not."""
        room.behind = True
        if not room.catching_up:
            room.catching_up = True
            self._relay.spawn(self._catching_up(room))

    async def _catching_up(self, room: Room) -> None:
        relay = self._relay
        try:
            while room.behind and self._rooms.get(room.workspace) is room:
                room.behind = False
                copy = room.copy
                try:
                    change = await relay.ledger.tail(
                        room.workspace, copy.version, copy.last, RING_RECORDS, RING_BYTES
                    )
                except LedgerDown:
                    room.behind = True
                    await asyncio.sleep(relay.config.poll_s)
                    continue
                self._apply(room, change)
        finally:
            room.catching_up = False
