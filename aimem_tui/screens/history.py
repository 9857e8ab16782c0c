"""History: the text at a chosen moment, and the moments below it."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from aimem_tui import words
from aimem_tui.errors import AimemError
from aimem_tui.model import Thought
from aimem_tui.widgets import people
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.preview import MarkdownPreview
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import PastText, Workspace


class HistoryScreen(ModalScreen[int | None]):
    """The past of one thought. Ends with the number of the revision to restore, or None."""

    CSS_PATH = "history.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("left", "step(1)", "Earlier", priority=True),
        Binding("right", "step(-1)", "Later", priority=True),
        Binding("d", "difference", "Difference"),
        Binding("r", "restore", "Restore"),
    ]

    def __init__(self, workspace: Workspace, thought: Thought, icons: Icons) -> None:
        super().__init__()
        self._workspace = workspace
        self._icons = icons
        self._thought = thought
        self._difference = False
        self._moments: ItemModel[PastText] = ItemModel(
            key=lambda past: past.revision.number, row=self._row
        )

    def compose(self) -> ComposeResult:
        """The text, the line of moments, the keys."""
        with Vertical():
            yield Static("", id="moment", markup=False)
            yield MarkdownPreview(icons=self._icons, id="past")
            yield VirtualList(self._moments, id="moments", empty="Reading the history.")
            yield Hints()

    def on_mount(self) -> None:
        """Read the past; it may take a moment for a long one."""
        self.query_one("#moments").focus()
        self.query_one(Hints).show(
            [
                Hint("←→", "earlier, later"),
                Hint("d", "difference", "difference"),
                Hint("r", "restore", "restore"),
                Hint("esc", "close", "dismiss(None)"),
            ]
        )
        self._read()

    def on_virtual_list_highlighted(self) -> None:
        """Show the moment under the cursor."""
        self._show_moment()

    def on_virtual_list_selected(self) -> None:
        """Enter changes between the text and the difference."""
        self.action_difference()

    def action_step(self, by: int) -> None:
        """Walk to an earlier or later moment."""
        self.query_one("#moments", VirtualList).action_move(by)

    def action_difference(self) -> None:
        """Show what this moment changed, or the whole text."""
        self._difference = not self._difference
        self._show_moment()

    def action_restore(self) -> None:
        """Take the text back to this moment, as a new edit."""
        past = self._chosen()
        if past is not None:
            self.dismiss(past.revision.number)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _read(self) -> None:
        try:
            past = self._workspace.past(self._thought.id)
        except AimemError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error")
            return
        self.app.call_from_thread(self._show, past)

    def _show(self, past: list[PastText]) -> None:
        if not self.is_attached:
            return
        self._moments.replace(past[::-1])
        moments = self.query_one("#moments", VirtualList)
        moments.empty = "Nothing has happened yet."
        moments.model_changed()
        moments.action_first()
        self._show_moment()

    def _show_moment(self) -> None:
        past = self._chosen()
        if past is None:
            return
        from aimem_tui.workspace.difference import as_markdown

        preview = self.query_one(MarkdownPreview)
        preview.load(as_markdown(past.before, past.text) if self._difference else past.text)
        revision = past.revision
        now = self._workspace.clock()
        said = (
            f"{self._thought.path}   revision {revision.number} of {self._moments.count()}"
            f"   {revision.author}, {words.when(revision.ended_at, now)}"
        )
        if self._difference:
            said += "   what it changed"
        self.query_one("#moment", Static).update(said)

    def _chosen(self) -> PastText | None:
        if not self._moments.count():
            return None
        return self._moments.items[self.query_one("#moments", VirtualList).cursor]

    def _row(self, past: PastText) -> Row:
        revision = past.revision
        now = self._workspace.clock()
        line = (
            Span(f"{revision.number:>4}  ", "muted"),
            people.span(revision.author),
            Span("  "),
            Span(revision.note or "edited"),
        )
        change = f"+{revision.added:,} -{revision.removed:,}"
        return Row(
            (line,),
            (Span(f"{change:>14}  {words.when(revision.ended_at, now):>12}", "muted"),),
        )
