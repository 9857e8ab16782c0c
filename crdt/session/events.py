"""What a session reports to its driver.

Three of them are to be stored, in the order in which they come: :class:`EntriesReceived`,
:class:`CheckpointsReceived` and :class:`CaughtUp`. Once they are on disk, with the token of the
last, the driver says so by ``Session.stored(mark)``; only that makes the session acknowledge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from crdt.entry import Checkpoint, Entry
from crdt.vector import Vector
from crdt.wire.messages import CloseCode, Role


@dataclass(frozen=True, slots=True)
class HelloReceived:
    """Somebody asks to be let in; the driver answers by ``admit`` or ``close``."""

    replica: str
    role: Role
    """What the peer would like to be."""
    credential: bytes
    agent: str


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The other side has let us in."""

    replica: str
    role: Role
    """What we may do there. A reader's own entries stay here."""
    expires: int
    """When the credential must have been refreshed, ms since the epoch; 0 for never."""
    credential: bytes
    agent: str


@dataclass(frozen=True, slots=True)
class EntriesReceived:
    """Entries to append to the log in this order, except those that are there already.

    One that is there with another digest is a fork: tell the session by ``fork``, and store nothing
    of this event or of later ones of the session; there would be a hole.
    """

    mark: int
    token: bytes
    """To be kept for the peer's log and offered as resume token the next time."""
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class CheckpointsReceived:
    """Checkpoints to store beside what is there. They never delete entries."""

    mark: int
    token: bytes
    checkpoints: Sequence[Checkpoint]


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """With all before it stored, this copy holds everything that ``vector`` says."""

    mark: int
    token: bytes
    vector: Vector


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the stream towards us has come, in entries and checkpoints."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The peer has all of this replica's own entries up to ``seq`` on disk.

    Told when the peer wants the stream, and whenever it is more. Less than was told over an earlier
    connection means that the peer has lost something; it is being sent again.
    """

    seq: int


@dataclass(frozen=True, slots=True)
class Resyncing:
    """Something was missing; the peer was asked again."""

    reason: str


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """What the peer says of ``key``; empty when that is gone, or the connection is."""

    key: str
    state: bytes


@dataclass(frozen=True, slots=True)
class CredentialReceived:
    """The peer has renewed its credential; the driver answers by ``grant`` or ``close``."""

    credential: bytes


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """What we may do there from now on."""

    role: Role
    expires: int


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """Whether the peer can store just now."""

    degraded: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PeerLeaving:
    """The peer will close soon and asks to be dialled again after a delay."""

    delay_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class ForkDetected:
    """Two different entries bear this name, or somebody has more of our own than we have.

    A copy that can make entries disowns the replica, whoever's it is: its entries leave the log,
    what they said is issued anew under another id. ``PeerGone`` follows.
    """

    replica: str
    seq: int


@dataclass(frozen=True, slots=True)
class PeerGone:
    """The session is over. Nothing follows."""

    code: CloseCode
    reason: str
    delay_ms: int
    """How long to wait at least before dialling again."""
    permanent: bool
    """Dialling again without a change on one side would end the same way."""
    by_peer: bool


Event: TypeAlias = (
    HelloReceived
    | Welcomed
    | EntriesReceived
    | CheckpointsReceived
    | CaughtUp
    | Progress
    | Acknowledged
    | Resyncing
    | PresenceChanged
    | CredentialReceived
    | RoleChanged
    | StatusChanged
    | PeerLeaving
    | ForkDetected
    | PeerGone
)
