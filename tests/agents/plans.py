"""How SQLite finds what a piece of code asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import apsw

from aimem_tui.workspace.workspace import Workspace


@dataclass
class Asked:
    """The queries that ran, each with the steps of its plan."""

    plans: dict[str, list[str]] = field(default_factory=dict)


@contextmanager
def plans(workspace: Workspace) -> Iterator[Asked]:
    """Notes the queries of this thread, and afterwards how each one is run."""
    connection = workspace.database.read()
    ran: dict[str, object] = {}

    def note(_cursor: apsw.Cursor, sql: str, values: object) -> bool:
        if sql.lstrip().startswith(("SELECT", "WITH")):
            ran[sql] = values
        return True

    asked = Asked()
    connection.exec_trace = note
    try:
        yield asked
    finally:
        connection.exec_trace = None
    for sql, values in ran.items():
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)  # type: ignore[arg-type]
        asked.plans[sql] = [str(row[3]) for row in rows]
