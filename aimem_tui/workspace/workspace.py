"""The facade: everything that can be done with a workspace, for command line, app and agents.

It keeps no text of its own and decides little: reading goes to the catalogue and the search,
writing makes a change of a document, appends it to the log and brings the projections up to date,
all in one transaction. Long work (import, export, doctor) lives in modules of its own.

Reading never imports the document engine unless projections are behind, which only a crash or a
busy app leaves behind.
"""

from __future__ import annotations

import os
import posixpath
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from aimem_tui.errors import AimemError, BadInput, NotFound, Refused, StorageError
from aimem_tui.model import Filter
from aimem_tui.store import catalogue
from aimem_tui.store.connection import Database
from aimem_tui.store.migrate import migrate
from crdt import ids

if TYPE_CHECKING:
    from aimem_tui.model import (
        Activity,
        ExportOptions,
        ExportReport,
        Folder,
        ImportOptions,
        ImportReport,
        Revision,
        SearchResults,
        Thought,
        WorkspaceStatus,
    )
    from aimem_tui.store.log import Draft, Record
    from aimem_tui.store.watcher import News, Watcher
    from aimem_tui.store.writer import GroupWriter, WriterState
    from aimem_tui.workspace.live import LiveThought
    from crdt.document import ThoughtDocument
    from crdt.textdiff import Splice

TEXT_LIMIT = 16 * 1024 * 1024
"""The largest text a thought can have, in bytes of UTF-8."""


@dataclass(frozen=True, slots=True)
class Handout:
    """A text given out for editing elsewhere, and what is needed to merge it back in."""

    thought: str
    text: str
    state: bytes


