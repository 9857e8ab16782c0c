"""Finding the thoughts a person already has, to offer them at the first start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOST_COUNTED = 5_000
_MOST_FOLDERS = 20_000
_MARKDOWN = (".md", ".markdown", ".mdx")


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that holds thoughts."""

    path: Path
    files: int
    """Markdown files in it, counted up to 5,000."""
    into: str
    """The folder of the workspace it would go to; empty: the root."""


def sources(current: Path, home: Path) -> list[Source]:
    """The folders worth offering: thoughts and memory here, and Claude Code's memory of projects.

    Args:
        current: the folder aimem was started in.
        home: the person's home folder.
    """
    found = []
    candidates = [(current / "thoughts", ""), (current / "memory", "memory")]
    projects = home / ".claude" / "projects"
    if projects.is_dir():
        candidates += [
            (folder / "memory", f"memory/{_project_name(folder.name)}")
            for folder in sorted(projects.iterdir())
        ]
    for path, into in candidates:
        if path.is_dir():
            files = sum(1 for _ in _markdown_files(path))
            if files:
                found.append(Source(path, files, into))
    return found


def _project_name(folder: str) -> str:
    """Claude Code names a project's folder after its path, with dashes for slashes."""
    return folder.strip("-").rpartition("-")[2] or "project"


def _markdown_files(root: Path) -> Iterator[str]:
    counted = 0
    for folders, (_, directories, files) in enumerate(os.walk(root)):
        directories[:] = [name for name in directories if not name.startswith(".")]
        for name in files:
            if name.lower().endswith(_MARKDOWN):
                yield name
                counted += 1
        if counted >= _MOST_COUNTED or folders >= _MOST_FOLDERS:
            return
