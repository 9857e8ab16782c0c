"""Taking in one file that an agent has just written.

- The file is read inside the write transaction. Of several hooks for one file, whichever comes
  last to write has read what the file has become, and none brings back what an earlier one read.
- A file that is known (from an import of any folder above it, an export, a git history or an
  earlier call) is a change of its thought. What is kept of it is kept under the names by which it
  is known, so that a later import of the folder knows it, too.
- The change leads from the text that the file had to the text that it has. What it had is what the
  agent's tool found there, if a state of the thought has that very text; else what is kept of the
  file. So an edit that came by git as well as from another machine is not made twice. What the tool
  found counts only while the file is still what the tool left.
- An unknown file is the thought at its place if that had its text, now or at any time; else it is
  a new thought, beside what is in its way.
- A file that is gone takes nothing away here. A mirror of folders would say what else follows.
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from aimem_tui.bridge import intake, sources
from aimem_tui.bridge.files import LeftOut, decode_text, fingerprint
from aimem_tui.bridge.scan import Found, read
from aimem_tui.bridge.sources import Source
from aimem_tui.claude.event import Rewriting
from aimem_tui.claude.places import Place, place_of, without_second_names
from aimem_tui.claude.surroundings import Surroundings
from aimem_tui.errors import BadInput
from aimem_tui.store import catalogue
from aimem_tui.workspace.project import Project

if TYPE_CHECKING:
    from aimem_tui.workspace.workspace import Workspace

SIZE_LIMIT = 1 << 20
"""The largest file that is taken in at once, in bytes; an import takes in larger ones."""

NOTE = "from a file"

_SIBLINGS = 200
_STATES = 2_000
"""How many changes of a thought are gone through in search of a text."""


class What(StrEnum):
    """What became of a file."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken in."""

    thought: str
    """The id of its thought."""
    path: str
    """Where the thought is shown."""
    what: What
    beside: bool
    """Whether another thought is at the place that a new one was made for."""
    behind: str
    """Who edited the thought last, if it holds what the file does not; else empty."""


