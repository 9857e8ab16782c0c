"""Jump: a letter for each pane, heading, person and neighbour; press it and be there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList

LETTERS = "asdfghjklqwertyuiopzxcvbnm1234567890"


@dataclass(frozen=True, slots=True)
class Target:
    """A place to jump to."""

    label: str
    group: str
    """What kind of place: ``pane``, ``heading``, ``person``, ``thought``."""
    place: str
    """Which one: a widget's id, a line, a thought's id (a person's is the one they look at)."""
    indent: int = 0


@dataclass(frozen=True, slots=True)
class _Choice:
    letter: str
    target: Target


class JumpScreen(ModalScreen[Target | None]):
    """Shows the places with their letters; ends with the chosen one."""

    DEFAULT_CSS = """
    JumpScreen {
        align: center middle;
        background: $background 60%;
        & > Vertical {
            width: 64; max-width: 90%; height: auto; max-height: 80%; padding: 1 2;
            background: $panel;
        }
        & VirtualList { height: auto; max-height: 100%; background: $panel; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+j", "dismiss(None)", "Close", priority=True)
    ]

    def __init__(self, targets: Sequence[Target]) -> None:
        super().__init__()
        self._choices = [
            _Choice(letter, target) for letter, target in zip(LETTERS, targets, strict=False)
        ]

    def compose(self) -> ComposeResult:
        """The list of places."""
        model: ItemModel[_Choice] = ItemModel(
            key=lambda choice: choice.letter, row=_row, items=self._choices
        )
        with Vertical():
            places = VirtualList(model, letters=False)
            places.styles.height = len(self._choices)
            yield places

    def on_key(self, event: events.Key) -> None:
        """A letter jumps."""
        for choice in self._choices:
            if event.character == choice.letter:
                event.stop()
                self.dismiss(choice.target)

    def on_virtual_list_selected(self, event: VirtualList.Selected) -> None:
        """Enter jumps to the line under the cursor."""
        chosen = [choice for choice in self._choices if choice.letter == event.key]
        self.dismiss(chosen[0].target if chosen else None)


def _row(choice: _Choice) -> Row:
    target = choice.target
    style = "strong" if target.group == "pane" else ""
    line = (Span(f"{choice.letter}  ", "match"), Span("  " * target.indent + target.label, style))
    return Row((line,), (Span(target.group, "muted"),))
