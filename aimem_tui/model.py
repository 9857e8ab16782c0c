"""The plain values that pass between the rooms: what a thought looks like from outside.

Nothing here knows SQL, Yjs, click or Textual. All times are milliseconds since the Unix epoch,
UTC. All ids are 32 lower-case hexadecimal digits of a UUIDv7 unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Thought:
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


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the tree. It exists because thoughts are below it."""

    path: str
    """Without a trailing slash; the root is the empty string."""
    thoughts: int
    """How many thoughts lie below it, at any depth, trash left out."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Filter:
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


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A thought that a search found. ``snippet`` marks matches with U+0001 and U+0002."""

    thought: Thought
    score: float
    """Higher is better; only comparable within one answer."""
    snippet: str
    line: int
    """The line of the first match, from 0."""


@dataclass(frozen=True, slots=True)
class SearchResults:
    """What a search found, best first."""

    query: str
    hits: tuple[SearchHit, ...]
    total: int
    """How many thoughts match in all (counting stops at 1,000)."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A moment in a thought's history: edits of one author close in time, taken together."""

    number: int
    """Counts from 1, oldest first."""
    author: str
    started_at: int
    ended_at: int
    note: str
    """Why, where somebody said so: a commit's subject, ``restored revision 4``."""
    added: int
    """Characters added since the revision before it."""
    removed: int


@dataclass(frozen=True, slots=True)
class Activity:
    """That somebody edited a thought; a revision without its text."""

    author: str
    ended_at: int
    note: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long piece of work has come."""

    step: str
    """What is being done, for people: ``Reading``, ``Writing``."""
    done: int
    total: int | None
    item: str = ""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One thing in a report that a person should know of."""

    path: str
    reason: str


def silent(_progress: Progress) -> None:
    """A listener that hears no progress."""


def never() -> bool:
    """A stop signal that is never given."""
    return False


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How an import is done."""

    author: str
    """Who is recorded as the writer; a git import takes its authors from the commits."""
    into: str = ""
    """The folder of the workspace to import into; empty: the root."""
    only_markdown: bool = False
    """Leave out text files that are not markdown."""
    everything: bool = False
    """Import a folder that looks like a source tree all the same."""
    exclude: tuple[str, ...] = ()
    """Globs of paths to leave out, below the folder."""
    dry_run: bool = False
    """Find out what would be done, and change nothing."""
    progress: Callable[[Progress], None] = silent
    stop: Callable[[], bool] = never
    """Asked between files; True ends the import early, with all that was taken in kept."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How an export is done."""

    wanted: Filter = field(default_factory=Filter)
    format: str = "markdown"
    """``markdown`` (a tree of files), ``json`` or ``sqlite`` (one file)."""
    clean: bool = False
    """Remove files of an earlier export that are no longer there; never any other file."""
    overwrite: bool = False
    """Replace files that did not come from here, or were changed since they were exported."""
    progress: Callable[[Progress], None] = silent
    stop: Callable[[], bool] = never


@dataclass(slots=True)
class ImportReport:
    """What an import did. Every file that was found is counted in exactly one of the counters."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    revisions: int = 0
    """Git import: versions that became revisions."""
    skipped: list[ReportLine] = field(default_factory=list)
    """Left out, each with its reason."""
    notices: list[ReportLine] = field(default_factory=list)
    """Taken in, with something to know: another name, a name that differs only in case."""
    interrupted: bool = False


@dataclass(slots=True)
class ExportReport:
    """What an export did."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: list[ReportLine] = field(default_factory=list)
    notices: list[ReportLine] = field(default_factory=list)
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class WorkspaceStatus:
    """The state of a workspace in figures."""

    name: str
    file: str
    thoughts: int
    folders: int
    trashed: int
    words: int
    last_edit_at: int | None
    last_edit_by: str
    waiting: int
    """Thoughts whose search index is behind their text."""
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a doctor's report."""

    check: str
    ok: bool
    detail: str
    hint: str = ""
