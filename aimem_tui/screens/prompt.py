"""Small questions: one line of text, or yes or no. They take a strip of the screen only."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

_FRAME = """
    align: center top;
    background: $background 40%;
    & > Vertical {
        width: 80%; max-width: 90; height: auto; margin-top: 3; padding: 1 2;
        background: $panel;
    }
    & Input, & Input:focus { border: none; height: 1; padding: 0 1; background: $background; }
    & .title { text-style: bold; margin-bottom: 1; }
    & .detail { color: $foreground 60%; margin-top: 1; }
    & .problem { color: $error; height: auto; }
"""


class Ask(ModalScreen[str | None]):
    """Asks for one line of text.

    Args:
        title: the question.
        value: what stands there at first; the part up to ``selection`` is not selected.
        detail: one sentence that helps to answer.
        check: returns what is wrong with an answer, or an empty string.
    """

    DEFAULT_CSS = "Ask {" + _FRAME + "}"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(
        self,
        title: str,
        *,
        value: str = "",
        detail: str = "",
        check: Callable[[str], str] = lambda _answer: "",
    ) -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._detail = detail
        self._check = check

    def compose(self) -> ComposeResult:
        """The question, the line, the help."""
        with Vertical():
            yield Static(self._title, classes="title", markup=False)
            yield Input(self._value, select_on_focus=False)
            yield Static("", classes="problem", markup=False)
            yield Static(self._detail, classes="detail", markup=False)

    def on_input_changed(self) -> None:
        """A new answer deserves a new look."""
        self.query_one(".problem", Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the answer if nothing is wrong with it."""
        problem = self._check(event.value) if event.value.strip() else ""
        if problem:
            self.query_one(".problem", Static).update(problem)
        else:
            self.dismiss(event.value.strip() or None)


class Confirm(ModalScreen[bool]):
    """Asks whether to do something that cannot be undone.

    Args:
        title: the question.
        detail: what will happen, and what will not.
        yes: the word for doing it.
    """

    DEFAULT_CSS = "Confirm {" + _FRAME + "}"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "dismiss(False)", "No"),
        Binding("y", "dismiss(True)", "Yes"),
    ]

    def __init__(self, title: str, detail: str, *, yes: str) -> None:
        super().__init__()
        self._title = title
        self._detail = detail
        self._yes = yes

    def compose(self) -> ComposeResult:
        """The question and the two keys."""
        with Vertical():
            yield Static(self._title, classes="title", markup=False)
            yield Static(self._detail, markup=False)
            yield Static(f"y  {self._yes}      esc  leave it", classes="detail", markup=False)
