"""The trash: look at what is there, take it back, or remove it for good."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from aimem_tui import words
from aimem_tui.errors import AimemError
from aimem_tui.model import Filter, Thought
from aimem_tui.screens.prompt import Confirm
from aimem_tui.screens.thought_rows import thought_row
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.preview import MarkdownPreview
from aimem_tui.widgets.rows import ItemModel
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import Workspace


class TrashScreen(ModalScreen[str | None]):
    """What was put into the trash. Ends with the id of a thought taken back last, or None."""

    CSS_PATH = "trash.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("r", "restore", "Take back"),
        Binding("delete,p", "purge", "Remove for good"),
    ]

    def __init__(self, workspace: Workspace, icons: Icons) -> None:
        super().__init__()
        self._workspace = workspace
        self._icons = icons
        self._taken_back: str | None = None
        now = workspace.clock()
        self._thoughts: ItemModel[Thought] = ItemModel(
            key=lambda thought: thought.id,
            row=lambda thought: thought_row(thought, now, age=thought.trashed_at),
        )

    def compose(self) -> ComposeResult:
        """The list, the chosen one, the keys."""
        with Vertical():
            yield Static("", id="title", markup=False)
            with Horizontal():
                yield VirtualList(
                    self._thoughts, row_height=2, empty="The trash is empty.", id="thrown"
                )
                yield MarkdownPreview(icons=self._icons, id="look")
            yield Hints()

    def on_mount(self) -> None:
        """Show what is there."""
        self.query_one(Hints).show(
            [
                Hint("r", "take back", "restore"),
                Hint("p", "remove for good", "purge"),
                Hint("esc", "close", "close"),
            ]
        )
        self.query_one("#thrown").focus()
        self._reload()

    def on_virtual_list_highlighted(self) -> None:
        """Show the thought under the cursor."""
        self._show()

    def action_close(self) -> None:
        """Leave."""
        self.dismiss(self._taken_back)

    def action_restore(self) -> None:
        """Take the chosen thought back."""
        thought = self._chosen()
        if thought is None:
            return
        self._taken_back = self._workspace.restore(thought.id).id
        self.notify(f"{thought.path} is back.", markup=False)
        self._reload()

    def action_purge(self) -> None:
        """Ask, then remove the chosen thought for good."""
        thought = self._chosen()
        if thought is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._workspace.purge(thought.id)
                self.notify(f"{thought.path} is removed for good.", markup=False)
                self._reload()

        self.app.push_screen(
            Confirm(
                f"Remove {thought.path} for good?",
                "Its text and its history are gone then, here and wherever this workspace syncs.",
                yes="remove it",
            ),
            answered,
        )

    def _reload(self) -> None:
        trashed = list(self._workspace.thoughts(Filter(trashed=True), order="updated"))
        self._thoughts.replace(trashed)
        self.query_one("#thrown", VirtualList).model_changed()
        self.query_one("#title", Static).update(f"Trash   {words.count(len(trashed), 'thought')}")
        self._show()

    def _show(self) -> None:
        thought = self._chosen()
        try:
            text = "" if thought is None else self._workspace.text(thought.id)
        except AimemError:
            text = ""
        self.query_one(MarkdownPreview).load(text)

    def _chosen(self) -> Thought | None:
        if not self._thoughts.count():
            return None
        return self._thoughts.items[self.query_one("#thrown", VirtualList).cursor]
