"""What a git history does to thoughts, one step after the other.

- A step says what one commit made of one path. Whether a thought is made, changed, moved, put into
  the trash or taken out of it is decided from the names of contents alone, so a dry run decides the
  same and touches nothing.
- Each content is one entry. Its update leads from the text that git had to the one that git has, so
  what was written here meanwhile stays. Path and trash are changed on the present document.
- What somebody moved here stays where it is, and what somebody edited here is not thrown away
  because git deleted it.
- Thoughts are left stale; they are projected once, at the end.
- Whoever calls holds the transaction, and calls :meth:`Replay.save` before its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import apsw

from aimem_tui.bridge import intake, sources
from aimem_tui.bridge.files import printable
from aimem_tui.bridge.intake import Arrival
from aimem_tui.bridge.repository import Commit
from aimem_tui.bridge.sources import GONE, Source
from aimem_tui.model import ImportOptions, ImportReport, ReportLine
from aimem_tui.store import log
from aimem_tui.store.log import Draft
from crdt.errors import CrdtError

if TYPE_CHECKING:
    from crdt.document import ThoughtDocument

NOTE_LIMIT = 200
"""The longest note that a commit gives a revision, in characters."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a commit made of a path, with the content read."""

    commit: Commit
    path: str
    """Below the repository's folder; one that a thought can have."""
    blob: str = GONE
    """The name of the content, or :data:`GONE` where there is no text any more."""
    text: str = ""
    old_path: str = ""
    """Where the file was before, if the commit renamed it."""
    changes: bool = False
    """Whether there was a file at this path before the commit."""


@dataclass(slots=True)
class Standing:
    """How far a history has been replayed; kept in the workspace, so that the next run goes on."""

    tips: set[str] = field(default_factory=set)
    """Commits that were replayed, but none of their children."""
    settled: set[str] = field(default_factory=set)
    """Paths of files that were here before, from elsewhere: their history is not taken in."""


