"""The report of an import or export: what was left out and why, and what is good to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from aimem_tui.model import ReportLine
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList


class ReportScreen(ModalScreen[None]):
    """A report.

    Args:
        title: what was done.
        said: how it went, in a sentence.
    """

    DEFAULT_CSS = """
    ReportScreen {
        background: $background;
        & .said { padding: 1 2; }
        & VirtualList { height: 1fr; padding: 0 1; background: $background; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "Close")]

    def __init__(
        self, title: str, said: str, skipped: Sequence[ReportLine], notices: Sequence[ReportLine]
    ) -> None:
        super().__init__()
        self._said = f"{title}: {said}"
        lines = [("Left out", line) for line in skipped] + [("Taken in", line) for line in notices]
        self._lines: ItemModel[tuple[int, str, ReportLine]] = ItemModel(
            key=lambda item: item[0],
            row=_row,
            items=[(number, *line) for number, line in enumerate(lines)],
        )

    def compose(self) -> ComposeResult:
        """The sentence, the lines, the keys."""
        with Vertical():
            yield Static(self._said, classes="said", markup=False)
            yield VirtualList(self._lines, row_height=2)
            yield Hints()

    def on_mount(self) -> None:
        """Make the lines walkable."""
        self.query_one(VirtualList).focus()
        self.query_one(Hints).show([Hint("↑↓", "scroll"), Hint("esc", "close", "dismiss(None)")])


def _row(item: tuple[int, str, ReportLine]) -> Row:
    _, group, line = item
    return Row(
        ((Span(line.path),), (Span(line.reason, "muted"),)), (Span(group, "muted"),), indent=1
    )
