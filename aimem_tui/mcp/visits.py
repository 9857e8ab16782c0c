"""Where agents are, told to the screens without keeping anybody waiting.

A thread of its own writes it down; of several places of one agent only the last is told. Nothing
here fails a call: an agent that cannot be shown works all the same.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aimem_tui.sync.visitors import Visitor
    from aimem_tui.workspace.workspace import Workspace

_MOST = 64
"""So many agents of one server are kept in mind."""


class Place(NamedTuple):
    """A thought's id, and offsets in its text; -1 where they are not known."""

    thought: str
    first: int = -1
    last: int = -1


class Visits:
    """The agents of one server in one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._latest: dict[str, Place] = {}
        self._visitors: dict[str, Visitor] = {}
        self._thread = ThreadPoolExecutor(1, "visits")

    def at(self, author: str, place: Place) -> None:
        """An agent reads or writes somewhere now."""
        with self._lock:
            is_first = not self._latest
            self._latest[author] = place
        if is_first:
            self._thread.submit(self._tell)

    def close(self) -> None:
        """All of them go."""
        self._thread.shutdown(wait=True)
        for visitor in self._visitors.values():
            visitor.close()
        self._visitors.clear()

    def _tell(self) -> None:
        with self._lock:
            latest, self._latest = self._latest, {}
        for author, place in latest.items():
            try:
                self._show(author, place)
            except Exception as error:
                logging.getLogger("aimem.mcp").warning("presence: %s", type(error).__name__)

    def _show(self, author: str, place: Place) -> None:
        from aimem_tui.sync.visitors import Visitor

        visitor = self._visitors.pop(author, None)
        if visitor is None:
            visitor = Visitor(self._workspace.database.path.parent, author)
        self._visitors[author] = visitor
        if len(self._visitors) > _MOST:
            self._visitors.pop(next(iter(self._visitors))).close()
        if place.first < 0:
            visitor.at(place.thought)
        else:
            visitor.at(
                place.thought, *self._workspace.place_in(place.thought, place.first, place.last)
            )