def take_in_file(
    workspace: Workspace,
    project: Surroundings,
    file: Path,
    author: str,
    *,
    rewriting: Rewriting | None = None,
    transcript: Path | None = None,
) -> Taken | None:
    """Take in a file of a project, if it is one of the project's thoughts.

    Args:
        file: an absolute path.
        author: who is recorded as the writer.
        rewriting: what was made of the file's text, if that is known.
        transcript: the file of the conversation with Claude Code, if there is one.

    Returns: what became of it; None if it is no thought, or is gone.

    Raises:
        BadInput: if it lies among thoughts and cannot be one, and says why.
        StorageError: if the workspace cannot be written.
    """
    try:
        place = place_of(project, file, transcript)
        if place is None or not place.real.exists():
            return None
        workspace.settle()
        with workspace.database.snapshot() as connection:
            # Mostly asked for nothing: what is known need not wait for other writers.
            file_now = _File.read(place)
            known = _records(connection, place.real)
            if _says_nothing_new(known, file_now, rewriting):
                return _outcome(connection, known[0].source, file_now, What.UNCHANGED)
        with workspace.database.write() as connection:
            way = _Intake(connection, project.project, place, author, workspace.clock())
            return way.take(rewriting)
    except LeftOut as reason:
        raise BadInput(f"{file} is left out.", why=str(reason)) from None


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is at this moment."""

    data: bytes
    text: str
    digest: str
    at: int
    """When it was written, milliseconds since the Unix epoch."""

    @classmethod
    def read(cls, place: Place) -> _File:
        try:
            status = place.real.lstat()
        except OSError as error:
            raise LeftOut(f"It cannot be read: {error.strerror}.") from None
        if not stat.S_ISREG(status.st_mode):
            raise LeftOut("It is not a regular file.")
        if status.st_size > SIZE_LIMIT:
            raise LeftOut(f"It is larger than {SIZE_LIMIT >> 20} MB. To take it in: aimem import.")
        at = status.st_mtime_ns // 1_000_000
        found = Found(place.path, status.st_size, at, status.st_dev, status.st_ino)
        data = read(place.root, found)
        return cls(data, decode_text(data), fingerprint(data), at)

    def is_left_by(self, rewriting: Rewriting | None) -> bool:
        """Whether nobody has written it since a tool did."""
        return rewriting is not None and rewriting.after == self.text


@dataclass(frozen=True, slots=True)
class _Record:
    """What is kept of a file under one of its names."""

    root: str
    path: str
    source: Source
    kept: bool
    """Whether a base is kept with it; else an export wrote it."""

    @property
    def folder(self) -> str:
        return self.root.removeprefix("git:")

    def has(self, file: _File) -> bool:
        """Whether a file has the content that is recorded."""
        return self._is(file.data)

    def had(self, text: str) -> bool:
        """Whether a text is the one that is recorded."""
        return self._is(text.encode(errors="surrogatepass"))

    def _is(self, data: bytes) -> bool:
        if self.root.startswith("git:"):
            return sources.git_blob(data, like=self.source.content) == self.source.content
        return fingerprint(data) == self.source.content


class _Intake:
    """One file's way in; the caller holds the write transaction."""

    def __init__(
        self,
        connection: apsw.Connection,
        project: Project,
        place: Place,
        author: str,
        now: int,
    ) -> None:
        self._connection = connection
        self._project = project
        self._place = place
        self._author = author
        self._now = now
        self._file = _File.read(place)
        self._at = intake.clamped(self._file.at, now)
        self._records = _records(connection, place.real)

    def take(self, rewriting: Rewriting | None) -> Taken:
        if _says_nothing_new(self._records, self._file, rewriting):
            return self._outcome(self._records[0].source, What.UNCHANGED)
        before = None
        if rewriting is not None and rewriting.after == self._file.text:
            before = rewriting.before
        lineage = self._own_lineage(before) or self._shared_lineage(before)
        if lineage is not None:
            return self._change(*lineage)
        goal = self._goal()
        for source in self._standing(goal):
            if catalogue.text(self._connection, source.thought) == self._file.text:
                return self._change(source, None)
            if before is not None and (base := self._state_with(source, before)) is not None:
                return self._change(source, base)
        return self._make(goal)

    def _own_lineage(self, before: str | None) -> tuple[Source, bytes] | None:
        for record in self._records:
            base = self._base(record, before)
            if base is not None:
                return record.source, base
        return None

    def _shared_lineage(self, before: str | None) -> tuple[Source, bytes] | None:
        """The thought of a file that is the same in another place."""
        for root, path in self._place.twins:
            for record in _records(self._connection, root / path):
                base = self._base(record, before)
                if base is not None:
                    return record.source, base
        return None

    def _base(self, record: _Record, before: str | None) -> bytes | None:
        """The document as it was with the text that the file had."""
        if before is not None and not record.had(before):
            base = self._state_with(record.source, before)
            if base is not None:
                return base
        if record.kept:
            return sources.base(self._connection, record.root, record.path)
        return sources.base_of_export(self._connection, record.source)

    def _state_with(self, source: Source, text: str) -> bytes | None:
        """The newest state of a thought that has a text."""
        from aimem_tui.store import documents

        present = documents.load(self._connection, source.number)
        if present.text == text:
            return present.state()
        if len(documents.updates_of(self._connection, source.number)) > _STATES:
            return None
        wanted = fingerprint(text.encode(errors="surrogatepass"))
        return sources.base_of_export(
            self._connection, Source(source.number, source.thought, wanted)
        )

    def _change(self, source: Source, base: bytes | None) -> Taken:
        """Bring what was done to the file into its thought; without a base nothing was."""
        from aimem_tui.store import documents, log, projector
        from crdt.document import ThoughtDocument

        connection, text = self._connection, self._file.text
        present = documents.load(connection, source.number)
        if base is None or present.text == text:
            self._remember(source, present.state())
            return self._outcome(source, What.UNCHANGED)
        document = ThoughtDocument.load(documents.new_client_id(), [base])
        update = intake.rewrite(document, text)
        if update:
            log.append(
                connection, [log.Draft(source.thought, update, self._at, self._author, NOTE)]
            )
            projector.refresh(connection, source.number)
        self._remember(source, document.state())
        return self._outcome(source, What.CHANGED if update else What.UNCHANGED)

    def _make(self, goal: str) -> Taken:
        arrival = intake.Arrival(goal, self._file.text, self._at, self._author, NOTE)
        birth = intake.birth(arrival, self._now)
        beside = intake.is_taken(self._connection, goal)
        (number,) = intake.enter(self._connection, [birth])
        source = Source(number, birth.draft.thought, self._file.digest)
        self._remember(source, birth.state)
        return self._outcome(source, What.NEW, beside=beside)

    def _remember(self, source: Source, state: bytes) -> None:
        """Keep what the file is now under all names by which it is known, or its own."""
        kept = Source(source.number, source.thought, self._file.digest)
        names = {(record.folder, record.path) for record in self._records}
        names = names or {(sources.folder_root(self._place.root), self._place.path)}
        for root, path in sorted(names):
            sources.remember_import(self._connection, root, path, kept, state)

    def _standing(self, goal: str) -> list[Source]:
        """The thoughts that are shown at a place and belong to no other file of this folder."""
        rows = self._connection.execute(
            "SELECT n, id FROM thoughts WHERE (path = ?1 OR declared_path = ?1) AND shown"
            " ORDER BY path != ?1, id",
            (goal,),
        ).fetchall()
        root = sources.folder_root(self._place.root)
        found = [Source(int(str(number)), str(thought), "") for number, thought in rows]
        return [
            each for each in found if not sources.imports_from(self._connection, root, each.number)
        ]

    def _goal(self) -> str:
        """Where a new file's thought goes: where the project says, else where its folder went."""
        if not self._project.into:
            place = self._place
            for root, path in ((place.root, place.path), *place.twins):
                for folder in (root, *reversed(root.parents)):
                    below = root.relative_to(folder).as_posix()
                    into = self._went_to(folder, "" if below == "." else below + "/")
                    if into is not None:
                        whole = (root / path).relative_to(folder).as_posix()
                        return intake.place(into, without_second_names(whole))
        return intake.place("", self._place.goal)

    def _went_to(self, folder: Path, below: str) -> str | None:
        """The folder of the workspace that most files of an imported folder went to.

        Args:
            below: only files whose paths begin so count; with a slash at the end, or empty.

        Returns: None if there are none.
        """
        rows = self._connection.execute(
            "SELECT s.path, t.declared_path FROM import_sources AS s"
            " JOIN thoughts AS t ON t.n = s.thought"
            " WHERE s.root = ?1 AND substr(s.path, 1, length(?2)) = ?2 AND NOT t.purged LIMIT ?3",
            (sources.folder_root(folder), below, _SIBLINGS),
        )
        folders = Counter(
            declared.removesuffix(path).rstrip("/")
            for path, declared in rows
            if declared == path or declared.endswith("/" + path)
        )
        return folders.most_common(1)[0][0] if folders else None

    def _outcome(self, source: Source, what: What, *, beside: bool = False) -> Taken:
        return _outcome(self._connection, source, self._file, what, beside=beside)


