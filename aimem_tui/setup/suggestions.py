"""Defaults that this machine suggests for aimem's own templates."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from pathlib import Path

_TIMEOUT = 5.0


def user_name(known: str, folder: Path) -> str:
    """The name of a person's folder: from the settings, else from git, else ``me``.

    Args:
        known: the name in aimem's settings; empty if none is set.
        folder: where git is asked.
    """
    for name in (known, _git_name(folder)):
        if plain := folder_name(name):
            return plain
    return "me"


def folder_name(name: str) -> str:
    """A person's name as the name of a folder: ``Ada Lovelace`` becomes ``ada-lovelace``."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9._]+", "-", bare).strip("-._")[:60]


def project_name(folder: Path) -> str:
    """A project's name, from its folder; empty if that says nothing."""
    return " ".join(folder.name.split())[:80]


def _git_name(folder: Path) -> str:
    at = next((each for each in (folder, *folder.parents) if each.is_dir()), Path("/"))
    try:
        ran = subprocess.run(
            ["git", "config", "--get", "user.name"],
            cwd=at,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout.decode(errors="replace").strip()
