"""The tree of thoughts: a `VirtualList` over a `TreeModel`, read by workers.

What the model asks is read in a thread and comes back as a message, so a slow disk never holds
up a key. A path to go to is kept until what leads to it has been read.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from aimem_tui.errors import AimemError
from aimem_tui.widgets.tree_model import RowSort, TreeKey, TreeModel
from aimem_tui.widgets.tree_reading import Answer, Question, TreeSource, answer
from aimem_tui.widgets.virtual_list import VirtualList


class ThoughtTree(VirtualList):
    """Folders that open and close, thoughts, and the places above them.

    Args:
        source: where thoughts are read from, in a thread of its own.
        model: the rows; its ``ask`` is taken over. A model that has been read already is shown
            in the first frame.
        empty: what to say while there is no row at all.
        letters: also take h, j, k, l, g and G.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "fold", "Close", show=False),
        Binding("right", "unfold", "Open", show=False),
        Binding("space", "toggle_folder", "Open or close", show=False),
        Binding("shift+right,asterisk", "expand_all", "Open all", show=False),
        Binding("shift+left,underscore", "collapse_all", "Close all", show=False),
        Binding("h", "letter('fold')", "Close", show=False),
        Binding("l", "letter('unfold')", "Open", show=False),
    ]

    class ThoughtHighlighted(Message):
        """The cursor came to a thought."""

        def __init__(self, tree: ThoughtTree, id: str) -> None:
            super().__init__()
            self.tree = tree
            self.id = id

        @property
        def control(self) -> ThoughtTree:
            """The tree it happened in."""
            return self.tree

    class ThoughtSelected(Message):
        """A thought was chosen with enter or a click."""

        def __init__(self, tree: ThoughtTree, id: str) -> None:
            super().__init__()
            self.tree = tree
            self.id = id

        @property
        def control(self) -> ThoughtTree:
            """The tree it happened in."""
            return self.tree

    class PlaceSelected(Message):
        """A place above the folders was chosen: ``recent`` or ``trash``."""

        def __init__(self, tree: ThoughtTree, name: str) -> None:
            super().__init__()
            self.tree = tree
            self.name = name

        @property
        def control(self) -> ThoughtTree:
            """The tree it happened in."""
            return self.tree

    class FolderToggled(Message):
        """A folder was opened or closed by hand."""

        def __init__(self, tree: ThoughtTree, path: str, opened: bool) -> None:
            super().__init__()
            self.tree = tree
            self.path = path
            self.opened = opened

        @property
        def control(self) -> ThoughtTree:
            """The tree it happened in."""
            return self.tree

    class Read(Message):
        """What a worker read for the model."""

        def __init__(self, answer: Answer) -> None:
            super().__init__()
            self.answer = answer

    class ReadFailed(Message):
        """The source could not be read; what was asked for is asked again when it is looked at."""

        def __init__(self, question: Question, error: AimemError) -> None:
            super().__init__()
            self.question = question
            self.error = error

    def __init__(
        self,
        source: TreeSource,
        model: TreeModel,
        *,
        empty: str = "",
        letters: bool = True,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(
            model,
            empty=empty,
            letters=letters,
            icons=model.icons,
            name=name,
            id=id,
            classes=classes,
        )
        self.source = source
        self.thoughts = model
        self._goal: str | None = None

    def on_mount(self) -> None:
        """Take the model's questions, and ask for the first rows unless they are there."""
        self.thoughts.ask = self._ask
        if self.thoughts.count() == len(self.thoughts.places):
            self.thoughts.reload()

    def _ask(self, question: Question) -> None:
        def read() -> None:
            try:
                self.post_message(self.Read(answer(self.source, question)))
            except AimemError as error:
                self.post_message(self.ReadFailed(question, error))

        self.run_worker(read, thread=True, group="tree", description="Read the tree")

    def on_thought_tree_read(self, message: Read) -> None:
        """Show what was read."""
        message.stop()
        self.thoughts.accept(message.answer)
        self.model_changed()

    def on_thought_tree_read_failed(self, message: ReadFailed) -> None:
        """Stop waiting for it; the screen tells what went wrong."""
        self.thoughts.abandon(message.question)

    def model_changed(self) -> None:
        """Take up what the model says now, and go where one is headed once it is there."""
        super().model_changed()
        if self._goal is not None:
            # The model gives up on a path of which it has not heard; by now it may have.
            self.thoughts.reveal(self._goal)
            key = self.thoughts.key_of(self._goal)
            if key is not None:
                self._goal = None
                self.go_to(key)

    def reveal(self, path: str) -> None:
        """Open the folders above a path and put the cursor on it, when all that is read."""
        self._goal = path
        self.model_changed()

    @property
    def cursor_path(self) -> str | None:
        """The path of the folder or thought under the cursor."""
        key = self.cursor_key
        return self.thoughts.path_of(key) if isinstance(key, TreeKey) else None

    def moved_to(self, key: Hashable | None) -> None:
        """Tell where the cursor is."""
        self._goal = None
        super().moved_to(key)
        if isinstance(key, TreeKey) and key.sort is RowSort.THOUGHT:
            self.post_message(self.ThoughtHighlighted(self, key.value))

    def action_select(self) -> None:
        """Open the thought or place under the cursor; open or close the folder."""
        super().action_select()
        key = self.cursor_key
        if not isinstance(key, TreeKey):
            return
        if key.sort is RowSort.THOUGHT:
            self.post_message(self.ThoughtSelected(self, key.value))
        elif key.sort is RowSort.PLACE:
            self.post_message(self.PlaceSelected(self, key.value))
        else:
            self.action_toggle_folder()

    def action_toggle_folder(self) -> None:
        """Open the folder under the cursor, or close it."""
        key = self.cursor_key
        if isinstance(key, TreeKey) and key.sort is RowSort.FOLDER:
            self._set_open(key.value, not self.thoughts.is_open(key.value))

    def action_unfold(self) -> None:
        """Open the folder under the cursor; in an open one, go to its first row."""
        key = self.cursor_key
        if not isinstance(key, TreeKey) or key.sort is not RowSort.FOLDER:
            return
        if self.thoughts.is_open(key.value):
            self.action_move(1)
        else:
            self._set_open(key.value, True)

    def action_fold(self) -> None:
        """Close the folder under the cursor; elsewhere go to the folder one is in."""
        key = self.cursor_key
        if not isinstance(key, TreeKey):
            return
        if key.sort is RowSort.FOLDER and self.thoughts.is_open(key.value):
            self._set_open(key.value, False)
        elif (parent := self.thoughts.parent_of(key)) is not None:
            self.go_to(parent)

    def action_expand_all(self) -> None:
        """Open every folder."""
        self.thoughts.expand_all()

    def action_collapse_all(self) -> None:
        """Close every folder; the cursor goes to the outermost folder it was in."""
        path = self.cursor_path
        self.thoughts.collapse_all()
        if path is not None and "/" in path:
            self.go_to(TreeKey(RowSort.FOLDER, path.partition("/")[0]))
        self.model_changed()

    def row_clicked(self, index: int, x: int, clicks: int) -> None:
        """A click opens what it hits."""
        self.cursor = index
        if clicks == 1:
            self.action_select()

    def _set_open(self, folder: str, opened: bool) -> None:
        if opened:
            self.thoughts.open(folder)
        else:
            self.thoughts.close(folder)
        if self.thoughts.is_open(folder) == opened:
            self.model_changed()
        self.post_message(self.FolderToggled(self, folder, opened))
