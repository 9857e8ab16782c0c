"""Which workspaces this machine has. Each is a folder with one SQLite file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from aimem_tui.errors import BadInput, NotFound, Refused
from aimem_tui.markdown import paths
from aimem_tui.paths import Home

FILE_NAME = "workspace.db"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class WorkspaceEntry(NamedTuple):
    """A workspace on this machine."""

    name: str
    file: Path
    size: int
    """Bytes."""


def name_problem(name: str) -> str:
    """What is wrong with a workspace's name; empty if nothing."""
    if _NAME.fullmatch(name):
        return paths.portability(name)
    return (
        "A name has 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first."
    )


def file_of(home: Home, name: str) -> Path:
    """The file of a workspace, whether it is there or not.

    Raises:
        BadInput: if no workspace can have that name.
    """
    problem = name_problem(name)
    if problem:
        raise BadInput(f"{name!r} cannot be the name of a workspace.", why=problem)
    return home.workspaces / name / FILE_NAME


def entries(home: Home) -> list[WorkspaceEntry]:
    """All workspaces, by name."""
    found = []
    if home.workspaces.is_dir():
        for folder in sorted(home.workspaces.iterdir()):
            file = folder / FILE_NAME
            if file.is_file():
                found.append(WorkspaceEntry(folder.name, file, file.stat().st_size))
    return found


def require(home: Home, name: str) -> Path:
    """The file of a workspace that exists.

    Raises:
        NotFound: if it does not.
    """
    file = file_of(home, name)
    if not file.is_file():
        names = ", ".join(entry.name for entry in entries(home))
        raise NotFound(
            f"There is no workspace called {name}.",
            hint=f"There are: {names}." if names else f"To make it: aimem workspace create {name}.",
        )
    return file


def refuse_existing(home: Home, name: str) -> Path:
    """The file for a new workspace.

    Raises:
        Refused: if the workspace exists already.
    """
    file = file_of(home, name)
    if file.exists():
        raise Refused(
            f"There is a workspace called {name} already.",
            hint=f"Use it: aimem workspace use {name}.",
        )
    return file
