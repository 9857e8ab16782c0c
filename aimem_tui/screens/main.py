"""The main screen: thoughts on the left, the open one in the middle, what it is about on the right.

It lays out the panes, routes keys and messages, and owns nothing else: the page owns the open
thought, the tree its rows, the app the workspace. Under 100 columns one pane is shown at a time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from aimem_tui import actions, words
from aimem_tui.errors import AimemError
from aimem_tui.model import Filter, Thought
from aimem_tui.screens.company import Company
from aimem_tui.screens.errands import Errands
from aimem_tui.screens.indexed import Indexed
from aimem_tui.screens.page import Page, View
from aimem_tui.screens.standing import SAVING_MS, Words
from aimem_tui.screens.ways import Ways
from aimem_tui.widgets.header import Header, Place
from aimem_tui.widgets.hints import Hint, Hints
from aimem_tui.widgets.icons import Icons
from aimem_tui.widgets.thought_tree import ThoughtTree
from aimem_tui.widgets.tree_model import Place as TreePlace
from aimem_tui.widgets.tree_model import TreeModel
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from textual.timer import Timer

    from aimem_tui.model import Description
    from aimem_tui.store.watcher import News
    from aimem_tui.ui_state import UiState
    from aimem_tui.widgets.about import About, AboutLine
    from aimem_tui.workspace.background import Background
    from aimem_tui.workspace.indexing import Indexing

NARROW, WIDE, SPLIT, HUGE = 100, 120, 140, 180
"""Columns from which two panes, three panes, writing beside reading, and wide panes fit."""

_EMPTY_TREE = """No thoughts yet.

