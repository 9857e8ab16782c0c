"""One run: a workspace, people, a relay or none, misfortunes, and the judgement in the end.

``simulate(seed)`` draws everything from the seed. First people edit while things break; then all is
mended, and within a time the copies must agree, with the ledger alone as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crdt import checkpoint
from crdt.entry import Checkpoint
from crdt.errors import CrdtError
from crdt.session import State
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector
from tests.simulation.access import CHECK_MS, Gate
from tests.simulation.bugs import Bug
from tests.simulation.disk import Disk
from tests.simulation.machine import Machine, new_id
from tests.simulation.oracle import Copy, Oracle, Violation
from tests.simulation.relay import Ledger, Pod
from tests.simulation.world import Link, Wire, World, connect

HEAL_MS = 120_000
SETTLE_MS = 2_000
_NEEDS_A_RELAY = frozenset(
    {
        Bug.ACK_BEFORE_STORE,
        Bug.FAN_OUT_BEFORE_COMMIT,
        Bug.GHOST,
        Bug.NEWCOMER_BLIND,
        Bug.READER_WRITES,
        Bug.TOKENS_FOR_EVER,
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run was like."""

    seed: int
    entries: int
    durable: int
    forks: bool
    virtual_ms: int


class _UnorderedDisk(Disk):
    """The bug: a log that is read replica by replica."""

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        found = super().read(after, known, most, most_bytes)
        ordered = sorted(found.entries, key=lambda entry: (entry.replica, entry.seq))
        return Slice(found.checkpoints, ordered, found.cursor, found.left, found.vector)


class _CarelessDisk(Disk):
    """The bug: what comes while a checkpoint is built is trimmed with the rest."""

    def compact(self, thought: str, *, without: str = "") -> bool:
        updates = self.updates_of(thought)
        if not super().compact(thought, without=without):
            return False
        at, built = self.checkpoints[-1]
        state = checkpoint.build_state(updates[: max(1, len(updates) - 1)])
        self.checkpoints[-1] = (at, Checkpoint(thought, state, built.vector))
        return True


