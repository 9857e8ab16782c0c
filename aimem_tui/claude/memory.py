"""Claude Code's own memory of a project: where it is, and where it goes in the workspace.

The memory is a folder: ``MEMORY.md``, an index of one line for each memory, which is loaded into
every session; and a file for each topic, with the frontmatter ``name``, ``description`` and
``type``. These are ordinary thoughts here, and are found, merged and synced like any other.

- It is ``projects/<name>/memory`` below the configuration folder (``~/.claude``, or what
  ``CLAUDE_CONFIG_DIR`` says), or what ``autoMemoryDirectory`` in the settings says. All worktrees
  of a repository share it. See "Manage Claude's memory" and "Manage sessions" of Claude Code's
  documentation.
- ``<name>`` is the project's path with a dash for each character that is no letter or digit; from
  200 characters on the rest is a hash that only Claude Code knows.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from aimem_tui.claude.surroundings import Surroundings

_LONGEST_NAME = 200
_LARGEST_SETTINGS = 1 << 20


def folder_of(
    surroundings: Surroundings, file: Path, transcript: Path | None = None
) -> Path | None:
    """The memory folder of the session's project, if a file lies in it.

    Args:
        transcript: the file of the conversation; it lies in the folder of the project.
    """
    configured = os.environ.get("CLAUDE_CONFIG_DIR", "")
    config = Path(configured) if configured else Path.home() / ".claude"
    projects = config / "projects"
    if file.is_relative_to(projects):
        name, *inside = file.relative_to(projects).parts
        if len(inside) > 1 and inside[0] == "memory":
            fixed = os.environ.get("CLAUDE_CODE_PROJECT_DIR_NAME", "") if configured else ""
            known = {transcript.parent.name} if transcript is not None else set()
            if name == fixed or name in known or _is_named_after(name, surroundings):
                return projects / name / "memory"
        return None
    for chosen in _chosen(config, surroundings):
        if file.is_relative_to(chosen):
            return chosen
    return None


def workspace_folder(surroundings: Surroundings, memory: Path) -> str:
    """The folder of the workspace that a memory folder goes to, as the first start offers it."""
    name = memory.parent.name if memory.name == "memory" else memory.name
    name = name.strip("-").rpartition("-")[2] or "project"
    return "/".join(part for part in (surroundings.project.into, "memory", name) if part)


def encoded(folder: Path) -> str:
    """The name that Claude Code gives to a project's folder, as far as it can be known."""
    return re.sub(r"[^A-Za-z0-9]", "-", str(folder))[:_LONGEST_NAME]


def _is_named_after(name: str, surroundings: Surroundings) -> bool:
    for start in surroundings.starts:
        for folder in (start, Path(os.path.realpath(start))):
            wanted = encoded(folder)
            if name == wanted or (len(wanted) == _LONGEST_NAME and name.startswith(wanted + "-")):
                return True
    return False


def _chosen(config: Path, surroundings: Surroundings) -> Iterator[Path]:
    """The folders that the settings choose for the memory, the most specific setting first."""
    for root in surroundings.roots:
        yield from _setting(root / ".claude" / "settings.local.json", surroundings)
        yield from _setting(root / ".claude" / "settings.json", surroundings)
    yield from _setting(config / "settings.json", surroundings)


def _setting(file: Path, surroundings: Surroundings) -> Iterator[Path]:
    try:
        with file.open("rb") as opened:
            settings = json.loads(opened.read(_LARGEST_SETTINGS))
        given = settings.get("autoMemoryDirectory") if isinstance(settings, dict) else None
        if not isinstance(given, str) or not given.startswith(("/", "~/")):
            return
        chosen = Path(os.path.normpath(Path(given).expanduser()))
    except (OSError, ValueError, RecursionError, RuntimeError):
        return
    # A project's settings come from whoever wrote it: what holds more than a memory is none.
    if not any(each.is_relative_to(chosen) for each in (Path.home(), *surroundings.roots)):
        yield chosen
