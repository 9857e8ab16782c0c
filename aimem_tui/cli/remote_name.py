"""The type of a remote's name on the command line."""

from __future__ import annotations

from collections.abc import Iterable

from aimem_tui.cli.context import Session
from aimem_tui.cli.types import Text


class RemoteName(Text):
    """The name of a relay or machine that the workspace is connected to."""

    name = "name"

    def candidates(self, session: Session, beginning: str) -> Iterable[str]:
        """All of the workspace in use."""
        from aimem_tui.sync.remotes import Remotes
        from aimem_tui.workspace import registry

        folder = registry.file_of(session.home, session.workspace_name).parent
        return [one.name for one in Remotes(folder).all() if one.name.startswith(beginning)]
