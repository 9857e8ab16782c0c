"""While the app is open, a process beside it makes what is written findable by its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimem_tui import app as app_module
from aimem_tui import paths
from aimem_tui.app import AimemApp
from aimem_tui.index import status
from aimem_tui.index.file import IndexFile
from aimem_tui.screens import indexed
from aimem_tui.screens.indexed import Said
from aimem_tui.settings import Settings
from aimem_tui.widgets.hints import Hints
from aimem_tui.workspace.indexing import IndexingState
from aimem_tui.workspace.workspace import Workspace
from tests.app.test_app import Desk


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_module, "INDEXING_BEGIN_S", 0.05)


def app_over(folder: Path, workspace: Workspace, environment: dict[str, str]) -> AimemApp:
    return AimemApp(
        workspace, Settings(folder / "config.toml", environment), folder / "screen.json"
    )


async def test_what_is_written_is_found_by_its_meaning_a_moment_later(tmp_path: Path) -> None:
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as workspace:
        workspace.create("db.md", "# Storage\n\nPostgres keeps rows in pages.\n")
        app = app_over(tmp_path, workspace, {})
        async with app.run_test() as pilot:
            at = Desk(app, pilot, workspace)

            def best(query: str) -> str:
                hits = workspace.search(query, kind="semantic").hits
                return hits[0].thought.path if hits else ""

            await at.until(lambda: best("relational database") == "db.md", "what was there")
            workspace.create("cats.md", "# Felines\n\nKittens purr when they are stroked.\n")
            workspace.catch_up()
            await at.until(lambda: best("pet animal") == "cats.md", "what was written")
            indexing = app.indexing
            assert indexing is not None
            process = indexing._process
            assert process is not None
        assert process.poll() is not None, "it ended with the app"


async def test_who_wants_no_indexing_gets_none(tmp_path: Path) -> None:
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as workspace:
        workspace.create("a.md", "# A\n")
        app = app_over(tmp_path, workspace, {"AIMEM_INDEX": "off"})
        async with app.run_test() as pilot:
            at = Desk(app, pilot, workspace)
            await at.until(lambda: app.indexing is not None, "it was looked at")
            assert app.indexing is not None
            assert app.indexing._process is None


def note(at: Desk) -> str:
    """What stands at the end of the bottom line."""
    return at.main.query_one(Hints).note


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be said is said at once."""
    monkeypatch.setattr(indexed, "QUIET_S", 0.01)
    monkeypatch.setattr(indexed, "NEXT_S", 0.01)


@pytest.mark.usefixtures("at_once")
async def test_while_there_is_something_to_index_the_bottom_line_says_how_much(
    tmp_path: Path,
) -> None:
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as workspace:
        for name in range(70):
            workspace.create(f"{name}.md", f"# {name}\n\nOnly {name} says so.\n")
        app = app_over(tmp_path, workspace, {})
        async with app.run_test(size=(120, 36)) as pilot:
            at = Desk(app, pilot, workspace)
            await at.until(lambda: " passages left" in at.screen_text(), "how much")
            await at.until(lambda: note(at) == "", "nothing is left")
            await at.open("7")
            await at.until(lambda: "ln 1" in note(at), "where one is")
            assert "indexing" not in note(at)


@pytest.mark.usefixtures("at_once")
async def test_a_pause_is_said_for_as_long_as_something_waits(tmp_path: Path) -> None:
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as workspace:
        workspace.create("a.md", "# A\n\nWaits for its vector.\n")
        with IndexFile(paths.home().index_file) as index:
            status.pause(index)
            app = app_over(tmp_path, workspace, {})
            async with app.run_test(size=(80, 24)) as pilot:
                at = Desk(app, pilot, workspace)
                await at.until(lambda: note(at) == "indexing paused", "the pause, in two words")
                await pilot.resize_terminal(120, 36)
                await at.open("a")
                await at.until(lambda: "is paused, 1 passage left · ln 1" in note(at), "the pause")
                status.resume(index)
                await at.until(lambda: "indexing" not in note(at), "nothing waits")


@pytest.mark.usefixtures("at_once")
async def test_a_model_that_cannot_be_used_is_told_once_and_stays_said(tmp_path: Path) -> None:
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as workspace:
        workspace.create("a.md", "# A\n")
        (tmp_path / "config.toml").write_text('[index]\nmodel = "/nowhere/model.onnx"\n', "utf-8")
        app = app_over(tmp_path, workspace, {})
        async with app.run_test(size=(120, 36), notifications=True) as pilot:
            at = Desk(app, pilot, workspace)
            await at.until(lambda: note(at) == "indexing has stopped", "that it does not work")
            await at.until(lambda: "no model at" in at.screen_text(), "why")


async def test_what_is_indexed_within_a_moment_is_not_worth_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace(tmp_path / "workspace.db", name="acme", author="Ada") as workspace:
        workspace.create("a.md", "# A\n\nOne passage.\n")
        monkeypatch.setattr(indexed, "QUIET_S", 3600.0)
        app = app_over(tmp_path, workspace, {})
        async with app.run_test() as pilot:
            at = Desk(app, pilot, workspace)
            line = app.main._indexed
            await at.until(lambda: line._timer is not None, "news of indexing")
            await at.until(
                lambda: workspace.search("passage", kind="semantic").kind == "semantic",
                "it was indexed",
            )
            assert (line.said, note(at)) == (Said(), "")
            line._look()
            assert (line.said, note(at)) == (Said(), "")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (IndexingState(False, 0, 0, ""), Said()),
        (IndexingState(True, 7, 7, ""), Said()),
        (IndexingState(True, 6, 7, ""), Said("indexing, 1 passage left", "indexing")),
        (
            IndexingState(True, 0, 1_200, "", reading=True),
            Said("indexing, 1,200 thoughts left", "indexing"),
        ),
        (
            IndexingState(False, 0, 3, "", paused=True),
            Said("indexing is paused, 3 passages left", "indexing paused"),
        ),
        (IndexingState(False, 0, 0, "No model."), Said("indexing has stopped", "not indexing")),
    ],
)
def test_indexing_in_words(state: IndexingState, said: Said) -> None:
    assert indexed.in_words(state) == said
