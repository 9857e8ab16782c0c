"""A workspace in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimem_tui.model import Filter, WorkspaceStatus
from aimem_tui.store import catalogue, durability

if TYPE_CHECKING:
    from aimem_tui.workspace.workspace import Workspace


def status(workspace: Workspace) -> WorkspaceStatus:
    """How much there is, who wrote last, and what waits to be indexed."""
    with workspace.database.snapshot() as connection:
        thoughts, words = connection.execute(
            "SELECT count(*), coalesce(sum(words), 0) FROM thoughts WHERE shown = 1"
        ).get
        trashed = catalogue.count(connection, Filter(trashed=True))
        last = connection.execute(
            "SELECT updated_at, updated_by FROM thoughts WHERE shown = 1"
            " ORDER BY updated_at DESC LIMIT 1"
        ).fetchone()
        folders = connection.execute("SELECT count(*) FROM folders").get
        standing = durability.standing(connection)
        waiting = connection.execute("SELECT count(*) FROM stale").get
    file = workspace.database.path
    size = sum(
        part.stat().st_size for part in (file, file.with_name(file.name + "-wal")) if part.exists()
    )
    return WorkspaceStatus(
        name=workspace.name,
        file=str(file),
        thoughts=int(thoughts),
        folders=int(folders),
        trashed=int(trashed),
        words=int(words),
        last_edit_at=None if last is None else int(last[0]),
        last_edit_by="" if last is None else str(last[1]),
        waiting=int(waiting),
        file_bytes=size,
        id=standing.workspace,
        edits=standing.own_seq,
        edits_elsewhere=min(standing.durable_seq, standing.own_seq),
    )
