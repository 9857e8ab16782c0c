"""One text in one widget: our editor bound to a document, or Textual's own text area.

``python -m bench.editor_app {aimem,textual} FILE``. The caret stands in the middle of the text and
does not blink. The terminal's bell rings when all is there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import TextArea


class EditorApp(App[None]):
    """Shows the text to be written in."""

    CSS = "TextArea { border: none; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, contestant: str, text: str) -> None:
        super().__init__()
        self._contestant = contestant
        self._text = text

    def compose(self) -> ComposeResult:
        """The widget."""
        if self._contestant == "textual":
            yield TextArea(self._text)
        else:
            from aimem_tui.widgets.editor import Editor

            yield Editor()

    def on_mount(self) -> None:
        """Bind the text, and go to its middle."""
        area = self.query_one(TextArea)
        if self._contestant == "aimem":
            from aimem_tui.widgets.editor import Editor
            from crdt.document import ThoughtDocument

            document, _ = ThoughtDocument.create(
                1, path="bench.md", text=self._text, at=0, by="bench"
            )
            self.query_one(Editor).bind(document)
        area.cursor_blink = False
        area.focus()
        self.call_after_refresh(self._go_to_the_middle, area)

    def _go_to_the_middle(self, area: TextArea) -> None:
        area.move_cursor((area.document.line_count // 2, 0), center=True)
        self.call_after_refresh(self.bell)


if __name__ == "__main__":
    EditorApp(sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8")).run()
