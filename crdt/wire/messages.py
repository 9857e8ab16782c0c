"""The messages of the protocol, as types that carry their limits.

- A frame is one message: a MessagePack array whose first element is the message's number. What is
  not listed here is not a message, and a value outside its limits makes the frame invalid; the
  decoder checks counts and lengths before it sets memory aside for them.
- Fields are only ever appended. A reader ignores elements behind those it knows, and takes the
  default for those that are missing; so every field behind the first version has a default. A
  field whose meaning changes is a new message under a new number and a new protocol version.
- Ids are 16 raw bytes. Times are milliseconds since the Unix epoch.
- Entries name replicas, thoughts and authors by their place in the lists at the head of their
  batch, so that a batch carries each name once.

``docs/protocol.md`` explains each message; the limits are those of version 1.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from crdt.entry import MAX_NAME, MAX_NOTE

PROTOCOL_MIN = 1
PROTOCOL_MAX = 1

MAX_REPLICAS = 65_536
"""How many replicas a vector may name."""
MAX_BATCH = 4_096
"""How many entries or checkpoints a frame may carry."""
MAX_INT = (1 << 63) - 1
MAX_BLOB = 16 << 20
"""Bytes that an update or a state may have."""
MAX_SIGNATURE = 512

Id: TypeAlias = Annotated[bytes, Meta(min_length=16, max_length=16)]
Number: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_INT)]
Counter: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_INT)]
Small: TypeAlias = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
Time: TypeAlias = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
Token: TypeAlias = Annotated[bytes, Meta(max_length=64)]
Credential: TypeAlias = Annotated[bytes, Meta(max_length=16_384)]
Digest: TypeAlias = Annotated[bytes, Meta(max_length=8)]
Signature: TypeAlias = Annotated[bytes, Meta(max_length=MAX_SIGNATURE)]
Name: TypeAlias = Annotated[str, Meta(max_length=MAX_NAME)]
Note: TypeAlias = Annotated[str, Meta(max_length=MAX_NOTE)]
Reason: TypeAlias = Annotated[str, Meta(max_length=1_024)]
Blob: TypeAlias = Annotated[bytes, Meta(max_length=MAX_BLOB)]
VectorBytes: TypeAlias = Annotated[bytes, Meta(max_length=MAX_REPLICAS * 25)]
PresenceKey: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
PresenceState: TypeAlias = Annotated[bytes, Meta(max_length=4_096)]


class Role(Enum):
    """What a peer may do with the other side's copy."""

    READER = "reader"
    """Receive."""
    WRITER = "writer"
    """Receive and send entries."""


class Hello(Struct, array_like=True, frozen=True, tag=1):
    """The dialler's first message."""

    protocol_min: Small
    protocol_max: Small
    workspace: Id
    replica: Id
    log: Id
    """Names the numbering of the sender's log; another one when its file was replaced."""
    role: Role
    """What the sender would like to be."""
    max_frame: Small
    """The largest frame, in bytes, that the sender takes."""
    credential: Credential = b""
    agent: Name = ""
    """The program and its version, for people who look for a fault."""


class Welcome(Struct, array_like=True, frozen=True, tag=2):
    """The answer to a hello that was accepted."""

    protocol: Small
    replica: Id
    log: Id
    role: Role
    """What the receiver may do."""
    expires: Number
    """When the receiver must have refreshed its credential, ms since the epoch; 0 for never."""
    max_frame: Small
    credential: Credential = b""
    agent: Name = ""


class Tip(Struct, array_like=True, frozen=True):
    """The last entry held from one replica."""

    replica: Id
    seq: Counter
    digest: Digest = b""
    """Of that entry; empty where the sender does not have it any more."""


class Want(Struct, array_like=True, frozen=True, tag=3):
    """Starts the stream towards the sender, or starts it anew."""

    run: Small
    """Counts the sender's wants from 1; the frames that answer carry it."""
    tips: Annotated[list[Tip], Meta(max_length=MAX_REPLICAS)]
    resume: Token = b""
    """The last token stored from the receiver's log; empty for none."""


class WireEntry(Struct, array_like=True, frozen=True, gc=False):
    """An entry; the first, third and fifth element are places in the batch's lists."""

    replica: Small
    seq: Counter
    thought: Small
    at: Time
    author: Small
    update: Blob
    note: Note = ""
    sealed: Small = 0
    signature: Signature = b""


class Entries(Struct, array_like=True, frozen=True, tag=4):
    """Entries in the order of the sender's log."""

    run: Small
    mark: Counter
    """Counts all frames to be acknowledged on this connection, from 1."""
    left: Number
    """About how many entries and checkpoints are still to come."""
    token: Token
    replicas: Annotated[list[Id], Meta(max_length=MAX_BATCH)]
    thoughts: Annotated[list[Id], Meta(max_length=MAX_BATCH)]
    authors: Annotated[list[Name], Meta(max_length=MAX_BATCH)]
    entries: Annotated[list[WireEntry], Meta(min_length=1, max_length=MAX_BATCH)]


