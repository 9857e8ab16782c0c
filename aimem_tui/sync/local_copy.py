"""This machine's copy of the workspace, as an exchange uses it.

All that is written runs in one thread of its own, one thing after the other; what is read is read
in the event loop's thread, at one moment each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import apsw

from aimem_tui.errors import StorageError
from aimem_tui.store import durability, identity, log
from aimem_tui.store.connection import Database, explained
from aimem_tui.store.identity import Identity
from crdt.vector import Vector

_NOTE_S = 0.3
"""How far apart it is noted what others have on disk."""
_PROJECTED = 200
"""How many thoughts are brought up to date in one go."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the file says at one moment."""

    ids: Identity
    vector: Vector
    standing: durability.Standing


class LocalCopy:
    """A workspace's file.

    Args:
        database: open until :meth:`close` has returned.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.writing = ThreadPoolExecutor(1, thread_name_prefix="aimem-sync-store")
        """The thread that writes."""
        self.figures = self._read()
        self._acknowledged: dict[tuple[str, str], int] = {}
        self._to_note = asyncio.Event()

    def read_again(self) -> bool:
        """Bring ``figures`` up to date; whether the file goes by other ids than before.

        Raises:
            StorageError: if the file cannot be read.
        """
        before, self.figures = self.figures, self._read()
        return self.figures.ids != before.ids

    def version(self) -> int:
        """A number that changes with each commit, by whomever. Costs microseconds."""
        with explained(self.database.path):
            return int(self.database.read().pragma("data_version"))

    def acknowledged(self, peer_log: str, replica: str, seq: int) -> None:
        """A peer has own entries on disk, up to a number; it is written down a little later.

        Args:
            replica: the own replica's id when the peer said so.
        """
        self._acknowledged[peer_log, replica] = seq
        self._to_note.set()

    async def note(self) -> None:
        """Write down what others have on disk, until cancelled."""
        while True:
            await self._to_note.wait()
            await asyncio.sleep(_NOTE_S)
            with suppress(StorageError):
                await self.note_now()

    async def note_now(self) -> None:
        """Write down what others have on disk.

        Raises:
            StorageError: if it cannot be written; it is kept for the next time.
        """
        while self._acknowledged:
            (peer_log, replica), seq = next(iter(self._acknowledged.items()))
            await self.write(
                partial(durability.note_acknowledged, self.database, peer_log, seq, replica=replica)
            )
            if self._acknowledged.get((peer_log, replica)) == seq:
                del self._acknowledged[peer_log, replica]
        self._to_note.clear()

    async def project(self) -> bool:
        """Bring some of lists and search up to date; whether that was all.

        Raises:
            StorageError: if it cannot be written.
        """
        # Not before it is needed: it loads the document engine, which takes longer than connecting.
        from aimem_tui.store import projector

        await self.write(partial(projector.project_stale, self.database, limit=_PROJECTED))
        with explained(self.database.path):
            return not projector.waiting(self.database.read())

    async def disown(self, replica: str) -> None:
        """Give up a replica of which two versions exist.

        Raises:
            StorageError: if it cannot be written.
        """
        self._acknowledged.clear()
        await self.write(partial(identity.disown, self.database, replica))

    async def forget_peer(self, peer_log: str) -> None:
        """A peer's log is gone, and with it what it said of this copy.

        Raises:
            StorageError: if it cannot be written.
        """
        await self.write(partial(durability.forget_peer, self.database, peer_log))

    async def write(self, work: Callable[[], object]) -> None:
        """Do something in the thread that writes.

        Raises:
            StorageError: if the file cannot be written.
        """

        def explain() -> None:
            with explained(self.database.path):
                work()

        await asyncio.get_running_loop().run_in_executor(self.writing, explain)

    async def close(self) -> None:
        """Write down what is left, and end the thread."""
        with suppress(StorageError):
            await self.note_now()
        await asyncio.to_thread(self.writing.shutdown)

    def _read(self) -> Figures:
        try:
            with self.database.snapshot() as connection:
                return Figures(
                    identity.of(connection),
                    log.vector(connection),
                    durability.standing(connection),
                )
        except apsw.Error as error:
            raise StorageError(f"{self.database.path} cannot be read.", why=f"{error}.") from error
