"""Putting thoughts in order: what is proposed, each with the thought it is about beside it.

Nothing is done by itself: a proposal is accepted, said differently, or dismissed for good. What was
accepted last can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import get_current_worker

from aimem_tui import words
from aimem_tui.errors import AimemError
from aimem_tui.model import Filter, Thought
from aimem_tui.organize.suggestion import Suggestion, SuggestionKind
from aimem_tui.screens.prompt import Ask
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.preview import MarkdownPreview
from aimem_tui.widgets.rows import ItemModel, Row, Span
from aimem_tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from aimem_tui.organize.organizer import Listing
    from aimem_tui.workspace.ordering import Accepted, Ordering
    from aimem_tui.workspace.workspace import Workspace

_LIMIT = 50
"""Proposals of each kind."""
_LOOKING = "Looking the thoughts over."
_NOTHING = "Nothing to put in order here."
_KINDS = {
    SuggestionKind.DUPLICATE: "two alike",
    SuggestionKind.LINK: "broken link",
    SuggestionKind.STALE: "left alone",
    SuggestionKind.TAGS: "tags",
    SuggestionKind.TITLE: "title",
    SuggestionKind.SUMMARY: "summary",
}


class OrganizeScreen(ModalScreen[str | None]):
    """The proposals. Ends with the id of a thought to open, or None.

    Args:
        thought: the open thought: what is proposed for it alone can be asked for.
    """

    CSS_PATH = "organize.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("a", "accept", "Accept"),
        Binding("e", "edit", "Say it differently"),
        Binding("d,delete", "dismiss_it", "Dismiss"),
        Binding("o", "open", "Open the thought"),
        Binding("u", "undo", "Take back"),
        Binding("tab", "next_kind", "Next kind", priority=True),
        Binding("t", "only_this", "Only the open thought"),
    ]

    def __init__(
        self, workspace: Workspace, ordering: Ordering, icons: Icons, thought: Thought | None = None
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._ordering = ordering
        self._icons = icons
        self._thought = thought
        self._only_this = False
        self._kind: SuggestionKind | None = None
        self._all: list[Suggestion] = []
        self._said: tuple[str, ...] = ()
        self._last: Accepted | None = None
        self._paths: dict[str, str] = {}
        self._proposals: ItemModel[Suggestion] = ItemModel(
            key=lambda proposal: proposal.id, row=self._row
        )

    def compose(self) -> ComposeResult:
        """The list, what it is about, the keys."""
        with Vertical():
            yield Static("", id="title", markup=False)
            with Horizontal():
                yield VirtualList(
                    self._proposals,
                    row_height=3,
                    empty=_LOOKING,
                    letters=False,
                    icons=self._icons,
                    id="proposals",
                )
                yield MarkdownPreview(icons=self._icons, id="look")
            yield Static("", id="said", markup=False)
            yield Hints()

    def on_mount(self) -> None:
        """Look the thoughts over; that may take a moment."""
        self.query_one("#proposals").focus()
        self._look_over()

    # Looking

    @work(thread=True, exclusive=True, group="organize", exit_on_error=False)
    def _look_over(self) -> None:
        worker = get_current_worker()
        try:
            listing = self._listing(lambda: worker.is_cancelled)
            thoughts = {each.thought for each in listing.suggestions}
            thoughts |= {each.other for each in listing.suggestions if each.other}
            paths = {thought: self._workspace.by_id(thought).path for thought in thoughts}
        except AimemError as error:
            self.app.call_from_thread(self._complain, error)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take, listing, paths)

    def _listing(self, stop: Callable[[], bool]) -> Listing:
        only = self._thought if self._only_this else None
        wanted = None if only is None else Filter(path=only.path)
        listing = self._ordering.suggestions((), wanted, limit=_LIMIT, stop=stop)
        if only is None or any(each.kind is SuggestionKind.TAGS for each in listing.suggestions):
            return listing
        # Here also for a thought that has tags already.
        tags = self._ordering.suggest_tags(only.id).suggestions
        return listing._replace(suggestions=(*listing.suggestions, *tags))

    def _take(self, listing: Listing, paths: dict[str, str]) -> None:
        if not self.is_attached:
            return
        self._all = list(listing.suggestions)
        self._said = listing.said
        self._paths = paths
        self._show()

    def _show(self) -> None:
        chosen = [each for each in self._all if self._kind in (None, each.kind)]
        self._proposals.replace(chosen)
        proposals = self.query_one("#proposals", VirtualList)
        proposals.empty = _NOTHING
        proposals.model_changed()
        what = "everything" if self._kind is None else _KINDS[self._kind]
        where = self._thought.path if self._thought is not None and self._only_this else ""
        title = f"Put in order   {words.count(len(chosen), 'proposal')}   {what}"
        self.query_one("#title", Static).update(f"{title}   {where}".rstrip())
        said = self.query_one("#said", Static)
        said.update(" ".join(self._said))
        said.display = bool(self._said)
        self._show_chosen()

    def on_virtual_list_highlighted(self) -> None:
        """Show the thought the proposal is about."""
        self._show_chosen()

    def on_virtual_list_selected(self) -> None:
        """Enter looks closer: at both of two that are alike, at the thought otherwise."""
        self.action_look_closer()

    def _show_chosen(self) -> None:
        proposal = self._chosen()
        look = self.query_one(MarkdownPreview)
        try:
            text = "" if proposal is None else self._workspace.text(proposal.thought)
        except AimemError:
            text = ""
        look.load(text)
        self._show_hints()

    def _show_hints(self) -> None:
        proposal = self._chosen()
        hints = []
        if proposal is not None:
            is_pair = proposal.kind is SuggestionKind.DUPLICATE
            if is_pair:
                hints.append(Hint("enter", "compare", "look_closer"))
            elif proposal.proposal:
                hints.append(Hint("a", "accept", "accept"))
            if not is_pair:
                hints.append(Hint("e", "say it differently", "edit"))
            hints += [Hint("d", "dismiss", "dismiss_it"), Hint("o", "open", "open")]
        if self._last is not None:
            hints.append(Hint("u", "take back", "undo"))
        hints.append(Hint("tab", "next kind", "next_kind"))
        if self._thought is not None:
            hints.append(Hint("t", "all" if self._only_this else "this one only", "only_this"))
        hints.append(Hint("esc", "close", "dismiss(None)"))
        self.query_one(Hints).show(hints)

    def _chosen(self) -> Suggestion | None:
        if not self._proposals.count():
            return None
        return self._proposals.items[self.query_one("#proposals", VirtualList).cursor]

    def _row(self, proposal: Suggestion) -> Row:
        path = self._paths.get(proposal.thought, "").removesuffix(".md")
        other = self._paths.get(proposal.other, "").removesuffix(".md")
        return Row(
            (
                (Span(in_words(proposal, other), "strong"),),
                (Span(path, "accent"),),
                (Span(proposal.why, "muted"),),
            ),
            (Span(_KINDS[proposal.kind], "muted"),),
            indent=1,
        )

    # Deciding

    def action_accept(self) -> None:
        """Do what is proposed; for two that are alike, look at both first."""
        proposal = self._chosen()
        if proposal is None:
            return
        if proposal.kind is SuggestionKind.DUPLICATE:
            self.action_look_closer()
        elif not proposal.proposal:
            self.action_edit()
        else:
            self._accept(proposal)

    def _accept(self, proposal: Suggestion) -> None:
        try:
            accepted = self._ordering.accept(proposal)
        except AimemError as error:
            self._complain(error)
            return
        self._last = accepted
        self._drop(proposal)
        said = f"{accepted.thought.path} is changed."
        if accepted.other is not None:
            said = f"{accepted.thought.path} has both; {accepted.other.path} is in the trash."
            if accepted.left_out:
                said += f" Left out: {'; '.join(accepted.left_out)}."
        self.notify(f"{said} u takes it back.", timeout=8, markup=False)

    def action_edit(self) -> None:
        """Say it differently, and do that."""
        proposal = self._chosen()
        if proposal is None or proposal.kind is SuggestionKind.DUPLICATE:
            return
        several = proposal.kind is SuggestionKind.TAGS

        def said(answer: str | None) -> None:
            if answer is None:
                return
            values = answer.replace(",", " ").split() if several else [answer]
            try:
                edited = self._ordering.edited(proposal, values)
            except AimemError as error:
                self._complain(error)
                return
            self._accept(edited)
            self._drop(proposal)

        detail = "Tags, with blanks between them." if several else proposal.why
        value = (" " if several else "").join(proposal.proposal)
        self.app.push_screen(
            Ask(_KINDS[proposal.kind].capitalize(), value=value, detail=detail), said
        )

    def action_dismiss_it(self) -> None:
        """Never make this proposal again."""
        proposal = self._chosen()
        if proposal is None:
            return
        try:
            self._ordering.dismiss(proposal)
        except AimemError as error:
            self._complain(error)
            return
        self._drop(proposal)

    def action_undo(self) -> None:
        """Take back what was accepted last."""
        accepted, self._last = self._last, None
        if accepted is None:
            return
        try:
            if accepted.undo:
                self._workspace.restore_revision(accepted.thought.id, accepted.undo)
            if accepted.other is not None:
                self._workspace.restore(accepted.other.id)
        except AimemError as error:
            self._complain(error)
            return
        self.notify(f"{accepted.thought.path} is as it was.", markup=False)
        self._look_over()

    def action_look_closer(self) -> None:
        """Two that are alike, side by side; otherwise the thought."""
        proposal = self._chosen()
        if proposal is None:
            return
        if proposal.kind is not SuggestionKind.DUPLICATE:
            self.action_open()
            return
        from aimem_tui.screens.compare import CompareScreen, Verdict

        def decided(verdict: Verdict | None) -> None:
            if verdict is None:
                return
            if verdict.merge:
                try:
                    kept = self._workspace.by_id(verdict.kept).path
                    chosen = self._ordering.edited(proposal, [kept])
                except AimemError as error:
                    self._complain(error)
                    return
                self._accept(chosen)
                self._drop(proposal)
            else:
                self.action_dismiss_it()

        self.app.push_screen(
            CompareScreen(
                self._workspace, self._ordering, self._icons, proposal.thought, proposal.other
            ),
            decided,
        )

    def action_open(self) -> None:
        """Go to the thought."""
        proposal = self._chosen()
        if proposal is not None:
            self.dismiss(proposal.thought)

    def action_next_kind(self) -> None:
        """Only the next kind of proposals that there is; after the last, all again."""
        there = [kind for kind in _KINDS if any(each.kind is kind for each in self._all)]
        order: list[SuggestionKind | None] = [None, *there]
        at = order.index(self._kind) if self._kind in order else 0
        self._kind = order[(at + 1) % len(order)]
        self._show()

    def action_only_this(self) -> None:
        """Only what is proposed for the open thought, or everything."""
        if self._thought is None:
            return
        self._only_this = not self._only_this
        self._kind = None
        self._proposals.replace([])
        proposals = self.query_one("#proposals", VirtualList)
        proposals.empty = _LOOKING
        proposals.model_changed()
        self._look_over()

    def _drop(self, proposal: Suggestion) -> None:
        self._all = [each for each in self._all if each.id != proposal.id]
        self._show()

    def _complain(self, error: AimemError) -> None:
        self.notify(str(error), severity="error", timeout=10, markup=False)


def in_words(proposal: Suggestion, other: str) -> str:
    """What accepting a proposal would do.

    Args:
        other: the path of the second thought, where there is one.
    """
    value = proposal.proposal[0] if proposal.proposal else ""
    match proposal.kind:
        case SuggestionKind.TAGS:
            return f"Tags: {', '.join(proposal.proposal)}"
        case SuggestionKind.DUPLICATE:
            return f"Much like {other}"
        case SuggestionKind.TITLE:
            return f"Title: {value}"
        case SuggestionKind.SUMMARY:
            return f"Summary: {value}"
        case SuggestionKind.STALE:
            return f"Status: {value}"
        case SuggestionKind.LINK:
            return f"{proposal.subject} leads to {value or 'nothing known'}"