class Replay:
    """The files of a repository, as far as its history has been replayed.

    Args:
        root: the name under which its files are known (see ``sources``).
        report: where created files, revisions, skipped files and notices are counted.
    """

    def __init__(
        self, connection: apsw.Connection, root: str, options: ImportOptions, report: ImportReport
    ) -> None:
        self._root = root
        self._report = report
        self._dry = options.dry_run
        self._author = options.author
        self._into = options.into.strip("/")
        self._now = intake.now_ms()
        self._documents: dict[int, ThoughtDocument] = {}
        """Documents with the texts that git gave them, kept between two saves."""
        self._moved: dict[str, str] = {}
        self._touched: set[str] = set()
        self.files: dict[str, Source] = sources.all_imported(connection, root)
        """Every file that was taken in from the history, by its last path."""
        self._earlier = {source.thought for source in self.files.values()}
        kept = connection.execute("SELECT value FROM meta WHERE key = ?", (root,)).get
        found = json.loads(kept or "{}")
        self.standing = Standing(set(found.get("tips", ())), set(found.get("settled", ())))

    @property
    def updated(self) -> int:
        """How many thoughts that were there before this run has changed."""
        return len(self._touched & self._earlier)

    def is_touched(self, source: Source) -> bool:
        """Whether a file's thought was made or changed in this run."""
        return source.thought in self._touched

    def settle(self, connection: apsw.Connection, path: str, source: Source, state: bytes) -> None:
        """Let a thought from elsewhere be a file's; the history up to now is passed over."""
        self.files[path] = source
        self._earlier.add(source.thought)
        self.standing.settled.add(path)
        self._notice(path, "It is here already; its earlier versions are not taken in.")
        if not self._dry:
            sources.remember_import(connection, self._root, path, source, state)

    def save(self, connection: apsw.Connection) -> None:
        """Keep how far the replay has come."""
        for document in self._documents.values():
            document.close()
        self._documents.clear()
        if not self._dry:
            standing = self.standing
            value = {"tips": sorted(standing.tips), "settled": sorted(standing.settled)}
            connection.execute(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", (self._root, json.dumps(value))
            )

    def apply(self, connection: apsw.Connection, step: Step) -> None:
        """Do what a step says. A step that was done already changes nothing."""
        try:
            updates: list[bytes] = []
            renamed = self._leave_old_path(connection, step, updates)
            if step.path in self.standing.settled:
                return
            path = self._followed(step)
            source = self.files.get(path)
            if step.blob == GONE:
                self._delete(connection, step, source)
            elif source is None:
                self._create(connection, step)
            elif source.content != step.blob or renamed:
                self._change(connection, step, path, source, updates)
        except CrdtError as error:
            reason = f"Its thought cannot be read: {error}."
            self._report.skipped.append(ReportLine(printable(step.path), reason))

    def _leave_old_path(
        self, connection: apsw.Connection, step: Step, updates: list[bytes]
    ) -> bool:
        """Follow a rename; the update that moves the thought is added. False: there was none."""
        old = self.files.get(step.old_path)
        if not step.old_path or step.old_path in self.standing.settled:
            return False
        if old is None or old.content == GONE:
            return False
        there = self.files.get(step.path)
        if step.path in self.standing.settled or (there and there.content != GONE):
            self._delete(connection, replace(step, path=step.old_path), old)
            return False
        self.files[step.path] = self.files.pop(step.old_path)
        self._moved[step.old_path] = step.path
        if self._dry:
            return True
        sources.rename_import(connection, self._root, step.old_path, step.path)
        with _present(connection, old, updates) as document:
            if document.meta.path == intake.place(self._into, step.old_path):
                document.move(intake.place(self._into, step.path))
            else:
                self._notice(step.path, "It was moved here meanwhile and stays where it is.")
        return True

    def _followed(self, step: Step) -> str:
        """Where the thought is now that a step is about, if another branch has renamed it."""
        path, seen = step.path, {step.path}
        while step.changes and not self._is_live(path) and path in self._moved:
            path = self._moved[path]
            if path in seen:
                break
            seen.add(path)
        return path if self._is_live(path) else step.path

    def _is_live(self, path: str) -> bool:
        return path in self.files and self.files[path].content != GONE

    def _create(self, connection: apsw.Connection, step: Step) -> None:
        self._report.created += 1
        self._report.revisions += 1
        place = intake.place(self._into, step.path)
        for remark in intake.remarks(connection, place):
            self._notice(step.path, remark)
        if self._dry:
            # Stands for the thought that would have been made.
            self._keep(step, step.path, Source(0, f"new:{len(self.files)}:{step.path}", ""))
            return
        at = intake.clamped(step.commit.at, self._now)
        arrival = Arrival(place, step.text, at, self._writer(step), note(step.commit))
        birth = intake.birth(arrival, self._now)
        log.append(connection, [birth.draft])
        number = log.thought_number(connection, birth.draft.thought)
        source = self._keep(step, step.path, Source(number, birth.draft.thought, ""))
        sources.remember_import(connection, self._root, step.path, source, birth.state)

    def _change(
        self,
        connection: apsw.Connection,
        step: Step,
        path: str,
        source: Source,
        updates: list[bytes],
    ) -> None:
        """Give a thought the content of a commit, taken out of the trash if git had deleted it."""
        self._report.revisions += source.content != step.blob
        self._keep(step, path, source)
        if self._dry:
            return
        if source.content == GONE:
            with _present(connection, source, updates) as present:
                if present.meta.trash is not None:
                    present.take_out_of_trash()
        document = self._document(connection, path, source)
        update = intake.rewrite(document, step.text)
        if update:
            updates.append(update)
        self._append(connection, step, source, updates)
        sources.remember_import(connection, self._root, path, self.files[path], document.state())

    def _delete(self, connection: apsw.Connection, step: Step, source: Source | None) -> None:
        """Put a thought into the trash."""
        if source is None or source.content == GONE:
            return
        self._keep(replace(step, blob=GONE), step.path, source)
        if self._dry:
            return
        updates: list[bytes] = []
        with _present(connection, source, updates) as present:
            if present.trashed is not None:
                pass
            elif present.text == self._document(connection, step.path, source).text:
                at = intake.clamped(step.commit.at, self._now)
                present.put_into_trash(at, self._writer(step))
            else:
                self._notice(step.path, "It was deleted in git and edited here; it is kept.")
        self._append(connection, step, source, updates)
        sources.mark_gone(connection, self._root, step.path)

    def _document(self, connection: apsw.Connection, path: str, source: Source) -> ThoughtDocument:
        """A thought's document with the text that git gave it last."""
        from aimem_tui.store import documents
        from crdt.document import ThoughtDocument

        if source.number not in self._documents:
            base = sources.base(connection, self._root, path)
            document = ThoughtDocument.load(documents.new_client_id(), [base])
            self._documents[source.number] = document
        return self._documents[source.number]

    def _append(
        self, connection: apsw.Connection, step: Step, source: Source, updates: list[bytes]
    ) -> None:
        from crdt import adapter

        if updates:
            at = intake.clamped(step.commit.at, self._now)
            update = adapter.merge(updates)
            writer = self._writer(step)
            log.append(connection, [Draft(source.thought, update, at, writer, note(step.commit))])

    def _keep(self, step: Step, path: str, source: Source) -> Source:
        """Remember for this run what a file is now."""
        self.files[path] = replace(source, content=step.blob)
        self._touched.add(source.thought)
        return self.files[path]

    def _writer(self, step: Step) -> str:
        return printable(step.commit.author).strip() or self._author

    def _notice(self, path: str, reason: str) -> None:
        self._report.notices.append(ReportLine(printable(path), reason))


def note(commit: Commit) -> str:
    """What a revision says about the commit that it comes from."""
    name = f" ({commit.short})"
    subject = printable(commit.subject).strip()
    if len(subject) + len(name) > NOTE_LIMIT:
        subject = subject[: NOTE_LIMIT - len(name) - 1].rstrip() + "…"
    return (subject + name).strip()


@contextmanager
def _present(
    connection: apsw.Connection, source: Source, updates: list[bytes]
) -> Iterator[ThoughtDocument]:
    """A thought's document as it is here; the updates of what is written to it are added."""
    from aimem_tui.store import documents

    document = documents.load(connection, source.number)
    stop = document.on_update(updates.append)
    yield document
    stop()
    document.close()
