"""Commands that read start fast: they load neither the document engine nor anything else heavy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.running import Aimem, process
from tests.imports import NETWORK

HEAVY = NETWORK | {
    "asyncio",
    "difflib",
    "importlib.metadata",
    "importlib.resources",
    "markdown_it",
    "platformdirs",
    "pycrdt",
    "regex",
    "rich",
    "secrets",
    "sqlite3",
    "sqlite_utils",
    "sqlite_vec",
    "subprocess",
    "textual",
    "tomlkit",
    "yaml",
}
DUMP = (
    "import json, sys; from aimem_tui.cli.main import main; code = main(sys.argv[2:]);"
    " open(sys.argv[1], 'w').write(json.dumps(sorted(sys.modules))); sys.exit(code)"
)


def modules_after(*args: str, folder: Path) -> set[str]:
    file = folder / "modules.json"
    ran = process(str(file), *args, command=[sys.executable, "-c", DUMP], stdin=None)
    assert ran.code == 0, ran.err
    return set(json.loads(file.read_text()))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["list"],
        ["list", "--long", "--kind", "plan", "--since", "7d"],
        ["show", "plans/a"],
        ["show", "plans/a", "--lines", "1", "--json"],
        ["search", "word"],
        ["status", "--json"],
        ["config"],
        ["workspace"],
        ["--help"],
        ["edit", "--help"],
        ["completion", "bash"],
    ],
    ids=" ".join,
)
def test_a_command_that_reads_loads_nothing_heavy(
    aimem: Aimem, tmp_path: Path, arguments: list[str]
) -> None:
    aimem("new", "plans/a", "# Word\n")
    assert modules_after(*arguments, folder=tmp_path) & HEAVY == set()


def test_a_command_that_writes_loads_the_engine_and_no_app(aimem: Aimem, tmp_path: Path) -> None:
    aimem("new", "plans/a")
    loaded = modules_after("append", "plans/a", "word", folder=tmp_path)
    assert "pycrdt" in loaded
    assert loaded & {"textual", "rich", "sqlite_utils"} == set()


def test_help_lists_the_commands_without_importing_any(tmp_path: Path) -> None:
    loaded = modules_after("--help", folder=tmp_path)
    assert not [name for name in loaded if name.startswith("aimem_tui.cli.commands")]
    assert "apsw" not in loaded


def test_a_command_imports_its_own_module_only(aimem: Aimem, tmp_path: Path) -> None:
    aimem("list")
    loaded = modules_after("list", folder=tmp_path)
    assert {name for name in loaded if name.startswith("aimem_tui.cli.commands.")} == {
        "aimem_tui.cli.commands.browse"
    }
