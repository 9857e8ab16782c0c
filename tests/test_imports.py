"""What an import brings in: commands start fast because nothing heavy loads before it is needed.

The import-linter contracts see every import that is written; these tests see those that happen.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.imports import NETWORK

HEAVY = NETWORK | {
    "apsw",
    "hypothesis",
    "markdown_it",
    "numpy",
    "onnxruntime",
    "pycrdt",
    "rich",
    "sqlite_utils",
    "textual",
    "tokenizers",
    "yaml",
}


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh Python holds after the statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "module", ["aimem_tui", "aimem_tui.cli.main", "aimem_tui.errors", "aimem_tui.model", "crdt"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import {module}") & HEAVY == set()


def test_the_apps_first_frame_waits_for_nothing_of_the_network() -> None:
    assert loaded_by("import aimem_tui.cli.main, aimem_tui.app") & NETWORK == set()


def test_neither_service_nor_app_loads_the_other() -> None:
    assert "aimem_tui" not in loaded_by("import aimem_relay")
    assert "aimem_relay" not in loaded_by("import aimem_tui.cli.main")
