"""What a ledger does, and what goes in and out of one.

- A ledger holds many workspaces. Each has positions of its own: every record, an entry or a
  checkpoint, takes the next one inside the transaction that stores it, so that positions have no
  gaps when given out, and what is committed later stands later. Records that a checkpoint replaces
  leave gaps; positions never come back.
- Each workspace also has a version, which counts its commits. Some, such as what a peer says at the
  end of catching up, change the vector and store no record.
- A group of jobs is one transaction: all of it is on disk once ``commit`` has answered. When no
  answer came, the group may or may not be there; committing it again is safe.
- What is read is committed and synced, and all of one answer is read at one moment.
- Whoever keeps a :class:`Copy` in memory brings it up to date with every :class:`Change`, those of
  its own commits and those that ``tail`` tells of other pods'.
- Nobody here reads an update, sealed or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from msgspec import Struct

from crdt.entry import Checkpoint, Entry
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector

RECORD_BYTES = 200
"""What a record counts for beside the bytes in it, wherever sizes are added up."""


class LedgerError(Exception):
    """The ledger cannot be used as it is set up; the message says what to do about it."""


class NoWorkspace(LedgerError):
    """The workspace is not in the ledger."""

    def __init__(self, workspace: str) -> None:
        super().__init__(f"Workspace {workspace} is not in the ledger.")


class LedgerDown(Exception):
    """Not now: the ledger does not answer, or cannot store just now. Ask again later."""


@dataclass(frozen=True, slots=True)
class Authored:
    """Updates that came without a name, from a stock client; the ledger makes them its own entries.

    Each becomes the next entry of the ledger's own replica in that workspace.
    """

    key: bytes
    """16 random bytes, drawn once: stored again under the same key, nothing is stored twice."""
    thought: str
    updates: Sequence[bytes]
    at: int
    """When they came, ms since the Unix epoch."""
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to be stored in one workspace."""

    workspace: str
    """Its id: 32 hexadecimal digits."""
    event: EntriesReceived | CheckpointsReceived | CaughtUp | Authored
    """For what a session has reported, the token in it is stored as well."""
    connection: int = 0
    """Where it came from; a number never used again. Jobs of one connection are stored in order."""
    peer_log: str = ""
    """The log id of the peer; its token is kept under it. Empty for updates of stock clients."""


class Record(Struct, frozen=True):
    """An entry or a checkpoint where it stands."""

    position: int
    item: Entry | Checkpoint

    @property
    def size(self) -> int:
        """What it counts for, in bytes."""
        return size_of(self.item)


@dataclass(frozen=True, slots=True)
class Stored:
    """A job is on disk."""

    records: Sequence[Record] = ()
    """What was not there before, in the order of the log."""


@dataclass(frozen=True, slots=True)
class Forked:
    """A job holds an entry that is there under the same name with another digest.

    Nothing of the job was stored, nor of later ones of the same connection.
    """

    replica: str
    seq: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A job was not stored because an earlier one of the same connection was not."""


Outcome: TypeAlias = Stored | Forked | Skipped


class Head(Struct, frozen=True, gc=False):
    """What a copy has of one replica."""

    replica: str
    seq: int
    """Its number in the vector; 0 where everything held lies behind a hole."""
    reach: int
    """The highest number of the vector, the log and all checkpoints."""
    digest: bytes
    """Of the entry ``seq``; empty where the ledger has never held it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a workspace from one version to another."""

    workspace: str
    replica: str
    log: str
    """Another one than before after ``renew``: then nothing in memory is good any more."""
    since: int
    """Applies to a copy of this version."""
    version: int
    """The version that it leads to; the same as ``since`` where nothing has changed."""
    behind: int
    """All records behind this position, up to ``last``, are in ``records``."""
    last: int
    """The last position given out."""
    last_checkpoint: int
    """The highest position of a checkpoint; 0 where there is none."""
    count: int
    """How many records the workspace has."""
    size: int
    """How many bytes these count for."""
    heads: Sequence[Head]
    """Those that may have changed, as they are now."""
    records: Sequence[Record]
    """In the order of their positions."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a group."""

    outcomes: Sequence[Outcome]
    """One for each job, in the order of the group."""
    changes: Sequence[Change]
    """One for each workspace of the group. Also where nothing was new: then its version tells a
    copy that has missed something, as after a commit whose answer was lost."""


@dataclass(slots=True)
class Copy:
    """What a pod knows of a workspace without asking the ledger. Not frozen: it is kept current."""

    workspace: str
    replica: str
    log: str
    version: int
    last: int
    """The last position given out."""
    last_checkpoint: int
    """The highest position of a checkpoint; 0 where there is none."""
    count: int
    """How many records there are."""
    size: int
    """How many bytes these count for."""
    heads: dict[str, Head]
    _vector: Vector | None = field(default=None, init=False, repr=False, compare=False)
    _reach: Vector | None = field(default=None, init=False, repr=False, compare=False)

    def vector(self) -> Vector:
        """Exactly what the workspace has."""
        if self._vector is None:
            self._vector = Vector({one.replica: one.seq for one in self.heads.values()})
        return self._vector

    def reach(self) -> Vector:
        """For each replica the highest number of the vector, the log and all checkpoints."""
        if self._reach is None:
            self._reach = Vector({one.replica: one.reach for one in self.heads.values()})
        return self._reach

    def digest(self, replica: str, seq: int) -> bytes:
        """The digest of a replica's last entry in the vector; empty for any other entry."""
        head = self.heads.get(replica)
        return head.digest if head is not None and head.seq == seq else b""

    def apply(self, change: Change) -> bool:
        """Bring this copy up to date; what it knows already changes nothing.

        Returns:
            False where something in between is missing, or the log is another one: then nothing was
            changed, and ``tail`` (or, with another log, ``open``) tells the rest.
        """
        if change.log != self.log:
            return False
        if change.version <= self.version:
            return True
        if change.since > self.version:
            return False
        self.version = change.version
        self.last = change.last
        self.last_checkpoint = change.last_checkpoint
        self.count = change.count
        self.size = change.size
        if change.heads:
            self.heads.update((head.replica, head) for head in change.heads)
            self._vector = self._reach = None
        return True


