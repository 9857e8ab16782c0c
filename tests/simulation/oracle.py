"""What must hold, whatever happens: the judge of a run.

It hears of every update made, every commit and every acknowledgement, and compares with what the
copies hold in the end. Documents are compared by content: an update is *in* a document if applying
it changes nothing, neither text nor properties nor state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crdt import adapter
from crdt.entry import Entry
from crdt.vector import Vector
from tests.simulation.access import CHECK_MS, Gate, Visa
from tests.simulation.disk import Disk, opened


class Violation(AssertionError):
    """A promise was broken."""


class Oracle:
    """Everything that was said, and who promised what."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.made: dict[str, list[bytes]] = {}
        """For each thought the updates in the order in which they were made."""
        self.committed: dict[tuple[str, int], Entry] = {}
        """The entries whose maker has committed them."""
        self.durable: dict[tuple[str, int], Entry] = {}
        """Those that the ledger has acknowledged to their maker."""
        self.forks_expected = False
        self.held_back: dict[str, set[tuple[str, int]]] = {}
        """For each person what was made while everybody knew that this person only reads."""
        self._depends: dict[tuple[str, int], dict[str, int]] = {}
        """For each entry what its maker held of that thought."""
        self._claimed: dict[str, bytes] = {}
        self._claimed_at: tuple[Vector, int] | None = None

    def update_made(self, thought: str, update: bytes) -> None:
        self.made.setdefault(thought, []).append(update)

    def entry_committed(self, entry: Entry, maker: Disk, person: str) -> None:
        if self.gate.keeps_out(person):
            self.held_back.setdefault(person, set()).add((entry.replica, entry.seq))
        self._depends.setdefault((entry.replica, entry.seq), dict(maker.latest[entry.thought]))
        known = self.committed.setdefault((entry.replica, entry.seq), entry)
        if known.digest() != entry.digest() and not self.forks_expected:
            raise Violation(f"number {entry.seq} of {entry.replica[:4]} was given out twice")

    def entries_seen(self, entries: Iterable[Entry]) -> None:
        """Entries have left the machine that made them."""
        for entry in entries:
            if (entry.replica, entry.seq) not in self.committed:
                raise Violation(f"entry {entry.seq} of {entry.replica[:4]} left before its commit")

    def taken_from(self, visa: Visa | None, now: int) -> None:
        """Records were taken from somebody."""
        if visa is None:
            return
        if self.gate.keeps_out(visa.person):
            raise Violation(f"something was taken from {visa.person}, who only reads")
        if now > visa.expires + CHECK_MS:
            raise Violation(f"something was taken from {visa.person} long after the token expired")

    def passed_on(self, entries: Iterable[Entry], ledger: Disk) -> None:
        """A pod has passed entries on, which the ledger may have compacted meanwhile."""
        vector = ledger.vector()
        for entry in entries:
            held = ledger.latest.get(entry.thought, {}).get(entry.replica, 0)
            if entry.seq > max(held, vector[entry.replica]):
                raise Violation(f"entry {entry.seq} of {entry.replica[:4]} is not in the ledger")

    def to_be_stored(self, entries: Iterable[Entry], disk: Disk) -> None:
        """A copy is about to append entries: what they may depend on has to be there."""
        if self.forks_expected:
            return
        reach = dict(disk.reach().items())
        for entry in entries:
            if entry.seq <= reach.get(entry.replica, 0):
                continue
            reach[entry.replica] = entry.seq
            for replica, seq in self._depends[entry.replica, entry.seq].items():
                if seq > reach.get(replica, 0):
                    raise Violation(
                        f"entry {entry.seq} of {entry.replica[:4]} is stored before"
                        f" {seq} of {replica[:4]}, on which it may depend"
                    )

    def acknowledged(self, entry: Entry, disk: Disk) -> None:
        """A copy has told the maker that it has an entry on disk."""
        if entry.replica in disk.disowned:
            # After it said so; what the entry says it has under another name.
            return
        if entry.seq > disk.reach()[entry.replica]:
            raise Violation(
                f"entry {entry.seq} of {entry.replica[:4]} was acknowledged and is not stored"
            )

    def ledger_restored(self, copies: Sequence[Disk]) -> None:
        """The ledger has lost what it promised; what is in one of ``copies`` it will hear again."""
        held = [copy.vector() for copy in copies]
        for name in [*self.durable]:
            if not any(vector[name[0]] >= name[1] for vector in held):
                del self.durable[name]

    def fork_detected(self, replica: str) -> None:
        if not self.forks_expected:
            raise Violation(f"replica {replica[:4]} forked, and nobody has copied anything")

    # In the end, and at any moment for vectors

    def check_vector(self, copy: Copy) -> None:
        """Everything that a vector says is there, is there."""
        for thought, update in self._claimed_by(copy.disk.vector()).items():
            if not copy.holds(thought, update):
                raise Violation(f"the vector of {copy} says more than is there of {thought[-4:]}")

    def _claimed_by(self, vector: Vector) -> dict[str, bytes]:
        """For each thought all the updates that a vector says are there, as one."""
        moment = (vector, len(self.committed))
        if self._claimed_at != moment:
            names = (name for name in self.committed if name[1] <= vector[name[0]])
            self._claimed = _by_thought(self.committed[name] for name in names)
            self._claimed_at = moment
        return self._claimed

    def check_readers(self, copies: Sequence[tuple[str, Disk]]) -> None:
        """What readers have made is nowhere but with them.

        Args:
            copies: whose copy each is, and the copy.
        """
        for reader in self.gate.readers:
            for replica, seq in self.held_back.get(reader, ()):
                for person, disk in copies:
                    if person != reader and disk.reach()[replica] >= seq:
                        raise Violation(
                            f"{person} has entry {seq} of {replica[:4]}, made by {reader},"
                            " who only reads"
                        )

    def check_same(self, copies: Sequence[Copy]) -> None:
        """All copies have the same vector, text and properties."""
        first, *others = copies
        views = first.views()
        for copy in others:
            if copy.disk.vector() != first.disk.vector():
                raise Violation(f"{copy} has {copy.disk.vector()}, {first} {first.disk.vector()}")
            other = copy.views()
            for thought in sorted(views.keys() | other.keys()):
                if views.get(thought) != other.get(thought):
                    raise Violation(
                        f"{thought[-4:]} differs: {first} {views.get(thought)},"
                        f" {copy} {other.get(thought)}"
                    )

    def check_durable(self, copy: Copy) -> None:
        """Everything that was acknowledged as durable is in this copy."""
        for thought, update in _by_thought(self.durable.values()).items():
            if not copy.holds(thought, update):
                raise Violation(f"something acknowledged is lost from {thought[-4:]}")

    def check_made(self, copy: Copy) -> None:
        """Nothing is there that nobody made, and nothing waits for what is not there."""
        for thought in sorted(copy.disk.thoughts()):
            if copy.disk.waits_for_something(thought):
                raise Violation(f"{thought[-4:]} waits for something that is not there")
            made = adapter.EngineDoc(1, [adapter.merge(self.made.get(thought, []))])
            if not _holds(made, adapter.merge(copy.disk.updates_of(thought))):
                raise Violation(f"{thought[-4:]} holds something that nobody made")


