"""What the tree of thoughts lacks, as a question, and how it is read, as an answer.

`answer` is the only thing that calls the source. It holds nothing and touches nothing of the
model, so it runs on any thread; questions and answers are values that may cross threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from aimem_tui.model import Folder, Thought

MOST_FOLDERS = 5_000
"""Folders read for one deep question."""


class TreeSource(Protocol):
    """Where thoughts come from; each call is one read by key. The workspace is one."""

    def folders(self, parent: str) -> Sequence[Folder]:
        """The folders directly in ``parent``, in order of name; the root is ``""``."""

    def thoughts_in(
        self, folder: str, limit: int, after: Thought | None = None
    ) -> Sequence[Thought]:
        """Thoughts directly in ``folder``, in order of name and id, the first ones after that."""

    def count(self) -> int:
        """How many thoughts there are in all, trash left out."""


class Wish(NamedTuple):
    """A part of the tree that the model lacks."""

    folder: str
    stamp: int
    """The folder's stamp when it was asked for."""
    limit: int
    """How many thoughts; 0 for none."""
    after: Thought | None = None
    folders: bool = True
    """Whether the folders in it are wanted too."""


class Question(NamedTuple):
    """What to read for the model. With ``deep``, the folders below each wish too."""

    wishes: tuple[Wish, ...]
    deep: bool = False


class Listing(NamedTuple):
    """What was read for one wish."""

    wish: Wish
    total: int | None
    """Thoughts in the whole workspace; only read with the folders of the root."""
    folders: tuple[Folder, ...]
    thoughts: tuple[Thought, ...]


class Inside(NamedTuple):
    """The folders directly in a folder."""

    path: str
    folders: tuple[Folder, ...]


class Answer(NamedTuple):
    """What was read for a question."""

    question: Question
    listings: tuple[Listing, ...]
    below: tuple[Inside, ...] = ()
    """For a deep question: every folder below the wishes, parents first."""


def answer(source: TreeSource, question: Question) -> Answer:
    """Read what a question asks for. Touches nothing of the model: run it on any thread."""
    listings = tuple(_listing(source, wish) for wish in question.wishes)
    below: list[Inside] = []
    if question.deep:
        waiting = [folder for listing in listings for folder in listing.folders]
        for folder in waiting:
            inside = Inside(folder.path, tuple(source.folders(folder.path)))
            below.append(inside)
            if len(below) == MOST_FOLDERS:
                break
            waiting.extend(inside.folders)
    return Answer(question, listings, tuple(below))


def _listing(source: TreeSource, wish: Wish) -> Listing:
    folders = tuple(source.folders(wish.folder)) if wish.folders else ()
    thoughts = source.thoughts_in(wish.folder, wish.limit, wish.after) if wish.limit else ()
    total = source.count() if wish.folders and not wish.folder else None
    return Listing(wish, total, folders, tuple(thoughts))
