"""What rendering gave, beside what is in the target already.

A file is equal if its bytes are and its owner may run it here as there. A git repository that a
hook made is one thing: it goes where no repository is, and a repository that is there is left as
it is, whatever the rendered one says.
"""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aimem_tui.setup.place import Place, Thing

ItemState = Literal["new", "equal", "differs"]

_SHOWN_BYTES = 200_000
_REPOSITORY = ".git"


@dataclass(frozen=True, slots=True)
class Item:
    """One rendered thing."""

    path: str
    """Relative to the target, with slashes."""
    state: ItemState
    rendered: Thing
    present: Thing | None
    """What is there now."""
    repository: bool = False
    """It is a git repository's own folder, taken as a whole."""


def compare(rendered: Path, target: Place) -> list[Item]:
    """Everything that was rendered, in the order of paths, repositories last.

    Raises:
        Refused: if a link in the target is in the way.
        StorageError: if something cannot be read.
    """
    items = []
    repositories = []
    for at, folders, names in os.walk(rendered):
        here = Path(at)
        if _REPOSITORY in folders and not (here / _REPOSITORY).is_symlink():
            folders.remove(_REPOSITORY)
            repositories.append(_repository(here / _REPOSITORY, rendered, target))
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(set(folders) - set(links))
        if here != rendered and not folders and not names and not links:
            items.append(_item(here, rendered, target))
        items += [_item(here / name, rendered, target) for name in (*names, *links)]
    return sorted(items, key=lambda item: item.path) + repositories


def difference(item: Item) -> list[str]:
    """How the rendered file differs from the one that is there, as a unified diff's lines."""
    here, there = item.present, item.rendered
    assert here is not None, "there is something to compare with"
    lines = []
    if here.kind == there.kind == "file" and here.executable != there.executable:
        lines.append("It is to be " + ("runnable." if there.executable else "no program."))
    if here.kind != there.kind:
        lines.append(f"A {here.kind} is there; a {there.kind} was rendered.")
    texts = [_text(thing) for thing in (here, there)]
    if None in texts:
        return [*lines, f"Not text: {len(here.data):,} bytes here, {len(there.data):,} rendered."]
    before, after = (str(text).splitlines() for text in texts)
    if before == after and here.data != there.data:
        lines.append("They differ in line ends or at the end of the text.")
    found = difflib.unified_diff(before, after, "yours", "theirs", lineterm="")
    return lines + list(found)


def _item(path: Path, rendered: Path, target: Place) -> Item:
    name = path.relative_to(rendered).as_posix()
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        thing = Thing("link", os.fsencode(path.readlink()))
    elif stat.S_ISDIR(mode):
        thing = Thing("folder")
    else:
        thing = Thing("file", path.read_bytes(), stat.S_IMODE(mode))
    present = target.look(name)
    return Item(name, _state(thing, present), thing, present)


def _repository(path: Path, rendered: Path, target: Place) -> Item:
    name = path.relative_to(rendered).as_posix()
    present = target.look(name)
    state: ItemState = "new" if present is None else "equal"
    return Item(name, state, Thing("folder"), present, repository=True)


def _state(rendered: Thing, present: Thing | None) -> ItemState:
    if present is None:
        return "new"
    same = (
        rendered.kind == present.kind
        and rendered.data == present.data
        and (rendered.kind != "file" or rendered.executable == present.executable)
    )
    return "equal" if same else "differs"


def _text(thing: Thing) -> str | None:
    if thing.kind == "link":
        return os.fsdecode(thing.data) + "\n"
    if len(thing.data) > _SHOWN_BYTES or b"\0" in thing.data:
        return None
    try:
        return thing.data.decode()
    except UnicodeDecodeError:
        return None
