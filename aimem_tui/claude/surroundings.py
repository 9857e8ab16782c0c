"""Where a session of Claude Code takes place: the project, its repository, its worktrees.

- The project is what ``.aimem.toml`` says. Without one it is the repository, else the folder that
  Claude Code was started in.
- A worktree of a repository has its own copy of the project's files and the same memory. Where the
  project's file is in the main folder only, it holds for all worktrees.
- git is not started: a worktree's ``.git`` is a file that leads to the main folder (see
  "gitrepository-layout" of git's documentation).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from aimem_tui.workspace.project import Project, project_of

_LARGEST_POINTER = 8 * 1024


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The folders that a session is about."""

    project: Project
    roots: tuple[Path, ...]
    """The folders in which the project's ``thoughts/`` and ``memory/`` may be."""
    main: Path | None = None
    """In a worktree: the project's root in the repository's main folder."""
    starts: tuple[Path, ...] = ()
    """The folders that Claude Code may have named the project after."""


def surroundings_of(folder: Path) -> Surroundings:
    """What a session in a folder is about.

    Args:
        folder: where Claude Code is; an absolute path. ``CLAUDE_PROJECT_DIR`` is where it was
            started.

    Raises:
        BadInput: if the project's file makes no sense.
    """
    given = os.environ.get("CLAUDE_PROJECT_DIR", "")
    started = Path(given) if given and Path(given).is_absolute() else folder
    # Claude may have gone elsewhere meanwhile; what it does there is still the project's.
    here = folder if folder.is_relative_to(started) else started
    repository = repository_of(here)
    main = main_folder(repository) if repository is not None else None
    starts = tuple(dict.fromkeys(each for each in (main, repository, started, here) if each))
    project = project_of(here)
    if project is None and main is not None and main != repository:
        project = project_of(main)
    if project is None:
        roots = tuple(dict.fromkeys(each for each in (repository, started, here) if each))
        other = main if main != repository else None
        return Surroundings(Project(roots[0]), roots, other, starts)
    if repository is None or main is None or main == repository:
        return Surroundings(project, (project.root,), None, starts)
    if project.root.is_relative_to(repository):
        other = main / project.root.relative_to(repository)
        return Surroundings(project, (project.root,), other, starts)
    if not project.root.is_relative_to(main):
        return Surroundings(project, (project.root,), None, starts)
    root = repository / project.root.relative_to(main)
    moved = Project(root, project.workspace, project.into)
    return Surroundings(moved, (root,), project.root, starts)


def repository_of(folder: Path) -> Path | None:
    """The top of the git repository, or worktree, that a folder lies in."""
    for top in (folder, *folder.parents):
        if os.path.lexists(top / ".git"):
            return top
    return None


def main_folder(top: Path) -> Path:
    """The main folder of a repository, from the top of any of its worktrees."""
    pointer = top / ".git"
    try:
        if not pointer.is_file():
            return top
        private = _pointed(top, pointer, "gitdir:")
        common = _pointed(private, private / "commondir", "")
    except (OSError, ValueError):
        return top
    # A bare repository has worktrees and no folder of its own.
    return common.parent if common.name == ".git" else top


def _pointed(beside: Path, file: Path, label: str) -> Path:
    """The folder that a file of git's names."""
    with file.open("rb") as opened:
        line = opened.read(_LARGEST_POINTER).decode().strip()
    if not line.startswith(label):
        raise ValueError("it is no pointer of git's")
    return Path(os.path.normpath(beside / line.removeprefix(label).strip()))
