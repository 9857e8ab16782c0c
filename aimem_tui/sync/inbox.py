"""What all connections of a workspace receive, on its way to disk.

- Each connection has a box. Its events are stored in their order, a group of them in one
  transaction, in the one thread that stores; only then are they acknowledged.
- While nothing can be stored the inbox tries again and acknowledges nothing; whoever wants to know
  is told when that begins and when it is over. What waits is bounded by the connections, which stop
  reading.
- A box that is emptied for good (a fork, or the file has taken other ids) takes in nothing more:
  what comes from there was meant for the copy as it was before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from aimem_tui.errors import StorageError
from aimem_tui.store import receiving
from aimem_tui.store.connection import Database
from aimem_tui.store.identity import IdentityChanged
from aimem_tui.store.receiving import Forked, Received, Storable
from aimem_tui.sync.connection import Connection
from crdt.session import events as ev
from crdt.wire.messages import CloseCode

GROUP_BYTES = 4 << 20
"""About how much is stored in one transaction. While it lasts nobody else can write."""
_RECORD_BYTES = 200
RETRY_S = 1.0
LONGEST_RETRY_S = 30.0


class Box:
    """What one connection has received and is not stored yet.

    Args:
        replica: the own replica's id when the session began.
        log_id: the id of the own log then.
    """

    def __init__(self, connection: Connection, replica: str, log_id: str) -> None:
        self.connection = connection
        self.replica = replica
        self.log_id = log_id
        self.events: deque[Storable] = deque()
        self.shut = False
        self.empty = asyncio.Event()
        """Set while nothing waits."""
        self.empty.set()

    @property
    def records(self) -> int:
        """How many entries and checkpoints wait."""
        return sum(map(_records, self.events))

    def shut_down(self) -> None:
        """Forget what waits, and take in nothing more."""
        self.shut = True
        self.events.clear()
        self.empty.set()


class Inbox:
    """Stores what connections receive.

    Args:
        executor: of one thread, which does all the storing.
        on_stored: called in the event loop after each transaction that brought something.
        on_trouble: called in the event loop with why nothing can be stored, and with "" when that
            is over.
    """

    def __init__(
        self,
        database: Database,
        executor: Executor,
        *,
        on_stored: Callable[[Box, Received], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self._database = database
        self._executor = executor
        self._on_stored = on_stored
        self._on_trouble = on_trouble
        self._boxes: deque[Box] = deque()
        self._wake = asyncio.Event()
        self._retry_s = RETRY_S
        self.trouble = ""
        """Why nothing can be stored just now; empty when all is well."""

    def put(self, box: Box, event: Storable) -> None:
        """Take an event in."""
        if box.shut:
            return
        if not box.events:
            box.empty.clear()
            self._boxes.append(box)
        box.events.append(event)
        self._wake.set()

    async def run(self) -> None:
        """Store what comes, until cancelled."""
        while True:
            while self._boxes:
                # The boxes take turns, so that no connection waits for another's flood.
                box = self._boxes.popleft()
                if box.events:
                    await self._store(box)
                if box.events:
                    self._boxes.append(box)
                else:
                    box.empty.set()
            self._wake.clear()
            if not self._boxes:
                await self._wake.wait()

    async def _store(self, box: Box) -> None:
        group = _group(box.events)
        try:
            received = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._receive, box, group
            )
        except Forked as fork:
            self._tell_stored(box, fork.received)
            box.shut_down()
            box.connection.fork(fork.replica, fork.seq)
        except IdentityChanged:
            box.shut_down()
            box.connection.close(CloseCode.GOING_AWAY, "This copy has taken another id.")
        except StorageError as error:
            self._say(str(error))
            await asyncio.sleep(self._retry_s)
            self._retry_s = min(LONGEST_RETRY_S, 2 * self._retry_s)
            return
        except Exception as error:
            # A defect, or bytes that the store cannot take: this connection ends, the others go on.
            box.shut_down()
            box.connection.failure = error
            box.connection.close(CloseCode.INTERNAL, "What was received cannot be stored.")
        else:
            if not box.shut:
                for _ in group:
                    box.events.popleft()
            self._tell_stored(box, received)
        self._retry_s = RETRY_S
        self._say("")

    def _receive(self, box: Box, group: list[Storable]) -> Received:
        session = box.connection.session
        return receiving.receive(self._database, session.peer_log, group, log_id=box.log_id)

    def _tell_stored(self, box: Box, received: Received) -> None:
        if received.mark:
            box.connection.stored(received.mark)
            self._on_stored(box, received)

    def _say(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._on_trouble(trouble)


def _group(waiting: deque[Storable]) -> list[Storable]:
    """What is stored together: the first event, and others up to a size."""
    group: list[Storable] = []
    size = 0
    for event in waiting:
        size += _size(event)
        if group and size > GROUP_BYTES:
            break
        group.append(event)
    return group


def _records(event: Storable) -> int:
    match event:
        case ev.EntriesReceived():
            return len(event.entries)
        case ev.CheckpointsReceived():
            return len(event.checkpoints)
        case ev.CaughtUp():
            return 0


def _size(event: Storable) -> int:
    match event:
        case ev.EntriesReceived():
            return sum(len(entry.update) + _RECORD_BYTES for entry in event.entries)
        case ev.CheckpointsReceived():
            return sum(len(one.state) + _RECORD_BYTES for one in event.checkpoints)
        case ev.CaughtUp():
            return _RECORD_BYTES
