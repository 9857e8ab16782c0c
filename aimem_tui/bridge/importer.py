"""Taking in a folder of texts.

- A file that was taken in before is known by its folder's real path and its own. The same content
  again changes nothing; other content becomes a minimal edit of the thought it belongs to, wherever
  that thought is by now, merged with what was written here meanwhile.
- An unknown file whose text is already there at its path is adopted. Any other becomes a new
  thought; one that is in its way keeps its path, and the newcomer is shown with a number.
- Files are read a batch at a time, outside of any transaction; then the batch is written in one.
  Other writers wait for a fraction of a second at most, and memory does not grow with the folder.
- An import that is stopped, or killed, has taken in whole batches. The next one goes on from there.
- A dry run goes the same way up to the first write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw

from aimem_tui.bridge import intake, scan, sources
from aimem_tui.bridge.files import LeftOut, decode_text, fingerprint, printable
from aimem_tui.bridge.intake import Arrival, Birth
from aimem_tui.bridge.sources import Source
from aimem_tui.errors import BadInput
from aimem_tui.markdown import paths
from aimem_tui.markdown.describe import is_markdown
from aimem_tui.model import ImportOptions, ImportReport, Progress, ReportLine
from aimem_tui.store import log
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft
from crdt.errors import CrdtError

BATCH_FILES = 100
BATCH_BYTES = 4 * 1024 * 1024
SOURCE_TREE_FILES = 200
"""A folder with more files, and more than three quarters of them not markdown, is a source tree."""

NOTE = "imported"


def import_folder(database: Database, root: Path, options: ImportOptions) -> ImportReport:
    """Take in the texts of a folder, or a single file.

    Returns: what was done; with ``interrupted`` set where it was stopped, also by Ctrl-C.

    Raises:
        NotFound: if there is nothing at ``root``.
        BadInput: if it cannot be read, looks like a source tree, or ``into`` is no possible folder.
        StorageError: if the workspace cannot be written; what was taken in before stays.
    """
    return _FolderImport(database, options).run(root)


def checked_into(into: str) -> str:
    """The folder to import into, without slashes around it.

    Raises:
        BadInput: if there can be no such folder.
    """
    folder = into.strip("/")
    return paths.check_path(folder) if folder else ""


def refuse_source_tree(root: Path, names: Sequence[str]) -> None:
    """Make sure that a folder does not look like a source tree, by the names of its files.

    Raises:
        BadInput: if it does.
    """
    other = sum(not is_markdown(name) for name in names)
    if len(names) > SOURCE_TREE_FILES and other * 4 > len(names) * 3:
        raise BadInput(
            f"{printable(str(root))} looks like a source tree.",
            why=f"Of its {len(names):,} files {other:,} are not markdown.",
            hint="Import a folder inside it, only the markdown (--only-markdown),"
            " or all of it (--everything).",
        )


@dataclass(frozen=True, slots=True)
class _Item:
    """A file that was read."""

    path: str
    """Below the root."""
    place: str
    """In the workspace."""
    data: bytes
    text: str
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class _Known:
    """The thought that a file belongs to."""

    source: Source
    same: bool
    """Whether the file still has the text that is known."""
    root: str
    """The root of the import that knows it; empty: an export wrote it."""


class _FolderImport:
    def __init__(self, database: Database, options: ImportOptions) -> None:
        self._database = database
        self._options = options
        self._into = checked_into(options.into)
        self._now = intake.now_ms()
        self._report = ImportReport()
        self._folder = Path()
        self._root = ""
        self._alike: dict[str, str] = {}

    def run(self, root: Path) -> ImportReport:
        options = self._options
        try:
            found = scan.scan(
                root,
                scan.Choice(options.exclude, options.only_markdown),
                progress=options.progress,
                stop=options.stop,
            )
            if not (options.everything or options.only_markdown):
                refuse_source_tree(root, [file.path for file in found.files])
            self._folder, self._root = found.root, sources.folder_root(found.root)
            self._report.skipped += found.skipped
            self._report.notices += [
                ReportLine(path, "It is empty; there are only folders with thoughts in them.")
                for path in found.empty_folders
            ]
            self._report.interrupted = found.interrupted
            self._alike = _alike([file.path for file in found.files])
            total = len(found.files)
            for batch, done in self._batches(found.files):
                self._settle(batch)
                last = printable(found.files[done - 1].path) if done else ""
                options.progress(Progress("Importing", done, total, last))
        except KeyboardInterrupt:
            self._report.interrupted = True
        return self._report

    def _batches(self, files: Sequence[scan.Found]) -> Iterator[tuple[list[_Item], int]]:
        """What could be read of some files, with how many files of the list that makes."""
        batch: list[_Item] = []
        begin = size = 0
        for at, file in enumerate(files):
            if self._report.interrupted or self._options.stop():
                self._report.interrupted = True
                yield batch, at
                return
            try:
                batch.append(self._read(file))
                size += len(batch[-1].data)
            except LeftOut as reason:
                self._report.skipped.append(ReportLine(printable(file.path), str(reason)))
            if at + 1 - begin >= BATCH_FILES or size >= BATCH_BYTES:
                yield batch, at + 1
                batch, begin, size = [], at + 1, 0
        if begin < len(files):
            yield batch, len(files)

    def _read(self, file: scan.Found) -> _Item:
        place = intake.place(self._into, file.path)
        data = scan.read(self._folder, file)
        at = intake.clamped(file.modified_at, self._now)
        return _Item(file.path, place, data, decode_text(data), fingerprint(data), at)

    def _settle(self, batch: list[_Item]) -> None:
        with self._database.snapshot() as connection:
            known = self._known(connection, batch)
        rest = [item for item in batch if item.path not in known or not known[item.path].same]
        tally = ImportReport(unchanged=len(batch) - len(rest))
        if rest and self._options.dry_run:
            with self._database.snapshot() as connection:
                self._take(connection, rest, tally)
        elif rest:
            with self._database.write() as connection:
                self._take(connection, rest, tally)
        # Counted only now: what a transaction has not kept was not done.
        self._report.created += tally.created
        self._report.updated += tally.updated
        self._report.unchanged += tally.unchanged
        self._report.skipped += tally.skipped
        self._report.notices += tally.notices

    def _take(self, connection: apsw.Connection, items: list[_Item], tally: ImportReport) -> None:
        births: list[tuple[_Item, Birth]] = []
        # Asked again inside the transaction: another import may have been quicker.
        known = self._known(connection, items)
        for item in items:
            try:
                self._take_one(connection, item, known.get(item.path), births, tally)
            except CrdtError as error:
                reason = f"Its thought cannot be read: {error}."
                tally.skipped.append(ReportLine(printable(item.path), reason))
        numbers = intake.enter(connection, [birth for _, birth in births])
        for (item, birth), number in zip(births, numbers, strict=True):
            source = Source(number, birth.draft.thought, item.digest)
            sources.remember_import(connection, self._root, item.path, source, birth.state)

    def _take_one(
        self,
        connection: apsw.Connection,
        item: _Item,
        known: _Known | None,
        births: list[tuple[_Item, Birth]],
        tally: ImportReport,
    ) -> None:
        if known is not None and known.same:
            tally.unchanged += 1
            return
        base = None if known is None else self._base(connection, item, known)
        if known is not None and base is not None:
            self._change(connection, item, known.source, base, tally)
            return
        twin = intake.twin(connection, item.place, item.text)
        if twin is not None and not sources.imports_from(connection, self._root, twin.number):
            self._adopt(connection, item, twin)
            tally.unchanged += 1
            return
        tally.created += 1
        remarks = [*intake.remarks(connection, item.place)]
        if item.path in self._alike:
            alike = printable(self._alike[item.path])
            remarks.append(f"Its name differs from {alike} only in case or accents.")
        tally.notices += [ReportLine(printable(item.path), remark) for remark in remarks]
        if not self._options.dry_run:
            arrival = Arrival(item.place, item.text, item.at, self._options.author, NOTE)
            births.append((item, intake.birth(arrival, self._now)))

    def _change(
        self,
        connection: apsw.Connection,
        item: _Item,
        source: Source,
        base: bytes,
        tally: ImportReport,
    ) -> None:
        """Bring what was done to a file into its thought."""
        from aimem_tui.store import documents, projector
        from crdt.document import ThoughtDocument

        present = documents.load(connection, source.number)
        if present.text == item.text:
            # Both sides came to the same text, mostly because it was copied from one to the other.
            tally.unchanged += 1
            self._remember(connection, item, source, present.state())
            return
        tally.updated += 1
        if self._options.dry_run:
            return
        document = ThoughtDocument.load(documents.new_client_id(), [base])
        update = intake.rewrite(document, item.text)
        if update:
            draft = Draft(source.thought, update, item.at, self._options.author, NOTE)
            log.append(connection, [draft])
            projector.refresh(connection, source.number)
        self._remember(connection, item, source, document.state())

    def _adopt(self, connection: apsw.Connection, item: _Item, twin: Source) -> None:
        from aimem_tui.store import documents

        if not self._options.dry_run:
            state = documents.load(connection, twin.number).state()
            self._remember(connection, item, twin, state)

    def _remember(
        self, connection: apsw.Connection, item: _Item, source: Source, state: bytes
    ) -> None:
        if not self._options.dry_run:
            kept = Source(source.number, source.thought, item.digest)
            sources.remember_import(connection, self._root, item.path, kept, state)

    def _known(self, connection: apsw.Connection, items: list[_Item]) -> dict[str, _Known]:
        """What is known of files: from their repository's history, an export or an import."""
        names = [item.path for item in items]
        git = sources.git_root(self._folder)
        from_git = sources.imported(connection, git, names)
        written = sources.exported(connection, self._root, names)
        read = sources.imported(connection, self._root, names)
        known: dict[str, _Known] = {}
        for item in items:
            if source := read.get(item.path):
                known[item.path] = _Known(source, source.content == item.digest, self._root)
            elif source := written.get(item.path):
                known[item.path] = _Known(source, source.content == item.digest, "")
            elif (source := from_git.get(item.path)) and source.content != sources.GONE:
                blob = sources.git_blob(item.data, like=source.content)
                known[item.path] = _Known(source, source.content == blob, git)
        return known

    def _base(self, connection: apsw.Connection, item: _Item, known: _Known) -> bytes | None:
        """The document as it was with a file's old text, if it can still be had."""
        if known.root:
            return sources.base(connection, known.root, item.path)
        return sources.base_of_export(connection, known.source)


def _alike(names: Sequence[str]) -> dict[str, str]:
    """For each path that differs from an earlier one only in case or normalisation, that one."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[paths.fold(name)].append(name)
    return {later: group[0] for group in groups.values() if len(group) > 1 for later in group[1:]}
