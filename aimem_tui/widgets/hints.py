"""The bottom line: the few keys that matter now, and where one is in the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

MOST_HINTS = 8


class Hint(NamedTuple):
    """A key as people read it, what it does in a word or two, and the action it stands for."""

    key: str
    label: str
    action: str = ""


class Hints(Widget):
    """One line of key hints; clicking one does it. Those that do not fit are left out."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"hints--key", "hints--label", "hints--note"}

    DEFAULT_CSS = """
    Hints {
        height: 1;
        padding: 0 1;
        background: $panel;
        & > .hints--key { color: $accent; text-style: bold; }
        & > .hints--label { color: $foreground 70%; }
        & > .hints--note { color: $foreground 60%; }
    }
    """

    hints: reactive[tuple[Hint, ...]] = reactive(())
    note: reactive[str] = reactive("")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[int, int, str]] = []

    def show(self, hints: Sequence[Hint]) -> None:
        """Show these hints from now on."""
        self.hints = tuple(hints[:MOST_HINTS])

    def render(self) -> Text:
        """As many hints as fit beside the note."""
        line = Text(no_wrap=True, end="")
        key = self.get_component_rich_style("hints--key")
        label = self.get_component_rich_style("hints--label")
        width = self.size.width
        note = self.note if len(self.note) <= width // 2 else ""
        self._places = []
        for hint in self.hints:
            start = line.cell_len
            room = width - start - len(note) - 2
            if len(hint.key) + len(hint.label) + 1 > room:
                break
            line.append(hint.key, key).append(f" {hint.label}", label)
            self._places.append((start, line.cell_len, hint.action))
            line.append("   ")
        line.rstrip()
        line.append(" " * max(0, width - line.cell_len - len(note)))
        line.append(note, self.get_component_rich_style("hints--note"))
        return line

    async def on_click(self, event: events.Click) -> None:
        """Do what was clicked on."""
        x = event.x - self.gutter.left
        for start, end, action in self._places:
            if start <= x < end and action:
                await self.screen.run_action(action)
