"""The state of a workspace."""

from __future__ import annotations

from typing import NamedTuple


class WorkspaceStatus(NamedTuple):
    """The state of a workspace in figures."""

    name: str
    file: str
    thoughts: int
    folders: int
    trashed: int
    words: int
    last_edit_at: int | None
    last_edit_by: str
    waiting: int
    """Thoughts whose search index is behind their text."""
    file_bytes: int
    id: str = ""
    """What other machines and relays know the workspace by."""
    edits: int = 0
    """How many edits were saved on this machine."""
    edits_elsewhere: int = 0
    """How many of them some other machine or relay has on disk."""


class Finding(NamedTuple):
    """One line of a doctor's report."""

    check: str
    ok: bool
    detail: str
    hint: str = ""
