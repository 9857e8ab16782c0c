"""What the shell may complete, read quickly from the store.

Paths come a folder at a time, as the shell's own do: of a hundred thousand thoughts only those are
read that are shown. Nothing is made, changed or waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aimem_tui.model import Filter
from aimem_tui.workspace import registry

if TYPE_CHECKING:
    from aimem_tui.cli.context import Session
    from aimem_tui.workspace.workspace import Workspace

LIMIT = 200
"""More than this many nobody reads."""

_PAGE = 50
_BEHIND_ALL = "\U0010ffff"


def paths(session: Session, beginning: str, *, trashed: bool = False) -> list[str]:
    """Paths that begin so, up to the next slash."""
    workspace = _existing(session)
    if workspace is None:
        return []
    found: list[str] = []
    for path in _paths(workspace, beginning, Filter(trashed=trashed)):
        found.append(path)
        if len(found) == LIMIT:
            break
    return found


def tags(session: Session, beginning: str) -> list[str]:
    """Tags in use that begin so."""
    workspace = _existing(session)
    return [] if workspace is None else workspace.tags(beginning, limit=LIMIT)


def workspaces(session: Session, beginning: str) -> list[str]:
    """Workspaces of this machine whose names begin so."""
    return [
        entry.name for entry in registry.entries(session.home) if entry.name.startswith(beginning)
    ]


def _existing(session: Session) -> Workspace | None:
    file = registry.file_of(session.home, session.workspace_name)
    return session.open() if file.is_file() else None


def _paths(workspace: Workspace, beginning: str, wanted: Filter) -> Iterator[str]:
    after = _just_before(beginning)
    while True:
        page = list(workspace.thoughts(wanted, limit=_PAGE, after=after))
        for thought in page:
            if not thought.path.startswith(beginning):
                return
            folder, slash, _ = thought.path[len(beginning) :].partition("/")
            after = thought.path
            if slash:
                yield beginning + folder + slash
                # All that is below the folder is passed over.
                after = beginning + folder + slash + _BEHIND_ALL
                break
            yield thought.path
        else:
            if len(page) < _PAGE:
                return


def _just_before(text: str) -> str:
    """A text that sorts before ``text`` with no path between them."""
    if not text:
        return ""
    return text[:-1] + chr(max(ord(text[-1]) - 1, 1)) + _BEHIND_ALL
