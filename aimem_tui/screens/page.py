"""The page: the open thought, to write in and to read.

It owns the open thought's document. Edits go to the document and from there to disk by themselves;
what others write arrives by :meth:`Page.receive`. What is derived from the text (title, tasks,
headings) is worked out in a thread once the writing pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import work
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.worker import get_current_worker

from aimem_tui.errors import AimemError
from aimem_tui.model import Thought
from aimem_tui.widgets.icons import Icons
from aimem_tui.workspace.workspace import Workspace
from crdt.errors import CrdtError

if TYPE_CHECKING:
    from aimem_tui.model import Description
    from aimem_tui.store.log import Record
    from aimem_tui.sync.state import Person
    from aimem_tui.widgets.editor.editor import Editor
    from aimem_tui.widgets.editor.pane import ViewState
    from aimem_tui.widgets.preview import MarkdownPreview
    from aimem_tui.workspace.live import LiveThought

PAUSE_S = 0.15
"""After this pause in writing, what is derived from the text is worked out anew."""

INDEX_S = 0.6
"""After this pause in writing, lists and search are brought up to date."""


class View(Enum):
    """How the open thought is shown."""

    EDIT = "edit"
    PREVIEW = "preview"
    SPLIT = "split"


class Whereabouts(NamedTuple):
    """Where one is, for others."""

    thought: str = ""
    """The id of the open thought; empty for none."""
    anchor: object = None
    head: object = None
    """The selection and the caret as Yjs relative positions in JSON; None while nothing is written
    to."""


class Page(Container):
    """The centre of the main screen."""

    DEFAULT_CSS = """
    Page {
        layout: horizontal;
        background: $background;
        &.empty { padding: 2 4; color: $foreground 60%; }
        & > Editor { width: 1fr; max-width: 100; padding: 1 1 0 2; background: $background; }
        & > MarkdownPreview { width: 1fr; padding: 1 1 0 2; background: $background; }
        &.split > MarkdownPreview { background: $surface; }
    }
    """

    _EMPTY: ClassVar[str] = (
        "Nothing is open.\n\n^K   find a thought\n^N   write a new one\n^P   all commands"
    )

    class Opened(Message):
        """Another thought is open now, or none."""

        def __init__(self, thought: Thought | None) -> None:
            super().__init__()
            self.thought = thought

    class Described(Message):
        """What is derived from the open text is known anew."""

        def __init__(self, thought: str, description: Description) -> None:
            super().__init__()
            self.thought = thought
            self.description = description

    class Edited(Message):
        """The open text was changed here."""

    class Moved(Message):
        """The caret is elsewhere."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    def __init__(self, workspace: Workspace, icons: Icons, *, id: str | None = None) -> None:
        super().__init__(id=id, classes="empty")
        self._workspace = workspace
        self._icons = icons
        self._live: LiveThought | None = None
        self._thought: Thought | None = None
        self._remembered: dict[str, ViewState] = {}
        self._describe_timer: Timer | None = None
        self._index_timer: Timer | None = None
        self._view = View.EDIT
        self._people: Sequence[Person] = ()

    def render(self) -> str:
        """Nothing but a few words while no thought is open; what is open has its own widgets."""
        return self._EMPTY if self._live is None else ""

    # What is open

    @property
    def thought(self) -> Thought | None:
        """The open thought."""
        return self._thought

    @property
    def text(self) -> str:
        """The open text; empty where none is open."""
        return "" if self._live is None else self._live.document.text

    @property
    def line(self) -> int:
        """The line the caret is in, from 0."""
        editor = self._editor
        return 0 if editor is None or self._live is None else editor.cursor_location[0]

    def open(self, thought: Thought, *, line: int | None = None) -> None:
        """Open a thought, at a line or where one was in it last.

        Raises:
            AimemError: if it cannot be read.
        """
        if self._live is not None and self._live.thought == thought.id:
            if line is not None:
                self.go_to_line(line)
            return
        live = self._workspace.open_live(thought.id)
        self.close()
        self._live, self._thought = live, thought
        editor, preview = self._mounted()
        editor.bind(live.document)
        remembered = self._remembered.get(thought.id)
        if line is None and remembered is not None:
            editor.restore_view_state(remembered)
        self._place_people()
        preview.load(live.document.text)
        self.remove_class("empty")
        self._arrange()
        if line is not None:
            self.go_to_line(line)
        self.post_message(self.Opened(thought))
        self._describe_now()

    def close(self) -> None:
        """Close the open thought; what was written is kept all the same."""
        if self._live is None:
            return
        editor = self._editor
        if editor is not None:
            self._remembered[self._live.thought] = editor.view_state
            editor.unbind()
        self._live.close()
        self._index_soon(0.05)
        self._live = self._thought = None
        self.add_class("empty")
        self._arrange()

    def renamed(self, thought: Thought) -> None:
        """The open thought has another path or state now."""
        if self._thought is not None and self._thought.id == thought.id:
            self._thought = thought
            self.post_message(self.Opened(thought))

    def receive(self, records: Sequence[Record]) -> None:
        """Take in what was written to the log, by whomever."""
        try:
            if self._live is not None and self._live.receive(records):
                self._describe_soon()
                self._place_people()
        except CrdtError:
            self.on_editor_refused()

    # Other people

    def show_people(self, people: Sequence[Person]) -> None:
        """Show where these people are in the open text, and nobody else."""
        self._people = people
        self._place_people()

    def whereabouts(self) -> Whereabouts:
        """Where one is oneself."""
        live, editor = self._live, self._editor
        if live is None:
            return Whereabouts()
        if editor is None or self._view is View.PREVIEW:
            return Whereabouts(live.thought)
        try:
            anchor, head = (
                live.document.position_at(offset).to_json() for offset in editor.byte_selection
            )
        except CrdtError:
            # What is shown is just being brought in line with the document.
            return Whereabouts(live.thought)
        return Whereabouts(live.thought, anchor, head)

    def _place_people(self) -> None:
        editor, live = self._editor, self._live
        if editor is None or live is None:
            return
        from aimem_tui.widgets.editor.carets import Caret
        from aimem_tui.widgets.people import somebody

        carets = []
        for person in self._people:
            head = self._offset(live, person.head) if person.thought == live.thought else None
            if head is None:
                continue
            anchor = self._offset(live, person.anchor)
            shown = somebody(person)
            carets.append(
                Caret(
                    shown.name,
                    shown.initials,
                    shown.color,
                    head,
                    head if anchor is None else anchor,
                )
            )
        if carets or editor.has_carets:
            editor.set_carets(carets)

    @staticmethod
    def _offset(live: LiveThought, position: object) -> int | None:
        """A place that somebody has named, in bytes of the text; None if it is not known here."""
        from crdt.positions import Position

        read = Position.from_json(position)
        return None if read is None else live.document.offset_of(read)

    # How it is shown

    @property
    def view(self) -> View:
        """Write, read, or both."""
        return self._view

    @view.setter
    def view(self, view: View) -> None:
        had_focus = self.has_focus_within
        self._view = view
        if self._live is not None:
            if view is not View.EDIT:
                self._show_preview()
                if self._preview is not None:
                    self._preview.settle()
                    self._preview.scroll_to_line(self.line)
            self._arrange()
            if had_focus:
                self.focus_text()

    def focus_text(self) -> None:
        """Put the focus where one writes, or reads."""
        target = self._preview if self._view is View.PREVIEW else self._editor
        if target is not None and self._live is not None:
            target.focus()

    def go_to_line(self, line: int) -> None:
        """Show a line of the text, from 0."""
        editor, preview = self._editor, self._preview
        if editor is not None:
            editor.move_cursor((line, 0), center=True)
        if preview is not None:
            preview.scroll_to_line(line)

    def toggle_task(self) -> None:
        """Tick or untick the task in the caret's line; of other text, make a task."""
        if self._editor is not None and self._live is not None:
            self._editor.action_toggle_task()

    # Inside

    @property
    def _editor(self) -> Editor | None:
        from aimem_tui.widgets.editor.editor import Editor

        return next(iter(self.query(Editor)), None)

    @property
    def _preview(self) -> MarkdownPreview | None:
        from aimem_tui.widgets.preview import MarkdownPreview

        return next(iter(self.query(MarkdownPreview)), None)

    def _mounted(self) -> tuple[Editor, MarkdownPreview]:
        """The editor and the preview, made when first needed: they bring the document engine."""
        from aimem_tui.widgets.editor.editor import Editor
        from aimem_tui.widgets.preview import MarkdownPreview

        editor, preview = self._editor, self._preview
        if editor is None or preview is None:
            editor, preview = Editor(id="editor"), MarkdownPreview(icons=self._icons, id="preview")
            self.mount(editor, preview)
        return editor, preview

    def _arrange(self) -> None:
        editor, preview = self._editor, self._preview
        if editor is None or preview is None:
            return
        there = self._live is not None
        editor.display = there and self._view is not View.PREVIEW
        preview.display = there and self._view is not View.EDIT
        self.set_class(self._view is View.SPLIT, "split")

    def _show_preview(self) -> None:
        if self._preview is not None and self._live is not None:
            self._preview.set_source(self._live.document.text)

    def on_editor_edited(self) -> None:
        """Something was written here."""
        self.post_message(self.Edited())
        self._describe_soon()
        self._index_soon(INDEX_S)

    def on_editor_remotely_edited(self) -> None:
        """Somebody else wrote here."""
        self._describe_soon()

    def on_editor_refused(self) -> None:
        """The document in memory is broken; the one on disk is not. Open that."""
        thought = self._thought
        if thought is None:
            return
        self.notify("The last edit could not be taken in. The text is opened anew.")
        self.close()
        try:
            self.open(thought)
        except AimemError as error:
            self.notify(str(error), severity="error", markup=False)

    def on_text_area_selection_changed(self) -> None:
        """The caret moved."""
        self.post_message(self.Moved(self.line))

    def _describe_soon(self) -> None:
        if self._describe_timer is not None:
            self._describe_timer.stop()
        self._describe_timer = self.set_timer(PAUSE_S, self._describe_now)

    def _describe_now(self) -> None:
        if self._live is None or self._thought is None:
            return
        if self._view is not View.EDIT:
            self._show_preview()
        self._describe(self._thought.id, self._thought.path, self._live.document.text)

    @work(thread=True, exclusive=True, group="describe", exit_on_error=False)
    def _describe(self, thought: str, path: str, text: str) -> None:
        from aimem_tui.markdown.describe import describe

        worker = get_current_worker()
        description = describe(path, text)
        if not worker.is_cancelled:
            self.post_message(self.Described(thought, description))

    def _index_soon(self, pause: float) -> None:
        if self._index_timer is not None:
            self._index_timer.stop()
        self._index_timer = self.set_timer(pause, self._index)

    @work(thread=True, exclusive=True, group="index", exit_on_error=False)
    def _index(self) -> None:
        try:
            self._workspace.settle()
            self._workspace.catch_up()
        except AimemError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error")
