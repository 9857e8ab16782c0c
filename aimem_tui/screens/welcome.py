"""The first start: bring in the thoughts found on this machine, see a sample, or begin empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from aimem_tui import words
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.discovery import Source


class Begin(Enum):
    """How to begin."""

    IMPORT = "Bring them in"
    SAMPLE = "Look at a sample first"
    EMPTY = "Begin with an empty workspace"
    OTHER = "Import another folder"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, with the folders to import."""

    begin: Begin
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    source: Source | None = None
    begin: Begin | None = None


class WelcomeScreen(ModalScreen[Choice | None]):
    """Offers what was found. Ends with the choice, or None."""

    DEFAULT_CSS = """
    WelcomeScreen {
        align: center middle;
        background: $background;
        & > Vertical { width: 76; max-width: 100%; height: auto; max-height: 100%; padding: 1 3; }
        & #title { text-style: bold; color: $accent; }
        & #lead { margin: 1 0; }
        & VirtualList { background: $background; }
        & Hints { margin-top: 1; background: $background; padding: 0; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Later"),
        Binding("space", "choose", "Choose"),
    ]

    def __init__(self, sources: Sequence[Source]) -> None:
        super().__init__()
        self._chosen = {str(source.path) for source in sources}
        lines = [_Line(str(source.path), source=source) for source in sources]
        offers = [begin for begin in Begin if sources or begin is not Begin.IMPORT]
        lines += [_Line(begin.name, begin=begin) for begin in offers]
        self._lines: ItemModel[_Line] = ItemModel(
            key=lambda line: line.key, row=self._row, items=lines
        )
        self._found = bool(sources)

    def compose(self) -> ComposeResult:
        """The greeting, the folders, the ways to begin."""
        lead = (
            "These folders on this machine hold thoughts. They are copied in; the files stay as"
            " they are."
            if self._found
            else "Here your thoughts are kept, found and edited; on this machine first. There is"
            " nothing to save and nothing to lose."
        )
        with Vertical():
            yield Static("Welcome to aimem", id="title")
            yield Static(lead, id="lead")
            lines = VirtualList(self._lines, id="lines")
            lines.styles.height = self._lines.count()
            yield lines
            yield Hints()

    def on_mount(self) -> None:
        """Stand on the most likely choice."""
        first = Begin.IMPORT if self._found else Begin.SAMPLE
        lines = self.query_one(VirtualList)
        lines.go_to(first.name)
        lines.focus()
        hints = [Hint("↑↓", "choose"), Hint("enter", "go")]
        if self._found:
            hints.append(Hint("space", "with or without this folder", "choose"))
        self.query_one(Hints).show([*hints, Hint("esc", "later", "dismiss(None)")])

    def on_virtual_list_selected(self, event: VirtualList.Selected) -> None:
        """Go, or choose the folder."""
        line = self._line(event.key)
        if line.begin is None:
            self.action_choose()
            return
        sources = tuple(
            item.source
            for item in self._lines.items
            if item.source is not None and item.key in self._chosen
        )
        self.dismiss(Choice(line.begin, sources if line.begin is Begin.IMPORT else ()))

    def action_choose(self) -> None:
        """Take the folder under the cursor or leave it."""
        lines = self.query_one(VirtualList)
        line = self._line(lines.cursor_key)
        if line.source is not None:
            self._chosen ^= {line.key}
            lines.model_changed()

    def _line(self, key: object) -> _Line:
        return next(line for line in self._lines.items if line.key == key)

    def _row(self, line: _Line) -> Row:
        if line.begin is not None:
            return Row.of(line.begin.value, indent=1)
        assert line.source is not None
        mark = "[x] " if line.key in self._chosen else "[ ] "
        return Row(
            ((Span(mark, "accent"), Span(str(line.source.path))),),
            (Span(words.count(line.source.files, "file"), "muted"),),
            indent=1,
        )
