"""The relay: pods that store and forward, over one ledger that they share.

The ledger commits one batch at a time, gives out positions without gaps inside the transaction, and
sometimes refuses, is slow, or commits and loses its answer. A pod keeps what it has received until
it is committed, asks again when it was not, and tells the other pods by hints that may get lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.incoming import Fork
from crdt.session.replica import Cursor, NotReady, Slice
from crdt.vector import Vector
from crdt.wire.messages import CloseCode, Role
from tests.simulation.bugs import Bug
from tests.simulation.disk import Disk
from tests.simulation.machine import limits
from tests.simulation.oracle import Oracle
from tests.simulation.world import Wire, World


@dataclass
class Job:
    """Something received that is to be committed."""

    wire: Wire
    event: ev.EntriesReceived | ev.CheckpointsReceived | ev.CaughtUp
    fork: Fork | None = None


class Ledger:
    """What all pods share: one disk and its moods."""

    def __init__(self, world: World, oracle: Oracle, disk: Disk, bug: Bug) -> None:
        self.world = world
        self.oracle = oracle
        self.disk = disk
        """What pods read."""
        disk.durable = True
        self.synced = disk
        """What is committed; the same, unless a bug makes pods read ahead."""
        self.refuses = False
        self.slow = False
        self.pods: list[Pod] = []
        self._bug = bug
        if bug is Bug.FAN_OUT_BEFORE_COMMIT:
            self.synced = disk.clone()

    def commit(self, jobs: list[Job], answer: Callable[[bool], None]) -> None:
        """Commit a batch in one transaction and say whether that worked."""
        rng = self.world.rng
        if self._bug is Bug.FAN_OUT_BEFORE_COMMIT:
            for job in jobs:
                self._write(self.disk, job)
            self._hint()
        delay = rng.randint(200, 2_000) if self.slow else rng.randint(1, 6)
        self.world.after(delay, lambda: self._commit(jobs, answer))

    def _commit(self, jobs: list[Job], answer: Callable[[bool], None]) -> None:
        world = self.world
        if self.refuses:
            answer(False)
            return
        bad: set[Wire] = set()
        for job in jobs:
            if job.wire not in bad:
                self._write(self.synced, job)
            if job.fork is not None:
                # What comes after it would leave a hole.
                bad.add(job.wire)
        self._hint()
        lost = not world.calm and world.chance(0.03)
        world.after(world.rng.randint(0, 3), lambda: answer(not lost))

    def _write(self, disk: Disk, job: Job) -> None:
        match job.event:
            case ev.EntriesReceived():
                if disk is self.synced:
                    self.oracle.to_be_stored(job.event.entries, disk)
                try:
                    disk.append(job.event.entries)
                except Fork as fork:
                    job.fork = fork
                    return
            case ev.CheckpointsReceived():
                disk.store_checkpoints(job.event.checkpoints)
            case ev.CaughtUp():
                disk.adopt(job.event.vector)
        disk.tokens[job.wire.session.peer_log] = job.event.token

    def _hint(self) -> None:
        for pod in self.pods:
            if self.world.calm or not self.world.chance(0.1):
                self.world.after(self.world.rng.randint(0, 10), pod.log_grew)


class FetchingView:
    """The ledger as one session reads it: now and then it has to wait for what it wants."""

    def __init__(self, world: World, disk: Disk) -> None:
        self._world = world
        self._disk = disk
        self._is_here = False
        self.fetched: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk, name)

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        if not self._is_here and self._world.chance(0.3):
            self._is_here = True
            self._world.after(self._world.rng.randint(1, 50), self.fetched)
            raise NotReady
        self._is_here = False
        return self._disk.read(after, known, most, most_bytes)


class Pod:
    """One process of the relay."""

    def __init__(self, world: World, oracle: Oracle, name: str, ledger: Ledger, bug: Bug) -> None:
        self.world = world
        self.oracle = oracle
        self.name = name
        self.ledger = ledger
        self.alive = True
        self.restored = False
        self.wires: list[Wire] = []
        self._bug = bug
        self._jobs: list[Job] = []
        self._life = 0
        self._busy = False
        self._degraded = False
        ledger.pods.append(self)
        world.after(world.rng.randint(0, 500), self._tick)

    def new_wire(self) -> Wire:
        view = FetchingView(self.world, self.ledger.disk)
        session = Session(view, self.world.now, limits=limits(self.world.rng))
        wire = Wire(self.world, self, session, self.ledger.disk.replica)
        view.fetched = lambda: self._fetched(wire)
        self.wires.append(wire)
        return wire

    def _fetched(self, wire: Wire) -> None:
        wire.session.log_grew()
        wire.pump()

    def handle(self, wire: Wire, events: list[ev.Event]) -> None:
        for event in events:
            match event:
                case ev.HelloReceived():
                    # As a relay does when too many come at once.
                    if not self.world.calm and self.world.chance(0.03):
                        self.handle(wire, wire.session.close(CloseCode.TRY_LATER, "busy"))
                    else:
                        wire.session.admit(Role.WRITER)
                case ev.EntriesReceived() | ev.CheckpointsReceived() | ev.CaughtUp():
                    if isinstance(event, ev.EntriesReceived):
                        self.oracle.entries_seen(event.entries)
                    if self._bug is Bug.ACK_BEFORE_STORE:
                        wire.session.stored(event.mark)
                    self._jobs.append(Job(wire, event))
                    self._flush()
                case ev.ForkDetected():
                    self.oracle.fork_detected(event.replica)
                case ev.PeerGone():
                    if wire in self.wires:
                        self.wires.remove(wire)
                case _:
                    pass

    def _flush(self) -> None:
        if self._busy or not self._jobs or not self.alive:
            return
        self._busy = True
        jobs, life = [*self._jobs], self._life
        self.ledger.commit(jobs, lambda worked: self._answered(jobs, life, worked))

    def _answered(self, jobs: list[Job], life: int, worked: bool) -> None:
        if life != self._life:
            return
        self._busy = False
        if worked != (not self._degraded):
            self._degraded = not worked
            for wire in self.wires:
                if wire.session.state is State.OPEN:
                    wire.session.set_degraded(not worked, "The ledger does not answer.")
        if not worked:
            self.world.after(100, self._flush)
            return
        del self._jobs[: len(jobs)]
        bad = {job.wire for job in jobs if job.fork is not None}
        for job in jobs:
            if not job.wire.open:
                continue
            if job.fork is not None:
                self.handle(job.wire, job.wire.session.fork(job.fork.replica, job.fork.seq))
            elif job.wire not in bad:
                job.wire.session.stored(job.event.mark)
            job.wire.pump()
        self._jobs = [job for job in self._jobs if job.wire not in bad]
        self._flush()

    def log_grew(self) -> None:
        if self.alive:
            for wire in [*self.wires]:
                wire.log_grew(self.ledger.disk)

    def _tick(self) -> None:
        self.world.after(1_000, self._tick)
        if self.alive:
            for wire in [*self.wires]:
                wire.log_grew(self.ledger.disk)
                wire.tick()

    def crash(self) -> None:
        self.world.log(self.name, "crashes")
        self.alive = False
        self._life += 1
        self._busy = False
        self._jobs.clear()
        for wire in [*self.wires]:
            if wire.link is not None:
                wire.link.cut(silent=self.world.chance(0.5))
            wire.open = False
        self.wires.clear()

    def restart(self) -> None:
        self.alive = True

    @property
    def on_disk(self) -> Disk:
        """What is committed in the ledger."""
        return self.ledger.synced

    @property
    def idle(self) -> bool:
        return not self._jobs
