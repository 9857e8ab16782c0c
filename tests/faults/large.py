"""A large workspace, written straight into a store: thoughts that were edited a few times each.

All have the same history of updates but for the path, which is of one length everywhere, so that
the document engine is needed for one thought only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from aimem_tui.store import log
from aimem_tui.store.log import Draft
from aimem_tui.workspace.workspace import Workspace
from crdt.document import ThoughtDocument
from crdt.ids import uuid7

AT = 1_761_000_000_000
_GROUP = 10_000


def path_of(number: int) -> str:
    """The path of a thought."""
    return f"notes/{number:06}.md"


class Notes:
    """The thoughts of a large workspace.

    Args:
        thoughts: how many.
        edits: how many entries each of them begins with.
    """

    def __init__(self, thoughts: int, edits: int) -> None:
        rng = Random(1)
        self._ids = [uuid7(AT, rng.randbytes(10)) for _ in range(thoughts)]
        self._edits = edits
        self._document, first = ThoughtDocument.create(
            1, path=path_of(0), text="# Note\n", at=AT, by="ann"
        )
        self._first = first
        self._rng = rng

    @property
    def text(self) -> str:
        """What all thoughts say that have every edit made so far."""
        return self._document.text

    def fill(self, workspace: Workspace) -> int:
        """Write all of it into an empty workspace; returns the bytes of the updates."""
        updates = [self._first, *self._more(self._edits - 1)]
        drafts = self._drafts(workspace, updates, len(self._ids))
        with workspace.database.write() as connection:
            while group := [*islice(drafts, _GROUP)]:
                log.append(connection, group)
            # Nobody looks at the lists of this machine, and making them takes longest by far.
            connection.execute("DELETE FROM stale")
        return len(self._ids) * sum(map(len, updates))

    def edit(self, workspace: Workspace, thoughts: int, edits: int) -> int:
        """Edit some of them a few times more; returns the bytes of the updates.

        Only once: further edits would build on these, which the other thoughts lack.
        """
        updates = self._more(edits)
        with workspace.database.write() as connection:
            log.append(connection, [*self._drafts(workspace, updates, thoughts)])
        return thoughts * sum(map(len, updates))

    def _more(self, edits: int) -> Sequence[bytes]:
        updates: list[bytes] = []
        stop = self._document.on_update(updates.append)
        for number in range(edits):
            words = " ".join(f"{self._rng.getrandbits(24):x}" for _ in range(8))
            self._document.replace_text(f"{self._document.text}{number}: {words}\n")
        stop()
        assert len(updates) == edits
        return updates

    def _drafts(
        self, workspace: Workspace, updates: Sequence[bytes], thoughts: int
    ) -> Iterator[Draft]:
        for place, update in enumerate(updates):
            for number, thought in enumerate(self._ids[:thoughts]):
                own = update.replace(path_of(0).encode(), path_of(number).encode())
                yield Draft(thought, own, AT + place, workspace.author)
