"""What one does with thoughts: make, move, throw away, look back, edit elsewhere.

Each errand asks what it must, does it through the workspace, and says what came of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimem_tui.errors import AimemError
from aimem_tui.model import Thought
from aimem_tui.screens.page import View
from aimem_tui.widgets.tree_model import RowSort, TreeKey

if TYPE_CHECKING:
    from aimem_tui.screens.main import MainScreen


class Errands:
    """The errands of one main screen."""

    def __init__(self, main: MainScreen) -> None:
        self._main = main
        self.thrown: str | None = None
        """The thought that was thrown away last, for taking it back."""

    def new(self) -> None:
        """Write a new thought."""
        self._main.app.run_worker(self._new())

    def move(self) -> None:
        """Move or rename the chosen thought."""
        thought = self._chosen()
        if thought is not None:
            self._main.app.run_worker(self._move(thought))

    def trash(self) -> None:
        """Move the chosen thought to the trash; the message says how to take it back."""
        thought = self._chosen()
        if thought is None:
            return
        try:
            self._main.workspace.trash(thought.id)
        except AimemError as error:
            self._complain(error)
            return
        self.thrown = thought.id
        self._say(f"{thought.path} is in the trash. Shift+F8 takes it back.")

    def undo_trash(self) -> None:
        """Take back what was thrown away last."""
        if self.thrown is None:
            self._say("Nothing was thrown away just now.")
            return
        try:
            thought = self._main.workspace.restore(self.thrown)
        except AimemError as error:
            self._complain(error)
            return
        self.thrown = None
        self._say(f"{thought.path} is back.")
        self._main.open_thought(thought.id)

    def history(self) -> None:
        """Look at the chosen thought's past; perhaps take its text back to a moment of it."""
        thought = self._chosen()
        if thought is None:
            return
        from aimem_tui.screens.history import HistoryScreen

        workspace = self._main.workspace

        def restore(number: int | None) -> None:
            if number is None:
                return
            try:
                workspace.restore_revision(thought.id, number)
            except AimemError as error:
                self._complain(error)
                return
            self._say(f"The text is as it was in revision {number}. The history has the others.")

        screen = HistoryScreen(workspace, thought, self._main.icons)
        self._main.app.push_screen(screen, restore)

    def organize(self) -> None:
        """Look at what could be put in order."""
        from aimem_tui import paths
        from aimem_tui.screens.organize import OrganizeScreen
        from aimem_tui.workspace import ordering

        main = self._main
        made = ordering.Ordering(
            main.workspace, nearness=ordering.by_index(paths.home(), main.workspace)
        )

        def opened(thought: str | None) -> None:
            if thought:
                main.open_thought(thought)

        screen = OrganizeScreen(main.workspace, made, main.icons, main.page.thought)
        main.app.push_screen(screen, opened)

    def edit_outside(self) -> None:
        """Open the chosen thought in the person's own editor; merge the result in afterwards."""
        thought = self._chosen()
        if thought is not None:
            self._main.app.edit_outside(thought)  # type: ignore[attr-defined]

    async def _new(self) -> None:
        from aimem_tui.screens.prompt import Ask
        from aimem_tui.workspace import naming

        folder = self._folder_here()
        path = await self._main.app.push_screen_wait(
            Ask(
                "New thought",
                value=f"{folder}/" if folder else "",
                detail="Its path. Folders are made as needed; .md is added.",
                check=self._path_problem,
            )
        )
        if path is None:
            return
        whole = naming.with_suffix(path)
        try:
            thought = self._main.workspace.create(whole, f"{naming.first_text(whole)}\n")
        except AimemError as error:
            self._complain(error)
            return
        self._main.page.view = View.EDIT
        self._main.open_thought(thought.id)
        self._main.page.go_to_line(2)

    async def _move(self, thought: Thought) -> None:
        from aimem_tui.screens.prompt import Ask
        from aimem_tui.workspace import naming

        path = await self._main.app.push_screen_wait(
            Ask(
                "Move or rename",
                value=thought.path,
                detail="The old path goes on leading to it.",
                check=lambda answer: self._path_problem(answer, besides=thought.id),
            )
        )
        if path is None or path == thought.path:
            return
        try:
            moved = self._main.workspace.move(thought.id, naming.with_suffix(path))
        except AimemError as error:
            self._complain(error)
            return
        self._main.thoughts.reveal(moved.path)

    def _chosen(self) -> Thought | None:
        """The thought an errand is about: the one under the tree's cursor, or the open one."""
        thoughts = self._main.thoughts
        key = thoughts.cursor_key if thoughts.has_focus else None
        thought = None
        if isinstance(key, TreeKey) and key.sort is RowSort.THOUGHT:
            thought = self._main.find_thought(key.value)
        thought = thought or self._main.page.thought
        if thought is None:
            self._say("No thought is open.")
        return thought

    def _folder_here(self) -> str:
        """The folder a person is in: of the tree's cursor, or of the open thought."""
        thoughts = self._main.thoughts
        path = thoughts.cursor_path if thoughts.has_focus else None
        if path is not None and self._main.workspace.at(path) is None:
            return path
        if path is None and self._main.page.thought is not None:
            path = self._main.page.thought.path
        return (path or "").rpartition("/")[0]

    def _path_problem(self, path: str, besides: str = "") -> str:
        from aimem_tui.markdown import paths
        from aimem_tui.workspace import naming

        try:
            checked = paths.check_path(naming.with_suffix(path))
            taken = self._main.workspace.at(checked)
        except AimemError as error:
            return str(error)
        return f"There is a thought at {checked} already." if taken not in (None, besides) else ""

    def _say(self, words: str) -> None:
        self._main.notify(words, markup=False)

    def _complain(self, error: AimemError) -> None:
        self._main.notify(str(error), severity="error", timeout=10, markup=False)
