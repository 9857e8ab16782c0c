"""Two copies of a workspace with a connection between them that a test can look into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from crdt.entry import Entry
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.incoming import Fork
from crdt.session.replica import Limits
from crdt.wire import codec
from crdt.wire.messages import Message, Role
from tests.simulation.disk import Disk

WORKSPACE = "a" * 32


def thought(n: int = 0) -> str:
    return f"{n:032x}"


def disk(n: int, workspace: str = WORKSPACE) -> Disk:
    return Disk(workspace, f"{n:x}" * 32, f"{n:x}{n:x}" * 15 + "ff")


def update(n: int) -> bytes:
    """A well-formed update that inserts the n-th character of client 1."""
    origin = b"\x84\x01" + bytes([n - 1]) if n else b"\x04\x01\x07content"
    return b"\x01\x01\x01" + bytes([n]) + origin + b"\x01x\0"


def write(into: Disk, count: int, about: str = "", large: int = 0) -> list[Entry]:
    """Append entries of the disk's own replica; their updates mean nothing."""
    made = []
    for _ in range(count):
        blob = b"\0\0" if not large else bytes(large)
        made.append(into.make(about or thought(), blob, at=1))
        into.append(made[-1:])
    return made


class Side:
    """A copy and its end of the connection; stores what comes unless told to wait."""

    def __init__(self, copy: Disk, limits: Limits | None, role: Role = Role.WRITER) -> None:
        self.disk = copy
        # Updates that mean nothing are easy to make by the thousand.
        self.session = Session(copy, 0, limits=limits, check=lambda update: None)
        self.role = role
        self.events: list[ev.Event] = []
        self.sent: list[Message] = []
        self.frames: list[bytes] = []
        self.storing = True

    def take(self, happened: Iterable[ev.Event]) -> None:
        for event in happened:
            self.events.append(event)
            if isinstance(event, ev.HelloReceived):
                self.session.admit(self.role)
            elif self.storing:
                self.store(event)

    def store(self, event: ev.Event) -> None:
        match event:
            case ev.EntriesReceived():
                try:
                    self.disk.append(event.entries)
                except Fork as fork:
                    self.take(self.session.fork(fork.replica, fork.seq))
                    return
            case ev.CheckpointsReceived():
                self.disk.store_checkpoints(event.checkpoints)
            case ev.CaughtUp():
                self.disk.adopt(event.vector)
            case _:
                return
        self.disk.tokens[self.session.peer_log] = event.token
        self.session.stored(event.mark)
        self.session.log_grew()

    def of(self, kind: type[ev.Event]) -> list[ev.Event]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def gone(self) -> ev.PeerGone | None:
        ends = [event for event in self.events if isinstance(event, ev.PeerGone)]
        assert len(ends) < 2, "a session ends once"
        return ends[0] if ends else None

    def entries_sent(self) -> int:
        return sum(len(message.entries) for message in self.sent if hasattr(message, "entries"))


class Pair:
    """A dialler and an answerer."""

    def __init__(
        self,
        dialler: Disk,
        answerer: Disk,
        *,
        limits: Limits | None = None,
        role: Role = Role.WRITER,
        pull: int = 1 << 20,
    ) -> None:
        self.a = Side(dialler, limits)
        self.b = Side(answerer, limits, role)
        self.now = 0
        self._pull = pull
        self.a.session.connect(credential=b"secret")

    def step(self, change: Callable[[bytes], Sequence[bytes]] | None = None) -> bool:
        """Carry what each side has to send just now to the other; False if there was nothing."""
        moved = False
        for one, other in ((self.a, self.b), (self.b, self.a)):
            frames = one.session.pull(self._pull, self.now)
            one.frames += frames
            one.sent += map(codec.decode, frames)
            for frame in frames:
                moved = True
                for carried in change(frame) if change else [frame]:
                    other.take(other.session.receive(carried, self.now))
            moved |= one.session.has_more()
        return moved

    def settle(self, change: Callable[[bytes], Sequence[bytes]] | None = None) -> Pair:
        for _ in range(2_000):
            if not self.step(change):
                return self
        raise AssertionError("the two sides talk for ever")

    def tick(self, ms: int) -> None:
        self.now += ms
        for side in (self.a, self.b):
            side.take(side.session.tick(self.now))

    def grow(self, side: Side, count: int) -> None:
        write(side.disk, count)
        side.session.log_grew()


def open_pair(limits: Limits | None = None, role: Role = Role.WRITER) -> Pair:
    pair = Pair(disk(1), disk(2), limits=limits, role=role).settle()
    assert pair.a.session.state is State.OPEN
    return pair
