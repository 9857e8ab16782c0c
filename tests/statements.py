"""Counting what is asked of the database: figures that no clock and no machine changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from aimem_tui.workspace.workspace import Workspace


@contextmanager
def listening(workspace: Workspace) -> Iterator[list[str]]:
    """The statements that run meanwhile on this thread's connection for reading."""
    ran: list[str] = []

    def note(_cursor: apsw.Cursor, sql: str, _values: object) -> bool:
        ran.append(sql)
        return True

    connection = workspace.database.read()
    connection.exec_trace = note
    try:
        yield ran
    finally:
        connection.exec_trace = None
