"""While the app is open, a process beside it makes what is written findable by its meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimem_tui import app as app_module
from aimem_tui.app import AimemApp
from aimem_tui.settings import Settings
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
