"""A disk: what one copy of the workspace, a machine's or the ledger, has committed and synced.

It answers what a session asks of a replica. All that is here survives a crash; what a machine has
not committed is not here. Written for the simulator, with the rules that a real store has to keep:

- an entry that is there already, or that the vector covers, is not appended again; under the same
  name with another digest it is a fork;
- the vector advances over entries without a hole, and by what a peer says when caught up;
- checkpoints are stored beside each other; only compaction, which has read all of them and all
  entries of the thought, replaces them;
- what is sealed is opened only where the key is: to make a document, and to compact.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from crdt.checkpoint import build_state, is_gapless
from crdt.entry import Checkpoint, Entry
from crdt.session.incoming import Fork
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector

_SEALING = bytes(byte ^ 0xA5 for byte in range(256))


def opened(record: Entry | Checkpoint) -> bytes:
    """The update or state of a record, for who has the key."""
    data = record.update if isinstance(record, Entry) else record.state
    return data.translate(_SEALING) if record.sealed else data


class Disk:
    """One copy of a workspace."""

    durable = False
    """Whether this is the ledger's, which nothing destroys."""
    sealed = 0
    """With which of the workspace's keys updates are encrypted here; 0 for none."""

    def __init__(self, workspace: str, replica: str, log: str) -> None:
        self.workspace = workspace
        self.replica = replica
        self.log = log
        self.positions: list[int] = []
        self.entries: list[Entry] = []
        self.by_name: dict[tuple[str, int], Entry] = {}
        self.checkpoints: list[tuple[int, Checkpoint]] = []
        self.tokens: dict[str, bytes] = {}
        self.digests: dict[str, tuple[int, bytes]] = {}
        """Of the last entry held of a replica, if compaction has taken it."""
        self.last = 0
        self.changes = 0
        """Counts whatever a session may have to send."""
        self.latest: dict[str, dict[str, int]] = {}
        """For each thought what a checkpoint of all that is held of it would cover."""
        self.disowned: set[str] = set()
        """Replicas that were given up here; what they said bears other names now."""
        self._vector: dict[str, int] = {}
        self._shown: Vector | None = None
        self._reach: dict[str, int] = {}

    def clone(self) -> Disk:
        """The same, as it is now, to go its own way."""
        other = copy(self)
        names = ("positions", "entries", "by_name", "checkpoints", "tokens", "digests", "disowned")
        for name in names:
            setattr(other, name, getattr(self, name).copy())
        other.latest = {thought: seqs.copy() for thought, seqs in self.latest.items()}
        other._vector = self._vector.copy()
        other._reach = self._reach.copy()
        return other

    # What a session reads

    def vector(self) -> Vector:
        if self._shown is None:
            self._shown = Vector(self._vector)
        return self._shown

    def reach(self) -> Vector:
        return Vector(self._reach)

    def digest(self, replica: str, seq: int) -> bytes:
        entry = self.by_name.get((replica, seq))
        if entry is not None:
            return entry.digest()
        last, digest = self.digests.get(replica, (0, b""))
        return digest if last == seq else b""

    def resume_token(self, log: str) -> bytes:
        return self.tokens.get(log, b"")

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        vector = self.vector()
        found: list[Checkpoint] = []
        at, size = after.checkpoint, 0
        for position, checkpoint in self.checkpoints:
            if position <= at:
                continue
            if not known.covers(checkpoint.vector):
                size += len(checkpoint.state) + 200
                if found and (size > most_bytes or len(found) == most):
                    break
                found.append(checkpoint)
            at = position
        cursor = Cursor(at, after.entry)
        start = bisect_right(self.positions, after.entry)
        left = len(self.positions) - start
        if found:
            return Slice(found, (), cursor, left, vector)
        entries: list[Entry] = []
        size = 0
        for entry in self.entries[start : start + most]:
            size += len(entry.update) + 200
            if entries and size > most_bytes:
                break
            entries.append(entry)
        if entries:
            cursor = Cursor(at, self.positions[start + len(entries) - 1])
        return Slice((), entries, cursor, left - len(entries), vector)

    # Writing; each call is one transaction

    def append(self, entries: Sequence[Entry]) -> list[Entry]:
        """Append what is not there yet; returns that.

        Raises:
            Fork: if one of them is there under the same name with another digest.
        """
        new: list[Entry] = []
        seen = set()
        for entry in entries:
            name = (entry.replica, entry.seq)
            held = self.by_name.get(name)
            if held is not None and held.digest() != entry.digest():
                raise Fork(*name)
            if held is None and entry.seq > self._vector.get(entry.replica, 0) and name not in seen:
                new.append(entry)
                seen.add(name)
        for entry in new:
            self.last += 1
            self.changes += 1
            self.positions.append(self.last)
            self.entries.append(entry)
            self.by_name[entry.replica, entry.seq] = entry
            self._reach[entry.replica] = max(entry.seq, self._reach.get(entry.replica, 0))
            self._note(entry.thought, entry.replica, entry.seq)
            self._advance(entry.replica)
        return new

    def store_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> list[Checkpoint]:
        """Keep checkpoints that cover something no other of their thought covers; returns them."""
        new = []
        for checkpoint in checkpoints:
            others = [c for _, c in self.checkpoints if c.thought == checkpoint.thought]
            if any(other.vector.covers(checkpoint.vector) for other in others):
                continue
            self._put_checkpoint(checkpoint)
            new.append(checkpoint)
        return new

    def adopt(self, vector: Vector) -> None:
        """Take over what a peer said at the end of catching up."""
        self.changes += 1
        self._shown = None
        for replica, seq in vector.items():
            self._vector[replica] = max(seq, self._vector.get(replica, 0))
            self._reach[replica] = max(seq, self._reach.get(replica, 0))
            self._advance(replica)

    def compact(self, thought: str, *, without: str = "") -> bool:
        """Replace all of a thought's checkpoints and entries by one checkpoint.

        Args:
            without: a replica that the checkpoint's vector leaves out.

        Raises:
            CrdtError: if the checkpoint would not make the same thought.
        """
        updates = self.updates_of(thought)
        if not updates:
            return False
        state = build_state(updates)
        vector = Vector(self.latest[thought])
        for entry in self.entries:
            if entry.thought == thought and entry.seq == self._vector.get(entry.replica):
                self.digests[entry.replica] = (entry.seq, entry.digest())
        self.checkpoints = [(at, c) for at, c in self.checkpoints if c.thought != thought]
        kept = [
            (at, e)
            for at, e in zip(self.positions, self.entries, strict=True)
            if e.thought != thought
        ]
        self.positions = [at for at, _ in kept]
        self.entries = [e for _, e in kept]
        self.by_name = {(e.replica, e.seq): e for e in self.entries}
        if without:
            self.latest[thought].pop(without, None)
            vector = Vector(self.latest[thought])
        self._put_checkpoint(Checkpoint(thought, self._seal(state), vector, sealed=self.sealed))
        return True

    def disown(self, replica: str, new_replica: str, new_log: str) -> None:
        """Give up a replica of which two versions exist; all that it said is issued anew.

        What it touched becomes a checkpoint that does not name it, and an own entry with the whole
        state, so that copies which have that replica's number already get what was said, too.
        """
        touched = {e.thought for e in self.entries if e.replica == replica}
        touched |= {c.thought for _, c in self.checkpoints if replica in c.vector}
        if replica == self.replica:
            self.replica, self.log = new_replica, new_log
        for thought in sorted(touched):
            self.compact(thought, without=replica)
            (state,) = self.updates_of(thought)
            self.append([self.make(thought, state, at=0)])
        self.disowned.add(replica)
        self._vector.pop(replica, None)
        self.digests.pop(replica, None)
        self._shown = None
        self._reach.pop(replica, None)
        self.tokens.clear()

    def renamed(self, replica: str, log: str) -> None:
        """A file that was copied or restored goes on under other ids."""
        self.replica, self.log = replica, log

    def make(self, thought: str, update: bytes, at: int) -> Entry:
        """The next entry of this replica, of an update in the open."""
        seq = self._vector.get(self.replica, 0) + 1
        update = self._seal(update)
        return Entry(self.replica, seq, thought, update, at, "sim", sealed=self.sealed)

    def _seal(self, update: bytes) -> bytes:
        return update.translate(_SEALING) if self.sealed else update

    # Reading

    def thoughts(self) -> set[str]:
        return {e.thought for e in self.entries} | {c.thought for _, c in self.checkpoints}

    def updates_of(self, thought: str) -> list[bytes]:
        """What makes a thought, opened: its checkpoints, then its entries."""
        states = [opened(c) for _, c in self.checkpoints if c.thought == thought]
        return states + [opened(e) for e in self.entries if e.thought == thought]

    def waits_for_something(self, thought: str) -> bool:
        """Whether the updates of a thought refer to what is not there."""
        return not is_gapless(self.updates_of(thought))

    def _put_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.last += 1
        self.changes += 1
        self.checkpoints.append((self.last, replace(checkpoint)))
        for replica, seq in checkpoint.vector.items():
            self._reach[replica] = max(seq, self._reach.get(replica, 0))
            self._note(checkpoint.thought, replica, seq)

    def _note(self, thought: str, replica: str, seq: int) -> None:
        latest = self.latest.setdefault(thought, {})
        latest[replica] = max(seq, latest.get(replica, 0))

    def _advance(self, replica: str) -> None:
        self._shown = None
        seq = self._vector.get(replica, 0)
        while (replica, seq + 1) in self.by_name:
            seq += 1
        if seq:
            self._vector[replica] = seq
