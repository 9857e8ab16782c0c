"""The facade: everything that can be done with a workspace, for command line, app and agents.

It keeps no text of its own and decides little: reading goes to the catalogue and the search,
writing to ``writing``, long work (import, export, doctor) to modules of its own.

Reading never imports the document engine unless projections are behind, which only a crash or a
busy app leaves behind.
"""

from __future__ import annotations

import copy
import posixpath
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import apsw

from aimem_tui.errors import AimemError, NotFound
from aimem_tui.model import Filter
from aimem_tui.store import catalogue
from aimem_tui.store.connection import Database
from aimem_tui.workspace.creation import prepare

if TYPE_CHECKING:
    from aimem_tui.model import (
        Activity,
        ExportOptions,
        ExportReport,
        Folder,
        ImportOptions,
        ImportReport,
        Progress,
        Related,
        Revision,
        SearchResults,
        Thought,
        WorkspaceStatus,
    )
    from aimem_tui.search.saved import SavedSearches
    from aimem_tui.store.durability import Standing
    from aimem_tui.store.log import Record
    from aimem_tui.store.watcher import News, Watcher
    from aimem_tui.store.writer import GroupWriter, WriterState
    from aimem_tui.workspace.live import LiveThought
    from aimem_tui.workspace.searching import Searching
    from crdt.textdiff import Splice


_CAUGHT_UP = 50
"""How many projections are brought up to date between two words about it."""


class Handout(NamedTuple):
    """A text given out for editing elsewhere, and what is needed to merge it back in."""

    thought: str
    text: str
    state: bytes


