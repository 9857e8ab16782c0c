"""What a ledger must do, as the simulator's disk does it, one for each workspace."""

from __future__ import annotations

from collections.abc import Sequence

from aimem_relay.ledger.port import (
    Authored,
    Due,
    Forked,
    Job,
    Outcome,
    Record,
    Skipped,
    Stored,
    size_of,
)
from crdt.entry import Checkpoint, Entry
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.session.incoming import Fork
from crdt.session.replica import Cursor
from crdt.vector import Vector
from tests.simulation.disk import Disk


class Model:
    """One workspace of a ledger."""

    def __init__(self, workspace: str, replica: str, log: str) -> None:
        self.disk = Disk(workspace, replica, log)
        self.keys: set[bytes] = set()
        self.digests: dict[tuple[str, int], bytes] = {}
        """Of every entry that was ever stored."""
        self.since: dict[str, list[int]] = {}
        """For each thought what counts for each record since its last checkpoint."""
        self.sealed: set[str] = set()
        self.aside: set[str] = set()

    def commit(self, jobs: Sequence[Job]) -> list[Outcome]:
        """What becomes of the jobs of one group."""
        bad: set[int] = set()
        outcomes: list[Outcome] = []
        for job in jobs:
            if job.connection in bad:
                outcomes.append(Skipped())
                continue
            try:
                outcomes.append(Stored(tuple(self._store(job))))
            except Fork as fork:
                outcomes.append(Forked(fork.replica, fork.seq))
                bad.add(job.connection)
        return outcomes

    def _store(self, job: Job) -> list[Record]:
        disk, start = self.disk, self.disk.last
        new: Sequence[Entry | Checkpoint] = ()
        match job.event:
            case EntriesReceived():
                new = disk.append(job.event.entries)
            case CheckpointsReceived():
                have = {checkpoint.thought for _, checkpoint in disk.checkpoints}
                new = disk.store_checkpoints(job.event.checkpoints)
                for checkpoint in new:
                    self._grow(checkpoint, 0 if checkpoint.thought not in have else None)
                    have.add(checkpoint.thought)
            case CaughtUp():
                disk.adopt(job.event.vector)
            case Authored():
                new = self._author(job.event)
        for item in new:
            if isinstance(item, Entry):
                self.digests[item.replica, item.seq] = item.digest()
                self._grow(item)
        if not isinstance(job.event, Authored):
            disk.tokens[job.peer_log] = job.event.token
        return [Record(start + n, item) for n, item in enumerate(new, 1)]

    def _author(self, authored: Authored) -> list[Entry]:
        if authored.key in self.keys:
            return []
        self.keys.add(authored.key)
        made = []
        for update in authored.updates:
            entry = Entry(
                self.disk.replica,
                self.disk.vector()[self.disk.replica] + 1,
                authored.thought,
                update,
                authored.at,
                authored.author,
            )
            made += self.disk.append([entry])
        return made

    def _grow(self, item: Entry | Checkpoint, size: int | None = None) -> None:
        self.since.setdefault(item.thought, []).append(size_of(item) if size is None else size)
        if item.sealed:
            self.sealed.add(item.thought)

    def replace(self, thought: str, upto: int, state: bytes) -> Checkpoint | None:
        """One checkpoint in the place of a thought's records up to a position."""
        disk = self.disk
        gone = [record for record in self.records() if record.item.thought == thought]
        gone = [record for record in gone if record.position <= upto]
        vector = Vector()
        for record in gone:
            match record.item:
                case Entry():
                    vector = vector.merged({record.item.replica: record.item.seq})
                case Checkpoint():
                    vector = vector.merged(record.item.vector)
        if not gone:
            return None
        positions = {record.position for record in gone}
        disk.checkpoints = [one for one in disk.checkpoints if one[0] not in positions]
        kept = [
            (position, entry)
            for position, entry in zip(disk.positions, disk.entries, strict=True)
            if position not in positions
        ]
        disk.positions = [position for position, _ in kept]
        disk.entries = [entry for _, entry in kept]
        disk.by_name = {(entry.replica, entry.seq): entry for entry in disk.entries}
        checkpoint = Checkpoint(thought, state, vector, at=7, author="Ann\0")
        disk._put_checkpoint(checkpoint)
        self.since[thought] = [size_of(e) for e in disk.entries if e.thought == thought]
        return checkpoint

    def records(self) -> list[Record]:
        """All of them, in the order of their positions."""
        disk = self.disk
        found = [Record(position, checkpoint) for position, checkpoint in disk.checkpoints]
        found += map(Record, disk.positions, disk.entries)
        return sorted(found, key=lambda record: record.position)

    def behind(self, cursor: Cursor, known: Vector) -> tuple[list[Checkpoint], list[Entry]]:
        """What a reader has to get from a cursor on."""
        checkpoints = [
            checkpoint
            for position, checkpoint in self.disk.checkpoints
            if position > cursor.checkpoint and not known.covers(checkpoint.vector)
        ]
        entries = [
            entry
            for position, entry in zip(self.disk.positions, self.disk.entries, strict=True)
            if position > cursor.entry and entry.seq > known[entry.replica]
        ]
        return checkpoints, entries

    def due(self, due: Due) -> set[str]:
        """The thoughts that are worth a checkpoint."""
        return {
            thought
            for thought, sizes in self.since.items()
            if thought not in self.sealed | self.aside
            and (len(sizes) >= due.records or sum(sizes) >= due.size)
        }
