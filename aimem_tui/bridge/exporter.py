"""Writing thoughts out: as a tree of files, or as one file of another format.

- What is written is the thought's text as UTF-8, byte for byte, read from the projections; the
  document engine is not needed. Nothing else is put into the tree, so it compares equal to the
  tree that was imported.
- A file is written only where it differs. One that differs and holds something that is not in this
  workspace (nobody here wrote it, it was not imported) is somebody's work: it is kept and reported,
  unless the caller says ``overwrite``.
- Which files an export wrote is kept in the workspace. ``clean`` removes those of them whose
  thought is no longer at that path and that nobody has changed since; never any other file.
- Where a file system takes two paths for the same, all but the first get a numbered name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import apsw

from aimem_tui.bridge import sources
from aimem_tui.bridge.files import LeftOut, fingerprint, printable
from aimem_tui.bridge.target import Present, Target
from aimem_tui.errors import BadInput
from aimem_tui.markdown import paths
from aimem_tui.model import ExportOptions, ExportReport, Filter, Progress, ReportLine
from aimem_tui.store import catalogue
from aimem_tui.store.connection import Database

FORMATS = ("markdown", "json", "sqlite")

_BATCH = 200


def export(
    database: Database,
    target: Path,
    options: ExportOptions,
    *,
    workspace: str = "",
    folds: bool | None = None,
) -> ExportReport:
    """Write thoughts out.

    Args:
        target: a folder for ``markdown``; for ``json`` and ``sqlite`` the file to make.
        workspace: what people call the workspace; ``json`` holds it.
        folds: whether the target takes names for the same that differ only in case or
            normalisation; None: find out.

    Returns: what was done; with ``interrupted`` set where it was stopped, also by Ctrl-C.

    Raises:
        BadInput: if the format is unknown, or something else than expected is at ``target``.
        Refused: if a single file is there and was not exported from here.
        StorageError: if nothing more can be written.
    """
    if options.format == "markdown":
        return _TreeExport(database, options, folds).run(target)
    if options.format in FORMATS:
        from aimem_tui.bridge import dumps

        return dumps.write(database, target, options, workspace)
    raise BadInput(
        f"There is no format {printable(options.format)}.", hint=f"Use {', '.join(FORMATS)}."
    )


@dataclass(frozen=True, slots=True)
class Name:
    """A thought and the path that it is to be written at."""

    id: str
    path: str


def tree_names(thoughts: Iterable[Name], *, folds: bool) -> dict[str, str]:
    """The other names that thoughts need in a tree of files, by id; most need none.

    Two files cannot share a path, nor can a file and a folder. Whoever comes later gets a number,
    and no number takes a name that is in use.

    Args:
        thoughts: in the order in which they have a right to their name.
        folds: whether names that differ only in case or normalisation are the same.
    """

    def key(path: str) -> str:
        return paths.fold(path) if folds else path

    wanted = [(each, key(each.path)) for each in thoughts]
    folders = {folder for _, name in wanted for folder in _folders(name)}
    files = {name for _, name in wanted}
    taken: set[str] = set()
    other: dict[str, str] = {}
    for each, name in wanted:
        if name not in taken and name not in folders:
            taken.add(name)
            continue
        for number in count(2):
            candidate = paths.numbered(each.path, number)
            folded = key(candidate)
            if folded not in files and folded not in taken and folded not in folders:
                taken.add(folded)
                other[each.id] = candidate
                break
    return other


class _TreeExport:
    def __init__(self, database: Database, options: ExportOptions, folds: bool | None) -> None:
        self._database = database
        self._options = options
        self._folds = folds
        self._report = ExportReport()
        self._root = ""
        self._present: set[str] = set()
        """Every path of the tree at which there is a thought, wanted this time or not."""
        self._pending: list[tuple[str, int, str]] = []
        """Files that were written and are not yet kept: path, thought, fingerprint."""

    def run(self, folder: Path) -> ExportReport:
        with Target(folder) as target:
            self._root = sources.folder_root(target.folder)
            try:
                with self._database.snapshot() as connection:
                    self._write_all(connection, target)
                if self._options.clean and not self._report.interrupted:
                    self._keep_pending()
                    self._clean(target)
            except KeyboardInterrupt:
                self._report.interrupted = True
            finally:
                self._keep_pending()
        return self._report

    def _write_all(self, connection: apsw.Connection, target: Target) -> None:
        condition = catalogue.where(self._options.wanted)
        other = self._other_names(connection, target)
        total = catalogue.count(connection, self._options.wanted)
        rows = connection.execute(
            "SELECT t.n, t.id, t.path, t.updated_at, texts.body FROM thoughts AS t"
            f" JOIN texts ON texts.n = t.n WHERE {condition.sql} ORDER BY t.path, t.id",
            condition.values,
        )
        for done, (number, thought, path, updated_at, body) in enumerate(rows):
            if self._options.stop():
                self._report.interrupted = True
                return
            if done % _BATCH == 0:
                self._keep_pending()
                self._options.progress(Progress("Writing", done, total, printable(path)))
            name = other.get(thought, path)
            self._present.add(name)
            try:
                self._write(connection, target, name, int(number), body.encode(), updated_at)
            except LeftOut as reason:
                self._report.skipped.append(ReportLine(printable(path), str(reason)))
                continue
            if name != path:
                notice = f"Another file is in its way here; it is written as {printable(name)}."
                self._report.notices.append(ReportLine(printable(path), notice))
        self._options.progress(Progress("Writing", total, total))

    def _other_names(self, connection: apsw.Connection, target: Target) -> dict[str, str]:
        """The thoughts whose name in the tree is not their path.

        All thoughts count, so that names do not depend on which of them are written this time.
        """
        condition = catalogue.where(Filter(trashed=self._options.wanted.trashed))
        names = [
            Name(thought, path)
            for thought, path in connection.execute(
                f"SELECT id, path FROM thoughts AS t WHERE {condition.sql} ORDER BY path, id",
                condition.values,
            )
        ]
        exact = tree_names(names, folds=False)
        folded = exact if self._folds is False else tree_names(names, folds=True)
        if folded != exact and (self._folds or target.folds_names()):
            exact = folded
        self._present = {exact.get(each.id, each.path) for each in names}
        return exact

    def _write(
        self,
        connection: apsw.Connection,
        target: Target,
        name: str,
        number: int,
        data: bytes,
        updated_at: int,
    ) -> None:
        there = target.read(name)
        content = fingerprint(data)
        if there is not None and there.data == data:
            self._report.unchanged += 1
            # What lay there before and was never written from here is not ours to clean up.
            if sources.exported_content(connection, self._root, name) is not None:
                self._pending.append((name, number, content))
            return
        if there is not None and not self._may_replace(connection, name, there):
            raise LeftOut(
                "Another text is there, which did not come from here or was changed since;"
                " it is kept."
            )
        target.write(name, data, updated_at, None if there is None else there.mode)
        self._report.written += 1
        self._pending.append((name, number, content))

    def _may_replace(self, connection: apsw.Connection, name: str, there: Present) -> bool:
        """Whether nothing is lost with a file: its content was written, or taken in, here."""
        if self._options.overwrite:
            return True
        if there.data is None:
            return False
        content = fingerprint(there.data)
        source = sources.imported(connection, self._root, [name]).get(name)
        return content == sources.exported_content(connection, self._root, name) or (
            source is not None and content == source.content
        )

    def _keep_pending(self) -> None:
        if self._pending:
            with self._database.write() as connection:
                for name, number, content in self._pending:
                    sources.remember_export(connection, self._root, name, number, content)
        self._pending = []

    def _clean(self, target: Target) -> None:
        """Remove what earlier exports wrote for thoughts that are no longer there."""
        gone: list[str] = []
        for name, content in sources.all_exported(self._database.read(), self._root):
            if name in self._present:
                continue
            try:
                there = target.read(name)
                if there is not None and (there.data is None or fingerprint(there.data) != content):
                    raise LeftOut("It was changed since it was exported; it is kept.")
                if there is not None:
                    target.remove(name)
                    self._report.removed += 1
            except LeftOut as reason:
                self._report.skipped.append(ReportLine(printable(name), str(reason)))
            else:
                gone.append(name)
        with self._database.write() as connection:
            for name in gone:
                sources.forget_export(connection, self._root, name)


def _folders(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
