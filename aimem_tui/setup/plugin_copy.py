"""The plugin for Claude Code as a folder of aimem's data, which it takes for a marketplace.

The installation itself may move or go (a virtual environment that is made anew), so the settings
name a copy. It is brought up to date whenever aimem is connected.
"""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

from aimem_tui import __version__
from aimem_tui.errors import StorageError

PLUGIN = "aimem"
MARKETPLACE = "aimem"
_FOLDER = "claude-plugin"


def marketplace_folder(data: Path) -> Path:
    """Where the copy is, or will be.

    Args:
        data: aimem's data folder.
    """
    return data / _FOLDER / __version__


def refresh(data: Path, plugin: Path) -> Path:
    """Make the copy what the installed plugin is.

    Args:
        plugin: the folder of the plugin that is installed.

    Returns: the marketplace's folder.

    Raises:
        StorageError: if it cannot be written.
    """
    folder = marketplace_folder(data)
    draft = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    old = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True)
        shutil.copytree(plugin, draft / PLUGIN, ignore=shutil.ignore_patterns("__pycache__"))
        manifest = draft / ".claude-plugin" / "marketplace.json"
        manifest.parent.mkdir()
        manifest.write_text(json.dumps(_manifest(plugin), indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    except OSError as error:
        raise StorageError(
            "The plugin for Claude Code cannot be written.", why=f"{error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return folder


def remove(data: Path) -> None:
    """Remove all copies."""
    shutil.rmtree(data / _FOLDER, ignore_errors=True)


def _manifest(plugin: Path) -> dict[str, object]:
    described = json.loads((plugin / ".claude-plugin" / "plugin.json").read_text(encoding="utf-8"))
    entry = {"name": PLUGIN, "source": f"./{PLUGIN}"}
    if isinstance(described, dict) and isinstance(described.get("description"), str):
        entry["description"] = described["description"]
    return {"name": MARKETPLACE, "owner": {"name": "aimem"}, "plugins": [entry]}