class Scenario:
    """A run in the making."""

    def __init__(
        self,
        seed: int,
        bug: Bug = Bug.NONE,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.seed = seed
        self.world = World(seed, trace)
        self.gate = Gate(self.world, bug)
        self.oracle = Oracle(self.gate)
        self.bug = bug
        rng = self.world.rng
        self.workspace = new_id(rng)
        self.links: list[Link] = []
        self.backups: list[tuple[Machine, Disk]] = []
        self.ledger_restored = False
        self.apart: set[frozenset[str]] = set()
        # A copied file that nobody notices is told by its entries; compaction takes these away.
        self.unnoticed = rng.random() < 0.2
        self.oracle.forks_expected = self.unnoticed
        self.sealed = rng.random() < 0.1
        self.ledger: Ledger | None = None
        if rng.random() < 0.75 or bug in _NEEDS_A_RELAY:
            self.ledger = Ledger(self.world, self.oracle, self.new_disk(), bug)
            for n in range(rng.randint(1, 2)):
                Pod(self.world, self.oracle, f"pod{n}", self.ledger, bug)
        self.machines: list[Machine] = []
        for _ in range(rng.randint(2, 4)):
            self.add_machine(self.new_disk())
        # Without a relay a reader would stand between those who are to agree.
        self.readers = self.ledger is not None and rng.random() < 0.25
        if self.readers or bug is Bug.READER_WRITES:
            self.change_role()

    def new_disk(self) -> Disk:
        kind = {
            Bug.OUT_OF_ORDER: _UnorderedDisk,
            Bug.UNSAFE_CHECKPOINT: _CarelessDisk,
        }.get(self.bug, Disk)
        rng = self.world.rng
        disk = kind(self.workspace, new_id(rng), new_id(rng))
        disk.sealed = int(self.sealed)
        return disk

    def add_machine(self, disk: Disk) -> Machine:
        rng = self.world.rng
        machine = Machine(self.world, self.oracle, f"m{len(self.machines)}", disk, self.bug)
        gossip = self.ledger is None or rng.random() < 0.3
        if self.ledger is not None:
            machine.diallers.append(self.dial_pod)
            if rng.random() < 0.15:
                # The app and a command at the same time.
                machine.diallers.append(self.dial_pod)
        if gossip and self.machines:
            # A chain or a tree: some never meet.
            other = rng.choice(self.machines)
            machine.diallers.append(lambda one: self.dial(one, other))
        self.machines.append(machine)
        return machine

    def dial_pod(self, machine: Machine) -> Wire | None:
        assert self.ledger is not None
        return self.dial(machine, self.world.rng.choice(self.ledger.pods))

    def dial(self, machine: Machine, other: Machine | Pod) -> Wire | None:
        if not other.alive or frozenset((machine.name, other.name)) in self.apart:
            return None
        wire = machine.new_wire(other.person, crowd=not other.person)
        self.links = [link for link in self.links if not link.dead]
        token = self.gate.token(machine.person)
        self.links.append(connect(self.world, wire, other.new_wire(), token))
        return wire

    # Misfortunes

    def misfortune(self) -> None:
        rng, world = self.world.rng, self.world
        kind = rng.random()
        machine = rng.choice(self.machines)
        if kind < 0.25 and self.links:
            rng.choice(self.links).cut(silent=rng.random() < 0.3)
        elif kind < 0.37 and machine.alive:
            machine.crash()
            world.after(rng.randint(10, 4_000), machine.restart)
        elif kind < 0.50:
            self.part(machine)
        elif kind < 0.66 and not self.unnoticed:
            disks = [one.disk for one in self.machines if one.alive]
            reads = not self.sealed and self.bug is not Bug.FAN_OUT_BEFORE_COMMIT
            if self.ledger is not None and reads:
                disks.append(self.ledger.disk)
            if disks:
                self.compact(rng.choice(disks))
        elif kind < 0.78:
            self.copy_a_file(machine)
        elif kind < 0.80 and sum(not one.destroyed for one in self.machines) > 1:
            if not self.ledger_restored:
                machine.destroy()
        elif kind < 0.82:
            machine.flood()
        elif kind < 0.86 and self.readers:
            self.change_role()
        elif self.ledger is not None:
            self.trouble(self.ledger)

    def change_role(self) -> None:
        """Somebody may only read from now on, or write again."""
        rng = self.world.rng
        number = rng.randrange(len(self.machines))
        person = self.machines[number].person
        # While not everybody knows, some of it will be on its way.
        for _ in range(3):
            self.world.after(rng.randint(0, CHECK_MS), lambda: self.burst(number))
        if person in self.gate.readers:
            self.world.log(person, "may write")
            self.oracle.held_back.pop(person, None)
            self.gate.promote(person)
        else:
            self.world.log(person, "may only read")
            self.gate.demote(person)

    def copy_a_file(self, machine: Machine) -> None:
        """Keep a backup, put one back, or go on with a copy beside the original."""
        rng = self.world.rng
        kind = rng.random()
        if kind < 0.5 or self.bug is not Bug.NONE:
            self.backups.append((machine, machine.disk.clone()))
        elif kind < 0.8 and self.backups and not self.ledger_restored:
            owner, backup = rng.choice(self.backups)
            if not owner.destroyed:
                owner.restore(backup, noticed=not self.unnoticed)
        elif len(self.machines) < 5:
            self.world.log(machine.name, "is copied")
            copy = machine.disk.clone()
            if not self.unnoticed:
                copy.renamed(new_id(rng), new_id(rng))
            self.add_machine(copy).person = machine.person

    def trouble(self, ledger: Ledger) -> None:
        rng, world = self.world.rng, self.world
        kind = rng.random()
        if kind < 0.4:
            pod = rng.choice(ledger.pods)
            if pod.alive:
                pod.crash()
                world.after(rng.randint(10, 3_000), pod.restart)
        elif kind < 0.55 and self.bug is Bug.NONE and not self.unnoticed:
            self.copy_the_ledger(ledger)
        elif kind < 0.7:
            ledger.refuses = True
            world.after(rng.randint(100, 3_000), lambda: setattr(ledger, "refuses", False))
        else:
            ledger.slow = True
            world.after(rng.randint(100, 3_000), lambda: setattr(ledger, "slow", False))

    def copy_the_ledger(self, ledger: Ledger) -> None:
        """Keep a backup of it, and put that back later: what came meanwhile is lost to it.

        That it was put back is known to whoever did it. Under its old name its positions would name
        other entries than before, and who goes on from one of them would miss some.
        """
        rng, backup = self.world.rng, ledger.disk.clone()

        def put_back() -> None:
            if self.ledger_restored or self.world.calm:
                return
            # From now on nobody else loses a copy: with two losses something may be gone for good.
            self.ledger_restored = True
            ledger.restore(backup)
            self.oracle.ledger_restored([disk for _, disk in self.disks()])

        self.world.after(rng.randint(200, 5_000), put_back)

    def part(self, machine: Machine) -> None:
        """Nobody reaches a machine for a while, and what is connected falls silent or breaks."""
        rng = self.world.rng
        others = [one.name for one in self.machines]
        others += [pod.name for pod in self.ledger.pods] if self.ledger else []
        pairs = {frozenset((machine.name, other)) for other in others}
        self.apart |= pairs
        for wire in [*machine.wires]:
            if wire.link is not None:
                wire.link.cut(silent=rng.random() < 0.5)
        self.world.after(rng.randint(500, 8_000), lambda: self.apart.difference_update(pairs))

    def compact(self, disk: Disk) -> None:
        thoughts = sorted(disk.thoughts())
        if thoughts:
            thought = self.world.rng.choice(thoughts)
            self.world.log("compaction of", thought[:4])
            try:
                disk.compact(thought)
            except CrdtError as error:
                raise Violation(f"a checkpoint could not be built: {error}") from error

    # The run

    def run(self) -> Outcome:
        world, rng = self.world, self.world.rng
        end = rng.randint(2_000, 16_000)
        for _ in range(rng.randint(4, 24)):
            machine = rng.randrange(len(self.machines))
            world.after(rng.randint(0, end), lambda n=machine: self.burst(n))  # type: ignore[misc]
        for _ in range(rng.randint(0, 12)):
            world.after(rng.randint(0, end), self.misfortune)
        world.after(rng.randint(0, end), self.check_vectors)
        world.run(end)
        self.heal()
        self.settle()
        self.judge_readers()
        self.judge()
        return Outcome(
            self.seed,
            len(self.oracle.committed),
            len(self.oracle.durable),
            self.oracle.forks_expected,
            world.now,
        )

    def close(self) -> None:
        """Let go of everything."""
        for machine in self.machines:
            machine.close_docs()

    def burst(self, machine: int) -> None:
        rng = self.world.rng
        for n in range(rng.randint(1, 5)):
            self.world.after(n * rng.randint(1, 60), self.machines[machine].edit)

    def heal(self) -> None:
        self.world.log("everything is mended")
        self.world.calm = True
        self.apart.clear()
        if self.ledger is not None:
            self.ledger.refuses = self.ledger.slow = False
            for pod in self.ledger.pods:
                pod.restart()
        for machine in self.machines:
            machine.restart()
            if machine.alive and self.world.chance(0.5):
                machine.be_somewhere()
        survivors = [machine for machine in self.machines if machine.alive]
        if self.ledger is None and len(survivors) < len(self.machines):
            # Who was between them may be gone.
            for machine in survivors[1:]:
                machine.diallers.append(lambda one: self.dial(one, survivors[0]))

    def disks(self) -> list[tuple[str, Disk]]:
        disks = [(one.name, one.disk) for one in self.machines if not one.destroyed]
        if self.ledger is not None:
            disks.append(("ledger", self.ledger.synced))
        return disks

    def settle(self) -> None:
        """Wait until all who may write have the same, all others that too, and each sees each."""
        world = self.world
        end = world.now + HEAL_MS
        while world.now < end:
            world.run(world.now + SETTLE_MS)
            idle = all(one.idle or one.destroyed for one in self.machines)
            if self.ledger is not None:
                idle = idle and all(pod.idle for pod in self.ledger.pods)
            if idle and self.agree() and not self.unseen():
                return
        if not self.agree():
            vectors = {name: disk.vector() for name, disk in self.disks()}
            raise Violation(f"the copies do not come to agree: {vectors}")
        raise Violation(f"presence does not come right: {self.unseen()}")

    def agree(self) -> bool:
        """Whether all have what those have who may write."""
        readers = self.gate.readers
        theirs = [one for one in self.machines if one.person in readers and not one.destroyed]
        reading = {one.name for one in theirs}
        vectors = {disk.vector() for name, disk in self.disks() if name not in reading}
        return len(vectors) < 2 and all(
            one.disk.vector().covers(vector) for one in theirs for vector in vectors
        )

    def unseen(self) -> str:
        """Who sees others than are there; empty where all is right."""
        present = [one for one in self.machines if one.alive]
        for one in present:
            for wire in one.wires:
                others = [wire.other] if isinstance(wire.other, Machine) else present
                there = {other.presence for other in others if other is not one} - {b""}
                if wire.session.state is not State.OPEN or one.sees(wire) != there:
                    return f"{one.name} sees {sorted(one.sees(wire))}, there are {sorted(there)}"
        return ""

    def check_vectors(self) -> None:
        if not self.oracle.forks_expected:
            for name, disk in self.disks():
                self.oracle.check_vector(Copy(name, disk))

    def judge_readers(self) -> None:
        """Nothing that readers made is anywhere else; once they may write, everything is."""
        if not self.gate.readers:
            return
        if not self.oracle.forks_expected:
            person = {one.name: one.person for one in self.machines}
            self.oracle.check_readers(
                [(person.get(name, name), disk) for name, disk in self.disks()]
            )
        self.world.log("everybody may write")
        for reader in sorted(self.gate.readers):
            self.gate.promote(reader)
        self.settle()

    def judge(self) -> None:
        """Compare all copies, and one that has talked to the ledger alone."""
        if self.ledger is not None:
            fresh = Machine(self.world, self.oracle, "fresh", self.new_disk(), Bug.NONE)
            fresh.diallers.append(self.dial_pod)
            self.machines.append(fresh)
            self.settle()
        copies = [Copy(name, disk) for name, disk in self.disks()]
        self.oracle.check_same(copies)
        if not self.oracle.forks_expected:
            for copy in copies:
                self.oracle.check_vector(copy)
        newest = copies[-2] if self.ledger is not None else copies[-1]
        self.oracle.check_made(newest)
        self.oracle.check_durable(newest)


def simulate(seed: int, bug: Bug = Bug.NONE, trace: Callable[[str], None] | None = None) -> Outcome:
    """Run one seed.

    Raises:
        Violation: if a promise was broken.
    """
    scenario = Scenario(seed, bug, trace)
    try:
        return scenario.run()
    except (CrdtError, Violation) as error:
        raise Violation(f"seed {seed}: {error}") from error
    finally:
        scenario.close()
