"""A thought as the gateway keeps it, with a ledger and clients that do one thing at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from aimem_relay.gateway import protocol
from aimem_relay.gateway.ports import Limits, Refused
from aimem_relay.gateway.thought import Thought
from aimem_relay.ledger.port import Authored, Change, Record, ThoughtRecords
from crdt.adapter import Change as Edit
from crdt.adapter import EngineDoc, byte_length
from crdt.document import ThoughtDocument
from crdt.entry import Checkpoint, Entry
from crdt.wire.messages import CloseCode
from tests.gateway.relays import MACHINE, TEXT, THOUGHT, WORKSPACE

LEDGER, LOG = "ef" * 16, "cd" * 16


class Books:
    """A workspace (``aimem_relay.gateway.ports.Workspace``) that stores when it is told to."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.presences: dict[str, bytes] = {}
        self.to_store: deque[tuple[Authored, asyncio.Future[None]]] = deque()
        self.down = False
        self._seqs: dict[str, int] = {}
        self._told = 0
        self._version = 0
        self._followers: list[Callable[[Change], None]] = []
        self._presence_followers: list[Callable[[str, bytes], None]] = []

    def follow(self, on_change: Callable[[Change], None]) -> Callable[[], None]:
        self._followers.append(on_change)
        return lambda: self._followers.remove(on_change)

    def presence(self) -> Mapping[str, bytes]:
        return self.presences

    def follow_presence(self, on_presence: Callable[[str, bytes], None]) -> Callable[[], None]:
        self._presence_followers.append(on_presence)
        return lambda: self._presence_followers.remove(on_presence)

    def announce(self, key: str, state: bytes) -> None:
        self.presences[key] = state
        for follower in self._presence_followers:
            follower(key, state)

    async def submit(self, authored: Authored) -> None:
        stored = asyncio.get_running_loop().create_future()
        self.to_store.append((authored, stored))
        await stored

    async def records_of(self, thought: str) -> ThoughtRecords:
        await asyncio.sleep(0)
        if self.down:
            raise Refused(CloseCode.TRY_LATER, "down")
        items = [one.item for one in self.records if one.item.thought == thought]
        return ThoughtRecords(
            len(self.records),
            [item for item in items if isinstance(item, Checkpoint)],
            [item for item in items if isinstance(item, Entry)],
        )

    def leave(self) -> None:
        pass

    # What a test does

    def put(self, update: bytes, *, replica: str = MACHINE, author: str = "Ada", sealed: int = 0):
        """Store an entry and tell nobody yet."""
        seq = self._seqs[replica] = self._seqs.get(replica, 0) + 1
        entry = Entry(replica, seq, THOUGHT, update, 1, author, sealed=sealed)
        self.records.append(Record(len(self.records) + 1, entry))

    def put_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint beside what is there."""
        self.records.append(Record(len(self.records) + 1, checkpoint))

    def tell(self, *, lost: bool = False, log: str = LOG) -> None:
        """Tell of what was stored; or only, as when that was missed, that something was."""
        last = len(self.records)
        behind = last if lost else self._told
        self._version += 1
        change = Change(
            WORKSPACE, LEDGER, log, self._version - 1, self._version, behind, last, 0, last, 0, (),
            self.records[behind:],
        )  # fmt: skip
        self._told = last
        for follower in [*self._followers]:
            follower(change)

    async def store(self, refused: Refused | None = None) -> bool:
        """Commit what waits longest, or refuse it; False where nothing waits."""
        if not self.to_store:
            return False
        authored, stored = self.to_store.popleft()
        if refused is not None:
            stored.set_exception(refused)
        else:
            for update in authored.updates:
                self.put(update, replica=LEDGER, author=authored.author)
            self.tell()
            stored.set_result(None)
        await settle()
        return True

    def updates(self) -> Sequence[bytes]:
        """What is stored, in order."""
        return [
            one.item.update if isinstance(one.item, Entry) else one.item.state
            for one in self.records
        ]

    def text(self) -> str:
        """What that makes, loaded anew."""
        return ThoughtDocument.load(1, self.updates()).text


class Desk:
    """A stock client: its document, and what is on its way to it."""

    def __init__(self, thought: Thought, client: int) -> None:
        self.doc = EngineDoc(client)
        self.ended: tuple[CloseCode, str] | None = None
        self._thought = thought
        self._inbox: deque[tuple[bytes, asyncio.Future[Refused | None] | None]] = deque()
        self._unsent: list[bytes] = []
        self._here = False

    def send(self, frame: bytes) -> None:
        self._inbox.append((frame, None))

    def people_changed(self, clients: set[int]) -> None:
        pass

    def end(self, code: CloseCode, reason: str) -> None:
        self.ended = code, reason

    async def connect(self) -> None:
        """Join and exchange first messages: what it wrote meanwhile is offered."""
        await self._thought.ready.wait()
        self._here = True
        self._thought.join(self)
        update, after = self._thought.missing(self.doc.state_vector())
        self._inbox.append((protocol.encode(protocol.SyncStep2(update)), after))
        self._thought.offer(self.doc.update_since(self._thought.state_vector()), "desk")

    def disconnect(self) -> None:
        """Leave; what is on its way is lost."""
        self._here = False
        self._thought.leave(self)
        self._inbox.clear()

    async def write(self, at: int, text: str, *, deleted: int = 0) -> None:
        """Edit, in code points; offered at once where it is connected."""
        before = self.doc.text()
        at = min(at, len(before))
        start, gone = byte_length(before[:at]), byte_length(before[at : at + deleted])
        known: list[bytes] = []
        stop = self.doc.on_update(known.append)
        self.doc.splice([Edit(start, gone, text)])
        stop()
        if self._here:
            await self._thought.ready.wait()
            for update in known:
                self._thought.offer(update, "desk")
            await settle()

    def receive(self) -> bool:
        """Take in what has come next; False where nothing has."""
        if not self._inbox:
            return False
        frame, after = self._inbox[0]
        if after is not None and not after.done():
            return False
        self._inbox.popleft()
        message = protocol.decode(frame)
        assert isinstance(message, protocol.SyncStep2 | protocol.Update)
        self.doc.apply(message.update)
        return True

    def receive_all(self) -> str:
        """Take in all that has come; what the text is then."""
        while self.receive():
            pass
        return self.doc.text()


async def settle() -> None:
    """Let all tasks run until they wait for something that a test does."""
    for _ in range(10):
        await asyncio.sleep(0)


async def open_thought(books: Books, limits: Limits | None = None) -> Thought:
    """The thought, with one entry in it from a machine."""
    if not books.records:
        books.put(ThoughtDocument.create(7, path="a.md", text=TEXT, at=1, by="Ada")[1])
        books.tell()
    thought = Thought(books, THOUGHT, limits or Limits())
    await thought.open()
    return thought
