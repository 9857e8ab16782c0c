"""A workspace's file as bundles see it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from aimem_tui.store import durability, identity, receiving
from aimem_tui.store.connection import Database
from aimem_tui.store.replica import StoreReplica
from crdt.session.replica import Replica
from crdt.vector import Vector


class FileCopy:
    """The copy of a workspace that is in a file; see :class:`aimem_tui.sync.bundle.Copy`.

    Used by one thread.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._replica = StoreReplica(database)

    @property
    def replica(self) -> Replica:
        """What it holds."""
        return self._replica

    def snapshot(self) -> AbstractContextManager[object]:
        """What is read meanwhile is all of one moment."""
        return self._database.snapshot()

    def store(self, log: str, events: Sequence[receiving.Storable]) -> int:
        """Store what came from another copy's log in one transaction; returns how much was new.

        Raises:
            Fork: if an entry is here under the same name with another content.
            StorageError: if the file cannot be written.
        """
        received = receiving.receive(self._database, log, events, log_id=self._replica.log)
        return received.entries + received.checkpoints

    def holds(self, log: str, vector: Vector) -> None:
        """Note what another copy has on disk, as far as that is more than was known."""
        seq = vector[self._replica.replica]
        if seq > durability.durable_seq(self._database.read()):
            durability.note_acknowledged(self._database, log, seq, replica=self._replica.replica)

    def disown(self, replica: str) -> None:
        """Give up a replica of which two versions exist."""
        identity.disown(self._database, replica)
        self._replica = StoreReplica(self._database)
