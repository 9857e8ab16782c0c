"""Taking texts in and giving them out: what is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aimem_tui.model.thought import Filter


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