class Copy:
    """A disk with its thoughts as documents, as they are at one moment."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.disk = disk
        self._name = name
        self._docs: dict[str, adapter.EngineDoc] = {}

    def __str__(self) -> str:
        return self._name

    def views(self) -> dict[str, tuple[str, object]]:
        """Text and properties of each thought."""
        docs = {thought: self._doc(thought) for thought in self.disk.thoughts()}
        return {thought: (doc.text(), doc.meta()) for thought, doc in docs.items()}

    def holds(self, thought: str, update: bytes) -> bool:
        """Whether a thought has everything in it that an update says."""
        return _holds(self._doc(thought), update)

    def _doc(self, thought: str) -> adapter.EngineDoc:
        if thought not in self._docs:
            merged = adapter.merge(self.disk.updates_of(thought))
            self._docs[thought] = adapter.EngineDoc(1, [merged])
        return self._docs[thought]


def _holds(doc: adapter.EngineDoc, update: bytes) -> bool:
    """Whether applying ``update`` changes nothing."""
    inserted, size = doc.state_vector(), len(doc.state())
    doc.apply(update)
    # The state vector tells insertions; deletions make the state another size.
    return sorted(inserted) == sorted(doc.state_vector()) and size == len(doc.state())


def _by_thought(entries: Iterable[Entry]) -> dict[str, bytes]:
    updates: dict[str, list[bytes]] = {}
    for entry in entries:
        updates.setdefault(entry.thought, []).append(opened(entry))
    return {thought: adapter.merge(some) for thought, some in updates.items()}
