"""An app with nothing but an editor in it, to be run in a terminal: size in bytes, and which.

The caret starts in the middle of the text. ``--stock`` shows Textual's own text area instead.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import TextArea

PARAGRAPH = (
    "We replace the *session* cookie with **short-lived** tokens; see [the notes](notes/oidc.md)\n"
    "and `relay.check` for how the relay tests them at the door, again in band, and at the end.\n"
    "\n"
    "- [ ] staging, with one team #auth\n"
    "- [x] production, in [[plans/rollout]]\n"
    "\n"
)


def make_text(size: int, paragraph: str = PARAGRAPH) -> str:
    """A markdown text of about ``size`` bytes."""
    body = paragraph * (size // len(paragraph) + 1)
    return "# A plan\n\n" + body[: max(size - 10, 0)]


class TypingApp(App[None]):
    """The editor, or the stock text area, and a text."""

    CSS = "Screen { layers: base; } TextArea { border: none; }"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, text: str, *, stock: bool) -> None:
        super().__init__()
        self._text = text
        self._stock = stock

    def compose(self) -> ComposeResult:
        if self._stock:
            yield TextArea(self._text)
        else:
            from aimem_tui.widgets.editor import Editor

            yield Editor()

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        if not self._stock:
            from aimem_tui.widgets.editor import Editor
            from crdt.document import ThoughtDocument

            document, _ = ThoughtDocument.create(1, path="a.md", text=self._text, at=0, by="me")
            self.query_one(Editor).bind(document)
        area.focus()
        self.call_after_refresh(self._go_to_the_middle)

    def _go_to_the_middle(self) -> None:
        area = self.query_one(TextArea)
        area.move_cursor((area.document.line_count // 2, 30), center=True)


def main() -> None:
    """Run the app."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", type=int)
    parser.add_argument("--stock", action="store_true")
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    text = options.file.read_text() if options.file else make_text(options.size)
    TypingApp(text, stock=options.stock).run()


if __name__ == "__main__":
    main()
