"""The palette: every action by name, with its key, and thoughts by title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.fuzzy import FuzzySearch
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input
from textual.worker import get_current_worker

from aimem_tui.actions import Action
from aimem_tui.errors import AimemError
from aimem_tui.model import Thought
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import Workspace

_THOUGHTS = 12
_SHORTEST_QUERY = 2


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to choose: an action or a thought."""

    action: Action | None = None
    thought: Thought | None = None

    @property
    def key(self) -> str:
        """What stays the same about it."""
        return self.action.name if self.action is not None else self._thought_id

    @property
    def _thought_id(self) -> str:
        return "" if self.thought is None else self.thought.id


class PaletteScreen(ModalScreen[Offer | None]):
    """Asks what to do or where to go.

    Args:
        offered: the actions that make sense now.
    """

    DEFAULT_CSS = """
    PaletteScreen {
        align: center top;
        background: $background 60%;
        & > Vertical {
            width: 76; max-width: 96%; height: 80%; max-height: 26; margin-top: 2; padding: 1 0;
            background: $panel;
        }
        & Input, & Input:focus {
            border: none; height: 1; margin: 0 2 1 2; padding: 0; background: $panel;
        }
        & VirtualList { height: 1fr; padding: 0 1; background: $panel; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "dismiss(None)", "Close", priority=True),
        Binding("down", "row(1)", priority=True),
        Binding("up", "row(-1)", priority=True),
    ]

    class ThoughtsFound(Message):
        """Thoughts that match were found."""

        def __init__(self, query: str, thoughts: Sequence[Thought]) -> None:
            super().__init__()
            self.query_text = query
            self.thoughts = thoughts

    def __init__(self, workspace: Workspace, offered: Sequence[Action], icons: Icons) -> None:
        super().__init__()
        self._workspace = workspace
        self._offered = offered
        self._fuzzy = FuzzySearch()
        self._icons = icons
        self._offers: ItemModel[Offer] = ItemModel(
            key=lambda offer: offer.key,
            row=_row,
            items=[Offer(action=action) for action in offered],
        )

    def compose(self) -> ComposeResult:
        """The line, the offers, the keys."""
        with Vertical():
            yield Input(placeholder="a command or a thought")
            yield VirtualList(
                self._offers, letters=False, icons=self._icons, empty="Nothing is called that."
            )
            hints = Hints()
            hints.show([Hint("↑↓", "choose"), Hint("enter", "go"), Hint("esc", "close")])
            yield hints

    def on_mount(self) -> None:
        """Keys go to the line."""
        self.query_one(VirtualList).can_focus = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look again."""
        query = event.value.strip()
        self._show(self._actions(query))
        if len(query) >= _SHORTEST_QUERY:
            self._find(query)

    def on_input_submitted(self) -> None:
        """Take what the cursor is on."""
        self._choose()

    def on_virtual_list_selected(self) -> None:
        """Something was clicked twice."""
        self._choose()

    def on_palette_screen_thoughts_found(self, message: ThoughtsFound) -> None:
        """Add the thoughts, unless something else is looked for by now."""
        if message.query_text == self.query_one(Input).value.strip():
            thoughts = [Offer(thought=thought) for thought in message.thoughts]
            self._show([*self._actions(message.query_text), *thoughts], keep=True)

    def action_row(self, by: int) -> None:
        """Move in the list while the keys go on reaching the line."""
        self.query_one(VirtualList).action_move(by)

    def _choose(self) -> None:
        if self._offers.count():
            self.dismiss(self._offers.items[self.query_one(VirtualList).cursor])

    def _actions(self, query: str) -> list[Offer]:
        scored = [(self._fuzzy.match(query, action.title)[0], action) for action in self._offered]
        if query:
            scored = [pair for pair in scored if pair[0] > 0]
            scored.sort(key=lambda pair: -pair[0])
        return [Offer(action=action) for _, action in scored]

    def _show(self, offers: Sequence[Offer], *, keep: bool = False) -> None:
        self._offers.replace(offers)
        listing = self.query_one(VirtualList)
        listing.model_changed()
        if not keep:
            listing.action_first()

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _find(self, query: str) -> None:
        worker = get_current_worker()
        try:
            found = self._workspace.search(
                query, kind="fulltext", limit=_THOUGHTS, as_you_type=True
            )
        except AimemError:
            return
        if not worker.is_cancelled:
            self.post_message(self.ThoughtsFound(query, [hit.thought for hit in found.hits]))


def _row(offer: Offer) -> Row:
    if offer.action is not None:
        return Row(((Span(offer.action.title),),), (Span(offer.action.shown, "accent"),), indent=1)
    assert offer.thought is not None
    folder = offer.thought.path.rpartition("/")[0]
    return Row(((Span(offer.thought.title, "strong"),),), (Span(folder, "muted"),), indent=1)
