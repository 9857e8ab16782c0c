"""A table in a TOML file of a person's: put behind the text, taken out to the byte.

What is in the file is read with tomlkit. A table is written as text behind everything else, which
is valid wherever no such table is; so comments, order and odd spacing cannot suffer.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

from aimem_tui.errors import BadInput
from aimem_tui.setup.edits import Edited, TomlAdded


def add(
    text: str, path: Sequence[str], value: dict[str, object], *, replace: bool = False
) -> Edited[TomlAdded]:
    """Put a table at a path.

    Args:
        replace: put it in place of another value.

    Returns: as :func:`aimem_tui.setup.json_text.add` does.

    Raises:
        BadInput: if the text is not TOML, or something on the way is no table.
    """
    path = tuple(path)
    document = _parsed(text)
    present = _at(document, path)
    was = None
    if present is not None and _plain(present) == value:
        return Edited(text, "there")
    if present is not None:
        was = _block(path, present)
        if not replace:
            return Edited(text, "differs", was=was)
        text = _deleted(document, path)
    written = _block(path, value)
    if "\r\n" in text:
        written = written.replace("\n", "\r\n")
    ends = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text.strip("\ufeff") else ends if text.endswith("\n") else ends * 2
    new = f"{text}{gap}{written}"
    if _plain(_at(_parsed(new), path)) != value:
        raise BadInput(
            f"{'.'.join(path)} cannot be added.", why="The table above it is written in one line."
        )
    return Edited(new, "added", TomlAdded(path, value, f"{gap}{written}", was))


def take_out(text: str, added: TomlAdded) -> Edited[TomlAdded]:
    """Take out what was added, unless it was changed since.

    Raises:
        BadInput: if the text is not TOML any more.
    """
    document = _parsed(text)
    present = _at(document, added.path)
    if present is None:
        return Edited(text, "gone")
    if _plain(present) != added.value:
        return Edited(text, "differs", was=_block(added.path, present))
    before, _, behind = text.rpartition(added.text)
    without = before + behind
    if added.text not in text or _at(_parsed(without), added.path) is not None:
        without = _deleted(document, added.path)
    return Edited(without + (added.replaced or ""), "removed")


def _block(path: Sequence[str], value: Any) -> str:  # noqa: ANN401
    """A table as text, with its whole name above it."""
    import tomlkit

    block = tomlkit.document()
    inner: MutableMapping[str, Any] = block
    for key in path[:-1]:
        inner[key] = tomlkit.table(is_super_table=True)
        inner = inner[key]
    inner[path[-1]] = _plain(value)
    return tomlkit.dumps(block)


def _deleted(document: MutableMapping[str, Any], path: Sequence[str]) -> str:
    """The text without a table, and without those above it that are empty then."""
    import tomlkit

    way = [document]
    for key in path[:-1]:
        way.append(way[-1][key])
    del way[-1][path[-1]]
    for table, key in zip(reversed(way[:-1]), reversed(path[:-1]), strict=True):
        if not table[key]:
            del table[key]
    return tomlkit.dumps(document)


def _at(document: MutableMapping[str, Any], path: Sequence[str]) -> Any:  # noqa: ANN401
    found: Any = document
    for depth, key in enumerate(path):
        if not isinstance(found, MutableMapping):
            raise BadInput(f"{'.'.join(path[:depth])} is not a table.")
        if key not in found:
            return None
        found = found[key]
    return found


def _plain(value: Any) -> object:  # noqa: ANN401
    return value.unwrap() if hasattr(value, "unwrap") else value


def _parsed(text: str) -> MutableMapping[str, Any]:
    import tomlkit
    from tomlkit.exceptions import ParseError, TOMLKitError

    try:
        return tomlkit.parse(text.removeprefix("\ufeff"))
    except ParseError as error:
        raise BadInput("It is not TOML.", why=f"See line {error.line}.") from error
    except TOMLKitError as error:
        raise BadInput("It is not TOML.", why=f"{error}.") from error