def _says_nothing_new(records: Sequence[_Record], file: _File, rewriting: Rewriting | None) -> bool:
    """Whether a file is known as it is now; it may have been something else in between."""
    if not records or not all(record.has(file) for record in records):
        return False
    return rewriting is None or rewriting.before == file.text or not file.is_left_by(rewriting)


def _records(connection: apsw.Connection, real: Path) -> list[_Record]:
    """What is kept of a file, under the names that imports of any folder above it gave it."""
    found: list[_Record] = []
    for folder in real.parents:
        path = real.relative_to(folder).as_posix()
        plain, git = sources.folder_root(folder), sources.git_root(folder)
        for root, table, kept in (
            (plain, sources.imported, True),
            (plain, sources.exported, False),
            (git, sources.imported, True),
        ):
            source = table(connection, root, [path]).get(path)
            if source is not None and source.content != sources.GONE:
                found.append(_Record(root, path, source, kept))
                break
    return found


def _outcome(
    connection: apsw.Connection, source: Source, file: _File, what: What, *, beside: bool = False
) -> Taken:
    row = connection.execute(
        "SELECT t.path, texts.body, t.updated_by FROM thoughts AS t"
        " JOIN texts ON texts.n = t.n WHERE t.n = ?",
        (source.number,),
    ).fetchone()
    assert row is not None, "what is kept of a file belongs to a thought that is there"
    path, body, by = map(str, row)
    return Taken(source.thought, path, what, beside, "" if body == file.text else by)
