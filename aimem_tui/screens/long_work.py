"""Long work in view: what is being done, how far it is, and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import ProgressBar, Static

from aimem_tui.errors import AimemError
from aimem_tui.model import Progress

Result = TypeVar("Result")

Work = Callable[[Callable[[Progress], None], Callable[[], bool]], Result]
"""Work that reports progress to its first argument and asks the second whether to stop."""


class LongWork(ModalScreen[Result | None], Generic[Result]):
    """Runs work in a thread and shows how far it is. Ends with the result, or None on an error.

    Args:
        title: what is done, as a sentence without a full stop.
        work: what to run.
    """

    DEFAULT_CSS = """
    LongWork {
        align: center middle;
        background: $background 60%;
        & > Vertical { width: 70; max-width: 90%; height: auto; padding: 1 2; background: $panel; }
        & .title { text-style: bold; margin-bottom: 1; }
        & .item { color: $foreground 60%; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & .detail { color: $foreground 60%; margin-top: 1; }
        & ProgressBar { width: 100%; }
        & Bar { width: 1fr; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop")]

    def __init__(self, title: str, run: Work[Result]) -> None:
        super().__init__()
        self._title = title
        self._run_work = run
        self._stop = threading.Event()

    def compose(self) -> ComposeResult:
        """The title, the bar, the present item."""
        with Vertical():
            yield Static(self._title, classes="title", markup=False)
            yield ProgressBar(show_eta=False)
            yield Static("", classes="item", markup=False)
            yield Static("esc  stop; what is done stays", classes="detail", markup=False)

    def on_mount(self) -> None:
        """Begin."""
        self._work()

    def action_stop(self) -> None:
        """Ask the work to end early."""
        self._stop.set()
        self.query_one(".detail", Static).update("Stopping.")

    @work(thread=True, exit_on_error=False)
    def _work(self) -> None:
        def report(progress: Progress) -> None:
            self.app.call_from_thread(self._show, progress)

        try:
            result: Result | None = self._run_work(report, self._stop.is_set)
        except AimemError as error:
            result = None
            self.app.call_from_thread(self.notify, str(error), severity="error", timeout=10)
        self.app.call_from_thread(self.dismiss, result)

    def _show(self, progress: Progress) -> None:
        if self.is_attached:
            self.query_one(ProgressBar).update(total=progress.total, progress=progress.done)
            self.query_one(".item", Static).update(f"{progress.step} {progress.item}")