class WireCheckpoint(Struct, array_like=True, frozen=True):
    """A checkpoint; its vector is in the wire form of ``crdt.vector``."""

    thought: Id
    vector: VectorBytes
    state: Blob
    at: Time = 0
    author: Name = ""
    sealed: Small = 0
    signature: Signature = b""


class Checkpoints(Struct, array_like=True, frozen=True, tag=5):
    """Checkpoints that stand in for entries which the sender no longer has."""

    run: Small
    mark: Counter
    left: Number
    token: Token
    checkpoints: Annotated[list[WireCheckpoint], Meta(min_length=1, max_length=MAX_BATCH)]


class CaughtUp(Struct, array_like=True, frozen=True, tag=6):
    """The receiver now has all that the vector says."""

    run: Small
    mark: Counter
    token: Token
    vector: VectorBytes


class Ack(Struct, array_like=True, frozen=True, tag=7):
    """Everything up to the frame with this mark is on disk at the sender of the ack."""

    mark: Counter


class Presence(Struct, array_like=True, frozen=True, tag=8):
    """Where somebody is just now; empty when they left. Never stored."""

    key: PresenceKey
    state: PresenceState


class Ping(Struct, array_like=True, frozen=True, tag=9):
    """Asks for a pong."""

    frames: Number
    """How many frames the sender has sent on this connection before this one."""


class Pong(Struct, array_like=True, frozen=True, tag=10):
    """Answers a ping."""


class Refresh(Struct, array_like=True, frozen=True, tag=11):
    """A new credential for the connection as it stands."""

    credential: Credential


class Grant(Struct, array_like=True, frozen=True, tag=12):
    """What the receiver may do from now on."""

    role: Role
    expires: Number


class GoingAway(Struct, array_like=True, frozen=True, tag=13):
    """The sender will close soon; come back after the delay."""

    delay_ms: Small
    reason: Reason = ""


class Status(Struct, array_like=True, frozen=True, tag=14):
    """Whether the sender can store just now; while it cannot it acknowledges nothing."""

    degraded: bool
    reason: Reason = ""


class Error(Struct, array_like=True, frozen=True, tag=15):
    """Why the sender closes. Nothing follows."""

    code: Small
    reason: Reason
    delay_ms: Small = 0
    """How long to wait at least before another attempt."""
    replica: Annotated[bytes, Meta(max_length=16)] = b""
    """For a fork: whose entry."""
    seq: Number = 0
    """For a fork: which entry."""


Message: TypeAlias = (
    Hello
    | Welcome
    | Want
    | Entries
    | Checkpoints
    | CaughtUp
    | Ack
    | Presence
    | Ping
    | Pong
    | Refresh
    | Grant
    | GoingAway
    | Status
    | Error
)


class CloseCode(Enum):
    """Why a session ended: the number of an error message and of the websocket's close."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_BIG = 1009
    """Something does not fit into the other side's largest frame."""
    TRY_LATER = 1013
    """Too busy just now."""
    BAD_FRAME = 4400
    """Not a message, or a value out of its limits."""
    UNAUTHORIZED = 4401
    """The credential is missing, unknown or expired."""
    FORBIDDEN = 4403
    """The credential is known and does not allow this."""
    NO_WORKSPACE = 4404
    """Another workspace, or one that is not here."""
    BAD_VERSION = 4406
    """No protocol version in common."""
    SILENT = 4408
    """Nothing was heard for too long."""
    FORK = 4409
    """Two different entries bear the same name."""
    BAD_ORDER = 4410
    """A message that may not be sent now, or entries out of order."""
    GAP = 4411
    """Entries are missing, and asking again did not bring them."""
    LOST_FRAME = 4412
    """A frame is missing or came twice."""
    BAD_UPDATE = 4422
    """An update that no document would take."""
    READ_ONLY = 4423
    """Entries from a peer that may only read."""
    TOO_FAST = 4429
    """More messages than the limits allow."""
    LOST = 4500
    """The connection broke. Never sent."""
    INTERNAL = 4501
    """The sender failed."""


PERMANENT = frozenset(
    {
        CloseCode.TOO_BIG,
        CloseCode.BAD_FRAME,
        CloseCode.UNAUTHORIZED,
        CloseCode.FORBIDDEN,
        CloseCode.NO_WORKSPACE,
        CloseCode.BAD_VERSION,
        CloseCode.BAD_ORDER,
        CloseCode.BAD_UPDATE,
    }
)
"""Dialling again without a change on one side would end the same way."""
