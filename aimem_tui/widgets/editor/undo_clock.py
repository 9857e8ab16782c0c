"""The clock by which a document decides what one undo takes back.

The document gathers edits that follow each other within half a second of this clock into one
step. The clock runs with time, and leaps where a new step is to begin.
"""

from __future__ import annotations

from time import monotonic
from weakref import WeakKeyDictionary

from crdt.document import UNDO_CAPTURE_MS, ThoughtDocument


class UndoClock:
    """Milliseconds that pass as time does, and leap between steps."""

    def __init__(self) -> None:
        self._leaps = 0

    def __call__(self) -> int:
        return int(monotonic() * 1000) + self._leaps

    def begin_step(self) -> None:
        """Let what comes next be a step of its own."""
        self._leaps += UNDO_CAPTURE_MS + 1


_CLOCKS: WeakKeyDictionary[ThoughtDocument, UndoClock] = WeakKeyDictionary()


def undo_clock(document: ThoughtDocument) -> UndoClock:
    """The clock of a document. The first call starts the recording of its undo steps."""
    clock = _CLOCKS.get(document)
    if clock is None:
        clock = _CLOCKS[document] = UndoClock()
        document.start_undo(clock)
    return clock
