"""The sample workspace: four thoughts that explain themselves."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable

from aimem_tui.errors import Refused
from aimem_tui.workspace.workspace import Workspace

FIRST = "welcome.md"
"""The one to open first."""


def add(workspace: Workspace) -> int:
    """Put the sample thoughts into a workspace; those at taken paths are left out.

    Returns: how many were added.
    """
    added = 0
    for path, text in _texts(resources.files("aimem_tui") / "sample", ""):
        try:
            workspace.create(path, text, note="sample")
        except Refused:
            continue
        added += 1
    return added


def _texts(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            found += _texts(item, f"{prefix}{item.name}/")
        elif item.name.endswith(".md"):
            found.append((prefix + item.name, item.read_text(encoding="utf-8")))
    return found
