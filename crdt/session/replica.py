"""What a session reads from the copy of the workspace it stands for, and its limits.

- A port: the store of a machine, the relay's ledger and the simulator's disk implement it. It only
  reads, and sees only what is committed and synced to disk; this is what keeps an entry from
  leaving before its commit.
- A log numbers its records: each entry, and each checkpoint when it is written or replaced, takes
  the next position. Positions never come back, not even those of records that were trimmed.
- The log id names that numbering. Whoever puts an older file in its place gives it another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crdt.entry import Checkpoint, Entry
from crdt.vector import Vector
from crdt.wire.codec import Batch


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a log was read: everything up to these positions."""

    checkpoint: int = 0
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """What a log holds behind a cursor. All of it is read at one moment."""

    checkpoints: Sequence[Checkpoint]
    entries: Sequence[Entry]
    """Empty while there are checkpoints behind the cursor."""
    cursor: Cursor
    """Behind the last of these."""
    left: int
    """About how many records are behind that cursor; 0 only if there are none."""
    vector: Vector
    """Of the whole copy at that moment."""
    since: Vector | None = None
    """An earlier vector of the copy, which differs from ``vector`` in the replicas of ``entries``
    at most; None where that is not known. Saves comparing the others for each of many readers."""
    batch: Batch | None = None
    """The entries, where many readers are given the same ones: then they are encoded once."""
    whole: bool = False
    """Whether ``since`` and the entries, which follow on it without a hole, make ``vector``."""


class NotReady(Exception):
    """What is to be read has to be fetched first; the driver calls ``log_grew`` once it is here."""


class Replica(Protocol):
    """A copy of a workspace, for reading."""

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        ...

    @property
    def replica(self) -> str:
        """The id this copy makes entries under."""
        ...

    @property
    def log(self) -> str:
        """The log id."""
        ...

    def vector(self) -> Vector:
        """Exactly what this copy has."""
        ...

    def reach(self) -> Vector:
        """For each replica the highest number of the vector, the log and all checkpoints.

        Up to there a number that is not in the log is explained by a checkpoint.
        """
        ...

    def digest(self, replica: str, seq: int) -> bytes:
        """The digest of an entry; empty where this copy does not have it any more."""
        ...

    def resume_token(self, log: str) -> bytes:
        """The token last stored from another copy's log; empty for none."""
        ...

    def read(self, after: Cursor, known: Vector, most: int, most_bytes: int) -> Slice:
        """The next records behind a cursor, checkpoints first.

        At most ``most`` of them, and no more than ``most_bytes`` large unless it is the only one;
        what ``known`` covers may be left out.

        Raises:
            NotReady: if this copy cannot answer at once; nothing more is asked until ``log_grew``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session allows itself and its peer. Times are ms, sizes are bytes."""

    max_frame: int = 17 << 20
    """The largest frame taken; told to the peer."""
    max_greeting: int = 64 << 10
    """The largest frame taken before the peer was let in."""
    batch_entries: int = 1_000
    batch_bytes: int = 256 << 10
    window_frames: int = 64
    """How many frames may be on their way without an acknowledgement."""
    window_bytes: int = 4 << 20
    """How large these may be together before no further one is sent."""
    queued_replies: int = 256
    """How many replies may wait for the transport before the peer counts as too fast."""
    wants: int = 1_000
    """How often the peer may want the stream anew on one connection."""
    greeting_ms: int = 10_000
    """How long the greeting may take."""
    ping_ms: int = 15_000
    """How far apart pings are sent."""
    silence_ms: int = 40_000
    """How long nothing may be heard before the peer counts as gone."""
    stall_ms: int = 60_000
    """How long what was sent may stay unacknowledged, unless the peer says that it cannot store."""
    presence_ms: int = 50
    """How far apart presence is sent at least; what changes meanwhile is sent once."""
    presence_per_s: int = 100
    """How many changes of presence the peer may send a second; ten seconds' worth at once."""
    presence_keys: int = 64
    """How many presences the peer may announce at a time."""