@dataclass(frozen=True, slots=True)
class PastText:
    """A thought as it was at the end of a revision."""

    revision: Revision
    text: str
    before: str
    """The text at the end of the revision before it."""


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Workspace:
    """An open workspace.

    Args:
        file: the SQLite file; made if it is not there.
        name: what people call the workspace.
        author: who writes, unless a call says otherwise.
        clock: milliseconds since the Unix epoch.

    Raises:
        StorageError: if the file cannot be opened, or is from a newer version.
    """

    def __init__(
        self, file: Path, *, name: str, author: str, clock: Callable[[], int] = now_ms
    ) -> None:
        self.name = name
        self.author = author
        self.clock = clock
        self.database = Database(file, _prepare)
        self._writer: GroupWriter | None = None
        self._watcher: Watcher | None = None

    def close(self) -> bool:
        """Write what waits and close the file; False if something could not be written."""
        written = True
        if self._watcher is not None:
            self._watcher.close()
        if self._writer is not None:
            written = self._writer.close()
        self.database.close()
        return written

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reading

    def catch_up(self) -> int:
        """Bring projections that are behind up to date; returns how many there were."""
        connection = self.database.read()
        if not connection.execute("SELECT EXISTS (SELECT 1 FROM stale)").get:
            return 0
        from aimem_tui.store import projector

        return projector.project_stale(self.database)

    def get(self, name: str, *, trashed: bool = False) -> Thought:
        """The thought a person means: by path, earlier path, id, start of an id, or file name.

        Raises:
            NotFound, Ambiguous: in words, with the nearest names.
        """
        return catalogue.resolve(self.database.read(), name, trashed=trashed)

    def by_id(self, thought: str) -> Thought:
        """The thought with an id, in the trash or not.

        Raises:
            NotFound: if there is none.
        """
        return catalogue.by_id(self.database.read(), thought)

    def text(self, thought: str) -> str:
        """The whole text of the thought with an id.

        Raises:
            NotFound: if there is none.
        """
        return catalogue.text(self.database.read(), thought)

    def thoughts(
        self,
        wanted: Filter | None = None,
        *,
        order: str = "path",
        limit: int | None = None,
        after: str = "",
    ) -> Iterator[Thought]:
        """Thoughts that pass a filter; see :func:`catalogue.listing`."""
        return catalogue.listing(
            self.database.read(), wanted or Filter(), order=order, limit=limit, after=after
        )

    def count(self, wanted: Filter | None = None) -> int:
        """How many thoughts pass a filter."""
        return catalogue.count(self.database.read(), wanted or Filter())

    def folders(self, parent: str = "") -> list[Folder]:
        """The folders directly below one."""
        return catalogue.folders(self.database.read(), parent)

    def tags(self, beginning: str = "", *, limit: int = 200) -> list[str]:
        """Tags in use that begin so, the most used first."""
        return catalogue.tags(self.database.read(), beginning, limit=limit)

    def thoughts_in(self, folder: str, limit: int, after: Thought | None = None) -> list[Thought]:
        """The thoughts directly in a folder, by name, behind ``after``."""
        return catalogue.thoughts_in(self.database.read(), folder, limit=limit, after=after)

    def linked_from(self, thought: Thought) -> list[Thought]:
        """The thoughts that refer to one."""
        return catalogue.linked_from(self.database.read(), thought)

    def at(self, path: str) -> str | None:
        """The id of the thought shown at exactly this path, if there is one."""
        row = (
            self.database.read()
            .execute("SELECT id FROM thoughts WHERE path = ? AND shown", (path,))
            .fetchone()
        )
        return None if row is None else str(row[0])

    def follow(self, source: Thought | None, target: str) -> Thought | None:
        """The thought that a link leads to: relative to its source, from the root, or by name."""
        folder = "" if source is None else source.path.rpartition("/")[0]
        relative = posixpath.normpath(posixpath.join(folder, target))
        for name in dict.fromkeys((relative, target.lstrip("/@"), posixpath.basename(target))):
            try:
                return self.get(name)
            except AimemError:
                continue
        return None

    def search(
        self,
        text: str,
        wanted: Filter | None = None,
        *,
        limit: int = 20,
        as_you_type: bool = False,
    ) -> SearchResults:
        """Full-text search, best first."""
        from aimem_tui.search import fulltext

        return fulltext.search(
            self.database.read(), text, wanted or Filter(), limit=limit, as_you_type=as_you_type
        )

    def status(self) -> WorkspaceStatus:
        """The workspace in figures."""
        from aimem_tui.model import WorkspaceStatus

        with self.database.snapshot() as connection:
            thoughts, words = connection.execute(
                "SELECT count(*), coalesce(sum(words), 0) FROM thoughts WHERE shown = 1"
            ).get
            trashed = catalogue.count(connection, Filter(trashed=True))
            last = connection.execute(
                "SELECT updated_at, updated_by FROM thoughts WHERE shown = 1"
                " ORDER BY updated_at DESC LIMIT 1"
            ).fetchone()
            folders = connection.execute("SELECT count(*) FROM folders").get
            waiting = connection.execute("SELECT count(*) FROM stale").get
        file = self.database.path
        size = sum(
            part.stat().st_size
            for part in (file, file.with_name(file.name + "-wal"))
            if part.exists()
        )
        return WorkspaceStatus(
            name=self.name,
            file=str(file),
            thoughts=int(thoughts),
            folders=int(folders),
            trashed=int(trashed),
            words=int(words),
            last_edit_at=None if last is None else int(last[0]),
            last_edit_by="" if last is None else str(last[1]),
            waiting=int(waiting),
            file_bytes=size,
        )

    # Writing

    def create(self, path: str, text: str, *, at: int | None = None, note: str = "") -> Thought:
        """Make a thought.

        Raises:
            BadInput: if no thought can have that path or text.
            Refused: if there is one at that path.
        """
        from aimem_tui.markdown import paths
        from aimem_tui.store.log import Draft
        from crdt.document import ThoughtDocument

        checked = paths.check_path(path)
        check_text(text)
        at = self.clock() if at is None else at
        thought = ids.uuid7(at, os.urandom(10))
        with self.database.write() as connection:
            taken = connection.execute(
                "SELECT 1 FROM thoughts WHERE path = ? AND shown", (checked,)
            ).fetchone()
            if taken is not None:
                raise Refused(
                    f"There is a thought at {checked} already.",
                    hint=f"To change it: aimem edit {checked}.",
                )
            _, update = ThoughtDocument.create(
                _client_id(), path=checked, text=text, at=at, by=self.author
            )
            self._append(connection, [Draft(thought, update, at, self.author, note)])
        return self.by_id(thought)

    def hand_out(self, thought: str) -> Handout:
        """A thought's text for editing elsewhere; give it back to :meth:`take_back`."""
        from aimem_tui.store import documents

        self.settle()
        with self.database.snapshot() as connection, _usable():
            document = documents.load(connection, _known(connection, thought))
            return Handout(thought, document.text, document.state())

    def take_back(self, handout: Handout, text: str, *, note: str = "") -> bool:
        """Merge an edited text in, as a change of the text that was handed out.

        Edits made meanwhile by others stay.

        Returns: whether there was a change.

        Raises:
            BadInput: if no thought can have that text.
            NotFound: if the thought was purged meanwhile.
        """
        from aimem_tui.store.log import Draft
        from crdt.document import ThoughtDocument

        check_text(text)
        copy = ThoughtDocument.load(_client_id(), [handout.state])
        before = copy.state_vector()
        outlived = copy.outlived_trash
        if not copy.replace_text(text):
            return False
        if outlived is not None:
            copy.take_out_of_trash()
        update = copy.update_since(before)
        with self.database.write() as connection:
            _known(connection, handout.thought)
            self._append(
                connection, [Draft(handout.thought, update, self.clock(), self.author, note)]
            )
        return True

    def edit_text(self, thought: str, change: Callable[[str], Sequence[Splice]]) -> Thought:
        """Change a thought's text by splices computed from its present text."""
        from crdt.textdiff import apply

        with self._changing(thought) as document:
            edits = change(document.text)
            check_text(apply(document.text, edits))
            document.apply_splices(edits)
        return self.by_id(thought)

    def append(self, thought: str, text: str) -> Thought:
        """Add lines at the end of a thought, on a line of their own."""
        from crdt.textdiff import Splice

        def addition(present: str) -> list[Splice]:
            newline = "\r\n" if "\r\n" in present else "\n"
            added = text.replace("\r\n", "\n").replace("\n", newline)
            gap = newline if present and not present.endswith(("\n", "\r")) else ""
            end = "" if added.endswith(("\n", "\r")) else newline
            return [Splice(len(present), len(present), gap + added + end)]

        return self.edit_text(thought, addition)

    def set_property(self, thought: str, key: str, value: str | Sequence[str]) -> Thought:
        """Set a frontmatter property; only its line changes.

        Raises:
            BadInput: if the key or the value cannot be written.
        """
        given = value if isinstance(value, str) else [*value]
        from aimem_tui.markdown import frontmatter

        return self.edit_text(thought, lambda text: frontmatter.set_property(text, key, given))

    def remove_property(self, thought: str, key: str) -> Thought:
        """Remove a frontmatter property."""
        from aimem_tui.markdown import frontmatter

        return self.edit_text(thought, lambda text: frontmatter.remove_property(text, key))

    def add_tags(self, thought: str, tags: Sequence[str]) -> Thought:
        """Add tags that are not there yet."""
        from aimem_tui.markdown import frontmatter

        return self.edit_text(thought, lambda text: frontmatter.add_tags(text, tags))

    def remove_tags(self, thought: str, tags: Sequence[str]) -> Thought:
        """Remove tags."""
        from aimem_tui.markdown import frontmatter

        return self.edit_text(thought, lambda text: frontmatter.remove_tags(text, tags))

    def move(self, thought: str, path: str) -> Thought:
        """Give a thought another path; the old one still leads to it.

        Raises:
            BadInput: if no thought can have that path.
            Refused: if another thought is there.
        """
        from aimem_tui.markdown import paths

        checked = paths.check_path(path)
        with self._changing(thought) as document:
            taken = self.database.read().execute(
                "SELECT 1 FROM thoughts WHERE path = ? AND shown AND id != ?", (checked, thought)
            )
            if taken.fetchone() is not None:
                raise Refused(f"There is a thought at {checked} already.")
            document.move(checked)
        return self.by_id(thought)

    def trash(self, thought: str) -> Thought:
        """Put a thought into the trash."""
        with self._changing(thought) as document:
            if document.trashed is None:
                document.put_into_trash(self.clock(), self.author)
        return self.by_id(thought)

    def restore(self, thought: str) -> Thought:
        """Take a thought out of the trash."""
        with self._changing(thought) as document:
            if document.meta.trash is not None:
                document.take_out_of_trash()
        return self.by_id(thought)

    def purge(self, thought: str, *others: str) -> None:
        """Remove the text and history of thoughts for good.

        Takes seconds in a large workspace, however many thoughts are given.

        Raises:
            NotFound: if there is no such thought.
            Refused: if one is not in the trash; none is purged then.
        """
        from aimem_tui.store import compaction, projector

        self.settle()
        with self.database.write() as connection:
            for each in (thought, *others):
                number = _known(connection, each)
                with self._changing(each) as document:
                    if document.trashed is None:
                        raise Refused(
                            "Only what is in the trash can be purged.",
                            hint="Put it there: aimem trash.",
                        )
                    document.purge(self.clock())
                compaction.compact(connection, number, forget_history=True)
                connection.execute("DELETE FROM import_sources WHERE thought = ?", (number,))
                projector.refresh(connection, number)
            projector.forget_words(connection)
        # The old text must not live on in the write-ahead log.
        self.database.truncate_wal()

    # History

    def history(self, thought: str) -> list[Revision]:
        """A thought's revisions, oldest first."""
        return [past.revision for past in self.past(thought)]

    def past(self, thought: str) -> list[PastText]:
        """Every revision of a thought with its text and the text before, oldest first."""
        from aimem_tui.store import revisions

        self.settle()
        with self.database.snapshot() as connection, _usable():
            stages = revisions.stages(connection, _known(connection, thought))
        texts = ["", *(stage.text for stage in stages)]
        return [PastText(stage.revision, stage.text, texts[i]) for i, stage in enumerate(stages)]

    def revision(self, thought: str, number: int) -> PastText:
        """A thought as it was at the end of a revision.

        Raises:
            NotFound: if there is no such revision.
        """
        past = self.past(thought)
        if not 1 <= number <= len(past):
            raise NotFound(
                f"There is no revision {number}.", hint=f"There are revisions 1 to {len(past)}."
            )
        return past[number - 1]

    def activity(self, thought: str, limit: int = 8) -> list[Activity]:
        """Who edited a thought last, newest first. Needs no document, so it is quick."""
        from aimem_tui.store import revisions

        connection = self.database.read()
        return revisions.activity(connection, _known(connection, thought), limit)

    def restore_revision(self, thought: str, number: int) -> Thought:
        """Make a thought's text what it was at the end of a revision, as a new edit."""
        text = self.revision(thought, number).text
        with self._changing(thought, note=f"restored revision {number}") as document:
            document.replace_text(text)
        return self.by_id(thought)

    # Coming and going

    def import_folder(self, root: Path, options: ImportOptions) -> ImportReport:
        """Take in a folder of texts; see :func:`aimem_tui.bridge.importer.import_folder`."""
        from aimem_tui.bridge import importer

        return importer.import_folder(self.database, root, options)

    def import_git(self, repository: Path, options: ImportOptions) -> ImportReport:
        """Take in a git repository's history; see :func:`aimem_tui.bridge.git.import_history`."""
        from aimem_tui.bridge import git

        return git.import_history(self.database, repository, options)

    def export(self, target: Path, options: ExportOptions) -> ExportReport:
        """Write thoughts out; see :func:`aimem_tui.bridge.exporter.export`."""
        from aimem_tui.bridge import exporter

        self.settle()
        self.catch_up()
        return exporter.export(self.database, target, options, workspace=self.name)

    # Live use, for the app

    def open_live(self, thought: str) -> LiveThought:
        """Open a thought for editing in memory; the caller's thread owns it."""
        from aimem_tui.store import documents, log
        from aimem_tui.workspace.live import LiveThought

        self.settle()
        with self.database.snapshot() as connection, _usable():
            position = log.last_position(connection)
            document = documents.load(connection, _known(connection, thought))
            _ = document.text
        return LiveThought(thought, document, position, self.writer.submit, self.author, self.clock)

    @property
    def writer(self) -> GroupWriter:
        """The group writer, started when first needed."""
        if self._writer is None:
            from aimem_tui.store.writer import GroupWriter

            self._writer = GroupWriter(self.database, self._committed)
        return self._writer

    def writer_state(self) -> WriterState:
        """Whether edits of open thoughts are on disk, and what is wrong if they are not."""
        from aimem_tui.store.writer import WriterState

        return WriterState(0, "") if self._writer is None else self._writer.state()

    def watch(
        self, callback: Callable[[News], object], on_trouble: Callable[[str], object] | None = None
    ) -> None:
        """Report what happens in the file, by whomever, until the workspace is closed.

        Args:
            callback: runs in a thread of its own.
            on_trouble: told in the writer's thread why edits cannot be written, and "" once they
                can again.
        """
        from aimem_tui.store.watcher import Watcher

        if self._watcher is not None:
            raise RuntimeError("the workspace is watched already")
        self._watcher = Watcher(self.database, callback)
        self.writer.on_trouble = on_trouble

    def settle(self) -> None:
        """Have edits of open thoughts on disk before something else builds on them."""
        if self._writer is not None and not self.database.is_writing():
            self._writer.flush()

    # Inside

    @contextmanager
    def _changing(self, thought: str, *, note: str = "") -> Iterator[ThoughtDocument]:
        """A thought's document under the write lock; what is written to it is appended."""
        from aimem_tui.store import documents
        from aimem_tui.store.log import Draft
        from crdt import adapter

        self.settle()
        with self.database.write() as connection, _usable():
            document = documents.load(connection, _known(connection, thought))
            updates: list[bytes] = []
            stop = document.on_update(updates.append)
            outlived = document.outlived_trash
            try:
                yield document
                if updates and outlived is not None and document.meta.trash == outlived:
                    document.take_out_of_trash()
            finally:
                stop()
            if updates:
                update = adapter.merge(updates)
                draft = Draft(thought, update, self.clock(), self.author, note)
                self._append(connection, [draft])

    def _append(self, connection: apsw.Connection, drafts: Sequence[Draft]) -> None:
        from aimem_tui.store import log, projector

        records = log.append(connection, drafts)
        for thought in {record.entry.thought for record in records}:
            projector.refresh(connection, log.thought_number(connection, thought))

    def _committed(self, _records: Sequence[Record]) -> None:
        if self._watcher is not None:
            self._watcher.wake()


