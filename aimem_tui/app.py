"""The terminal app: opens the workspace, shows the screens, runs what takes long.

What must be there for the first frame is read before the app starts; everything else (the document
engine, the editor, the right pane, the watcher) comes after it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import BindingType

from aimem_tui import ui_state, words
from aimem_tui.errors import AimemError
from aimem_tui.paths import Home
from aimem_tui.screens.main import MainScreen
from aimem_tui.settings import Settings
from aimem_tui.themes import THEMES
from aimem_tui.widgets.icons import icons_for
from aimem_tui.widgets.tree_model import TreeModel
from aimem_tui.widgets.tree_reading import Question, answer
from aimem_tui.workspace.background import Background
from aimem_tui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from aimem_tui.model import ExportReport, ImportReport, ReportLine, Thought
    from aimem_tui.workspace.indexing import Indexing

INDEXING_BEGIN_S = 2.0
"""How long after the first frame indexing begins, in a process of its own."""
INDEXING_LOOK_S = 30.0
"""How often it is seen to that the process is there."""
_GARBAGE_THRESHOLDS = (2_000, 10, 10)
"""Objects made before the collector looks, and how often the older ones are looked at."""


class AimemApp(App[None]):
    """The app over one open workspace.

    Args:
        workspace: opened by the caller, and closed by it.
        settings: what a person has set.
        state_file: where to remember panes and the open thought.
    """

    TITLE = "aimem"
    # With the app's own style, because a screen's makes Textual parse all styles once more.
    CSS_PATH = "screens/main.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it as an instance's
        (0, "-narrow"),
        (100, "-medium"),
        (120, "-wide"),
        (180, "-huge"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, workspace: Workspace, settings: Settings, state_file: Path) -> None:
        super().__init__()
        self.workspace = workspace
        self.settings = settings
        self._state_file = state_file
        self.ui_state = ui_state.load(state_file)
        self._questions: list[Question] = []
        wish = {"AIMEM_ICONS": settings.get("icons")}
        self._icons = icons_for({**os.environ, **wish}, sys.stdout.encoding)
        self._model = TreeModel(self._questions.append, icons=self._icons)
        self._read_first_frame()
        self.sync = Background(
            workspace, settings.file.parent, lambda: self.main.post_message(MainScreen.SyncMoved())
        )
        self.indexing: Indexing | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._styled_for = settings.get("theme")
        self.stylesheet.set_variables(self.get_css_variables())
        if settings.get("motion") == "off":
            self.animation_level = "none"

    def _read_first_frame(self) -> None:
        """Read the rows that the first frame shows, before the first frame."""
        self._model.restore(frozenset(self.ui_state.opened))
        self._model.reload()
        while self._questions:
            self._model.accept(answer(self.workspace, self._questions.pop(0)))

    def get_default_screen(self) -> MainScreen:
        """The main screen is the first: none is made below it and drawn before it."""
        self.main = MainScreen(self.workspace, self._model, self.ui_state, self._icons, self.sync)
        return self.main

    def refresh_css(self, animate: bool = True) -> None:
        """Work out all styles anew, if the theme is another than they were worked out with.

        Textual asks for this at the start and for each new screen, too.
        """
        if self.theme != self._styled_for:
            self._styled_for = self.theme
            super().refresh_css(animate)

    def on_mount(self) -> None:
        """At the first start, show the welcome above the main screen."""
        self.call_after_refresh(_keep_what_the_start_made)
        self.set_timer(INDEXING_BEGIN_S, self._keep_indexed)
        self.set_interval(INDEXING_LOOK_S, self._keep_indexed)
        empty = not self.ui_state.welcomed and not any(self.workspace.thoughts(limit=1))
        # Where there is another copy, thoughts are on their way.
        if empty and not self.sync.is_due():
            self.call_after_refresh(self._welcome)

    def remember(self) -> None:
        """Keep for the next start what is open now."""
        self.main.remember()
        ui_state.save(self._state_file, self.ui_state)

    async def action_quit(self) -> None:
        """Leave. What was written is on disk before the program ends."""
        self.remember()
        self.exit()

    async def on_unmount(self) -> None:
        """Hang up, after what was written last has had its chance to go out."""
        if self.sync.is_running:
            await asyncio.to_thread(self.sync.end)
        if self.indexing is not None:
            await asyncio.to_thread(self.indexing.end)

    def _keep_indexed(self) -> None:
        """See to it that what is written can be found by its meaning, too."""
        if self.indexing is None:
            from aimem_tui import paths
            from aimem_tui.workspace.indexing import Indexing

            indexing = Indexing(
                self.workspace,
                paths.home(),
                self.settings,
                lambda: self.main.post_message(MainScreen.IndexMoved(indexing)),
            )
            self.indexing = indexing
        self.indexing.begin()

    # The first start

    def _welcome(self) -> None:
        self.run_worker(self._begin())

    async def _begin(self) -> None:
        from aimem_tui.screens.welcome import Begin, WelcomeScreen
        from aimem_tui.workspace import discovery, sample

        found = discovery.sources(Path.cwd(), Path.home())
        choice = await self.push_screen_wait(WelcomeScreen(found))
        if choice is None:
            return
        self.ui_state.welcomed = True
        if choice.begin is Begin.SAMPLE:
            sample.add(self.workspace)
            self.main.open_thought(self.workspace.get(sample.FIRST).id)
        elif choice.begin is Begin.OTHER:
            await self._ask_import()
        elif choice.begin is Begin.IMPORT:
            for source in choice.sources:
                await self._import(source.path, source.into)

    # Import and export

    def action_import(self) -> None:
        """Import a folder."""
        self.run_worker(self._ask_import())

    async def _ask_import(self) -> None:
        from aimem_tui.screens.prompt import Ask

        path = await self.push_screen_wait(
            Ask(
                "Import a folder",
                value=str(Path.cwd()) + os.sep,
                detail="Its markdown and other small texts are copied in; the files stay.",
                check=lambda answer: (
                    "" if Path(answer).expanduser().exists() else "There is no such folder."
                ),
            )
        )
        if path is not None:
            await self._import(Path(path).expanduser(), "")

    async def _import(self, root: Path, into: str) -> None:
        from aimem_tui.model import ImportOptions
        from aimem_tui.screens.long_work import LongWork

        report: ImportReport | None = await self.push_screen_wait(
            LongWork(
                f"Importing {root}",
                lambda progress, stop: self.workspace.import_folder(
                    root,
                    ImportOptions(
                        author=self.workspace.author, into=into, progress=progress, stop=stop
                    ),
                ),
            )
        )
        if report is not None:
            said = f"{words.count(report.created, 'thought')} came in"
            if report.updated:
                said += f", {report.updated} were brought up to date"
            if report.unchanged:
                said += f", {report.unchanged} were here already"
            self._tell(f"{said}.", "Import", report.skipped, report.notices)

    def action_export(self) -> None:
        """Export everything to a folder."""
        self.run_worker(self._export())

    async def _export(self) -> None:
        from aimem_tui.model import ExportOptions
        from aimem_tui.screens.long_work import LongWork
        from aimem_tui.screens.prompt import Ask

        path = await self.push_screen_wait(
            Ask(
                "Export to a folder",
                value=str(Path.cwd() / "aimem-export"),
                detail="Every thought becomes a file there, byte for byte.",
            )
        )
        if path is None:
            return
        target = Path(path).expanduser()
        report: ExportReport | None = await self.push_screen_wait(
            LongWork(
                f"Exporting to {target}",
                lambda progress, stop: self.workspace.export(
                    target, ExportOptions(progress=progress, stop=stop)
                ),
            )
        )
        if report is not None:
            said = f"{words.count(report.written, 'file')} written"
            if report.unchanged:
                said += f", {report.unchanged} were there already"
            self._tell(f"{said}.", "Export", report.skipped, report.notices)

    def _tell(
        self, said: str, title: str, skipped: Sequence[ReportLine], notices: Sequence[ReportLine]
    ) -> None:
        from aimem_tui.screens.report import ReportScreen

        if skipped or notices:
            self.push_screen(ReportScreen(title, said, skipped, notices))
        else:
            self.notify(said, title=title, markup=False)

    # Other programs

    def action_theme(self) -> None:
        """Change to the next theme and keep it."""
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        try:
            self.settings.set("theme", self.theme)
        except AimemError as error:
            self.notify(str(error), severity="warning", markup=False)

    def edit_outside(self, thought: Thought) -> None:
        """Open a thought in the person's own editor; merge the result in when that ends."""
        from aimem_tui.workspace import external_editor

        try:
            handout = self.workspace.hand_out(thought.id)
            with (
                self.suspend(),
                external_editor.edited(
                    handout.text, thought.name, self.settings.get("editor")
                ) as result,
            ):
                changed = self.workspace.take_back(handout, result.text)
        except AimemError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
            return
        self.notify("Your changes are in." if changed else "Nothing was changed.")


def _keep_what_the_start_made() -> None:
    """Look for garbage from now on, but never again in what is there for good."""
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def run(home: Home, settings: Settings, workspace: Workspace) -> int:
    """Open the app; returns the exit code."""
    state_file = home.state / f"screen-{workspace.name}.json"
    app = AimemApp(workspace, settings, state_file)
    with _quiet_errors(home.log_file):
        app.run()
    return app.return_code or 0


@contextmanager
def _quiet_errors(log_file: Path) -> Iterator[None]:
    """Send what libraries write to the error output into the log while the screen is ours.

    The document engine announces its panics there, over whatever is on the screen. Textual itself
    draws through ``sys.__stderr__``, which is therefore given the terminal under another number.
    """
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log = log_file.open("ab", buffering=0)
    except OSError:
        yield
        return
    before = sys.__stderr__
    terminal = os.dup(2)
    with log, os.fdopen(terminal, "w", encoding="utf-8", errors="replace") as screen:
        sys.stderr.flush()
        os.dup2(log.fileno(), 2)
        sys.__stderr__ = screen  # type: ignore[misc]
        try:
            yield
        finally:
            screen.flush()
            sys.__stderr__ = before  # type: ignore[misc]
            os.dup2(terminal, 2)
