"""The app as a person uses it: real workspace, real screens, a terminal of a given size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from aimem_tui.app import AimemApp
from aimem_tui.model import Filter
from aimem_tui.screens.find import FindScreen
from aimem_tui.screens.help import HelpScreen
from aimem_tui.screens.history import HistoryScreen
from aimem_tui.screens.jump import JumpScreen
from aimem_tui.screens.main import MainScreen
from aimem_tui.screens.page import View
from aimem_tui.screens.palette import PaletteScreen
from aimem_tui.screens.prompt import Ask, Confirm
from aimem_tui.screens.trash import TrashScreen
from aimem_tui.screens.welcome import WelcomeScreen
from aimem_tui.settings import Settings
from aimem_tui.widgets.editor.editor import Editor
from aimem_tui.widgets.header import Header
from aimem_tui.widgets.hints import Hints
from aimem_tui.widgets.icons import PLAIN
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import Workspace
from crdt.errors import CrdtError

PLAN = "# Auth flow\n\nTokens at the door.\n\n- [x] one\n- [ ] two\n"


class Desk:
    """A running app and what tests do with it."""

    def __init__(self, app: AimemApp, pilot: Pilot[None], workspace: Workspace) -> None:
        self.app = app
        self.pilot = pilot
        self.workspace = workspace

    @property
    def main(self) -> MainScreen:
        return self.app.main

    @property
    def editor(self) -> Editor:
        return self.main.query_one(Editor)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        for _ in range(400):
            if condition():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(f"never: {what}\n{self.screen_text()}")

    async def open(self, path: str) -> None:
        """Open a thought and wait for it to be there."""
        thought = self.workspace.get(path)
        self.main.open_thought(thought.id)
        await self.until(
            lambda: (
                self.main.query(Editor)
                and self.main.page.thought is not None
                and self.main.page.thought.id == thought.id
                and self.editor.size.height > 0
            ),
            f"{path} is open",
        )

    async def on(self, screen: type) -> None:
        """Wait until a screen is in front."""
        await self.until(lambda: isinstance(self.app.screen, screen), screen.__name__)

    def screen_text(self) -> str:
        """What the terminal shows."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in lines)


@asynccontextmanager
async def desk(
    folder: Path, *, size: tuple[int, int] = (120, 36), fill: bool = True
) -> AsyncIterator[Desk]:
    """An app over a small workspace in ``folder``."""
    workspace = Workspace(folder / "workspace.db", name="acme", author="Ada")
    if fill and not workspace.count():
        workspace.create("plans/auth-flow.md", PLAN)
        workspace.create("plans/billing.md", "# Billing\n\nSee [auth](auth-flow.md).\n")
        workspace.create("notes.md", "# Notes\n")
    app = AimemApp(
        workspace, Settings(folder / "config.toml", {"AIMEM_INDEX": "off"}), folder / "screen.json"
    )
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            yield Desk(app, pilot, workspace)
            app.remember()
    finally:
        workspace.close()


