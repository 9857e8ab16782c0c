"""What must hold, whatever happens: the judge of a run.

It hears of every update made, every commit and every acknowledgement, and compares with what the
copies hold in the end. Documents are compared by content: an update is *in* a document if applying
it changes nothing, neither text nor properties nor state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crdt.adapter import EngineDoc, merge
from crdt.entry import Entry
from tests.simulation.disk import Disk


class Violation(AssertionError):
    """A promise was broken."""


class Oracle:
    """Everything that was said, and who promised what."""

    def __init__(self) -> None:
        self.made: dict[str, list[bytes]] = {}
        """For each thought the updates in the order in which they were made."""
        self.committed: dict[tuple[str, int], Entry] = {}
        """The entries whose maker has committed them."""
        self.durable: dict[tuple[str, int], Entry] = {}
        """Those that the ledger has acknowledged to their maker."""
        self.forks_expected = False
        self._depends: dict[tuple[str, int], dict[str, int]] = {}
        """For each entry what its maker held of that thought."""

    def update_made(self, thought: str, update: bytes) -> None:
        self.made.setdefault(thought, []).append(update)

    def entry_committed(self, entry: Entry, maker: Disk) -> None:
        self._depends.setdefault((entry.replica, entry.seq), dict(maker.latest[entry.thought]))
        known = self.committed.setdefault((entry.replica, entry.seq), entry)
        if known.digest() != entry.digest() and not self.forks_expected:
            raise Violation(f"number {entry.seq} of {entry.replica[:4]} was given out twice")

    def entries_seen(self, entries: Iterable[Entry]) -> None:
        """Entries have left the machine that made them."""
        for entry in entries:
            if (entry.replica, entry.seq) not in self.committed:
                raise Violation(f"entry {entry.seq} of {entry.replica[:4]} left before its commit")

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
        if entry.seq > disk.reach()[entry.replica]:
            raise Violation(
                f"entry {entry.seq} of {entry.replica[:4]} was acknowledged and is not stored"
            )

    def fork_detected(self, replica: str) -> None:
        if not self.forks_expected:
            raise Violation(f"replica {replica[:4]} forked, and nobody has copied anything")

    # In the end, and at any moment for vectors

    def check_vector(self, disk: Disk, whose: str) -> None:
        """Everything that a vector says is there, is there."""
        vector = disk.vector()
        claimed: dict[str, list[bytes]] = {}
        for (replica, seq), entry in self.committed.items():
            if seq <= vector[replica]:
                claimed.setdefault(entry.thought, []).append(entry.update)
        for thought, updates in claimed.items():
            if not _holds(disk.updates_of(thought), updates):
                raise Violation(f"the vector of {whose} says more than is there of {thought[-4:]}")

    def check_same(self, disks: Sequence[tuple[str, Disk]]) -> None:
        """All copies have the same vector, text and properties."""
        (first_name, first), *others = disks
        views = _views(first)
        for name, disk in others:
            if disk.vector() != first.vector():
                raise Violation(f"{name} has {disk.vector()}, {first_name} has {first.vector()}")
            other = _views(disk)
            for thought in views.keys() | other.keys():
                if views.get(thought) != other.get(thought):
                    raise Violation(
                        f"{thought[-4:]} differs: {first_name} {views.get(thought)},"
                        f" {name} {other.get(thought)}"
                    )

    def check_durable(self, disk: Disk) -> None:
        """Everything that was acknowledged as durable is in this copy."""
        promised: dict[str, list[bytes]] = {}
        for entry in self.durable.values():
            promised.setdefault(entry.thought, []).append(entry.update)
        for thought, updates in promised.items():
            if not _holds(disk.updates_of(thought), updates):
                raise Violation(f"something acknowledged is lost from {thought[-4:]}")

    def check_made(self, disk: Disk) -> None:
        """Nothing is there that nobody made, and nothing waits for what is not there."""
        for thought in sorted(disk.thoughts()):
            if disk.waits_for_something(thought):
                raise Violation(f"{thought[-4:]} waits for something that is not there")
            if not _holds(self.made.get(thought, []), disk.updates_of(thought)):
                raise Violation(f"{thought[-4:]} holds something that nobody made")


def _holds(have: Sequence[bytes], updates: Sequence[bytes]) -> bool:
    """Whether applying ``updates`` to a document made of ``have`` changes nothing."""
    have_all, more = merge(have), merge(updates)
    doc = EngineDoc(1, [have_all])
    inserted, size = doc.state_vector(), len(doc.state())
    doc.apply(more)
    # The state vector tells insertions; deletions make the state another size.
    return sorted(inserted) == sorted(doc.state_vector()) and size == len(doc.state())


def _views(disk: Disk) -> dict[str, tuple[str, object]]:
    views: dict[str, tuple[str, object]] = {}
    for thought in disk.thoughts():
        doc = EngineDoc(1, disk.updates_of(thought))
        views[thought] = (doc.text(), doc.meta())
    return views