def check_text(text: str) -> None:
    """Make sure that a thought can have a text.

    Raises:
        BadInput: if it is too large, or holds NUL or half of a surrogate pair.
    """
    if "\0" in text:
        raise BadInput("The text holds a NUL character.", why="Thoughts are text, not binary data.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadInput("The text is not valid Unicode.") from error
    if size > TEXT_LIMIT:
        raise BadInput(
            f"The text has {size / 1e6:.1f} MB.",
            why=f"A thought holds at most {TEXT_LIMIT // 1_048_576} MB.",
        )


@contextmanager
def _usable() -> Iterator[None]:
    """Say in words that a document's bytes are broken."""
    from crdt.errors import CrdtError

    try:
        yield
    except CrdtError as error:
        raise StorageError(
            "The thought's document cannot be used.",
            why=f"{str(error).capitalize()}.",
            hint="Nothing was changed. Run: aimem doctor.",
        ) from error


def _client_id() -> int:
    from aimem_tui.store import documents

    return documents.new_client_id()


def _known(connection: apsw.Connection, thought: str) -> int:
    """The small number of a thought that exists and was not purged."""
    row = connection.execute(
        "SELECT thought_ids.n, thoughts.purged FROM thought_ids"
        " LEFT JOIN thoughts ON thoughts.n = thought_ids.n WHERE thought_ids.id = ?",
        (thought,),
    ).fetchone()
    if row is None or row[1]:
        raise NotFound(f"There is no thought with the id {thought}.")
    return int(row[0])


def _prepare(connection: apsw.Connection, path: Path) -> None:
    """Bring the schema up to date and give a new file its identity."""
    if path.exists() and path.stat().st_size == 0 and not os.access(path, os.W_OK):
        raise StorageError(f"{path} cannot be written.")
    migrate(connection, path)
    if connection.execute("SELECT value FROM meta WHERE key = 'replica'").get is None:
        connection.execute("BEGIN IMMEDIATE")
        for key in ("workspace", "replica"):
            connection.execute(
                "INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, os.urandom(16).hex())
            )
        connection.execute("COMMIT")
