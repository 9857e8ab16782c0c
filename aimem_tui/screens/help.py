"""Help: every key and what it does, made from the table of actions."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from aimem_tui.actions import ACTIONS, Area
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.preview import MarkdownPreview

_WIDGET_KEYS: dict[Area, tuple[tuple[str, str], ...]] = {
    Area.ANYWHERE: (("Tab", "Next pane"), ("Esc", "Close, or back to the list")),
    Area.TREE: (
        ("↑ ↓ PgUp PgDn Home End", "Move"),
        ("→ ←", "Open and close a folder"),
        ("Enter", "Open the thought"),
    ),
    Area.WRITING: (
        ("^Z ^Y", "Undo and redo what you did; edits of others stay"),
        ("Tab, Shift+Tab", "Indent and outdent a list item"),
        ("Alt+↑ Alt+↓", "Move the line"),
        ("Enter", "Goes on with a list; on an empty item it ends the list"),
        ("^C ^X ^V", "Copy, cut, paste"),
    ),
}


def text() -> str:
    """The help as markdown."""
    parts = ["# Keys\n\nThere is no key to save. What you type is on disk a moment later.\n"]
    for area in Area:
        parts.append(f"\n## {area.value}\n\n| key | what it does |\n|---|---|\n")
        for action in ACTIONS:
            if action.area is area:
                about = f". {action.about.rstrip('.')}" if action.about else ""
                parts.append(f"| {action.shown} | {action.title}{about} |\n")
        for key, what in _WIDGET_KEYS.get(area, ()):
            parts.append(f"| {key} | {what} |\n")
    parts.append(
        "\n## On the command line\n\n`aimem --help` lists the commands: the same thoughts, for"
        " scripts and agents. What they change appears here at once.\n"
    )
    return "".join(parts)


class HelpScreen(ModalScreen[None]):
    """The help room."""

    DEFAULT_CSS = """
    HelpScreen {
        background: $background;
        & MarkdownPreview { height: 1fr; padding: 1 2; background: $background; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss(None)", "Close")]

    def __init__(self, icons: Icons) -> None:
        super().__init__()
        self._icons = icons

    def compose(self) -> ComposeResult:
        """The text and the keys."""
        with Vertical():
            yield MarkdownPreview(icons=self._icons)
            yield Hints()

    def on_mount(self) -> None:
        """Show the text."""
        preview = self.query_one(MarkdownPreview)
        preview.load(text())
        preview.focus()
        self.query_one(Hints).show([Hint("↑↓", "scroll"), Hint("esc", "close", "dismiss(None)")])
