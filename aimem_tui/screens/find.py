"""Finding: results as one types, with the chosen one beside them where there is room.

Words are looked for with every key. What they mean is looked for as well once the typing pauses,
which takes longer; what is found then joins what is there. Fields that are finished leave the line
and become filters before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from aimem_tui import words
from aimem_tui.errors import AimemError
from aimem_tui.model import Filter, SearchHit, SearchResults
from aimem_tui.screens.thought_rows import hit_row, saved_row
from aimem_tui.search import fields
from aimem_tui.search.saved import SavedSearch
from aimem_tui.widgets.chips import Chip, Chips
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.preview import MarkdownPreview
from aimem_tui.widgets.rows import ItemModel, Row
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import Workspace

_LIMIT = 50
_RECENT = 30
_PAUSE_S = 0.15
"""Without a key for so long, what was typed is looked for by its meaning, too."""
_NARROW_CHIPS, _WIDE_CHIPS = 24, 60
_TEACH = """Type words, or ask a question.

"exact words"   these words in this order
-word           without this word
kind:plan  status:draft  tag:auth
author:ada  since:30d  path:plans/"""
_KINDS = {
    "hybrid": "words and meaning",
    "fulltext": "words",
    "semantic": "meaning",
}


@dataclass(frozen=True, slots=True)
class Found:
    """The thought that was chosen, and the line of the match."""

    thought: str
    line: int


class QueryLine(Input):
    """The line one types into."""

    class LeftEdge(Message):
        """Backspace where nothing is left of the caret."""

    def action_delete_left(self) -> None:
        """Delete to the left; before the first letter it concerns what stands there."""
        if self.cursor_position == 0 and self.selection.is_empty:
            self.post_message(self.LeftEdge())
        else:
            super().action_delete_left()


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
        Binding("tab", "next_kind", priority=True),
        Binding("ctrl+s", "save", priority=True),
        Binding("f8", "remove", priority=True),
    ]

    def __init__(self, workspace: Workspace, icons: Icons, query: str = "") -> None:
        super().__init__()
        self._workspace = workspace
        self._icons = icons
        self._query = query
        self._fields: list[str] = []
        self._kind = "hybrid"
        self._shown = ""
        self._found: ItemModel[SearchHit | SavedSearch] = ItemModel(key=_key, row=self._row)

    def compose(self) -> ComposeResult:
        """The line, the results, the chosen one, the keys."""
        with Vertical(id="find"):
            with Horizontal(id="line"):
                yield Static("Find", id="label")
                yield Chips(id="chips")
                yield QueryLine(
                    self._query,
                    placeholder="words or a question",
                    id="query",
                    suggester=FieldSuggester(self._workspace),
                )
                yield Static("", id="count")
            with Horizontal(id="results"):
                yield VirtualList(
                    self._found,
                    row_height=3,
                    empty=_TEACH,
                    letters=False,
                    icons=self._icons,
                    id="hits",
                )
                yield MarkdownPreview(icons=self._icons, id="look")
            yield Static("", id="said", markup=False)
            yield Hints()

    def on_mount(self) -> None:
        """Begin with what was edited last."""
        self.query_one(VirtualList).can_focus = False
        self.query_one(MarkdownPreview).can_focus = False
        self._show_hints()
        self._look_up()

    # The line

    @property
    def _line(self) -> QueryLine:
        return self.query_one(QueryLine)

    def _whole(self) -> str:
        """The search as one would type it into one line."""
        # A blank at the end says that the last word is whole.
        return " ".join([*self._fields, self._line.value]).lstrip()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look again; a field that is finished becomes a filter."""
        divided = fields.divide(event.value)
        if divided.fields:
            self._fields += [field for field in divided.fields if field not in self._fields]
            self._show_chips()
            with self.prevent(Input.Changed):
                self._line.value = divided.rest
                self._line.cursor_position = len(divided.rest)
        self._look_up()

    def on_query_line_left_edge(self) -> None:
        """Take the last filter away."""
        if self._fields:
            self._take_away(self._fields[-1])

    def on_chips_removed(self, event: Chips.Removed) -> None:
        """Take a filter away."""
        self._take_away(event.value)

    def _take_away(self, field: str) -> None:
        self._fields.remove(field)
        self._show_chips()
        self._look_up()

    def _show_chips(self) -> None:
        most = _NARROW_CHIPS if self.size.width < 100 else _WIDE_CHIPS
        chips = [Chip(field, fields.label(field)) for field in self._fields]
        self.query_one(Chips).show(chips, most)

    def on_resize(self) -> None:
        """Other columns, another room for filters."""
        self._show_chips()
        self._show_hit()

    def on_input_submitted(self) -> None:
        """Open the chosen hit."""
        self._open()

    # The list

    def _row(self, item: SearchHit | SavedSearch) -> Row:
        if isinstance(item, SavedSearch):
            return saved_row(item)
        return hit_row(item, self._workspace.clock())

    def on_virtual_list_selected(self) -> None:
        """A hit was clicked twice."""
        self._open()

    def on_virtual_list_highlighted(self) -> None:
        """Show the hit under the cursor."""
        self._show_hit()
        self._show_hints()

    def action_row(self, what: str, by: int) -> None:
        """Move in the list while the keys go on reaching the line."""
        hits = self.query_one(VirtualList)
        if what == "move":
            hits.action_move(by)
        else:
            hits.action_page(by)

    def _open(self) -> None:
        chosen = self._chosen()
        if isinstance(chosen, SavedSearch):
            self._kind = chosen.kind if chosen.kind in _KINDS else "hybrid"
            # With a blank behind it every field is finished.
            self._line.value = f"{chosen.query} "
            self._line.cursor_position = len(self._line.value)
            self._show_hints()
        elif chosen is not None:
            self.dismiss(Found(chosen.thought.id, chosen.line))

    def _chosen(self) -> SearchHit | SavedSearch | None:
        if not self._found.count():
            return None
        return self._found.items[self.query_one(VirtualList).cursor]

    # Looking

    @work(thread=True, exclusive=True, group="find", exit_on_error=False)
    def _look_up(self) -> None:
        worker = get_current_worker()
        query, kind = self._whole(), self._kind
        try:
            if not query.strip():
                recent = self._workspace.thoughts(Filter(), order="updated", limit=_RECENT)
                hits = tuple(SearchHit(thought, 0.0, "", 0) for thought in recent)
                saved = self._workspace.saved_searches.all()
                self._hand_on(SearchResults("", hits, len(hits)), saved)
                return
            for results in self._answers(query, kind, lambda: worker.is_cancelled):
                if worker.is_cancelled:
                    return
                self._hand_on(results)
        except AimemError as error:
            self.app.call_from_thread(
                self.notify, str(error), severity="error", timeout=10, markup=False
            )

    def _answers(
        self, query: str, kind: str, is_over: Callable[[], bool]
    ) -> Iterator[SearchResults]:
        """What is found by words, at once; after a pause also by meaning, as it is wanted."""
        for step in dict.fromkeys((kind,) if kind == "semantic" else ("fulltext", kind)):
            if step != "fulltext":
                time.sleep(_PAUSE_S)
            if is_over():
                return
            yield self._workspace.search(query, kind=step, limit=_LIMIT, as_you_type=True)

    def _hand_on(self, results: SearchResults, saved: list[SavedSearch] | None = None) -> None:
        self.app.call_from_thread(self._show, results, saved or [])

    def _show(self, results: SearchResults, saved: list[SavedSearch]) -> None:
        if not self.is_attached:
            return
        hits = self.query_one(VirtualList)
        at_top = hits.cursor == 0 or results.query != self._shown
        self._shown = results.query
        self._found.replace([*saved, *results.hits])
        hits.empty = "Nothing here is about this." if results.query.strip() else _TEACH
        hits.model_changed()
        if at_top:
            hits.action_first()
        self.query_one("#count", Static).update(_counted(results))
        self._say(results)
        self._show_hit()
        self._show_hints()

    def _say(self, results: SearchResults) -> None:
        said = results.said
        if results.unindexed and results.kind != "fulltext":
            total = self._workspace.count()
            said = f"{results.unindexed:,} of {total:,} not yet indexed by meaning. {said}"
        line = self.query_one("#said", Static)
        line.update(said.strip())
        line.display = bool(said.strip())

    def _show_hit(self) -> None:
        look = self.query_one(MarkdownPreview)
        if not look.display or self.size.width < 120:
            return
        hit = self._chosen()
        try:
            found = isinstance(hit, SearchHit)
            text = self._workspace.text(hit.thought.id) if isinstance(hit, SearchHit) else ""
        except AimemError:
            found, text = False, ""
        look.load(text)
        if found and isinstance(hit, SearchHit):
            look.scroll_to_line(hit.line, 2)

    # Kinds of search, and searches kept

    def action_next_kind(self) -> None:
        """Look by words and meaning, by words, by meaning."""
        kinds = [*_KINDS]
        self._kind = kinds[(kinds.index(self._kind) + 1) % len(kinds)]
        self._show_hints()
        self._look_up()

    def action_save(self) -> None:
        """Keep this search under a name."""
        if self._whole().strip():
            self.run_worker(self._save())
        else:
            self.notify("There is nothing to keep yet: type a search first.")

    async def _save(self) -> None:
        from aimem_tui.screens.prompt import Ask

        query = self._whole().strip()
        name = await self.app.push_screen_wait(
            Ask("Keep this search", detail=f"{query}\nIts name:", check=_name_problem)
        )
        if name is None:
            return
        try:
            self._workspace.saved_searches.save(SavedSearch(name.strip(), query, self._kind))
        except AimemError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.notify(
            f"Kept as {name.strip()}. It stands first when the line is empty.", markup=False
        )

    def action_remove(self) -> None:
        """Forget the kept search under the cursor."""
        chosen = self._chosen()
        if not isinstance(chosen, SavedSearch):
            return
        try:
            self._workspace.saved_searches.remove(chosen.name)
        except AimemError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.notify(f"{chosen.name} is not kept any more.", markup=False)
        self._look_up()

    def _show_hints(self) -> None:
        is_saved = isinstance(self._chosen(), SavedSearch)
        hints = [
            Hint("↑↓", "choose"),
            Hint("enter", "use" if is_saved else "open"),
            Hint("tab", _KINDS[self._kind], "next_kind"),
        ]
        if is_saved:
            hints.append(Hint("F8", "forget", "remove"))
        elif self._whole().strip():
            hints.append(Hint("^S", "keep", "save"))
        hints.append(Hint("esc", "close", "dismiss(None)"))
        self.query_one(Hints).show(hints)


