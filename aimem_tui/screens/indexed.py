"""What the bottom line says of indexing: nothing, unless there is something to wait for.

What is indexed within a moment, as nearly every edit is, is not worth a word. What takes longer is
said with what is left of it, a pause while something waits for its end, and a problem for as long
as it lasts; that is also told once in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aimem_tui import words

if TYPE_CHECKING:
    from textual.timer import Timer

    from aimem_tui.screens.main import MainScreen
    from aimem_tui.workspace.indexing import Indexing, IndexingState

QUIET_S = 2.0
"""What takes no longer than this is not told."""
NEXT_S = 1.0
"""How far apart two states are shown at least."""


class Said(NamedTuple):
    """What is said of indexing, without a full stop; empty if all is indexed."""

    whole: str = ""
    brief: str = ""
    """For narrow terminals."""


class Indexed:
    """What one main screen says of indexing."""

    def __init__(self, main: MainScreen) -> None:
        self.said = Said()
        self._main = main
        self._indexing: Indexing | None = None
        self._timer: Timer | None = None
        self._problem = ""

    def news(self, indexing: Indexing) -> None:
        """There is a new state to take."""
        self._indexing = indexing
        if self._timer is None:
            self._timer = self._main.set_timer(NEXT_S if self.said.whole else QUIET_S, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._indexing is None:
            return
        state = self._indexing.take()
        if state.problem and state.problem != self._problem:
            self._main.notify(
                state.problem,
                title="Not found by meaning for now",
                severity="warning",
                timeout=15,
                markup=False,
            )
        self._problem = state.problem
        said = in_words(state)
        if said != self.said:
            self.said = said
            self._main.indexing_changed()


def in_words(state: IndexingState) -> Said:
    """What is to be said of a state."""
    if state.problem:
        return Said("indexing has stopped", "not indexing")
    left = state.total - state.done
    if left <= 0 or not (state.working or state.paused):
        return Said()
    what = words.count(left, "thought" if state.reading else "passage")
    if state.paused:
        return Said(f"indexing is paused, {what} left", "indexing paused")
    return Said(f"indexing, {what} left", "indexing")
