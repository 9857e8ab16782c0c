"""The relay: pods that store and forward, over one ledger that they share.

The ledger commits one batch at a time, gives out positions without gaps inside the transaction, and
sometimes refuses, is slow, or commits and loses its answer. A pod keeps what it has received until
it is committed, asks again when it was not, and tells the other pods by hints that may get lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.incoming import Fork
from crdt.session.replica import Cursor, NotReady, Slice
from crdt.vector import Vector
from crdt.wire.codec import Batch
from crdt.wire.messages import CloseCode
from tests.simulation.bugs import Bug
from tests.simulation.disk import Disk
from tests.simulation.machine import limits, new_id
from tests.simulation.oracle import Oracle
from tests.simulation.presence import Bus, Crowd
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
        self.bus = Bus(world)
        self.synced = disk
        """What is committed; the same, unless a bug makes pods read ahead."""
        self.refuses = False
        self.slow = False
        self.pods: list[Pod] = []
        self.vectors: dict[int, Vector] = {}
        """Vectors as they were when the log had come to these positions."""
        self._vector_at = (-1, Vector())
        self._bug = bug
        self._life = 0
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
        life = self._life
        self.world.after(delay, lambda: self._commit(jobs, answer, life))

    def vector_of(self, disk: Disk) -> Vector:
        """The vector of what pods read, the same object until something changes."""
        if self._vector_at[0] != disk.changes:
            self._vector_at = (disk.changes, disk.vector())
            self.vectors[disk.last] = self._vector_at[1]
        return self._vector_at[1]

    def restore(self, backup: Disk) -> None:
        """Go on with an older copy under other ids, all pods started anew."""
        self.world.log("the ledger is restored from a backup")
        self._life += 1
        for pod in self.pods:
            pod.crash()
            pod.restored = True
        self.disk = self.synced = backup.clone()
        self.vectors.clear()
        self._vector_at = (-1, Vector())
        self.disk.renamed(new_id(self.world.rng), new_id(self.world.rng))
        for pod in self.pods:
            pod.restart()

    def _commit(self, jobs: list[Job], answer: Callable[[bool], None], life: int) -> None:
        world = self.world
        if life != self._life:
            return
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
    """The ledger as one session reads it: now and then it has to wait for what it wants.

    As in a pod of many connections, all sessions are given the same vector while nothing changes,
    and the same entries as one batch.
    """

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger
        self._disk = ledger.disk
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
        found = self._disk.read(after, known, most, most_bytes)
        vector = self._ledger.vector_of(self._disk)
        before = self._ledger.vectors.get(after.entry)
        makers = {entry.replica for entry in found.entries}
        batch = Batch(found.entries) if found.entries else None
        if before is None or found.vector.keys() - makers != {
            replica for replica in before.keys() - makers if before[replica] == vector[replica]
        }:
            before = None
        return replace(found, vector=vector, since=before, batch=batch)


class Pod:
    """One process of the relay."""

    def __init__(self, world: World, oracle: Oracle, name: str, ledger: Ledger, bug: Bug) -> None:
        self.world = world
        self.oracle = oracle
        self.name = name
        self.ledger = ledger
        self.alive = True
        self.restored = False
        self.person = ""
        self.wires: list[Wire] = []
        self.crowd = Crowd(world, name, ledger.bus, bug)
        self._bug = bug
        self._jobs: list[Job] = []
        self._life = 0
        self._busy = False
        self._degraded = False
        ledger.pods.append(self)
        world.after(world.rng.randint(0, 500), self._tick)

    def new_wire(self) -> Wire:
        view = FetchingView(self.world, self.ledger)
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
                        continue
                    self.handle(wire, self.oracle.gate.admit(wire, event))
                    if wire.session.state is State.OPEN:
                        self.crowd.welcome(wire)
                case ev.CredentialReceived():
                    self.handle(wire, self.oracle.gate.renew(wire, event.credential))
                case ev.PresenceChanged():
                    self.crowd.changed(wire, event.key, event.state)
                case ev.EntriesReceived() | ev.CheckpointsReceived() | ev.CaughtUp():
                    self.oracle.taken_from(wire.visa, self.world.now)
                    if isinstance(event, ev.EntriesReceived):
                        self.oracle.entries_seen(event.entries)
                    if self._bug is Bug.ACK_BEFORE_STORE:
                        wire.session.stored(event.mark)
                    self._jobs.append(Job(wire, event))
                    self._flush()
                case ev.ForkDetected():
                    self.oracle.fork_detected(event.replica)
                case ev.PeerGone():
                    self.crowd.gone(wire)
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
            self.crowd.tick()
            for wire in [*self.wires]:
                self.handle(wire, self.oracle.gate.recheck(wire))
                wire.log_grew(self.ledger.disk)
                wire.tick()

    def crash(self) -> None:
        self.world.log(self.name, "crashes")
        self.alive = False
        self._life += 1
        self._busy = False
        self._jobs.clear()
        self.crowd.crash()
        for wire in [*self.wires]:
            if wire.link is not None:
                wire.link.cut(silent=self.world.chance(0.5))
            wire.open = False
        self.wires.clear()

    def restart(self) -> None:
        self.alive = True
        self.crowd.restart()

    @property
    def on_disk(self) -> Disk:
        """What is committed in the ledger."""
        return self.ledger.synced

    @property
    def idle(self) -> bool:
        return not self._jobs
