"""The files that make up the project, told apart from what tools leave behind, without git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_MADE_BY_TOOLS = {
    ".git",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "__pycache__",
    "build",
    "dist",
}


def own_files(root: Path = ROOT) -> Iterator[Path]:
    """Every file below ``root`` that belongs to the project, in a fixed order."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - _MADE_BY_TOOLS)
        yield from (Path(folder) / name for name in sorted(names))
