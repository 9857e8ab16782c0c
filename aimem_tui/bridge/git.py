"""Taking in a git repository's history: its versions become revisions of thoughts.

- The commits that lead to HEAD are replayed one by one, parents first (see ``replay``); every
  content of a file becomes an entry with the author, the date and the subject of its commit.
- Branches are laid over each other in that order, so each merge brings the files that it settles
  up to date, and at the end every file is compared with HEAD.
- Contents are read and decoded outside of any transaction; a batch of them is written in one.
- An import that is stopped or killed goes on where it ended, and so does one after new commits.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import apsw

from aimem_tui.bridge import intake, sources
from aimem_tui.bridge.files import LeftOut, decode_text, fingerprint, printable
from aimem_tui.bridge.importer import BATCH_BYTES, BATCH_FILES, checked_into, refuse_source_tree
from aimem_tui.bridge.replay import Replay, Step
from aimem_tui.bridge.repository import Blobs, Change, Commit, Repository
from aimem_tui.bridge.scan import Choice
from aimem_tui.bridge.sources import GONE, Source
from aimem_tui.model import ImportOptions, ImportReport, Progress, ReportLine
from aimem_tui.store.connection import Database

_PROGRESS_EVERY = 200


def import_history(database: Database, folder: Path, options: ImportOptions) -> ImportReport:
    """Take in the history that leads to HEAD.

    Args:
        folder: the top of a work tree, a folder within one (then only what is below it, by paths
            relative to it), or a bare repository.

    Returns: what was done. ``revisions`` counts contents, the other counters the files at HEAD and
        the thoughts that came and went before it.

    Raises:
        NotFound: if there is nothing at ``folder``.
        BadInput: if it is no repository, has no commits, or looks like a source tree.
        ToolFailed: if git is missing or fails.
        StorageError: if the workspace cannot be written; what was taken in before stays.
    """
    checked_into(options.into)
    asked = Repository(folder)
    head = asked.head()
    with asked.blobs() as blobs:
        return _HistoryImport(database, asked, blobs, options).run(head)


class _HistoryImport:
    def __init__(
        self, database: Database, asked: Repository, blobs: Blobs, options: ImportOptions
    ) -> None:
        self._database = database
        self._repository = asked
        self._blobs = blobs
        self._options = options
        self._choice = Choice(options.exclude, options.only_markdown)
        self._report = ImportReport()
        self._skipped: dict[str, str] = {}
        self._batch: list[Step] = []
        self._batch_size = 0
        self._catch_up()
        with database.snapshot() as connection:
            self._replay = Replay(connection, sources.git_root(asked.folder), options, self._report)

    def run(self, head: Commit) -> ImportReport:
        report = self._report
        try:
            self._settle(head)
            self._follow(head)
            if not report.interrupted:
                self._compare(head)
        except KeyboardInterrupt:
            report.interrupted = True
        self._catch_up()
        report.skipped += [
            ReportLine(path, reason) for path, reason in sorted(self._skipped.items())
        ]
        report.updated = self._replay.updated
        return report

    def _catch_up(self) -> None:
        """Project what is stale, so that what is shown can be relied on."""
        from aimem_tui.store import projector

        if self._options.dry_run:
            return
        total = projector.waiting(self._database.read())
        done = 0
        while step := projector.project_stale(self._database, limit=1):
            done += step
            self._options.progress(Progress("Indexing", done, max(done, total)))

    def _settle(self, head: Commit) -> None:
        """Find the files of HEAD that are here already because they were imported as files."""
        found: list[tuple[str, Source, bytes]] = []
        names: list[str] = []
        ours = {source.thought for source in self._replay.files.values()}
        with self._database.snapshot() as connection:
            for change in self._repository.tree(head.name):
                path = self._wanted(change)
                if path is None or not change.blob:
                    continue
                names.append(path)
                if path in self._replay.files:
                    continue
                here = self._here(connection, path, change.blob)
                if here is not None and here[0].thought not in ours:
                    found.append((path, *here))
        if not (self._options.everything or self._options.only_markdown):
            refuse_source_tree(self._repository.folder, names)
        if found:
            with self._transaction() as connection:
                for path, source, state in found:
                    self._replay.settle(connection, path, source, state)
                self._replay.save(connection)

    def _here(
        self, connection: apsw.Connection, path: str, blob: str
    ) -> tuple[Source, bytes] | None:
        """The thought that is a file of the folder already, and its document with that text."""
        from aimem_tui.store import documents

        folder = sources.folder_root(self._repository.folder)
        place = intake.place(self._options.into.strip("/"), path)
        known = sources.imported(connection, folder, [path]).get(path)
        if known is None and not intake.is_taken(connection, place):
            return None
        try:
            data = self._blobs.read(blob)
            text = decode_text(data)
        except LeftOut:
            return None
        if known is not None and known.content == fingerprint(data):
            return replace(known, content=blob), sources.base(connection, folder, path)
        twin = intake.twin(connection, place, text)
        if twin is None:
            return None
        return replace(twin, content=blob), documents.load(connection, twin.number).state()

    def _follow(self, head: Commit) -> None:
        """Replay the commits that were not replayed before."""
        tips = self._replay.standing.tips
        with self._repository.history(head.name, sorted(tips)) as history:
            for done, (commit, changes) in enumerate(history, start=1):
                for change in changes:
                    if self._options.stop():
                        self._report.interrupted = True
                        break
                    self._take(commit, change)
                if self._report.interrupted:
                    break
                tips.difference_update(commit.parents)
                tips.add(commit.name)
                if done % _PROGRESS_EVERY == 0 or done == history.count:
                    self._options.progress(
                        Progress("Replaying", done, history.count, printable(commit.subject))
                    )
        self._write()

    def _compare(self, head: Commit) -> None:
        """Bring every file to what it is at HEAD, where branches have left it otherwise."""
        there: set[str] = set()
        replay = self._replay
        for change in self._repository.tree(head.name):
            there.add(change.path.decode("utf-8", "backslashreplace"))
            path = self._wanted(change)
            if path is None:
                continue
            known = replay.files.get(path)
            if change.special:
                self._skipped.setdefault(printable(path), change.special)
            if known is None or known.content != change.blob:
                self._take(head, change)
            elif known.content != GONE and not replay.is_touched(known):
                self._report.unchanged += 1
        for path, source in list(replay.files.items()):
            if source.content != GONE and path not in there:
                self._put(Step(head, path))
        replay.standing.tips = {head.name}
        replay.standing.settled = set()
        self._write()

    def _take(self, commit: Commit, change: Change) -> None:
        """Read what a commit made of a path, and put it into the batch."""
        path = self._wanted(change)
        old_path = change.old_path.decode("utf-8", "backslashreplace")
        if path is not None and change.blob:
            try:
                text = decode_text(self._blobs.read(change.blob))
            except LeftOut as reason:
                self._skipped.setdefault(printable(path), str(reason))
            else:
                self._put(Step(commit, path, change.blob, text, old_path, change.changes))
                return
        # What is no text here (any more) ends what was there, under either name.
        for gone in (path, old_path):
            if gone:
                self._put(Step(commit, gone))

    def _put(self, step: Step) -> None:
        self._batch.append(step)
        self._batch_size += len(step.text)
        if len(self._batch) >= BATCH_FILES or self._batch_size >= BATCH_BYTES:
            self._write()

    def _write(self) -> None:
        report = self._report
        created, revisions = report.created, report.revisions
        try:
            with self._transaction() as connection:
                for step in self._batch:
                    self._replay.apply(connection, step)
                self._replay.save(connection)
        except BaseException:
            # What a transaction has not kept was not done.
            report.created, report.revisions = created, revisions
            raise
        self._batch, self._batch_size = [], 0

    def _transaction(self) -> AbstractContextManager[apsw.Connection]:
        if self._options.dry_run:
            return self._database.snapshot()
        return self._database.write()

    def _wanted(self, change: Change) -> str | None:
        """A change's path; None, and a line in the report, if it is not taken in."""
        path = printable(change.path)
        try:
            path = change.path.decode("utf-8")
            intake.place(self._options.into.strip("/"), path)
            reason = self._choice.refuses(path)
        except UnicodeDecodeError:
            reason = "Its name is not UTF-8."
        except LeftOut as refused:
            reason = str(refused)
        if not reason:
            return path
        self._skipped.setdefault(printable(path), reason)
        return None
