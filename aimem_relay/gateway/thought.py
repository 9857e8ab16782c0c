"""What is kept of one thought while stock clients have it open.

- One document. It is made from the thought's records and follows the ledger, in its order; what
  clients send goes into it at once, so that the next thing they send can build on that, and is told
  to anybody only once it is on disk, when the ledger tells of it.
- An update that refers to something that is not there is not taken: the client is asked for all
  that is missing here. Of any other only what is new is stored. So the ledger's order stays one in
  which everything follows what it depends on.
- What clients send is stored in the order in which it came, one commit at a time; what comes
  meanwhile from the same person is one entry then.
- When something cannot be stored, or an update leaves the document in a state that no thought may
  be in, the document is made anew from the ledger. Only the client that it came from notices.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aimem_relay import logging as log
from aimem_relay.gateway import protocol
from aimem_relay.gateway.awareness import People
from aimem_relay.gateway.ports import Limits, Refused, Workspace
from aimem_relay.ledger.port import Authored, Change, ThoughtRecords, size_of
from crdt import adapter
from crdt.checkpoint import has_structs
from crdt.entry import Checkpoint, Entry
from crdt.errors import CrdtError
from crdt.update_check import check_update, holds_only_text, waits_for_something
from crdt.wire.messages import CloseCode

_CLIENT = 1
"""The Yjs client id of a document that nothing is written to."""
_ENTRY_BYTES = 1 << 20
"""How large an entry made of several updates may get."""
_NOTHING = b"\0\0"

SEALED = "This workspace is sealed; only aimem can open it."


class Client(Protocol):
    """Somebody who has the thought open."""

    def send(self, frame: bytes) -> None:
        """Something has happened to the thought."""
        ...

    def people_changed(self, clients: set[int]) -> None:
        """What is known of these Yjs clients has changed."""
        ...

    def end(self, code: CloseCode, reason: str) -> None:
        """The thought cannot be served any more."""
        ...


@dataclass(frozen=True, slots=True)
class Offered:
    """What became of an update."""

    complete: bool
    """Whether it was taken; otherwise it refers to something that is not there."""
    stored: asyncio.Future[Refused | None] | None
    """Done once it is on disk, or cannot be; None where nothing was new."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    update: bytes
    author: str
    at: int
    stored: asyncio.Future[Refused | None]


