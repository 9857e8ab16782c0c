"""Which files are a project's thoughts, and what each is called here and in the workspace.

- Thoughts are below ``thoughts/``, ``memory/`` and ``.claude/memory/`` of the project, and in
  Claude Code's own memory of it. Every other file is somebody else's business.
- A file is known by its real place, whatever links led to it. ``thoughts/shared`` may be a link to
  a folder elsewhere, as people have it who share thoughts by a link. A link to a single file that
  leads out of its folder is not followed, nor is one to a folder that holds the project or a home.
- ``thoughts/searchable/`` holds second names (hard links) of the files beside it. A file is meant
  by its first name. Where an editor has torn the two apart, it is still the same thought.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aimem_tui.bridge.files import LeftOut
from aimem_tui.claude import memory
from aimem_tui.claude.surroundings import Surroundings

_SECOND_NAMES = "searchable"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is, and where its thought belongs."""

    root: Path
    """The real path of the folder that an import would be told."""
    path: str
    """Below the root, with slashes."""
    goal: str
    """Where in the workspace."""
    twins: tuple[tuple[Path, str], ...] = ()
    """Root and path of other files that are the same thought: in the main folder of a worktree, or
    the first name of a second one."""

    @property
    def real(self) -> Path:
        """The real path of the file."""
        return self.root / self.path


@dataclass(frozen=True, slots=True)
class _Watched:
    folder: Path
    into: str
    twin: Path | None
    """The same folder in the repository's main folder."""


def is_thought(surroundings: Surroundings, file: Path, transcript: Path | None = None) -> bool:
    """Whether a file lies among thoughts, be it one or not."""
    try:
        return place_of(surroundings, file, transcript) is not None
    except LeftOut:
        return True


def place_of(
    surroundings: Surroundings, file: Path, transcript: Path | None = None
) -> Place | None:
    """Where a file belongs; None if it is no thought.

    Args:
        file: an absolute path.
        transcript: the file of the conversation, if there is one.

    Raises:
        LeftOut: if it lies among thoughts and cannot be one.
    """
    file = Path(os.path.normpath(file))
    for watched in _watched(surroundings, file, transcript):
        inside = _inside(watched.folder, file)
        if inside:
            place = _place(watched, inside)
            _refuse_left_out(place)
            return place
    return None


def without_second_names(path: str) -> str:
    """A path as it is without the folder of second names."""
    *folders, name = path.split("/")
    return "/".join([*(each for each in folders if each != _SECOND_NAMES), name])


def _watched(surroundings: Surroundings, file: Path, transcript: Path | None) -> Iterator[_Watched]:
    into = surroundings.project.into
    for root in surroundings.roots:
        main = surroundings.main if root == surroundings.project.root else None
        for name, goal in (("thoughts", ""), ("memory", "memory"), (".claude/memory", "memory")):
            twin = main / name if main is not None else None
            yield _Watched(root / name, "/".join(filter(None, (into, goal))), twin)
    own = memory.folder_of(surroundings, file, transcript)
    if own is not None:
        yield _Watched(own, memory.workspace_folder(surroundings, own), None)


def _inside(folder: Path, file: Path) -> str:
    """A file's path below a folder, whichever of its names either is called by; else empty."""
    real = Path(os.path.realpath(folder))
    for above, below in ((folder, file), (real, file), (real, Path(os.path.realpath(file)))):
        if below != above and below.is_relative_to(above):
            return below.relative_to(above).as_posix()
    return ""


def _place(watched: _Watched, inside: str) -> Place:
    parts = inside.split("/")
    if _SECOND_NAMES in parts[:-1]:
        return _first_name(watched, parts)
    goal = "/".join(filter(None, (watched.into, inside)))
    root, path = _located(watched.folder, parts)
    place = Place(root, path, goal)
    if watched.twin is not None:
        twin = _located(watched.twin, parts)
        place = replace(place, twins=(twin,) if twin != (root, path) else ())
    return place


def _first_name(watched: _Watched, parts: list[str]) -> Place:
    """The place of a file that was called by its second name."""
    at = parts.index(_SECOND_NAMES)
    first = _place(watched, "/".join(parts[:at] + parts[at + 1 :]))
    root, path = _located(watched.folder, parts)
    try:
        if first.real.samefile(root / path):
            return first
    except OSError:
        pass
    return Place(root, path, first.goal, ((first.root, first.path), *first.twins))


def _located(folder: Path, parts: list[str]) -> tuple[Path, str]:
    """Real root and path of a file below a folder.

    Raises:
        LeftOut: if a link leads where thoughts cannot be.
    """
    root = Path(os.path.realpath(folder))
    real = Path(os.path.realpath(folder.joinpath(*parts)))
    if real.is_relative_to(root):
        return root, real.relative_to(root).as_posix()
    for depth in range(1, len(parts)):
        linked = Path(os.path.realpath(folder.joinpath(*parts[:depth])))
        if not linked.is_relative_to(root):
            _refuse_wide(linked, root)
            if real.is_relative_to(linked) and real != linked:
                return linked, real.relative_to(linked).as_posix()
            break
    raise LeftOut("It is a link that leads out of the folder.")


def _refuse_wide(linked: Path, root: Path) -> None:
    for inner in (root, Path(os.path.realpath(Path.home()))):
        if inner.is_relative_to(linked):
            raise LeftOut(
                "A link on the way to it leads to a folder that holds more than thoughts."
            )


def _refuse_left_out(place: Place) -> None:
    from aimem_tui.bridge.scan import Choice

    reason = Choice().refuses(place.path)
    if reason:
        raise LeftOut(reason)
