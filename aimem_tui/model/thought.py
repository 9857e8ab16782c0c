"""Thoughts as lists show them: rows, folders, and which of them are wanted."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a thought is, derived from its path, frontmatter and name; never stored as truth."""

    PLAN = "plan"
    RESEARCH = "research"
    DECISION = "decision"
    PR = "pr"
    TICKET = "ticket"
    NOTE = "note"
    MEMORY = "memory"
    FILE = "file"
    """Text that is not markdown and travels with thoughts: a script, a ``.gitkeep``."""


class Lifecycle(StrEnum):
    """Where a thought stands; its free-text status is mapped to one of these."""

    NONE = ""
    DRAFT = "draft"
    ACTIVE = "active"
    DONE = "done"
    OBSOLETE = "obsolete"


class Thought(NamedTuple):
    """A row of a list: a thought without its text.

    ``path`` is the shown path, unique in the workspace; ``declared_path`` is what the document
    says, and differs where two replicas created the same path.
    """

    id: str
    path: str
    declared_path: str
    title: str
    kind: Kind
    status: str
    lifecycle: Lifecycle
    tags: tuple[str, ...]
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str
    trashed_at: int | None
    size: int
    """Bytes of its text in UTF-8."""
    words: int
    tasks_done: int
    tasks_total: int

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Folder(NamedTuple):
    """A folder of the tree. It exists because thoughts are below it."""

    path: str
    """Without a trailing slash; the root is the empty string."""
    thoughts: int
    """How many thoughts lie below it, at any depth, trash left out."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Filter(NamedTuple):
    """Which thoughts a list or a search is about; an empty field does not restrict."""

    path: str = ""
    """A folder, a thought's path, or a glob with ``*`` and ``?``."""
    kinds: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """All of them must be there."""
    author: str = ""
    """Matches who created or last edited it, or the author it names; case does not count."""
    status: str = ""
    """The status as written, or a lifecycle."""
    since: int | None = None
    """Updated at or after, in ms."""
    trashed: bool = False
    """True: only the trash. False: only what is not in it."""
