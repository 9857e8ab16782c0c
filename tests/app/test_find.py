"""The search room: words at once, meaning after a pause, filters as chips, kept searches."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from aimem_tui import paths
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import Indexer, ModelSource
from aimem_tui.screens.find import FindScreen, QueryLine
from aimem_tui.screens.main import MainScreen
from aimem_tui.screens.prompt import Ask
from aimem_tui.widgets.chips import Chips
from aimem_tui.widgets.virtual_list import VirtualList
from aimem_tui.workspace.workspace import Workspace
from tests.app.test_app import Desk, desk


def index(workspace: Workspace) -> None:
    """Index a workspace with the model that comes along, where the app looks for it."""
    with IndexFile(paths.home().index_file) as file:
        Indexer(workspace.database, file, ModelSource.of(""), clock=workspace.clock).run(
            lambda: False, lambda _: None
        )


async def find(at: Desk) -> None:
    await at.pilot.press("ctrl+k")
    await at.on(FindScreen)


def listed(at: Desk) -> list[str]:
    """The first lines of the rows."""
    model = at.app.screen.query_one("#hits", VirtualList).model
    return [model.row(index).lines[0][0].text for index in range(model.count())]


def line(at: Desk) -> QueryLine:
    return at.app.screen.query_one(QueryLine)


async def test_a_finished_field_becomes_a_filter_and_backspace_takes_it_away(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as at:
        at.workspace.create("research/tokens.md", "# Token research\n\nabout auth\n")
        await find(at)
        await at.pilot.press(*"kind:plan", "space")
        chips = at.app.screen.query_one(Chips)
        await at.until(lambda: bool(chips.display), "a chip")
        assert line(at).value == ""
        await at.until(lambda: sorted(listed(at)) == ["Auth flow", "Billing"], "the plans")
        assert " plan × " in at.screen_text()
        line(at).value = "auth"
        await at.until(lambda: "Token research" not in listed(at), "no research")
        line(at).value = ""
        await at.pilot.press("backspace")
        await at.until(lambda: not chips.display, "no chip")
        line(at).value = "auth"
        await at.until(lambda: "Token research" in listed(at), "all kinds again")


async def test_a_click_on_a_chip_takes_it_away(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await find(at)
        line(at).value = "path:plans/ -kind:note "
        chips = at.app.screen.query_one(Chips)
        await at.until(lambda: "not note" in at.screen_text(), "both chips")
        await at.pilot.click(Chips, offset=(2, 0))
        await at.until(lambda: "in plans" not in at.screen_text(), "the first is gone")
        assert "not note" in at.screen_text()
        assert chips.display


async def test_what_is_no_field_stays_words(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await find(at)
        await at.pilot.press(*"colour:red", "space")
        await at.until(lambda: "There is no field colour" in at.screen_text(), "it is said")
        assert line(at).value == "colour:red "


async def test_meaning_joins_the_words_after_a_pause(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.workspace.create("cats.md", "# Felines\n\nKittens purr when they are stroked.\n")
        at.workspace.create("db.md", "# Storage\n\nPostgres keeps rows in pages.\n")
        at.workspace.catch_up()
        index(at.workspace)
        await find(at)
        line(at).value = "pet animal"
        await at.until(lambda: listed(at)[:1] == ["Felines"], "found by its meaning")
        await at.until(lambda: "by meaning" in at.screen_text(), "it says how")
        await at.pilot.press("tab")
        await at.until(lambda: listed(at) == [], "no thought has these words")


async def test_what_is_not_indexed_yet_is_said(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        index(at.workspace)
        at.workspace.create("new.md", "# New auth thought\n")
        at.workspace.catch_up()
        await find(at)
        line(at).value = "auth"
        await at.until(lambda: "1 of 4 not yet indexed" in at.screen_text(), "how many")


async def test_a_search_is_kept_used_and_forgotten(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await find(at)
        line(at).value = "kind:plan auth"
        await at.pilot.press("ctrl+s")
        await at.on(Ask)
        at.app.screen.query_one(Input).value = "Auth plans"
        await at.pilot.press("enter")
        await at.on(FindScreen)
        await at.pilot.press("escape")
        await at.on(MainScreen)
        await find(at)
        await at.until(lambda: listed(at)[:1] == ["Auth plans"], "it stands first")
        await at.pilot.press("enter")
        await at.until(lambda: listed(at)[:1] == ["Auth flow"], "it looks for it")
        assert " plan × " in at.screen_text()
        await at.pilot.press("escape")
        await at.on(MainScreen)
        await find(at)
        await at.until(lambda: listed(at)[:1] == ["Auth plans"], "it stands first")
        await at.pilot.press("f8")
        await at.until(lambda: "Auth plans" not in listed(at), "it is gone")
        assert at.workspace.saved_searches.all() == []


async def test_the_right_arrow_completes_a_value(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await find(at)
        await at.pilot.press(*"kind:pl")
        await at.until(lambda: line(at)._suggestion == "kind:plan", "a suggestion")
        await at.pilot.press("right")
        assert line(at).value == "kind:plan"


async def test_all_of_it_fits_into_80_columns(tmp_path: Path) -> None:
    async with desk(tmp_path, size=(80, 24)) as at:
        await find(at)
        line(at).value = "kind:plan author:Ada path:plans/ since:30d auth"
        await at.until(lambda: listed(at)[:1] == ["Auth flow"], "the plan")
        assert "+" in at.screen_text().splitlines()[1], "the chips that do not fit are counted"
        assert all(len(each) == 80 for each in at.screen_text().splitlines())


async def test_what_is_near_in_meaning_stands_beside_the_open_thought(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        at.workspace.create("a/cats.md", "# Cats\n\nCats and kittens purr when stroked.\n")
        at.workspace.create("b/kittens.md", "# Kittens\n\nKittens and cats purr when petted.\n")
        at.workspace.catch_up()
        index(at.workspace)
        await at.open("a/cats")
        await at.until(lambda: "Related" in at.screen_text(), "what is related")
        assert "b/kittens" in at.screen_text()
