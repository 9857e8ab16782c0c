"""What the gateway needs of the rest of the relay. Rooms and the committer implement it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aimem_relay.ledger.port import Authored, Change, ThoughtRecords
from crdt.wire.messages import CloseCode


@dataclass
class Refused(Exception):
    """A client is not served; why."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the gateway takes from a stock client, and how it looks after it."""

    max_frame: int = 16 << 20
    """The largest frame taken, in bytes; no update in it is then larger than an entry's may be."""
    max_thought: int = 32 << 20
    """The largest thought that is opened for stock clients, by the bytes of its records."""
    waiting_bytes: int = 4 << 20
    """How much may wait to be stored, for each thought, before clients are read slower; and how
    much may wait to be sent to one client before it is dropped."""
    frames_per_s: int = 100
    """How many frames a client may send a second, ten seconds' worth at once; more have to wait."""
    presence_s: float = 0.05
    """How far apart a client is told of others at least."""
    clients_per_connection: int = 16
    """Of how many Yjs clients one connection may speak: itself, and other tabs of its browser."""
    keep_alive_s: float = 10.0
    """How often something is sent at least: stock clients drop a connection that says nothing for
    30 s, pings not counted."""
    outdated_s: float = 30.0
    """Who has not renewed what it says of itself for so long is gone, as Yjs has it."""
    ping_s: float = 20.0
    """How often a client is pinged; without an answer for half of that it is gone."""
    greeting_s: float = 0.25
    """How long a newcomer may take to say who it is before it is told of others."""
    send_s: float = 60.0
    """How long a client may take nothing before it is dropped."""
    retry_s: float = 3.0
    """About how long a client stays connected whose changes cannot be stored, before it is asked
    to come back."""
    linger_s: float = 10.0
    """How long a thought is kept when the last client has left."""


class Workspace(Protocol):
    """One workspace, kept current by whoever follows the ledger."""

    def follow(self, on_change: Callable[[Change], None]) -> Callable[[], None]:
        """Call back with each change, in the order of the versions; returns what stops it."""
        ...

    def presence(self) -> Mapping[str, bytes]:
        """Where people are just now, by key."""
        ...

    def follow_presence(self, on_presence: Callable[[str, bytes], None]) -> Callable[[], None]:
        """Call back with each presence that changes, empty where it is gone; returns a stop."""
        ...

    def announce(self, key: str, state: bytes) -> None:
        """Say where a stock client is; an empty state takes it back."""
        ...

    async def submit(self, authored: Authored) -> None:
        """Have updates stored; they are on disk on return.

        Raises:
            Refused: if they cannot be stored.
        """
        ...

    async def records_of(self, thought: str) -> ThoughtRecords:
        """Everything that is held of a thought.

        Raises:
            Refused: if that cannot be told just now.
        """
        ...

    def leave(self) -> None:
        """The workspace is not needed any more."""
        ...


class Workspaces(Protocol):
    """All workspaces of the relay."""

    async def enter(self, workspace: str) -> Workspace:
        """Have one kept current until it is left.

        Raises:
            Refused: if that cannot be done just now.
        """
        ...
