"""The first frame waits for as little as possible: counted here, timed in ``bench``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aimem_tui.app import AimemApp
from aimem_tui.settings import Settings
from tests.imports import NETWORK
from tests.statements import listening
from tests.workspaces import open_workspace

NOT_YET = NETWORK | {
    "aimem_tui.markdown.describe",
    "aimem_tui.model.transfer",
    "aimem_tui.screens.find",
    "aimem_tui.screens.history",
    "aimem_tui.search.fulltext",
    "aimem_tui.store.log",
    "aimem_tui.store.writer",
    "aimem_tui.widgets.about",
    "aimem_tui.widgets.editor",
    "aimem_tui.widgets.preview",
    "click",
    "markdown_it",
    "pycrdt",
    "yaml",
}
"""What is loaded after the first frame, when it is needed."""


@pytest.mark.parametrize("folders", [2, 200])
def test_the_first_frame_needs_the_same_few_statements_whatever_the_workspace(
    tmp_path: Path, folders: int
) -> None:
    with open_workspace(tmp_path) as workspace:
        with workspace.database.write():
            for number in range(folders):
                workspace.create(f"folder {number:03}/deep/{number}.md", "# One\n")
                workspace.create(f"{number:03}.md", "# Two\n")
        with listening(workspace) as ran:
            app = AimemApp(workspace, Settings(tmp_path / "config.toml"), tmp_path / "state.json")
        assert 1 <= len(ran) <= 4, ran
        assert app.workspace is workspace


def test_the_app_loads_what_it_shows_first_and_nothing_else() -> None:
    code = "import json, sys, aimem_tui.app; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert set(json.loads(run.stdout)) & NOT_YET == set()


def test_nothing_else_is_loaded_until_the_first_frame_is_there(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from aimem_tui.app import AimemApp\n"
        "from aimem_tui.screens.main import MainScreen\n"
        "from aimem_tui.settings import Settings\n"
        "from aimem_tui.workspace.workspace import Workspace\n"
        "folder = Path(sys.argv[1])\n"
        "MainScreen._begin = lambda self: self.app.exit(sorted(sys.modules))\n"
        "with Workspace(folder / 'workspace.db', name='acme', author='Ada') as workspace:\n"
        "    settings = Settings(folder / 'config.toml', {})\n"
        "    app = AimemApp(workspace, settings, folder / 'state.json')\n"
        "    app.ui_state.welcomed = True\n"
        "    print(json.dumps(app.run(headless=True)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    loaded = set(json.loads(run.stdout))
    assert "aimem_tui.widgets.hints" in loaded
    assert loaded & NOT_YET == set()


def test_opening_the_app_loads_nothing_of_the_commands(tmp_path: Path) -> None:
    code = (
        "import importlib, json, sys\n"
        "from types import SimpleNamespace\n"
        "import aimem_tui.cli.main as main\n"
        "from aimem_tui.cli.context import Session\n"
        "Session.has_terminal = lambda self: True\n"
        "sys.modules['aimem_tui.app'] = SimpleNamespace(run=lambda *_: 7)\n"
        "code = main.main([])\n"
        "print(json.dumps([code, sorted(sys.modules)]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    code_of_app, modules = json.loads(run.stdout)
    assert code_of_app == 7
    assert set(modules) & {"click", "aimem_tui.cli.root", "aimem_tui.cli.command"} == set()