class FieldSuggester(Suggester):
    """Goes on with the value of the field that is being typed; the right arrow takes it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._workspace = workspace

    async def get_suggestion(self, value: str) -> str | None:
        """The line with the field's first value that begins so."""
        typed = fields.being_typed(value)
        if typed is None:
            return None
        field, beginning = typed
        try:
            candidates = self._values(field, beginning)
        except AimemError:
            return None
        longer = next((one for one in candidates if one != beginning and " " not in one), None)
        return None if longer is None else value.removesuffix(beginning) + longer

    def _values(self, field: str, beginning: str) -> list[str]:
        if field == "tag":
            return self._workspace.tags(beginning, limit=2)
        if field == "path":
            parent, _, start = beginning.rpartition("/")
            inside = self._workspace.folders(parent)
            return [f"{folder.path}/" for folder in inside if folder.name.startswith(start)]
        return fields.known_values(field, beginning)


def _key(item: SearchHit | SavedSearch) -> tuple[str, str]:
    if isinstance(item, SavedSearch):
        return ("saved", item.name)
    return ("thought", item.thought.id)


def _counted(results: SearchResults) -> str:
    if not results.query.strip():
        return "edited last"
    if results.total >= 1_000:
        return "1,000 or more"
    return words.count(results.total, "thought")


def _name_problem(name: str) -> str:
    return "" if name.strip() else "A name has at least one letter."
