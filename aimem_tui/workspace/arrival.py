"""Workspaces that come from elsewhere: which of them are here, and where a new one goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw

from aimem_tui.paths import Home
from aimem_tui.workspace import registry
from aimem_tui.workspace.creation import create_workspace
from aimem_tui.workspace.registry import WorkspaceEntry


def ids(home: Home) -> Iterator[tuple[str, WorkspaceEntry]]:
    """The ids of this machine's workspaces; files that cannot be read are passed over."""
    for entry in registry.entries(home):
        with suppress(apsw.Error):
            connection = apsw.Connection(str(entry.file), flags=apsw.SQLITE_OPEN_READONLY)
            with closing(connection):
                found = connection.execute("SELECT value FROM meta WHERE key = 'workspace'").get
            yield str(found), entry


def find(home: Home, workspace: str) -> WorkspaceEntry | None:
    """The workspace of this machine that has an id; None if it is not here."""
    return next((entry for one, entry in ids(home) if one == workspace), None)


def make(home: Home, name: str, workspace: str) -> WorkspaceEntry:
    """Make the place for a workspace that exists elsewhere.

    Raises:
        BadInput: if no workspace can have that name.
        Refused: if there is one of that name.
        StorageError: if its file cannot be written.
    """
    file = registry.refuse_existing(home, name)
    create_workspace(file, workspace)
    return WorkspaceEntry(name, file, file.stat().st_size)


def is_untouched(file: Path) -> bool:
    """Whether a workspace, made or not, has never had anything in it."""
    if not file.exists():
        return True
    with (
        suppress(apsw.Error),
        closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection,
    ):
        return not connection.execute(
            "SELECT EXISTS (SELECT 1 FROM log) OR EXISTS (SELECT 1 FROM checkpoints)"
        ).get
    return False


def free_name(home: Home, wanted: str) -> str:
    """``wanted`` made the name of a workspace, with a number behind it where it is taken."""
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).strip(".-_")[:56] or "workspace"
    name, number = base, 1
    while registry.name_problem(name) or registry.file_of(home, name).exists():
        number += 1
        name = f"{base}-{number}"
    return name
