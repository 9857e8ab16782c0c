"""The least a Textual app can be: one line of text. What the start of ours is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static

MARKER = "the empty app"


class EmptyApp(App[None]):
    """Shows one line."""

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static(MARKER)


if __name__ == "__main__":
    EmptyApp().run()
