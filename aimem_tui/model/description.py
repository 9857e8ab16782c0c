"""What a thought's text says about itself."""

from __future__ import annotations

from dataclasses import dataclass

from aimem_tui.model.thought import Kind, Lifecycle


@dataclass(frozen=True, slots=True)
class Task:
    """A checkbox of a thought. ``line`` counts from 0."""

    line: int
    text: str
    done: bool


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a thought. ``level`` is 1 to 6, ``line`` counts from 0."""

    level: int
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to another text: as written, and the line (from 0) it stands in."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Description:
    """All that is derived from a thought's text and path."""

    title: str
    kind: Kind
    tags: tuple[str, ...] = ()
    status: str = ""
    """The status as written."""
    lifecycle: Lifecycle = Lifecycle.NONE
    date: int | None = None
    """The date the author wrote (frontmatter or file name), in ms; None where there is none."""
    author: str = ""
    """The author or researcher named in the frontmatter, as written."""
    headings: tuple[Heading, ...] = ()
    tasks: tuple[Task, ...] = ()
    links: tuple[Link, ...] = ()
    words: int = 0