async def test_the_first_frame_shows_the_folders_with_their_counts(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        text = at.screen_text()
        assert "plans" in text
        assert "notes" in text
        assert "Trash" in text


async def test_what_is_typed_is_on_disk_without_saving(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("notes")
        at.editor.move_cursor(at.editor.document.end)
        await at.pilot.press("h", "i", "space")
        at.editor.paste("👍")
        at.workspace.settle()
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as again:
        again.catch_up()
        assert again.text(again.get("notes").id) == "# Notes\nhi 👍"


async def test_an_edit_of_another_program_appears_and_the_caret_stays(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("plans/auth-flow")
        at.editor.move_cursor((4, 3))
        with Workspace(tmp_path / "workspace.db", name="acme", author="Ben") as other:
            thought = other.get("plans/auth-flow")
            other.append(thought.id, "- [ ] three")
            handout = other.hand_out(thought.id)
            other.take_back(handout, handout.text.replace("# Auth flow\n", "# Auth flow\n\nNew.\n"))
        await at.until(lambda: "three" in at.editor.text and "New." in at.editor.text, "both edits")
        assert at.editor.cursor_location == (6, 3)
        assert at.editor.text == at.main.page.text


async def test_the_tree_follows_what_other_programs_do(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        with Workspace(tmp_path / "workspace.db", name="acme", author="Ben") as other:
            other.create("research/oidc.md", "# OIDC\n")
            other.trash(other.get("notes").id)
        await at.until(lambda: "research" in at.screen_text(), "the new folder")
        await at.until(lambda: "notes" not in at.screen_text(), "the thrown away thought is gone")


async def test_the_right_pane_counts_tasks_and_names_who_refers_to_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("plans/auth-flow")
        await at.until(lambda: "1 of 2 done" in at.screen_text(), "the progress")
        await at.until(lambda: "plans/billing" in at.screen_text(), "who refers to it")
        at.editor.move_cursor((5, 0))
        await at.pilot.press("ctrl+t")
        await at.until(lambda: "2 of 2 done" in at.screen_text(), "the new progress")


async def test_finding_looks_as_one_types_and_opens_at_the_match(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.workspace.create("long.md", "# Long\n" + "filler\n" * 80 + "the needle is here\n")
        await at.pilot.press("ctrl+k")
        await at.on(FindScreen)
        at.app.screen.query_one(Input).value = "needl"
        hits = at.app.screen.query_one("#hits", VirtualList)
        await at.until(lambda: hits.model.count() == 1, "one hit")
        await at.pilot.press("enter")
        await at.on(MainScreen)
        await at.until(
            lambda: at.main.page.thought is not None and at.main.page.thought.path == "long.md",
            "the thought is open",
        )
        await at.until(lambda: at.editor.cursor_location[0] == 81, "at the line of the match")


async def test_a_new_thought_gets_its_heading_and_the_caret_below_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.pilot.press("ctrl+n")
        await at.on(Ask)
        at.app.screen.query_one(Input).value = "plans/2026-01-05-token-refresh"
        await at.pilot.press("enter")
        await at.on(MainScreen)
        await at.until(lambda: at.main.page.thought is not None, "it is open")
        assert at.main.page.thought is not None
        assert at.main.page.thought.path == "plans/2026-01-05-token-refresh.md"
        await at.until(lambda: at.editor.text.lower() == "# token refresh\n\n", "its heading")
        await at.until(lambda: at.editor.cursor_location == (2, 0), "the caret below it")


async def test_a_taken_path_is_refused_where_it_is_typed(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.pilot.press("ctrl+n")
        await at.on(Ask)
        at.app.screen.query_one(Input).value = "../outside"
        await at.pilot.press("enter")
        await at.pilot.pause()
        assert isinstance(at.app.screen, Ask)
        at.app.screen.query_one(Input).value = "notes"
        await at.pilot.press("enter")
        await at.pilot.pause()
        assert "already" in at.screen_text()
        await at.pilot.press("escape")
        await at.on(MainScreen)


async def test_moving_keeps_the_old_path_leading_there(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("notes")
        await at.pilot.press("f2")
        await at.on(Ask)
        at.app.screen.query_one(Input).value = "inbox/first-notes"
        await at.pilot.press("enter")
        await at.on(MainScreen)
        await at.until(lambda: "first-notes" in at.app.main.query_one(Header).place.path, "header")
        assert at.workspace.get("notes").path == "inbox/first-notes.md"


async def test_the_trash_gives_back_with_one_key(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("notes")
        await at.pilot.press("x")
        await at.pilot.press("f8")
        await at.until(lambda: at.main.page.thought is None, "it is closed")
        assert [thought.path for thought in at.workspace.thoughts(Filter(trashed=True))] == [
            "notes.md"
        ]
        await at.pilot.press("shift+f8")
        await at.until(lambda: at.main.page.thought is not None, "it is back")
        assert at.workspace.text(at.workspace.get("notes").id) == "x# Notes\n"


async def test_the_trash_room_takes_back_and_removes_for_good(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        for name in ("notes", "plans/billing"):
            at.workspace.trash(at.workspace.get(name).id)
        await at.app.push_screen(TrashScreen(at.workspace, PLAIN))
        await at.on(TrashScreen)
        thrown = at.app.screen.query_one("#thrown", VirtualList)
        await at.until(lambda: thrown.model.count() == 2, "both are there")
        await at.pilot.press("p")
        await at.on(Confirm)
        await at.pilot.press("escape")
        await at.on(TrashScreen)
        assert thrown.model.count() == 2
        await at.pilot.press("p")
        await at.on(Confirm)
        await at.pilot.press("y")
        await at.until(lambda: thrown.model.count() == 1, "one is removed")
        await at.pilot.press("r")
        await at.until(lambda: thrown.model.count() == 0, "one is back")
        assert at.workspace.count() == 2


async def test_history_restores_an_earlier_text_as_a_new_edit(tmp_path: Path) -> None:
    moment = 1_700_000_000_000
    with Workspace(
        tmp_path / "workspace.db", name="acme", author="Ada", clock=lambda: moment
    ) as before:
        thought = before.create("a.md", "# One\n")
        moment += 3_600_000
        before.take_back(before.hand_out(thought.id), "# Two\n")
    async with desk(tmp_path, fill=False) as at:
        await at.open("a")
        await at.pilot.press("f4")
        await at.on(HistoryScreen)
        moments = at.app.screen.query_one("#moments", VirtualList)
        await at.until(lambda: moments.model.count() == 2, "two moments")
        await at.pilot.press("left", "d", "d", "r")
        await at.on(MainScreen)
        await at.until(lambda: at.editor.text == "# One\n", "the earlier text")
        assert [one.note for one in at.workspace.history(thought.id)][-1] == "restored revision 1"


async def test_undo_takes_back_ones_own_edits_only(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("notes")
        await at.pilot.press("a", "b")
        at.workspace.settle()
        with Workspace(tmp_path / "workspace.db", name="acme", author="Ben") as other:
            other.append(other.get("notes").id, "from Ben")
        await at.until(lambda: "from Ben" in at.editor.text, "Ben's edit")
        await at.pilot.press("ctrl+z")
        assert at.editor.text == "# Notes\nfrom Ben\n"


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
async def test_a_small_terminal_shows_one_pane_at_a_time(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with desk(tmp_path, size=size) as at:
        assert at.main.thoughts.display
        assert not at.main.page.display
        await at.open("plans/auth-flow")
        assert not at.main.thoughts.display
        assert "‹ plans / auth-flow" in at.screen_text()
        await at.pilot.press("ctrl+b")
        assert at.main.thoughts.display
        await at.pilot.press("ctrl+o")
        await at.until(lambda: "1 of 2 done" in at.screen_text(), "what it is about")
        widths = {len(line.rstrip("\n")) for line in at.screen_text().split("\n")}
        assert max(widths) <= size[0]


async def test_reading_and_writing_take_turns(tmp_path: Path) -> None:
    async with desk(tmp_path, size=(160, 40)) as at:
        await at.open("plans/auth-flow")
        views = []
        for _ in range(3):
            await at.pilot.press("ctrl+e")
            views.append(at.main.page.view)
        assert views == [View.PREVIEW, View.SPLIT, View.EDIT]


async def test_links_lead_to_thoughts_and_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("plans/billing")
        await at.pilot.press("ctrl+e", "tab", "enter")
        await at.until(
            lambda: (
                at.main.page.thought is not None
                and at.main.page.thought.path == "plans/auth-flow.md"
            ),
            "the link was followed",
        )
        await at.pilot.press("alt+left")
        assert at.main.page.thought is not None
        assert at.main.page.thought.path == "plans/billing.md"


async def test_the_key_to_save_says_that_there_is_nothing_to_save(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.pilot.press("ctrl+s")
        await at.until(lambda: "Nothing to save" in at.screen_text(), "the answer")


async def test_help_and_jump_open_and_close(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("plans/auth-flow")
        await at.pilot.press("f1")
        await at.on(HelpScreen)
        await at.pilot.press("escape")
        await at.on(MainScreen)
        await at.pilot.press("ctrl+j")
        await at.on(JumpScreen)
        await at.pilot.press("a")
        await at.on(MainScreen)
        assert at.main.thoughts.has_focus


async def test_the_palette_runs_actions_and_opens_thoughts(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.pilot.press("ctrl+p")
        await at.on(PaletteScreen)
        at.app.screen.query_one(Input).value = "hlp"
        await at.pilot.pause()
        await at.pilot.press("enter")
        await at.on(HelpScreen)
        await at.pilot.press("escape", "ctrl+p")
        await at.on(PaletteScreen)
        at.app.screen.query_one(Input).value = "billing"
        offers = at.app.screen.query_one(VirtualList)
        await at.until(lambda: offers.model.count() == 1, "the thought")
        await at.pilot.press("enter")
        await at.until(lambda: at.main.page.thought is not None, "it is open")


async def test_the_next_start_shows_what_was_open(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("plans/auth-flow")
        at.editor.move_cursor((4, 0))
        await at.pilot.pause()
    async with desk(tmp_path) as at:
        await at.until(lambda: at.main.page.thought is not None, "a thought is open")
        assert at.main.page.thought is not None
        assert at.main.page.thought.path == "plans/auth-flow.md"
        await at.until(lambda: at.editor.cursor_location[0] == 4, "at the same line")


async def test_the_first_start_offers_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with desk(tmp_path, fill=False) as at:
        await at.on(WelcomeScreen)
        await at.pilot.press("enter")
        await at.on(MainScreen)
        await at.until(lambda: at.main.page.thought is not None, "the sample is open")
        assert at.workspace.count() == 4


async def test_the_first_start_brings_in_what_lies_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "project"
    (here / "thoughts" / "plans").mkdir(parents=True)
    (here / "thoughts" / "plans" / "a.md").write_text("# A\n", encoding="utf-8")
    monkeypatch.chdir(here)
    async with desk(tmp_path, fill=False) as at:
        await at.on(WelcomeScreen)
        assert "thoughts" in at.screen_text()
        await at.pilot.press("enter")
        await at.until(lambda: at.workspace.count() == 1, "it came in")
        await at.until(lambda: "plans" in at.screen_text(), "the tree shows it")
        assert at.workspace.get("plans/a").title == "A"


async def test_hints_are_few_and_follow_the_focus(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        in_tree = at.main.query_one(Hints).hints
        await at.open("notes")
        await at.until(lambda: at.main.page.has_focus_within, "the text has the focus")
        in_text = at.main.query_one(Hints).hints
        assert in_tree != in_text
        assert max(len(in_tree), len(in_text)) <= 8


async def test_what_is_written_while_the_app_starts_is_shown(tmp_path: Path) -> None:
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as workspace:
        workspace.create("notes.md", "# Notes\n")
        app = AimemApp(
            workspace,
            Settings(tmp_path / "config.toml", {"AIMEM_INDEX": "off"}),
            tmp_path / "screen.json",
        )
        workspace.create("late.md", "# Late\n")
        async with app.run_test(size=(120, 36)) as pilot:
            at = Desk(app, pilot, workspace)
            await at.until(lambda: "late" in at.screen_text(), "its row")


async def test_a_new_thought_in_a_new_folder_is_shown_in_the_tree(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        thought = at.workspace.create("inbox/today/first.md", "# First\n")
        at.main.open_thought(thought.id)
        await at.until(lambda: "  first" in at.screen_text(), "its row")


async def test_a_document_that_breaks_in_memory_is_opened_anew(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.open("notes")
        await at.pilot.press("x")
        document = at.editor.bound
        assert document is not None

        def refuse(_changes: object) -> None:
            raise CrdtError("broken")

        document.splice = refuse  # type: ignore[method-assign]
        await at.pilot.press("y")
        await at.until(lambda: at.editor.bound not in (None, document), "it is open again")
        assert at.editor.text == "x# Notes\n"
        await at.pilot.press("z")
        assert "z" in at.editor.text
