"""Long work on the command line: a line of progress, and an orderly end on Ctrl-C.

The line is drawn on standard error, only where that is a terminal. The first Ctrl-C asks the work
to stop after the piece in hand, so that what was done is kept and reported; a second one ends the
program at once, which loses at most the transaction that is open.
"""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from aimem_tui.cli import styling, terminal

if TYPE_CHECKING:
    from aimem_tui.model import Progress

_INTERVAL = 0.1
"""Seconds between two drawings."""


class LongWork:
    """Hands progress to the terminal and Ctrl-C to the work, between ``with`` and its end."""

    def __init__(self) -> None:
        self.interrupted = False
        self._drawn_at = 0.0
        self._visible = False
        self._announced = False
        self._drawing = terminal.is_terminal(sys.stderr)

    def __enter__(self) -> LongWork:
        self._before = signal.getsignal(signal.SIGINT)
        # A shell that starts a command in the background has it ignore Ctrl-C; so it stays.
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)
        self._clear()

    def progress_or_stop(self, progress: Progress) -> None:
        """Show how far work has come that asks nobody whether to stop.

        Raises:
            KeyboardInterrupt: if it should; the work is between two pieces then.
        """
        self.progress(progress)
        if self.stop():
            raise KeyboardInterrupt

    def stop(self) -> bool:
        """Whether the work should end."""
        if self.interrupted and self._drawing and not self._announced:
            self._announced = True
            self._draw("Stopping. Ctrl-C again stops at once.")
        return self.interrupted

    def progress(self, progress: Progress) -> None:
        """Show how far the work has come."""
        total = "" if progress.total is None else f" of {progress.total:,}"
        self.say(f"{progress.step} {progress.done:,}{total}  {progress.item}".rstrip())

    def say(self, said: str) -> None:
        """Show what is going on, in words."""
        now = time.monotonic()
        if not self._drawing or self.interrupted or now - self._drawn_at < _INTERVAL:
            return
        self._drawn_at = now
        self._draw(styling.safe(said))

    def _draw(self, said: str) -> None:
        width = max(terminal.columns(sys.stderr) - 1, 20)
        sys.stderr.write("\r" + styling.clip(said, width) + "\x1b[K")
        sys.stderr.flush()
        self._visible = True

    def _clear(self) -> None:
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._visible = False

    def _on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
