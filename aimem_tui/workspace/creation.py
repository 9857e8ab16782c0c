"""Preparing a workspace's file: its schema and its ids."""

from __future__ import annotations

import os
from pathlib import Path

import apsw

from aimem_tui.errors import Refused, StorageError
from aimem_tui.store import whereabouts
from aimem_tui.store.connection import Database
from aimem_tui.store.migrate import migrate
from crdt import ids


def prepare(connection: apsw.Connection, path: Path, workspace: str = "") -> str:
    """Bring the schema up to date, and see to it that the file's ids are its own.

    Args:
        workspace: the workspace's id for a new file; a random one if not given.

    Returns: why a file that had ids took new ones; see :func:`whereabouts.settle`.
    """
    if path.exists() and path.stat().st_size == 0 and not os.access(path, os.W_OK):
        raise StorageError(f"{path} cannot be written.")
    migrate(connection, path)
    return whereabouts.settle(connection, path, workspace)


def create_workspace(file: Path, workspace: str) -> None:
    """Make the file of a workspace that exists elsewhere; it is empty until it is synchronised.

    Args:
        workspace: the workspace's id.

    Raises:
        Refused: if the file is there already.
        StorageError: if it cannot be written.
        ValueError: if that is not an id.
    """
    if not ids.is_id(workspace):
        raise ValueError(f"{workspace!r} is not the id of a workspace")
    if file.exists():
        raise Refused(f"There is a file {file} already.")

    def with_id(connection: apsw.Connection, path: Path) -> None:
        prepare(connection, path, workspace)

    Database(file, with_id).close()