class Thought:
    """One thought, open for stock clients. Belongs to one event loop."""

    def __init__(self, workspace: Workspace, thought: str, limits: Limits) -> None:
        self.id = thought
        self.people = People(thought)
        self.ready = asyncio.Event()
        """Set while there is a document; wait for it before asking or offering anything."""
        self.failed: Refused | None = None
        """Why it cannot be served any more; then it has to be opened anew."""
        self._workspace = workspace
        self._limits = limits
        self._doc = adapter.EngineDoc(_CLIENT)
        self._log = ""
        self._position = 0
        self._missed: list[Change] = []
        self._clients: set[Client] = set()
        self._connections = 0
        self._waiting: deque[_Waiting] = deque()
        self._storing: list[_Waiting] = []
        self._waiting_bytes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._writer: asyncio.Task[None] | None = None
        self._loader: asyncio.Task[None] | None = None
        self._stops: list[Callable[[], None]] = []

    async def open(self) -> None:
        """Make the document.

        Raises:
            Refused: if stock clients cannot open this thought.
        """
        workspace = self._workspace
        self._stops = [
            workspace.follow(self._on_change),
            workspace.follow_presence(self._on_presence),
        ]
        for key, state in workspace.presence().items():
            self.people.note(key, state)
        await self._load()

    def close(self) -> None:
        """Let go of everything."""
        for stop in self._stops:
            stop()
        for task in (self._writer, self._loader):
            if task is not None:
                task.cancel()
        self._doc.close()

    @property
    def busy(self) -> bool:
        """Whether somebody has it open, or something of it is not on disk yet."""
        return bool(self._clients or self._waiting or self._storing)

    async def drained(self) -> None:
        """Wait until all that clients have sent is on disk, or cannot be."""
        while self._writer is not None:
            await asyncio.wait([self._writer])

    def join(self, client: Client) -> None:
        """Tell a client of what happens from now on."""
        self._clients.add(client)
        if self.failed is not None:
            client.end(self.failed.code, self.failed.reason)

    def leave(self, client: Client) -> None:
        """Tell it no more."""
        self._clients.discard(client)

    def new_connection(self) -> int:
        """A number to announce under."""
        self._connections += 1
        return self._connections

    def announce(self, connection: int, client: int, state: bytes) -> None:
        """Say where a stock client is; an empty state takes it back."""
        self._workspace.announce(f"yjs/{self.id}/{client}/{connection}", state)

    # Reading

    def state_vector(self) -> bytes:
        """What the document has, for a first sync message."""
        return self._doc.state_vector()

    def missing(self, state_vector: bytes) -> tuple[bytes, asyncio.Future[Refused | None] | None]:
        """What a client with this state vector lacks, and what must be on disk before it is told.

        Raises:
            WireError: if it is not a state vector.
            CrdtError: if the document has failed.
        """
        protocol.check_state_vector(state_vector)
        pending = [*self._storing, *self._waiting]
        return self._doc.update_since(state_vector), pending[-1].stored if pending else None

    def holds(self, update: bytes) -> bool:
        """Whether an update brings nothing new: pycrdt's provider sends back what it is sent.

        Raises:
            WireError: if it is not an update.
            CrdtError: if the document has failed.
        """
        if update == _NOTHING:
            return True
        check_update(update)
        left = adapter.diff(update, self._doc.state_vector())
        if has_structs(left):
            return False
        if left == _NOTHING:
            return True
        # Nothing tells what is deleted already but doing it, to a document that is thrown away.
        return not adapter.EngineDoc(_CLIENT, [self._doc.state()]).take(left)

    # Writing

    async def has_room(self) -> None:
        """Wait until not too much is to be stored."""
        await self._room.wait()

    def offer(self, update: bytes, author: str) -> Offered:
        """Take in a client's update and have what is new in it stored.

        Raises:
            WireError: if it is not an update.
            Refused: if it would make the thought something that is not text.
        """
        if update == _NOTHING:
            return Offered(True, None)
        check_update(update)
        try:
            if waits_for_something(update, protocol.clocks(self._doc.state_vector())):
                return Offered(False, None)
            news = self._doc.take(update)
            if not holds_only_text(update):
                self._doc.text()
        except CrdtError as error:
            self._reload()
            raise Refused(CloseCode.BAD_UPDATE, "The update does not fit this thought.") from error
        if not news:
            return Offered(True, None)
        stored: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(news, author, time.time_ns() // 1_000_000, stored))
        self._count(len(news))
        if self._writer is None:
            self._writer = asyncio.create_task(self._store())
        return Offered(True, stored)

    async def _store(self) -> None:
        """Have what waits stored, in its order."""
        try:
            while self._waiting:
                batch = self._storing = self._next_batch()
                updates = [one.update for one in batch]
                authored = Authored(
                    secrets.token_bytes(16),
                    self.id,
                    (adapter.merge(updates),) if len(updates) > 1 else updates,
                    batch[0].at,
                    batch[0].author,
                )
                await self._workspace.submit(authored)
                self._storing = []
                self._settle(batch, None)
        except Exception as error:
            refused = Refused(CloseCode.INTERNAL, "This change cannot be stored.")
            if isinstance(error, Refused):
                refused = error
            else:
                log.failure("an update of a stock client cannot be stored", error)
            # What waits may build on what was refused.
            lost = [*self._storing, *self._waiting]
            self._storing = []
            self._waiting.clear()
            self._settle(lost, refused)
            self._reload()
        finally:
            self._writer = None

    def _next_batch(self) -> list[_Waiting]:
        waiting = self._waiting
        batch = [waiting.popleft()]
        size = len(batch[0].update)
        while waiting and waiting[0].author == batch[0].author:
            size += len(waiting[0].update)
            if size > _ENTRY_BYTES:
                break
            batch.append(waiting.popleft())
        return batch

    def _settle(self, batch: list[_Waiting], refused: Refused | None) -> None:
        self._count(-sum(len(one.update) for one in batch))
        for one in batch:
            if not one.stored.done():
                one.stored.set_result(refused)

    def _count(self, size: int) -> None:
        self._waiting_bytes += size
        if self._waiting_bytes > self._limits.waiting_bytes:
            self._room.clear()
        else:
            self._room.set()

    # Following the ledger

    def _on_change(self, change: Change) -> None:
        if not self.ready.is_set():
            self._missed.append(change)
            return
        if self._log and change.log != self._log:
            # A backup was put back: clients open the thought anew, and bring what it lacks.
            self._fail(Refused(CloseCode.TRY_LATER, "The relay was set back."))
            return
        self._log = change.log
        if change.behind > self._position:
            self._reload()
            return
        for record in change.records:
            if record.position <= self._position or record.item.thought != self.id:
                continue
            if record.item.sealed:
                self._fail(Refused(CloseCode.FORBIDDEN, SEALED))
                return
            item = record.item
            update = item.update if isinstance(item, Entry) else item.state
            try:
                news = self._doc.take(update)
            except CrdtError:
                self._reload()
                return
            # An entry may be new to clients and not to the document, which takes theirs at once.
            if isinstance(item, Entry) or news:
                self._broadcast(update)
        self._position = max(self._position, change.last)

    def _broadcast(self, update: bytes) -> None:
        if update != _NOTHING and self._clients:
            frame = protocol.encode(protocol.Update(update))
            for client in [*self._clients]:
                client.send(frame)

    def _fail(self, refused: Refused) -> None:
        self.failed = refused
        for client in [*self._clients]:
            client.end(refused.code, refused.reason)

    def _reload(self) -> None:
        """Make the document anew; where something was missed, clients are told all of it."""
        self.ready.clear()
        if self._loader is None:
            self._loader = asyncio.create_task(self._load_again())

    async def _load_again(self) -> None:
        try:
            while not self.ready.is_set():
                await self._load()
        except Refused as refused:
            self._fail(refused)
        finally:
            self._loader = None

    async def _load(self) -> None:
        records = await self._workspace.records_of(self.id)
        self._check(records)
        updates = [checkpoint.state for checkpoint in records.checkpoints]
        updates += [entry.update for entry in records.entries]
        try:
            doc = adapter.EngineDoc(_CLIENT, updates)
            state = doc.state()
            for one in [*self._storing, *self._waiting]:
                doc.apply(one.update)
            doc.text()
        except CrdtError as error:
            raise Refused(
                CloseCode.BAD_UPDATE, "This thought can be opened with aimem only."
            ) from error
        self._doc.close()
        self._doc = doc
        if records.upto != self._position:
            self._broadcast(state)
        self._position = records.upto
        self.ready.set()
        missed, self._missed = self._missed, []
        for change in missed:
            self._on_change(change)

    def _check(self, records: ThoughtRecords) -> None:
        """Whether stock clients may have this thought.

        Raises:
            Refused: if not.
        """
        items: list[Entry | Checkpoint] = [*records.checkpoints, *records.entries]
        if not items:
            raise Refused(CloseCode.NO_WORKSPACE, "There is no such thought.")
        if any(item.sealed for item in items):
            raise Refused(CloseCode.FORBIDDEN, SEALED)
        if sum(map(size_of, items)) > self._limits.max_thought:
            raise Refused(CloseCode.FORBIDDEN, "This thought is too large to be opened here.")

    # Following presence

    def _on_presence(self, key: str, state: bytes) -> None:
        changed = self.people.note(key, state)
        if changed:
            for client in [*self._clients]:
                client.people_changed(changed)
