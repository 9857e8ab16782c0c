"""What was added to a person's files, as it is recorded, so that exactly that can be taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import msgspec

State = Literal["added", "there", "differs", "removed", "gone"]
"""What an edit came to: it was added, it is there already, something else is there and stays, it
was taken out, or it is there no more."""


class JsonAdded(msgspec.Struct, frozen=True, tag="json"):
    """A value in a JSON file."""

    path: tuple[str, ...]
    value: object
    element: bool = False
    """It is an element of the array at the path."""
    depth: int = 0
    """How many of the path's objects were there before."""
    hollow: str | None = None
    """What stood between the braces it was put into, if no member did."""
    replaced: str | None = None
    """The text of the value that it took the place of."""
    blank: str | None = None
    """The whole text before, if nothing was in it."""


class TomlAdded(msgspec.Struct, frozen=True, tag="toml"):
    """A table in a TOML file."""

    path: tuple[str, ...]
    value: dict[str, object]
    text: str
    """What was put behind the file's text."""
    replaced: str | None = None
    """The table that it took the place of."""


class SectionAdded(msgspec.Struct, frozen=True, tag="section"):
    """A marked section of a text."""

    text: str
    """What was put behind the file's text, with the blank lines before it."""


class FileAdded(msgspec.Struct, frozen=True, tag="file"):
    """A whole file."""

    text: str
    replaced: str | None = None
    """The text that it took the place of."""


Added = JsonAdded | TomlAdded | SectionAdded | FileAdded

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Edited(Generic[A]):
    """A text after an edit."""

    text: str
    state: State
    added: A | None = None
    was: str = ""
    """What is or was there instead."""
