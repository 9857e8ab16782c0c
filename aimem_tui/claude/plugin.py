"""The plugin for Claude Code: where its folder is."""

from __future__ import annotations

from pathlib import Path

from aimem_tui.errors import NotFound

NAME = "aimem"
"""The plugin's name, and its server's."""

_FOLDER = "claude-plugin"


def plugin_folder() -> Path:
    """The plugin's folder: in the source tree beside the package, in the wheel inside it.

    Raises:
        NotFound: if the installation is not whole.
    """
    package = Path(__file__).resolve().parents[1]
    for templates in (package.parent / "templates", package / "_templates"):
        folder = templates / _FOLDER
        if (folder / ".claude-plugin" / "plugin.json").is_file():
            return folder
    raise NotFound(
        "The plugin for Claude Code is not there.", hint="To mend it, install aimem again."
    )