class PastText(NamedTuple):
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
        self.renewed = ""
        """Why the file took new ids when it was opened: it was ``copied`` or ``restored``."""
        self.database = Database(file, self._prepare)
        self._writer: GroupWriter | None = None
        self._watcher: Watcher | None = None
        self._searching: Searching | None = None

    def close(self) -> bool:
        """Write what waits and close the file; False if something could not be written."""
        written = True
        if self._watcher is not None:
            self._watcher.close()
        if self._writer is not None:
            written = self._writer.close()
        if self._searching is not None:
            self._searching.close()
        self.database.close()
        return written

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, connection: apsw.Connection, path: Path) -> None:
        self.renewed = prepare(connection, path)

    # Reading

    def catch_up(self, progress: Callable[[Progress], None] | None = None) -> int:
        """Bring projections that are behind up to date; returns how many there were.

        Args:
            progress: told now and then; what was done until it raises something is kept.
        """
        connection = self.database.read()
        if not connection.execute("SELECT EXISTS (SELECT 1 FROM stale)").get:
            return 0
        from aimem_tui.store import projector

        if progress is None:
            return projector.project_stale(self.database)
        from aimem_tui.model import Progress

        done, last = 0, _CAUGHT_UP
        while last >= _CAUGHT_UP:
            left = projector.waiting(self.database.read())
            progress(Progress("Brought up to date", done, done + left))
            last = projector.project_stale(self.database, limit=_CAUGHT_UP)
            done += last
        return done

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
        kind: str = "hybrid",
        limit: int = 20,
        as_you_type: bool = False,
    ) -> SearchResults:
        """Search, best first.

        Args:
            text: what a person typed, fields among it; see :mod:`aimem_tui.search.query`.
            wanted: holds besides what the fields say.
            kind: ``hybrid`` (by words and by meaning), ``fulltext`` or ``semantic``. Where nothing
                is indexed by meaning, words are all, and the answer says so.
            as_you_type: treat the last word as a beginning.

        Raises:
            BadInput: if there is no such kind of search.
        """
        return self.searching.search(
            text, wanted or Filter(), kind=kind, limit=limit, as_you_type=as_you_type
        )

    def has_word(self, word: str) -> bool:
        """Whether any thought has a word, in any of its forms; a part of a name is none."""
        return self.searching.has_word(word)

    def search_once(self) -> None:
        """Say that one search is all that will follow, as in a command: what it needs is loaded
        quicker then, and another one would be slower. The answers are the same.
        """
        self.searching.once()

    def related(self, thought: str, limit: int = 10) -> list[Related]:
        """The thoughts nearest to the one with an id, the nearest first.

        Raises:
            NotFound: if there is none.
        """
        return self.searching.related(thought, limit)

    @property
    def searching(self) -> Searching:
        """The searches, with what they keep loaded; started when first needed."""
        if self._searching is None:
            from aimem_tui.workspace.searching import Searching

            self._searching = Searching(self.database, self.clock)
        return self._searching

    @property
    def saved_searches(self) -> SavedSearches:
        """The searches that are kept under a name."""
        from aimem_tui.search.saved import SavedSearches

        return SavedSearches(self.database.path.parent)

    def status(self) -> WorkspaceStatus:
        """The workspace in figures."""
        from aimem_tui.workspace import figures

        return figures.status(self)

    def identity(self) -> str:
        """The workspace's id, the same on every machine."""
        row = self.database.read().execute("SELECT value FROM meta WHERE key = 'workspace'")
        return str(row.get)

    def standing(self) -> Standing:
        """How this file stands among the copies of the workspace."""
        from aimem_tui.store import durability

        with self.database.snapshot() as connection:
            return durability.standing(connection)

    # Writing

    def written_by(self, author: str) -> Workspace:
        """The same open workspace for somebody else to write in.

        Read with this one, and close only this one: what it has loaded is not shared.
        """
        other = copy.copy(self)
        other.author = author
        other._writer = other._watcher = other._searching = None
        return other

    def place_in(self, thought: str, start: int, end: int) -> tuple[object, object]:
        """Two places in a thought's text that stay with their characters, for presence.

        Args:
            start, end: in code points of the present text; beyond its end counts as its end.

        Returns: relative positions of Yjs in JSON.

        Raises:
            NotFound: if there is no such thought.
        """
        from aimem_tui.store import documents
        from aimem_tui.workspace import writing

        with self.database.snapshot() as connection, writing.usable():
            document = documents.load(connection, writing.known(connection, thought))
            text = document.text
            offsets = (len(text[:at].encode("utf-8")) for at in (start, end))
            anchor, head = (document.position_at(offset).to_json() for offset in offsets)
        return anchor, head

    def create(self, path: str, text: str, *, at: int | None = None, note: str = "") -> Thought:
        """Make a thought.

        Raises:
            BadInput: if no thought can have that path or text.
            Refused: if there is one at that path.
        """
        from aimem_tui.workspace import writing

        at = self.clock() if at is None else at
        return self.by_id(writing.create(self, path, text, at, note))

    def hand_out(self, thought: str) -> Handout:
        """A thought's text for editing elsewhere; give it back to :meth:`take_back`."""
        from aimem_tui.workspace import writing

        return writing.hand_out(self, thought)

    def take_back(self, handout: Handout, text: str, *, note: str = "") -> bool:
        """Merge an edited text in, as a change of the text that was handed out.

        Edits made meanwhile by others stay.

        Returns: whether there was a change.

        Raises:
            BadInput: if no thought can have that text.
            NotFound: if the thought was purged meanwhile.
        """
        from aimem_tui.workspace import writing

        return writing.take_back(self, handout, text, note)

    def edit_text(self, thought: str, change: Callable[[str], Sequence[Splice]]) -> Thought:
        """Change a thought's text by splices computed from its present text."""
        from aimem_tui.workspace import writing

        writing.edit_text(self, thought, change)
        return self.by_id(thought)

    def append(self, thought: str, text: str) -> Thought:
        """Add lines at the end of a thought, on a line of their own."""
        from aimem_tui.workspace import writing

        return self.edit_text(thought, lambda present: writing.addition(present, text))

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
        from aimem_tui.workspace import writing

        writing.move(self, thought, path)
        return self.by_id(thought)

    def trash(self, thought: str) -> Thought:
        """Put a thought into the trash."""
        from aimem_tui.workspace import writing

        with writing.changing(self, thought) as document:
            if document.trashed is None:
                document.put_into_trash(self.clock(), self.author)
        return self.by_id(thought)

    def restore(self, thought: str) -> Thought:
        """Take a thought out of the trash."""
        from aimem_tui.workspace import writing

        with writing.changing(self, thought) as document:
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
        from aimem_tui.workspace import writing

        writing.purge(self, (thought, *others))

    # History

    def history(self, thought: str) -> list[Revision]:
        """A thought's revisions, oldest first."""
        return [past.revision for past in self.past(thought)]

    def past(self, thought: str) -> list[PastText]:
        """Every revision of a thought with its text and the text before, oldest first."""
        from aimem_tui.store import revisions
        from aimem_tui.workspace import writing

        self.settle()
        with self.database.snapshot() as connection, writing.usable():
            stages = revisions.stages(connection, writing.known(connection, thought))
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
        from aimem_tui.workspace import writing

        connection = self.database.read()
        return revisions.activity(connection, writing.known(connection, thought), limit)

    def restore_revision(self, thought: str, number: int) -> Thought:
        """Make a thought's text what it was at the end of a revision, as a new edit."""
        from aimem_tui.workspace import writing

        text = self.revision(thought, number).text
        with writing.changing(self, thought, note=f"restored revision {number}") as document:
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
        from aimem_tui.workspace import writing
        from aimem_tui.workspace.live import LiveThought

        self.settle()
        with self.database.snapshot() as connection, writing.usable():
            position = log.last_position(connection)
            document = documents.load(connection, writing.known(connection, thought))
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

    def _committed(self, _records: Sequence[Record]) -> None:
        if self._watcher is not None:
            self._watcher.wake()
