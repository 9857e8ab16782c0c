"""Putting what was rendered into the target, once everything has been decided.

Files come first and repositories last, so that a repository that is there is complete. What is
overwritten is kept as a backup before. A run that is killed leaves whole files, and the next one
goes on from there.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aimem_tui.errors import Refused, StorageError
from aimem_tui.setup.backups import Backups
from aimem_tui.setup.comparing import Item
from aimem_tui.setup.place import Place

Decide = Callable[[Item], str]
"""What is to become of a file that differs: ``mine``, ``theirs``, ``all`` or ``stop``."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What will be done with everything that was rendered."""

    new: tuple[Item, ...]
    equal: tuple[Item, ...]
    kept: tuple[Item, ...]
    """They differ and stay as they are."""
    replaced: tuple[Item, ...]


def decide(items: Iterable[Item], ask: Decide) -> Decided:
    """Decide about everything before anything is written.

    Raises:
        Refused: if the person wants to stop.
    """
    sorted_out: dict[str, list[Item]] = {"new": [], "equal": [], "mine": [], "theirs": []}
    take_all = False
    for item in items:
        if item.state != "differs":
            sorted_out[item.state].append(item)
            continue
        answer = "theirs" if take_all else ask(item)
        if answer == "stop":
            raise Refused("Stopped. Nothing was written.")
        take_all = take_all or answer == "all"
        sorted_out["theirs" if answer == "all" else answer].append(item)
    return Decided(*(tuple(found) for found in sorted_out.values()))


def apply(decided: Decided, rendered: Path, target: Place, backups: Backups) -> None:
    """Write what was decided.

    Args:
        rendered: the private folder, for the repositories in it.

    Raises:
        Refused: if something is in the way.
        StorageError: if something cannot be written; what was written before stays.
    """
    for item in decided.replaced:
        assert item.present is not None, "what is replaced is there"
        if item.present.kind in ("folder", "other"):
            raise Refused(f"{item.path} is in the way: it is no file.")
        backups.keep(target.folder / item.path, item.present)
    for item in (*decided.new, *decided.replaced):
        if not item.repository:
            target.put(item.path, item.rendered)
    for item in decided.new:
        if item.repository:
            _adopt(item.path, rendered / item.path, target)


def in_the_way(items: Sequence[Item]) -> list[Item]:
    """The things that cannot be replaced: folders where a file belongs, and the other way round."""
    return [
        item
        for item in items
        if item.state == "differs"
        and item.present is not None
        and (item.present.kind in ("folder", "other") or item.rendered.kind == "folder")
    ]


def _adopt(path: str, source: Path, target: Place) -> None:
    """Put a whole folder where none is; it appears at once or not at all."""
    parent = path.rpartition("/")[0]
    around = target.look(parent) if parent else None
    if parent and (around is None or around.kind != "folder"):
        raise Refused(f"{parent} is no folder.")
    draft = target.folder / parent / f".aimem-{secrets.token_hex(8)}.tmp"
    try:
        shutil.copytree(source, draft, symlinks=True)
        draft.rename(target.folder / path)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise StorageError(
            f"{path} cannot be written.", why=f"{error.strerror or error}."
        ) from error