@dataclass(frozen=True, slots=True)
class Due:
    """When a thought is worth a checkpoint: with so many records, or bytes, since its last one."""

    records: int = 200
    size: int = 64 << 10


@dataclass(frozen=True, slots=True)
class DueThought:
    """A thought that is worth a checkpoint."""

    workspace: str
    thought: str


@dataclass(frozen=True, slots=True)
class ThoughtRecords:
    """All records of one thought at one moment."""

    upto: int
    """The last position of the workspace at that moment."""
    checkpoints: Sequence[Checkpoint]
    entries: Sequence[Entry]
    """In the order of the log."""


class Ledger(Protocol):
    """Keeps the records of many workspaces. Used from one event loop, by any number of tasks.

    Everything raises :class:`LedgerDown` while the ledger does not answer. A workspace is made by
    ``commit`` and ``open``; what else asks for one that is not there raises :class:`NoWorkspace`.
    """

    async def start(self) -> None:
        """Connect and bring the schema up to date. Several pods may do so at once.

        Raises:
            LedgerError: if it is set up wrongly, or was written by a newer version.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun and let go."""
        ...

    async def check(self) -> None:
        """Make sure that the ledger answers."""
        ...

    async def commit(self, jobs: Sequence[Job]) -> Committed:
        """Store a group of jobs in one transaction, in their order; it is on disk on return.

        For each job: an entry that is there already, or that the vector covers, is not stored
        again; under the same name with another digest it is a fork. The vector advances over
        entries without a hole, and by what a peer says when caught up. A checkpoint is kept beside
        the others unless one of its thought covers it. Workspaces that are not there are made.
        """
        ...

    async def open(self, workspace: str) -> Copy:
        """What is known of a workspace; it is made if it is not there."""
        ...

    async def read(
        self, workspace: str, after: Cursor, known: Vector, most: int, most_bytes: int
    ) -> Slice:
        """The next records behind a cursor, as ``crdt.session.replica.Replica.read``.

        Checkpoints first, then entries, in the order of their positions; at most ``most`` and no
        more than ``most_bytes``, but at least one. What ``known`` covers is left out. ``left`` is 0
        only if nothing is behind the cursor.
        """
        ...

    async def tail(
        self, workspace: str, since: int, after: int, most: int, most_bytes: int
    ) -> Change:
        """What has changed since a version, for the copy of a pod that did not commit it.

        Args:
            since: the version of the copy.
            after: its last position. Of the records behind it the newest are told, at most ``most``
                and no more than ``most_bytes``, without a hole up to the last; ``Change.behind``
                says from where on.
        """
        ...

    async def versions(self, workspaces: Sequence[str]) -> Mapping[str, int]:
        """The versions of those workspaces that are there. Cheap: it is how pods poll."""
        ...

    async def workspaces(self) -> Sequence[str]:
        """The ids of all workspaces, as for renewing each after a backup was put back."""
        ...

    async def token(self, workspace: str, log: str) -> bytes:
        """The token last stored from a peer's log; empty for none."""
        ...

    async def size(self, workspace: str) -> int:
        """How many bytes the records of a workspace count for; 0 where it is not there."""
        ...

    async def renew(self, workspace: str) -> Change:
        """Give the workspace another replica id and log id, after a backup was put back.

        Peers then read its log from the start, and no number of its own is used twice.
        """
        ...

    async def due(self, most: int, lease_ms: int) -> Sequence[DueThought]:
        """Thoughts that are worth a checkpoint, never sealed ones or those set aside.

        Each is told to one caller only, until the lease has passed or a checkpoint was put.
        """
        ...

    async def records_of(self, workspace: str, thought: str) -> ThoughtRecords:
        """Everything that is held of a thought."""
        ...

    async def replace(
        self, workspace: str, thought: str, upto: int, checkpoint: Checkpoint
    ) -> Change | None:
        """Put one checkpoint in the place of a thought's records up to a position.

        Returns:
            None where nothing is there to be replaced, as when somebody else was quicker.

        Raises:
            ValueError: if the checkpoint does not cover what it is to replace.
        """
        ...

    async def set_aside(self, workspace: str, thought: str) -> None:
        """Never tell that this thought is due again: no checkpoint can be made of it."""
        ...


def size_of(item: Entry | Checkpoint) -> int:
    """What an entry or a checkpoint counts for, in bytes."""
    if isinstance(item, Entry):
        return RECORD_BYTES + len(item.update) + len(item.signature) + len(item.note)
    return RECORD_BYTES + len(item.state) + len(item.signature) + 24 * len(item.vector)
