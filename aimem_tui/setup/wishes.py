"""What connecting an agent comes to: values, tables, sections and files that should be there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aimem_tui.errors import BadInput
from aimem_tui.setup import json_text, marked, toml_text
from aimem_tui.setup.edits import (
    Added,
    Edited,
    FileAdded,
    JsonAdded,
    SectionAdded,
    TomlAdded,
)


@dataclass(frozen=True, slots=True)
class JsonWish:
    """A value in a JSON file."""

    file: Path
    path: tuple[str, ...]
    value: object
    element: bool = False
    """An element of the array at the path."""

    @property
    def named(self) -> str:
        """What it is called in words to people."""
        return ".".join(self.path)

    def shown(self) -> str:
        """What a person would write themselves."""
        value: object = [self.value] if self.element else self.value
        for key in reversed(self.path):
            value = {key: value}
        return json.dumps(value, indent=2, ensure_ascii=False)

    def fulfilled(self, text: str, earlier: Added | None, *, replace: bool) -> Edited[Added]:
        """The text with the value.

        Raises:
            BadInput: if the text is not JSON, or cannot hold it.
        """
        if isinstance(earlier, JsonAdded) and not self.element and earlier.value != self.value:
            renewed = json_text.renew(text, earlier, self.value)
            if renewed.state == "added":
                return cast("Edited[Added]", renewed)
        found = json_text.add(text, self.path, self.value, element=self.element, replace=replace)
        return cast("Edited[Added]", found)


@dataclass(frozen=True, slots=True)
class TomlWish:
    """A table in a TOML file."""

    file: Path
    path: tuple[str, ...]
    value: dict[str, object]

    @property
    def named(self) -> str:
        """What it is called in words to people."""
        return ".".join(self.path)

    def shown(self) -> str:
        """What a person would write themselves."""
        return toml_text.add("", self.path, self.value).text

    def fulfilled(self, text: str, earlier: Added | None, *, replace: bool) -> Edited[Added]:
        """The text with the table.

        Raises:
            BadInput: if the text is not TOML, or cannot hold it.
        """
        if isinstance(earlier, TomlAdded) and earlier.value != self.value:
            without = toml_text.take_out(text, earlier)
            if without.state == "removed":
                text = without.text
        return cast("Edited[Added]", toml_text.add(text, self.path, self.value, replace=replace))


@dataclass(frozen=True, slots=True)
class SectionWish:
    """A marked section of a text."""

    file: Path
    content: str

    @property
    def named(self) -> str:
        """What it is called in words to people."""
        return "the section about aimem"

    def shown(self) -> str:
        """What a person would write themselves."""
        return self.content

    def fulfilled(self, text: str, earlier: Added | None, *, replace: bool) -> Edited[Added]:
        """The text with the section."""
        known = earlier if isinstance(earlier, SectionAdded) else None
        found = marked.add(text, self.content, earlier=known, replace=replace)
        return cast("Edited[Added]", found)


@dataclass(frozen=True, slots=True)
class FileWish:
    """A file of aimem's own making."""

    file: Path
    text: str

    @property
    def named(self) -> str:
        """What it is called in words to people."""
        return "the file"

    def shown(self) -> str:
        """What a person would write themselves."""
        return self.text

    def fulfilled(self, text: str, earlier: Added | None, *, replace: bool) -> Edited[Added]:
        """The file's text, unless another one is there that was not put there before."""
        if text == self.text:
            return Edited(text, "there")
        ours = isinstance(earlier, FileAdded) and earlier.text == text
        if text and not ours and not replace:
            return Edited(text, "differs", was=text)
        before = text if text and not ours else None
        if isinstance(earlier, FileAdded) and ours:
            before = earlier.replaced
        return Edited(self.text, "added", FileAdded(self.text, before))


Wish = JsonWish | TomlWish | SectionWish | FileWish


def taken_out(text: str, added: Added) -> Edited[Added]:
    """The text without what was added.

    Raises:
        BadInput: if it cannot be read any more.
    """
    if isinstance(added, JsonAdded):
        return cast("Edited[Added]", json_text.take_out(text, added))
    if isinstance(added, TomlAdded):
        return cast("Edited[Added]", toml_text.take_out(text, added))
    if isinstance(added, SectionAdded):
        return cast("Edited[Added]", marked.take_out(text, added))
    if not text:
        return Edited(text, "gone")
    if text != added.text:
        return Edited(text, "differs", was=text)
    return Edited(added.replaced or "", "removed")


def same_place(added: Added, wish: Wish) -> bool:
    """Whether what was added earlier is what a wish would add to the same file now."""
    if isinstance(added, JsonAdded) and isinstance(wish, JsonWish):
        same = added.path == wish.path and added.element == wish.element
        return same and (not wish.element or added.value == wish.value)
    if isinstance(added, TomlAdded) and isinstance(wish, TomlWish):
        return added.path == wish.path
    return (isinstance(added, SectionAdded) and isinstance(wish, SectionWish)) or (
        isinstance(added, FileAdded) and isinstance(wish, FileWish)
    )


def decoded(data: bytes) -> str:
    """A configuration file's text.

    Raises:
        BadInput: if it is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadInput("It is not UTF-8.", why=f"See byte {error.start}.") from None
