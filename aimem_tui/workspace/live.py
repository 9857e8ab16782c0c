"""A thought that is open: its document in memory, bound to the store both ways.

Belongs to the thread that opened it, which in the app is the UI's. What is written to the document
goes to the group writer at once; what others write arrives by :meth:`LiveThought.receive`, called
on the same thread with news from the watcher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aimem_tui.store.log import Draft, Record
from crdt.document import ThoughtDocument


class LiveThought:
    """An open thought.

    Args:
        thought: its id.
        document: as it is in the log up to ``position``.
        submit: takes each change made to the document here.
        clock: milliseconds since the Unix epoch.
    """

    def __init__(
        self,
        thought: str,
        document: ThoughtDocument,
        position: int,
        submit: Callable[[Draft], None],
        author: str,
        clock: Callable[[], int],
    ) -> None:
        self.thought = thought
        self.document = document
        self._position = position
        self._submit = submit
        self._author = author
        self._clock = clock
        self._stop = document.on_update(self._on_update)

    def receive(self, records: Iterable[Record]) -> bool:
        """Take in news of the log; entries of other thoughts and known ones are passed over.

        Returns: whether any entry was for this thought and new.

        Raises:
            crdt.errors.CrdtError: if an entry is broken.
        """
        changed = False
        for record in records:
            if record.position <= self._position:
                continue
            self._position = record.position
            if record.entry.thought == self.thought:
                self.document.apply(record.entry.update)
                changed = True
        return changed

    def close(self) -> None:
        """Stop following the document. What was submitted is written all the same."""
        self._stop()
        self.document.close()

    def _on_update(self, update: bytes) -> None:
        self._submit(Draft(self.thought, update, self._clock(), self._author))
