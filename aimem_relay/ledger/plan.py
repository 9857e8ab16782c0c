"""What a group of jobs changes in one workspace: the rules of a ledger, without its tables.

A ledger asks in three steps, each inside the transaction that has locked the workspace, and then
writes what the plan says:

1. ``replicas_in`` the jobs: whose heads are to be loaded;
2. ``Plan.names``, ``thoughts`` and ``keys``: what may be there already. For entries that follow
   what is held these are empty, and nothing more is asked;
3. after ``decide``, ``Plan.open_ends``: where a hole was filled, or a peer said that there is none,
   entries behind it may be held; ``advance`` takes them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aimem_relay.ledger.port import (
    Authored,
    Change,
    Forked,
    Head,
    Job,
    Outcome,
    Record,
    Skipped,
    Stored,
    size_of,
)
from crdt.entry import Checkpoint, Entry
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.vector import Vector

_NOTHING = Head("", 0, 0, b"")


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """What a ledger keeps of a workspace in one row."""

    number: int
    """What its other tables call it."""
    workspace: str
    replica: str
    log: str
    version: int
    last: int
    last_checkpoint: int
    count: int
    size: int


@dataclass(slots=True)
class Growth:
    """What was added to one thought. Not frozen: it adds up."""

    records: int = 0
    size: int = 0
    sealed: bool = False


def by_workspace(jobs: Sequence[Job]) -> dict[str, list[int]]:
    """The places of the jobs of each workspace, these in the order in which they are locked."""
    places: dict[str, list[int]] = {}
    for place, job in enumerate(jobs):
        places.setdefault(job.workspace, []).append(place)
    return dict(sorted(places.items()))


def replicas_in(jobs: Iterable[Job]) -> set[str]:
    """The replicas that the jobs name; their heads, and the own one's, are what a plan needs."""
    replicas: set[str] = set()
    for job in jobs:
        match job.event:
            case EntriesReceived():
                replicas.update(entry.replica for entry in job.event.entries)
            case CheckpointsReceived():
                for checkpoint in job.event.checkpoints:
                    replicas.update(checkpoint.vector)
            case CaughtUp():
                replicas.update(job.event.vector)
            case Authored():
                pass
    return replicas