^N  write the first one
F6  import a folder
^P  all commands"""

_BEGIN_S = 0.03
_AGE_S = 20
_SOON_S = 0.3
"""After this time it is said again how safe the text is, if that will have changed."""
_RELATED_S = 1.0
"""How long a thought is open before it is looked up what is near it."""
_RELATED_FROM = 0.5
"""The cosine from which on a thought is near."""
_MOST_RELATED = 5
_TREE_HINTS = ("find", "new", "move", "trash", "toggle_about", "commands", "help")
_NARROW_TREE_HINTS = ("find", "new", "move", "trash", "commands", "help")
_NARROW_PAGE_HINTS = ("toggle_tree", "find", "view", "commands", "help")
_PAGE_HINTS = ("find", "jump", "view", "history", "toggle_task", "commands", "help")


class MainScreen(Screen[None]):
    """The main screen.

    Args:
        workspace: the open workspace.
        model: the tree's rows, read already as far as the first frame needs them.
        state: what is remembered; kept up to date here, saved by the app.
        icons: signs to draw with.
        sync: begun here once the first frame is there; ended by the app.
    """

    # Classes for widths are set where panes are arranged: for Textual's, all styles are worked out
    # once more before the first frame.
    HORIZONTAL_BREAKPOINTS = []  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        *actions.bindings(),
        Binding("shift+f8", "undo_trash", "Take back what was thrown away last", show=False),
        Binding("ctrl+s", "save", "Save", show=False, priority=True),
        Binding("escape", "leave", "Back to the list", show=False),
    ]

    class NewsArrived(Message):
        """Something happened in the workspace's file. Posted from the watcher's thread."""

        def __init__(self, news: News) -> None:
            super().__init__()
            self.news = news

    class TroubleArose(Message):
        """Edits cannot be written, or (empty) can again. Posted from the writer's thread."""

        def __init__(self, trouble: str) -> None:
            super().__init__()
            self.trouble = trouble

    class SyncMoved(Message):
        """There is news of syncing. Posted from its thread."""

    class IndexMoved(Message):
        """There is news of indexing. Posted from its thread."""

        def __init__(self, indexing: Indexing) -> None:
            super().__init__()
            self.indexing = indexing

    class AboutRead(Message):
        """What the right pane says was read."""

        def __init__(self, thought: str, content: list[AboutLine]) -> None:
            super().__init__()
            self.thought = thought
            self.content = content

    class RelatedRead(Message):
        """The thoughts that are near one in meaning were looked up."""

        def __init__(self, thought: str, near: list[Thought]) -> None:
            super().__init__()
            self.thought = thought
            self.near = near

    class PlacesCounted(Message):
        """How many thoughts there are, and how many in the trash."""

        def __init__(self, thoughts: int, trashed: int) -> None:
            super().__init__()
            self.thoughts = thoughts
            self.trashed = trashed

    def __init__(
        self,
        workspace: Workspace,
        model: TreeModel,
        state: UiState,
        icons: Icons,
        sync: Background,
    ) -> None:
        super().__init__()
        self._icons = icons
        self._workspace = workspace
        self._model = model
        self._state = state
        self._about: About | None = None
        self._pane = "tree"
        self._description: Description | None = None
        self._related: tuple[str, list[Thought]] = ("", [])
        self._ways = Ways(self)
        self._errands = Errands(self)
        self._sync = sync
        self._company = Company(self, sync)
        model.badges = self._company.badges
        model.folder_badges = self._company.folder_badges
        self._indexed = Indexed(self)
        self._trouble = ""
        self._edited_at: int | None = None
        self._look_again: Timer | None = None

    def compose(self) -> ComposeResult:
        """Top line, two panes, bottom line: what the first frame shows."""
        yield Header()
        yield ThoughtTree(self._workspace, self._model, empty=_EMPTY_TREE, id="tree")
        yield Page(self._workspace, self._icons, id="page")
        yield Hints()

    # Parts

    @property
    def workspace(self) -> Workspace:
        """The open workspace."""
        return self._workspace

    @property
    def icons(self) -> Icons:
        """Signs to draw with."""
        return self._icons

    @property
    def thoughts(self) -> ThoughtTree:
        """The left pane."""
        return self.query_one("#tree", ThoughtTree)

    @property
    def page(self) -> Page:
        """The middle."""
        return self.query_one("#page", Page)

    @property
    def about(self) -> About:
        """The right pane."""
        return self._about or self._mount_about()

    # Life

    def on_mount(self) -> None:
        """Arrange; everything that can wait, waits for the first frame."""
        self._arrange()
        self.query_one(Header).place = Place(self._workspace.name)
        self.thoughts.focus()
        # The frame is written by a thread; what begins at once would keep it from doing so.
        self.call_after_refresh(self.set_timer, _BEGIN_S, self._begin)

    def _begin(self) -> None:
        self._workspace.watch(
            self._on_news, lambda trouble: self.post_message(self.TroubleArose(trouble))
        )
        # What was written since the first frame was read is no news to the watcher.
        self._model.reload()
        if self._about is None:
            self._mount_about()
        self.set_interval(_AGE_S, self._say_state)
        self._count_places()
        self._company.begin()
        if self._state.thought:
            self._reopen(self._state.thought, self._state.line)

    def _mount_about(self) -> About:
        """Make the right pane: nothing is in it yet, so the first frame looks the same without."""
        from aimem_tui.widgets.about import About

        self._about = About(self._icons, id="about")
        self.mount(self._about, after=self.page)
        self._arrange()
        return self._about

    def _reopen(self, thought: str, line: int) -> None:
        try:
            found = self._workspace.by_id(thought)
        except AimemError:
            return
        if found.trashed_at is None:
            self.page.view = View(self._state.view)
            self.page.open(found, line=line)
            self.thoughts.reveal(found.path)

    def remember(self) -> None:
        """Put into the state what the next start should find."""
        thought = self.page.thought
        self._state.thought = thought.id if thought is not None else ""
        self._state.line = self.page.line
        self._state.opened = tuple(sorted(self._model.opened))
        self._state.view = self.page.view.value

    # Layout

    def on_resize(self) -> None:
        """Other columns, other panes."""
        self._arrange()

    def _arrange(self) -> None:
        width = self.size.width
        self.set_class(width < NARROW, "-narrow")
        self.set_class(width >= HUGE, "-huge")
        one = width < NARROW
        self.thoughts.display = self._pane == "tree" if one else self._state.tree
        self.page.display = self._pane == "page" if one else True
        if self._about is not None:
            fits = self._state.about and width >= WIDE
            self._about.display = self._pane == "about" if one else fits
        if width < SPLIT and self.page.view is View.SPLIT:
            self.page.view = View.PREVIEW
        self._show_hints()

    def show_pane(self, pane: str) -> None:
        """Bring a pane to the front, where only one fits, and the focus to it."""
        self._pane = pane
        if pane == "tree":
            self._state.tree = True
        elif pane == "about":
            self._state.about = True
        self._arrange()
        if pane == "page":
            self.page.focus_text()
        else:
            shown = self.about if pane == "about" else self.thoughts
            if shown.display:
                shown.focus()

    def on_descendant_focus(self) -> None:
        """Other places, other keys."""
        self._show_hints()

    def _show_hints(self) -> None:
        on_page = self.page.has_focus_within
        names: tuple[str, ...] = _PAGE_HINTS if on_page else _TREE_HINTS
        if self.size.width < NARROW:
            names = _NARROW_TREE_HINTS if self._pane == "tree" else _NARROW_PAGE_HINTS
        hints = []
        for name in dict.fromkeys(names):
            action = actions.BY_NAME[name]
            label = action.hint
            if name == "view":
                label = "write" if self.page.view is View.PREVIEW else "preview"
            hints.append(Hint(action.shown, label, name))
        self.query_one(Hints).show(hints)

    # What is said

    def _say_state(self) -> None:
        thought = self.page.thought
        now = self._workspace.clock()
        at = None if thought is None else max(thought.updated_at, self._edited_at or 0)
        standing = self._company.standing
        said = standing.in_words(self._workspace.writer_state(), at, now)
        if self._trouble:
            said = Words(self._trouble, self._trouble, said.trouble)
        if self._look_again is None and standing.restless(now):
            self._look_again = self.set_timer(_SOON_S, self._say_again)
        self.query_one(Header).place = Place(
            self._workspace.name,
            thought.path if thought is not None else "",
            said.said,
            said.brief,
            said.trouble,
            self._company.here,
        )

    def standing_changed(self) -> None:
        """How safe the text is, or who is here, is another by now."""
        self._say_state()

    def on_main_screen_sync_moved(self) -> None:
        """Show how syncing stands."""
        self._company.news()

    def on_main_screen_index_moved(self, message: IndexMoved) -> None:
        """Show how far indexing is."""
        self._indexed.news(message.indexing)

    def indexing_changed(self) -> None:
        """What is to be said of indexing is something else by now."""
        self._say_place()

    def on_main_screen_trouble_arose(self, message: TroubleArose) -> None:
        """Say once that something is wrong; the top line goes on saying it."""
        trouble = message.trouble
        if trouble and not self._trouble:
            self.notify(trouble, title="Not saved", severity="error", timeout=15, markup=False)
        self._trouble = trouble
        self._say_state()

    def _say_place(self) -> None:
        hints = self.query_one(Hints)
        indexed = self._indexed.said
        said = [indexed.brief if self.size.width < NARROW else indexed.whole]
        if self.page.thought is not None:
            said.append(f"ln {self.page.line + 1}")
            if self._description is not None:
                said.append(words.count(self._description.words, "word"))
        hints.note = " · ".join(filter(None, said))

    # News

    def _on_news(self, news: News) -> None:
        """Called in the watcher's thread."""
        self.post_message(self.NewsArrived(news))
        if news.records:
            self._company.written()

    def on_main_screen_news_arrived(self, message: NewsArrived) -> None:
        """Show what was written, here or by another program."""
        news = message.news
        self.page.receive(news.records)
        open_thought = self.page.thought
        for record in news.records:
            if open_thought is not None and record.entry.thought == open_thought.id:
                self._edited_at = max(self._edited_at or 0, record.entry.at)
        if news.reload:
            self._model.reload()
        for change in news.changes:
            thought = self.find_thought(change.thought)
            self._model.apply(change.thought, change.old_path, thought if change.new_path else None)
            if open_thought is not None and change.thought == open_thought.id:
                self._open_thought_changed(thought)
                if change.new_path and change.new_path != change.old_path:
                    self.thoughts.reveal(change.new_path)
        if news.changes or news.reload:
            self.thoughts.model_changed()
            self._count_places()
        self._say_state()

    def find_thought(self, thought: str) -> Thought | None:
        """The thought with an id, if there is one."""
        try:
            return self._workspace.by_id(thought)
        except AimemError:
            return None

    def _open_thought_changed(self, thought: Thought | None) -> None:
        before = self.page.thought
        if thought is None or thought.trashed_at is not None:
            self.page.close()
            self._company.moved()
            self._description = None
            self.about.show([])
            if before is not None and self._errands.thrown != before.id:
                self.notify(f"{before.path} was moved to the trash.", markup=False)
            self.show_pane("tree")
        elif before is not None and thought.path != before.path:
            self.page.renamed(thought)
        elif before is not None:
            self.page.renamed(thought) if thought.title != before.title else None
        self._say_state()

    @work(thread=True, exclusive=True, group="places", exit_on_error=False)
    def _count_places(self) -> None:
        self.post_message(
            self.PlacesCounted(self._workspace.count(), self._workspace.count(Filter(trashed=True)))
        )

    def on_main_screen_places_counted(self, message: PlacesCounted) -> None:
        """Show the counts beside the places above the folders."""
        self._model.places = (
            TreePlace("recent", "Recent"),
            TreePlace("trash", "Trash", message.trashed or None),
        )
        self.thoughts.model_changed()

    # The open thought

    def open_thought(self, thought: str, *, line: int | None = None, visit: bool = True) -> None:
        """Open a thought and go to it."""
        try:
            found = self._workspace.by_id(thought)
            before = self.page.thought
            self.page.open(found, line=line)
        except AimemError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if visit and before is not None and before.id != found.id:
            self._ways.left(before.id)
        if found.trashed_at is None:
            self.thoughts.reveal(found.path)
        self.show_pane("page")

    def on_page_opened(self) -> None:
        """Another thought is open."""
        self._edited_at = None
        self._say_state()
        self._say_place()
        self._company.moved()
        if self.page.thought is not None:
            self._read_related(self.page.thought)

    def on_page_described(self, message: Page.Described) -> None:
        """What is derived from the text is known anew."""
        self._description = message.description
        self._say_place()
        if self.page.thought is not None:
            self._read_about(self.page.thought, message.description)

    @work(thread=True, exclusive=True, group="about", exit_on_error=False)
    def _read_about(self, thought: Thought, description: Description) -> None:
        from aimem_tui.widgets import about

        worker = get_current_worker()
        of, related = self._related
        try:
            linked = self._workspace.linked_from(thought)
            activity = self._workspace.activity(thought.id)
        except AimemError:
            return
        near = [one for one in related if of == thought.id and one not in linked]
        content = about.lines(description, linked, near, activity, self._workspace.clock())
        if not worker.is_cancelled:
            self.post_message(self.AboutRead(thought.id, content))

    def on_main_screen_about_read(self, message: AboutRead) -> None:
        """Show the right pane's content, if it is still about the open thought."""
        if self.page.thought is not None and self.page.thought.id == message.thought:
            self.about.show(message.content)

    @work(thread=True, exclusive=True, group="related", exit_on_error=False)
    def _read_related(self, thought: Thought) -> None:
        """What is near in meaning is looked up once a thought has been open for a moment."""
        worker = get_current_worker()
        time.sleep(_RELATED_S)
        if worker.is_cancelled:
            return
        try:
            found = self._workspace.related(thought.id, _MOST_RELATED)
        except AimemError:
            return
        near = [one.thought for one in found if (one.cosine or 0.0) >= _RELATED_FROM]
        self.post_message(self.RelatedRead(thought.id, near))

    def on_main_screen_related_read(self, message: RelatedRead) -> None:
        """Show what is near, if it is near the open thought."""
        thought = self.page.thought
        self._related = (message.thought, message.near)
        if thought is not None and thought.id == message.thought and self._description is not None:
            self._read_about(thought, self._description)

    def on_page_edited(self) -> None:
        """Somebody writes here."""
        self._edited_at = self._workspace.clock()
        self._company.standing.edited(self._edited_at)
        self._company.moved()
        self._say_state()
        if self._look_again is None:
            self._look_again = self.set_timer(2 * SAVING_MS / 1000, self._say_again)

    def _say_again(self) -> None:
        self._look_again = None
        self._say_state()

    def on_page_moved(self) -> None:
        """The caret moved."""
        self._say_place()
        self._company.moved()

    def on_about_heading_chosen(self, message: About.HeadingChosen) -> None:
        """Go to a heading."""
        self.page.go_to_line(message.line)
        self.show_pane("page")

    def on_about_thought_chosen(self, message: About.ThoughtChosen) -> None:
        """Go to a thought that refers to this one."""
        self.open_thought(message.thought)

    def on_markdown_preview_link_activated(self, message: Message) -> None:
        """Follow a link between thoughts."""
        self._ways.follow(str(getattr(message, "target", "")).split("#")[0])

    # The tree

    def on_thought_tree_thought_selected(self, message: ThoughtTree.ThoughtSelected) -> None:
        """Open what was chosen."""
        self.open_thought(message.id)

    def on_thought_tree_place_selected(self, message: ThoughtTree.PlaceSelected) -> None:
        """Open a place above the folders."""
        if message.name == "trash":
            self._ways.trash()
        else:
            self._ways.find()

    def on_virtual_list_selected(self, message: VirtualList.Selected) -> None:
        """The tree says more precisely what was chosen."""
        message.stop()

    # Actions: moving about

    def action_find(self) -> None:
        """Find."""
        self._ways.find()

    def action_jump(self) -> None:
        """Jump to a pane, a heading, a person, a neighbour."""
        self._ways.jump(self._description, self._company.whereabouts())

    def action_commands(self) -> None:
        """The palette."""
        self._ways.commands()

    def action_back(self) -> None:
        """Back to the thought before."""
        self._ways.back()

    def action_forward(self) -> None:
        """Forward again."""
        self._ways.forward()

    def action_leave(self) -> None:
        """Back to the list."""
        self.show_pane("tree")

    def action_toggle_tree(self) -> None:
        """Show or hide the thoughts."""
        if self.size.width < NARROW:
            self.show_pane("page" if self._pane == "tree" and self.page.thought else "tree")
            return
        if self._state.tree and self.thoughts.has_focus:
            self.page.focus_text()
        self._state.tree = not self._state.tree
        self._arrange()
        if self._state.tree:
            self.thoughts.focus()

    def action_toggle_about(self) -> None:
        """Show or hide what the thought is about."""
        if self.size.width < WIDE:
            if self.size.width < NARROW:
                self.show_pane("page" if self._pane == "about" else "about")
            else:
                self.notify("The terminal is too narrow for a third pane: it needs 120 columns.")
            return
        self._state.about = not self._state.about
        self._arrange()

    # Actions: the open thought

    def action_view(self) -> None:
        """Write, read, or both."""
        order = [View.EDIT, View.PREVIEW]
        if self.size.width >= SPLIT:
            order.append(View.SPLIT)
        at = order.index(self.page.view) if self.page.view in order else 0
        self.page.view = order[(at + 1) % len(order)]
        self._company.moved()
        self._show_hints()

    def action_toggle_task(self) -> None:
        """Tick or untick the task in the caret's line."""
        self.page.toggle_task()

    def action_save(self) -> None:
        """There is nothing to save; say so to the fingers that know the key."""
        self.notify("Nothing to save: every key you press is kept.")

    def action_sync(self) -> None:
        """How each copy stands; connect and disconnect."""
        from aimem_tui.screens.sync import SyncScreen

        self.app.push_screen(SyncScreen(self._workspace, self._sync, self._company, self._icons))

    def action_help(self) -> None:
        """Help."""
        from aimem_tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self._icons))

    def action_organize(self) -> None:
        """Put thoughts in order."""
        self._errands.organize()

    def action_history(self) -> None:
        """History."""
        self._errands.history()

    def action_new(self) -> None:
        """Write a new thought."""
        self._errands.new()

    def action_move(self) -> None:
        """Move or rename."""
        self._errands.move()

    def action_trash(self) -> None:
        """Move to the trash."""
        self._errands.trash()

    def action_undo_trash(self) -> None:
        """Take back what was thrown away last."""
        self._errands.undo_trash()

    def action_external(self) -> None:
        """Open in the person's own editor."""
        self._errands.edit_outside()
