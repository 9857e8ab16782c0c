"""Copies of a workspace that bundles go between: the simulator's disk, and forged files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias

from aimem_tui.sync import bundle_file
from aimem_tui.sync.bundle import StreamEvent
from aimem_tui.sync.bundle_file import Header
from crdt.entry import Entry
from crdt.session import events as ev
from crdt.vector import Vector
from crdt.wire import codec, messages
from tests.session.pairs import WORKSPACE, disk, thought
from tests.simulation.disk import Disk

History: TypeAlias = list[tuple[int, int, bool]]
"""Of which thought, how many characters, and whether it is compacted then."""


class DiskCopy:
    """A disk as bundles see it."""

    def __init__(self, of: Disk) -> None:
        self.replica = of
        self.disowned: list[str] = []
        self.known: dict[str, Vector] = {}
        """What others have on disk, as far as bundles have said."""
        self.stores = 0
        self.fails_after: int | None = None
        """How many stores succeed before the program is killed."""

    def snapshot(self) -> AbstractContextManager[object]:
        return nullcontext()

    def store(self, log: str, events: Sequence[StreamEvent]) -> int:
        if self.stores == self.fails_after:
            raise KeyboardInterrupt
        self.stores += 1
        new = 0
        for event in events:
            match event:
                case ev.EntriesReceived():
                    new += len(self.replica.append(event.entries))
                case ev.CheckpointsReceived():
                    new += len(self.replica.store_checkpoints(event.checkpoints))
                case ev.CaughtUp():
                    self.replica.adopt(event.vector)
            self.replica.tokens[log] = event.token
        return new

    def holds(self, log: str, vector: Vector) -> None:
        self.known[log] = vector

    def disown(self, replica: str) -> None:
        self.disowned.append(replica)
        n = len(self.disowned)
        self.replica.disown(replica, f"{n:x}e" * 16, f"{n:x}d" * 16)


class Author:
    """Somebody who writes on one copy: one character an entry, each behind the one before.

    Args:
        first: the number of the first thought; two authors share none.
    """

    def __init__(self, copy: Disk, first: int) -> None:
        self._copy = copy
        self._first = first
        self._written: dict[int, int] = {}

    def write(self, count: int, about: int = 0) -> list[Entry]:
        n = self._first + about
        made = []
        for clock in range(self._written.get(n, 0), self._written.get(n, 0) + count):
            origin = bytes([0x84, n, clock - 1]) if clock else b"\x04\x01\x07content"
            update = bytes([1, 1, n, clock]) + origin + b"\x01x\0"
            made.append(self._copy.make(thought(n), update, at=clock))
            self._copy.append(made[-1:])
        self._written[n] = self._written.get(n, 0) + count
        return made

    def live(self, history: History) -> None:
        """Write as many characters in thoughts as a history says, and compact some of them."""
        for about, count, compacts in history:
            self.write(count, about)
            if compacts:
                self._copy.compact(thought(self._first + about))


def forge(
    path: Path,
    frames: Iterable[messages.Message],
    *,
    vector: Vector,
    base: Vector | None = None,
    sender: Disk | None = None,
) -> Path:
    """A file with a good digest over whatever is given."""
    sender = sender or disk(9)
    header = Header(
        bytes.fromhex(WORKSPACE),
        bytes.fromhex(sender.replica),
        bytes.fromhex(sender.log),
        0,
        (base or Vector()).to_bytes(),
        [messages.Tip(bytes.fromhex(one), seq) for one, seq in sorted(vector.items())],
    )
    bundle_file.write(path, header, map(codec.encode, frames))
    return path


def contents(of: Disk) -> tuple[object, ...]:
    """All that a disk holds, but for the order."""
    return (
        of.vector(),
        {name: entry.digest() for name, entry in of.by_name.items()},
        sorted((c.thought, c.state, c.vector.to_bytes()) for _, c in of.checkpoints),
    )