class Plan:
    """What one group changes in one workspace.

    Args:
        before: the workspace as it is.
        heads: at least those of the replicas that the jobs name, and of the own one.
        jobs: in their order.
    """

    def __init__(
        self, before: WorkspaceState, heads: Mapping[str, Head], jobs: Sequence[Job]
    ) -> None:
        self.before = before
        self.after = before
        """The workspace's row as it is to be written."""
        self.outcomes: list[Outcome] = []
        self.records: list[Record] = []
        """What is to be added."""
        self.digests: dict[tuple[str, int], bytes] = {}
        """Of entries that are held; after ``decide`` also of those that are to be added."""
        self.tokens: dict[str, bytes] = {}
        self.new_keys: dict[bytes, int] = {}
        """Keys under which updates were authored, and when."""
        self.growth: dict[str, Growth] = {}
        """For each thought what was added."""
        self.names: list[tuple[str, int]] = []
        """The entries whose digests are to be looked up."""
        self.thoughts: set[str] = set()
        """The thoughts whose checkpoints' vectors are to be looked up."""
        self.keys: set[bytes] = set()
        """The keys of authored updates that are to be looked up."""
        self._jobs = jobs
        self._heads = dict(heads)
        self._found_heads = dict(heads)
        self._last = before.last
        self._last_checkpoint = before.last_checkpoint
        self._size = 0
        self._covers: dict[str, list[Vector]] = {}
        self._ask()

    def decide(
        self,
        digests: Mapping[tuple[str, int], bytes],
        covers: Mapping[str, Sequence[Vector]],
        keys: Iterable[bytes],
    ) -> None:
        """Go through the jobs.

        Args:
            digests: of those ``names`` that are held.
            covers: the vectors of all checkpoints of the ``thoughts``.
            keys: those ``keys`` that are known.
        """
        self.digests.update(digests)
        self._covers.update((thought, list(vectors)) for thought, vectors in covers.items())
        known_keys = set(keys)
        bad: set[int] = set()
        for job in self._jobs:
            if job.connection in bad:
                self.outcomes.append(Skipped())
                continue
            start = len(self.records)
            match job.event:
                case EntriesReceived():
                    forked = self._append(job.event.entries)
                    if forked is not None:
                        self.outcomes.append(forked)
                        # What comes after it would leave a hole.
                        if job.connection:
                            bad.add(job.connection)
                        continue
                    self._keep_token(job, job.event.token)
                case CheckpointsReceived():
                    self._put_checkpoints(job.event.checkpoints)
                    self._keep_token(job, job.event.token)
                case CaughtUp():
                    self._adopt(job.event.vector)
                    self._keep_token(job, job.event.token)
                case Authored():
                    if job.event.key not in known_keys:
                        known_keys.add(job.event.key)
                        self._author(job.event)
            self.outcomes.append(Stored(tuple(self.records[start:])))

    @property
    def open_ends(self) -> dict[str, int]:
        """The replicas that have advanced and reach further, and their numbers in the vector.

        The digests of what is held of them behind that number are to be given to ``advance``.
        """
        return {
            replica: head.seq
            for replica, head in self._heads.items()
            if head.reach > head.seq > self._found_heads.get(replica, _NOTHING).seq
        }

    def advance(self, digests: Mapping[tuple[str, int], bytes]) -> None:
        """Take in what is held behind the open ends, as far as there is no hole."""
        open_ends = self.open_ends
        self.digests.update(digests)
        for replica in open_ends:
            self._advance(replica)

    def put(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint that has replaced all records of its thought; it is not due again."""
        self._put_checkpoints([checkpoint])
        self.growth.clear()

    def finish(self) -> Change:
        """Sum up; after this ``after`` and ``heads`` are what is to be written."""
        before, heads = self.before, self.heads
        if heads or self.records:
            self.after = WorkspaceState(
                before.number,
                before.workspace,
                before.replica,
                before.log,
                before.version + 1,
                self._last,
                self._last_checkpoint,
                before.count + len(self.records),
                before.size + self._size,
            )
        return change_of(before, self.after, heads, self.records)

    @property
    def heads(self) -> list[Head]:
        """The heads that have changed."""
        found = self._found_heads
        return [head for replica, head in self._heads.items() if head is not found.get(replica)]

    def _ask(self) -> None:
        for job in self._jobs:
            match job.event:
                case EntriesReceived():
                    self.names += [
                        (entry.replica, entry.seq)
                        for entry in job.event.entries
                        if entry.seq <= self._head(entry.replica).reach
                    ]
                case CheckpointsReceived():
                    self.thoughts.update(one.thought for one in job.event.checkpoints)
                case CaughtUp():
                    self.names += [
                        (replica, seq)
                        for replica, seq in job.event.vector.items()
                        if self._head(replica).seq < seq <= self._head(replica).reach
                    ]
                case Authored():
                    self.keys.add(job.event.key)

    def _append(self, entries: Sequence[Entry]) -> Forked | None:
        new: dict[tuple[str, int], tuple[Entry, bytes]] = {}
        known, heads = self.digests, self._heads
        for entry in entries:
            replica, seq = name = entry.replica, entry.seq
            digest = entry.digest()
            held = known.get(name)
            if held is not None and held != digest:
                return Forked(*name)
            if held is None and seq > heads.get(replica, _NOTHING).seq:
                new.setdefault(name, (entry, digest))
        for entry, digest in new.values():
            self._add_entry(entry, digest)
        return None

    def _add_entry(self, entry: Entry, digest: bytes) -> None:
        replica, seq = entry.replica, entry.seq
        self.digests[replica, seq] = digest
        size = size_of(entry)
        self._size += size
        self._add(entry, entry.thought, size, sealed=bool(entry.sealed))
        head = self._heads.get(replica, _NOTHING)
        if seq == head.seq + 1:
            reach = head.reach
            self._heads[replica] = Head(replica, seq, seq if seq > reach else reach, digest)
            if reach > seq or (replica, seq + 1) in self.digests:
                self._advance(replica)
        else:
            self._reach(replica, seq)

    def _put_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> None:
        for checkpoint in checkpoints:
            others = self._covers.setdefault(checkpoint.thought, [])
            if any(other.covers(checkpoint.vector) for other in others):
                continue
            size = size_of(checkpoint)
            self._size += size
            # The first state of a thought is not worth replacing, however large it is.
            counted = size if others else 0
            others.append(checkpoint.vector)
            self._add(checkpoint, checkpoint.thought, counted, sealed=bool(checkpoint.sealed))
            self._last_checkpoint = self._last
            for replica, seq in checkpoint.vector.items():
                self._reach(replica, seq)

    def _adopt(self, vector: Vector) -> None:
        for replica, seq in vector.items():
            head = self._head(replica)
            if seq > head.seq:
                digest = self.digests.get((replica, seq), b"")
                self._heads[replica] = Head(replica, seq, max(seq, head.reach), digest)
                self._advance(replica)

    def _author(self, authored: Authored) -> None:
        own = self.before.replica
        self.new_keys[authored.key] = authored.at
        for update in authored.updates:
            entry = Entry(
                own,
                self._head(own).seq + 1,
                authored.thought,
                update,
                authored.at,
                authored.author,
                authored.note,
            )
            self._add_entry(entry, entry.digest())

    def _keep_token(self, job: Job, token: bytes) -> None:
        if job.peer_log:
            self.tokens[job.peer_log] = token

    def _add(self, item: Entry | Checkpoint, thought: str, size: int, *, sealed: bool) -> None:
        self._last += 1
        self.records.append(Record(self._last, item))
        growth = self.growth.get(thought)
        if growth is None:
            growth = self.growth[thought] = Growth()
        growth.records += 1
        growth.size += size
        growth.sealed = growth.sealed or sealed

    def _head(self, replica: str) -> Head:
        return self._heads.get(replica, _NOTHING)

    def _reach(self, replica: str, seq: int) -> None:
        head = self._head(replica)
        if seq > head.reach:
            self._heads[replica] = Head(replica, head.seq, seq, head.digest)

    def _advance(self, replica: str) -> None:
        head = self._heads[replica]
        seq = head.seq
        while (replica, seq + 1) in self.digests:
            seq += 1
        if seq > head.seq:
            self._heads[replica] = Head(replica, seq, head.reach, self.digests[replica, seq])


def change_of(
    before: WorkspaceState,
    after: WorkspaceState,
    heads: Sequence[Head],
    records: Sequence[Record],
) -> Change:
    """What has happened between two states of a workspace's row."""
    return Change(
        workspace=after.workspace,
        replica=after.replica,
        log=after.log,
        since=before.version,
        version=after.version,
        behind=before.last,
        last=after.last,
        last_checkpoint=after.last_checkpoint,
        count=after.count,
        size=after.size,
        heads=tuple(heads),
        records=tuple(records),
    )
