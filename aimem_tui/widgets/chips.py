"""Filters in force, each as a word on a ground of its own; a click takes one away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from aimem_tui.widgets.cells import cut, printable
from aimem_tui.widgets.painting import Painter
from aimem_tui.widgets.rows import Span

_STYLE = "chips--"
_LONGEST = 24
"""Cells of one chip's words."""


class Chip(NamedTuple):
    """A filter: what it stands for, and how it is called."""

    value: str
    label: str


class Chips(Widget):
    """A line of chips, as wide as they are. Where there is no room for all, the first ones go."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"{_STYLE}chip", f"{_STYLE}muted"}

    DEFAULT_CSS = """
    Chips {
        height: 1;
        background: $panel;
        & > .chips--chip { background: $accent 25%; color: $foreground; }
        & > .chips--muted { color: $foreground 60%; }
        &:ansi > .chips--chip { background: transparent; text-style: reverse; }
        &:nocolor > .chips--chip { text-style: reverse; }
    }
    """

    class Removed(Message):
        """A chip was clicked on, to be taken away."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chips: tuple[Chip, ...] = ()
        self._most = 40
        self._places: list[tuple[int, int, str]] = []
        self._painter = Painter(self, _STYLE)
        self._spans: list[Span] = []
        self.display = False

    def show(self, chips: Sequence[Chip], most: int) -> None:
        """Show these from now on.

        Args:
            most: cells that may be used.
        """
        self._chips = tuple(chips)
        self._most = most
        self._arrange()
        self.display = bool(chips)
        self.styles.width = sum(cell_len(span.text) for span in self._spans)
        self.refresh()

    def _arrange(self) -> None:
        shown = [
            (chip, f" {cut(printable(chip.label), _LONGEST)} × ") for chip in reversed(self._chips)
        ]
        room = self._most
        kept: list[tuple[Chip, str]] = []
        for chip, text in shown:
            room -= cell_len(text) + 1
            if kept and room < 0:
                break
            kept.insert(0, (chip, text))
        self._spans, self._places, at = [], [], 0
        hidden = len(self._chips) - len(kept)
        if hidden:
            self._spans.append(Span(f"+{hidden} ", "muted"))
            at = cell_len(self._spans[0].text)
        for chip, text in kept:
            self._spans += [Span(text, "chip"), Span(" ")]
            self._places.append((at, at + cell_len(text), chip.value))
            at += cell_len(text) + 1

    def notify_style_update(self) -> None:
        """Forget all colours."""
        super().notify_style_update()
        self._painter.forget()

    def render_line(self, y: int) -> Strip:
        """The chips."""
        return self._painter.strip(self._spans, self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Take away what was clicked on."""
        for start, end, value in self._places:
            if start <= event.x < end:
                self.post_message(self.Removed(value))
