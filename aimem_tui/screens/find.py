"""Finding: results as one types, with the chosen one beside them where there is room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from aimem_tui import words
from aimem_tui.errors import AimemError
from aimem_tui.model import Filter, SearchHit, SearchResults
from aimem_tui.screens.thought_rows import hit_row
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.preview import MarkdownPreview
from aimem_tui.widgets.rows import ItemModel
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import Workspace

_LIMIT = 50
_TEACH = """Type words; thoughts that hold all of them come first.

"exact words"   these words in this order
-word           without this word"""


@dataclass(frozen=True, slots=True)
class Found:
    """The thought that was chosen, and the line of the match."""

    thought: str
    line: int


class FindScreen(ModalScreen[Found | None]):
    """The search room.

    Args:
        query: what to look for at first.
    """

    CSS_PATH = "find.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("down", "row('move', 1)", priority=True),
        Binding("up", "row('move', -1)", priority=True),
        Binding("pagedown", "row('page', 1)", priority=True),
        Binding("pageup", "row('page', -1)", priority=True),
    ]

    def __init__(self, workspace: Workspace, icons: Icons, query: str = "") -> None:
        super().__init__()
        self._workspace = workspace
        self._icons = icons
        self._query = query
        self._hits: ItemModel[SearchHit] = ItemModel(
            key=lambda hit: hit.thought.id, row=lambda hit: hit_row(hit, workspace.clock())
        )

    def compose(self) -> ComposeResult:
        """The line, the results, the chosen one, the keys."""
        with Vertical(id="find"):
            with Horizontal(id="line"):
                yield Static("Find", id="label")
                yield Input(self._query, placeholder="titles and texts", id="query")
                yield Static("", id="count")
            with Horizontal(id="results"):
                yield VirtualList(
                    self._hits,
                    row_height=3,
                    empty=_TEACH,
                    letters=False,
                    icons=self._icons,
                    id="hits",
                )
                yield MarkdownPreview(icons=self._icons, id="look")
            yield Hints()

    def on_mount(self) -> None:
        """Begin with what was edited last."""
        self.query_one(VirtualList).can_focus = False
        self.query_one(MarkdownPreview).can_focus = False
        self.query_one(Hints).show(
            [Hint("↑↓", "choose"), Hint("enter", "open"), Hint("esc", "close", "dismiss(None)")]
        )
        self._look_up(self._query)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look again."""
        self._look_up(event.value)

    def on_input_submitted(self) -> None:
        """Open the chosen hit."""
        self._open()

    def on_virtual_list_selected(self) -> None:
        """A hit was clicked twice."""
        self._open()

    def on_virtual_list_highlighted(self) -> None:
        """Show the hit under the cursor."""
        self._show_hit()

    def action_row(self, what: str, by: int) -> None:
        """Move in the list while the keys go on reaching the line."""
        hits = self.query_one(VirtualList)
        if what == "move":
            hits.action_move(by)
        else:
            hits.action_page(by)

    def _open(self) -> None:
        hit = self._chosen()
        if hit is not None:
            self.dismiss(Found(hit.thought.id, hit.line))

    def _chosen(self) -> SearchHit | None:
        if not self._hits.count():
            return None
        return self._hits.items[self.query_one(VirtualList).cursor]

    @work(thread=True, exclusive=True, group="find", exit_on_error=False)
    def _look_up(self, query: str) -> None:
        worker = get_current_worker()
        try:
            if query.strip():
                results = self._workspace.search(query, limit=_LIMIT, as_you_type=True)
            else:
                recent = self._workspace.thoughts(Filter(), order="updated", limit=30)
                hits = tuple(SearchHit(thought, 0.0, "", 0) for thought in recent)
                results = SearchResults("", hits, len(hits))
        except AimemError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error")
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, results)

    def _show(self, results: SearchResults) -> None:
        if not self.is_attached:
            return
        hits = self.query_one(VirtualList)
        self._hits.replace(results.hits)
        hits.empty = "Nothing holds these words." if results.query.strip() else _TEACH
        hits.model_changed()
        hits.action_first()
        if not results.query.strip():
            said = "edited last"
        elif results.total >= 1_000:
            said = "1,000 or more"
        else:
            said = words.count(results.total, "thought")
        self.query_one("#count", Static).update(said)
        self._show_hit()

    def _show_hit(self) -> None:
        look = self.query_one(MarkdownPreview)
        if not look.display or self.size.width < 120:
            return
        hit = self._chosen()
        try:
            text = "" if hit is None else self._workspace.text(hit.thought.id)
        except AimemError:
            text = ""
        look.load(text)
        if hit is not None:
            look.scroll_to_line(hit.line, 2)
