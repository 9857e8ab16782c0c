"""One remote as the exchange sees it: its connection, if there is one, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from dataclasses import replace as replaced

from aimem_tui.sync import presence
from aimem_tui.sync.connection import Connection
from aimem_tui.sync.inbox import Box
from aimem_tui.sync.local_copy import Figures
from aimem_tui.sync.state import LinkState, Person, Phase, Traffic
from crdt.session.replica import Cursor, Replica, Slice
from crdt.vector import Vector


@dataclass(slots=True, eq=False)
class Link:
    """Changes as things happen; :meth:`state` is for showing."""

    name: str
    url: str = ""
    phase: Phase = Phase.OFFLINE
    problem: str = ""
    received: int = 0
    sent: int = 0
    to_come: int = 0
    last_seen: int | None = None
    read_only: bool = False
    acknowledged: int = 0
    attempts: int = 0
    complete: bool = False
    """Each side has all that the other has, on disk."""
    was_complete: bool = False
    """Since the connection was opened."""
    delay_ms: int = 0
    """How long the other side asks to stay away."""
    expires: int = 0
    """When the credential must have been renewed, ms since the epoch; 0 for never."""
    trouble_there: str = ""
    """Why the other side cannot store just now."""
    connection: Connection | None = None
    failure: Exception | None = None
    """What went wrong on this side in the connection before."""
    box: Box | None = None
    people: dict[str, Person] = field(default_factory=dict)
    told: dict[str, bytes] = field(default_factory=dict)
    """Whom the other side was told of, of those that others have told of."""
    peer_log: str = ""
    """The id of the log at the other end, once it was connected."""
    earlier: Traffic = field(default_factory=Traffic)
    """Of the connections before the present one."""

    def opened(self, connection: Connection, box: Box) -> None:
        """A connection begins."""
        self.connection, self.box = connection, box
        self.failure = None
        self.complete = self.was_complete = False
        self.delay_ms = self.to_come = self.expires = self.acknowledged = 0
        self.trouble_there = ""
        self.people.clear()
        self.told.clear()

    def closed(self) -> None:
        """The connection is over; its box may still hold what is to be stored."""
        self.earlier = self._traffic()
        self.failure = None if self.connection is None else self.connection.failure
        self.connection = None
        self.complete = False
        self.to_come = 0
        self.people.clear()

    def heard(self, key: str, state: bytes) -> None:
        """Somebody says where they are, or with an empty state that they have left."""
        person = presence.read(state) if state else None
        own = "" if self.box is None else self.box.replica
        if person is None or own in person.via:
            self.people.pop(key, None)
        else:
            self.people[key] = person

    def is_about(self, replica: str) -> bool:
        """Whether what is said on the connection is about this replica, and no earlier name."""
        return self.box is not None and self.box.replica == replica

    def has_everything(self, figures: Figures) -> bool:
        """Whether each side has all that the other has, on disk."""
        connection, box = self.connection, self.box
        return (
            connection is not None
            and box is not None
            and box.empty.is_set()
            and self.is_about(figures.ids.replica)
            and connection.session.settled
            and figures.vector.covers(connection.session.peer_vector)
            and (self.read_only or self.acknowledged >= figures.standing.own_seq)
        )

    def state(self, trouble_here: str) -> LinkState:
        """How things stand.

        Args:
            trouble_here: why this machine cannot store; empty if it can.
        """
        state = LinkState(
            self.name,
            self.url,
            self.phase,
            self.received,
            self.sent,
            # What has come and is not stored yet counts as still to come.
            self.to_come + (0 if self.box is None else self.box.records),
            self.problem,
            self.last_seen,
            self.read_only,
            self.acknowledged,
            self.attempts,
            self.complete,
            self._traffic(),
        )
        trouble = trouble_here or self.trouble_there
        if self.phase in (Phase.IN_STEP, Phase.CATCHING_UP) and trouble:
            return replaced(state, phase=Phase.DEGRADED, problem=trouble)
        return state

    def _traffic(self) -> Traffic:
        if self.connection is None:
            return self.earlier
        now = self.connection.traffic
        return self.earlier + Traffic(
            now.frames_sent, now.frames_received, now.bytes_sent, now.bytes_received
        )


class CountedReplica:
    """A copy for one session, that counts for a link what is read from it in order to be sent."""

    def __init__(self, inner: Replica, link: Link) -> None:
        self._inner = inner
        self._link = link

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        return self._inner.workspace

    @property
    def replica(self) -> str:
        """The id this copy makes entries under."""
        return self._inner.replica

    @property
    def log(self) -> str:
        """The log id."""
        return self._inner.log

    def vector(self) -> Vector:
        """Exactly what this copy has."""
        return self._inner.vector()

    def reach(self) -> Vector:
        """For each replica the highest number of the vector, the log and all checkpoints."""
        return self._inner.reach()

    def digest(self, replica: str, seq: int) -> bytes:
        """The digest of an entry; empty where this copy does not have it any more."""
        return self._inner.digest(replica, seq)

    def resume_token(self, log: str) -> bytes:
        """The token last stored from another copy's log."""
        return self._inner.resume_token(log)

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        """The next records; the session sends those of them that ``known`` does not cover."""
        found = self._inner.read(after, known, most, most_bytes)
        self._link.sent += sum(not known.covers(one.vector) for one in found.checkpoints)
        self._link.sent += sum(entry.seq > known[entry.replica] for entry in found.entries)
        return found
