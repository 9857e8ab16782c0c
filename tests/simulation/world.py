"""Virtual time, lots drawn from one seed, and links that behave like the real ones.

A link carries whole frames, each direction in order, with a delay and so many bytes a ms. It can be
cut: what is under way then arrives or does not, up to some byte, and a frame of which a part is
missing never arrives; each end learns of it, or is left with a half-open connection that says
nothing any more. Everything happens in one thread, in the order of its time, so that a seed says
all about a run.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from typing import Protocol

from crdt.session import Session, State
from crdt.session.events import Event
from tests.simulation.access import Visa
from tests.simulation.disk import Disk

LOST_SIGHT = 1 << 60


class World:
    """The clock and the dice."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None = None) -> None:
        self.now = 0
        self.rng = Random(seed)
        self.calm = False
        """Whether nothing goes wrong any more."""
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._trace = trace

    def after(self, ms: int, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (self.now + ms, self._count, action))

    def run(self, until: int) -> None:
        queue = self._queue
        while queue and queue[0][0] <= until:
            self.now, _, action = heapq.heappop(queue)
            action()
        self.now = until

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def log(self, *words: object) -> None:
        if self._trace is not None:
            self._trace(f"{self.now:>7} " + " ".join(map(str, words)))

    @property
    def traced(self) -> bool:
        return self._trace is not None


class Owner(Protocol):
    """Whoever drives an end of a link."""

    name: str
    restored: bool
    """Whether it went on with an older file once: what it had acknowledged may be gone."""

    @property
    def on_disk(self) -> Disk: ...

    def handle(self, wire: Wire, events: list[Event]) -> None: ...


class Wire:
    """One end of a link, with its session."""

    def __init__(self, world: World, owner: Owner, session: Session, replica: str) -> None:
        self.world = world
        self.owner = owner
        self.session = session
        self.replica = replica
        self.link: Link | None = None
        self.other: Owner | None = None
        self.side = 0
        self.open = True
        self.acked = 0
        self.visa: Visa | None = None
        """What the other side may do here."""
        self._told = -1
        self._pumping = False

    def log_grew(self, disk: Disk) -> None:
        """Let the session look at its log again, if that has changed."""
        if disk.changes != self._told:
            self._told = disk.changes
            self.session.log_grew()
        self.pump()

    def pump(self) -> None:
        """Send what there is to send."""
        if not self.open or self.link is None:
            return
        frames = self.session.pull(self.world.rng.choice((1, 300, 1 << 20)), self.world.now)
        for frame in frames:
            self.link.send(self.side, frame)
        if self.session.state is State.CLOSED and not self.session.has_more():
            self.owner.handle(self, self.session.tick(self.world.now))
            self.link.end(self.side)
            return
        if self.session.has_more():
            self.pump_soon()

    def pump_soon(self) -> None:
        """Send in a moment, with whatever else there is by then."""
        if not self._pumping:
            self._pumping = True
            self.world.after(self.world.rng.randint(1, 5), self._pump_again)

    def _pump_again(self) -> None:
        self._pumping = False
        self.pump()

    def receive(self, frame: bytes) -> None:
        if self.open:
            self.owner.handle(self, self.session.receive(frame, self.world.now))
            self.pump()

    def tick(self) -> None:
        if self.open:
            self.owner.handle(self, self.session.tick(self.world.now))
            self.pump()

    def lost(self) -> None:
        """This end has noticed that the connection is gone."""
        if self.open:
            self.open = False
            self.owner.handle(self, self.session.lost())


class Link:
    """A connection between two owners."""

    def __init__(self, world: World, one: Wire, other: Wire) -> None:
        self._world = world
        self.wires = (one, other)
        for side, wire in enumerate(self.wires):
            wire.link, wire.side = self, side
            wire.other = self.wires[1 - side].owner
        self._latency = world.rng.choice((1, 5, 20, 80))
        self._bytes_a_ms = world.rng.choice((1 << 30, 200, 20, 5))
        self._arrives = [world.now, world.now]
        self._until = [LOST_SIGHT, LOST_SIGHT]
        self._fault: int | None = None
        """Whether this link loses frames or repeats them, once it has."""
        self.dead = False

    def send(self, side: int, frame: bytes) -> None:
        world = self._world
        jitter = 0 if world.calm else world.rng.randint(0, self._latency)
        begins = max(self._arrives[side], world.now + self._latency + jitter)
        at = begins + len(frame) // self._bytes_a_ms
        self._arrives[side] = at
        if at > self._until[side]:
            return
        copies = 1
        if not world.calm and world.chance(0.001):
            copies = world.rng.choice((0, 2))
            # Frames are counted: that as many were lost as came twice nobody can tell.
            if self._fault not in (None, copies):
                copies = 1
            else:
                self._fault = copies
        for _ in range(copies):
            world.after(at - world.now, lambda: self._arrive(side, frame, begins))

    def _arrive(self, side: int, frame: bytes, begins: int) -> None:
        if self._world.now <= self._until[side]:
            self.wires[1 - side].receive(frame)
        elif begins <= self._until[side]:
            self._world.log("a link breaks in the middle of a frame")

    def cut(self, *, silent: bool = False) -> None:
        """Break: what is under way arrives up to some moment; a silent end notices nothing."""
        if self.dead:
            return
        self.dead = True
        world = self._world
        deaf = world.rng.choice((0, 1)) if silent else None
        for side in (0, 1):
            self._until[side] = world.now + world.rng.randint(0, 2 * self._latency)
            wire = self.wires[1 - side]
            if deaf != side:
                world.after(self._until[side] - world.now + 1, wire.lost)

    def end(self, side: int) -> None:
        """One end has closed: it hears nothing more, the other gets what is under way."""
        wire = self.wires[side]
        self.dead = True
        self._until[1 - side] = -1
        other = self.wires[1 - side]
        self._world.after(max(1, self._arrives[side] + 1 - self._world.now), other.lost)
        wire.lost()


def connect(world: World, dialler: Wire, answerer: Wire, credential: bytes) -> Link:
    """Join two ends; the first speaks first."""
    link = Link(world, dialler, answerer)
    dialler.session.connect(credential=credential)
    dialler.pump()
    return link
