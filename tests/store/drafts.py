"""Changes to put into a log: real ones, of documents that grow word by word."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import apsw

from aimem_tui.store.log import Draft
from crdt import adapter
from crdt.adapter import Change, EngineDoc

THOUGHTS = [f"{number:032x}" for number in range(1, 6)]


class Author:
    """A document of a thought in somebody's hands; what is written becomes drafts."""

    def __init__(
        self,
        thought: str = THOUGHTS[0],
        *,
        client_id: int = 1,
        name: str = "ann",
        clock: Callable[[], int] = lambda: 1_000,
    ) -> None:
        self.thought = thought
        self.name = name
        self.doc = EngineDoc(client_id)
        self.drafts: list[Draft] = []
        self._clock = clock
        self._note = ""
        self.doc.on_update(self._keep)

    def _keep(self, update: bytes) -> None:
        self.drafts.append(Draft(self.thought, update, self._clock(), self.name, self._note))

    def begin(self, path: str = "a.md", text: str = "") -> Draft:
        """The draft that makes the thought."""
        self.doc.set_meta(
            {"path": path, "aliases": [], "created_at": 1_000, "created_by": self.name},
            content=text,
        )
        return self.drafts[-1]

    def write(self, text: str, *, note: str = "") -> Draft:
        """The draft that appends ``text``."""
        self._note = note
        self.doc.splice([Change(self.doc.text_bytes(), 0, text)])
        self._note = ""
        return self.drafts[-1]


def updates_in(connection: apsw.Connection, thought: str) -> list[bytes]:
    """The updates of a thought as they stand in the log."""
    rows = connection.execute(
        "SELECT update_bytes FROM log JOIN thought_ids ON thought_ids.n = log.thought"
        " WHERE thought_ids.id = ? ORDER BY position",
        (thought,),
    )
    return [row[0] for row in rows]


def text_in(connection: apsw.Connection, thought: str) -> str:
    """The text that the log makes of a thought."""
    return EngineDoc(99, updates_in(connection, thought)).text()


def merged_text(drafts: Sequence[Draft]) -> str:
    return EngineDoc(99, [adapter.merge([draft.update for draft in drafts])]).text()
