"""The folder of the workspace that a command is about where none is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aimem_tui.cli.context import Session


def chosen(session: Session, given: str | None) -> str:
    """The folder that was given, ``/`` being all of the workspace; else the project's.

    Raises:
        BadInput: if the project's file makes no sense.
    """
    if given is not None:
        return given.strip("/")
    project = session.project
    if project is None or project.workspace not in ("", session.workspace_name):
        return ""
    return project.into
