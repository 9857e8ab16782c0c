"""Reading the index: passages by their words, passages by their vectors, and what is not there yet.

- One reader reads one space, in any thread; it changes nothing and loads nothing heavy by itself.
- The index follows the workspace by a moment. Offsets are those of the text as it was indexed:
  :meth:`IndexReader.changed_since` says which thoughts have another text by now.
- What a call gives is of one moment; between two calls another process may have written.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import apsw

from aimem_tui.index import spaces
from aimem_tui.index.file import IndexFile, explained
from aimem_tui.index.spaces import Model, Space

if TYPE_CHECKING:
    from aimem_tui.index.vectors.port import Ids, VectorIndex, Vectors

TITLE_WEIGHT, HEADINGS_WEIGHT, BODY_WEIGHT = 2.0, 1.5, 1.0
"""How much a word counts in BM25, by where it stands."""
_COUNTED = 2_000
"""Up to so many passages that wait, their thoughts are counted."""


class ChunkRow(NamedTuple):
    """A passage of a thought."""

    id: int
    thought: int
    """The thought's number inside the workspace's file."""
    ordinal: int
    start: int
    end: int
    """Character offsets into the thought's text, ``end`` excluded."""
    line: int
    """The line in which it begins, from 0."""
    headings: tuple[str, ...]
    """Those it stands below, outermost first."""
    content: int
    """The id of its vector; several passages may share one."""


class WordHit(NamedTuple):
    """A passage that matches words."""

    chunk: int
    thought: int
    bm25: float
    """SQLite's: below 0, the smaller the better."""


class Coverage(NamedTuple):
    """How much of a workspace can be found through the index."""

    thoughts: int
    """Those that are shown."""
    changed: int
    """Of these, how many have changed since they were read into the index."""
    waiting: int
    """How many thoughts have passages whose vectors are still to be made; about, if very many."""
    passages: int
    """Passages whose vectors are still to be made."""

    @property
    def unindexed(self) -> int:
        """How many thoughts cannot be found by all they mean yet."""
        return min(self.thoughts, self.changed + self.waiting)


class IndexReader:
    """What the index holds of one workspace's file.

    Args:
        index: open as long as the reader is used.
        replica: the id of the workspace's file.
    """

    def __init__(self, index: IndexFile, replica: str) -> None:
        self.index = index
        self.replica = replica
        self._opening = threading.Lock()
        self._vectors: tuple[int, int, VectorIndex] | None = None

    @property
    def space(self) -> Space | None:
        """The space as it is now; None before the workspace was first indexed."""
        with explained(self.index.path):
            return spaces.find(self.index.read(), self.replica)

    @property
    def model(self) -> Model | None:
        """The model by whose vectors to search; queries are to be embedded with it."""
        space = self.space
        return None if space is None else space.model

    def coverage(self, workspace: apsw.Connection) -> Coverage:
        """How much is indexed of the workspace that a connection reads."""
        thoughts = _shown(workspace)
        with self.index.snapshot() as connection:
            space = spaces.find(connection, self.replica)
            if space is None:
                return Coverage(thoughts, thoughts, 0, 0)
            waiting, passages = _waiting(connection, space)
        changed = changed_since(workspace, space.version)
        return Coverage(thoughts, thoughts if changed is None else len(changed), waiting, passages)

    def changed_since(self, workspace: apsw.Connection) -> frozenset[int] | None:
        """The numbers of shown thoughts whose passages are not those of their present text.

        Returns: None if all may be.
        """
        space = self.space
        return None if space is None else changed_since(workspace, space.version)

    def chunks_by_words(
        self,
        match: str,
        limit: int,
        among: Sequence[int] | None = None,
        *,
        weights: tuple[float, float, float] = (TITLE_WEIGHT, HEADINGS_WEIGHT, BODY_WEIGHT),
    ) -> list[WordHit]:
        """Passages that match, best first.

        Args:
            match: an FTS5 query; its columns are ``title``, ``headings`` and ``body``.
            among: only in these thoughts, by their numbers.
            weights: of the three columns.

        Raises:
            apsw.SQLError: if that is no query.
        """
        with self.index.snapshot() as connection:
            space = spaces.find(connection, self.replica)
            if space is None:
                return []
            rank = f"bm25({space.words}, ?, ?, ?)"
            if among is None:
                rows = connection.execute(
                    "SELECT found.id, chunks.thought, found.score FROM"
                    f" (SELECT rowid AS id, {rank} AS score FROM {space.words}"
                    f" WHERE {space.words} MATCH ? ORDER BY score LIMIT ?) AS found"
                    " CROSS JOIN chunks ON chunks.id = found.id ORDER BY found.score, found.id",
                    (*weights, match, limit),
                )
            else:
                rows = connection.execute(
                    f"SELECT chunks.id, chunks.thought, {rank} AS score FROM {space.words}"
                    f" CROSS JOIN chunks ON chunks.id = {space.words}.rowid"
                    f" WHERE {space.words} MATCH ? AND chunks.thought IN (SELECT value FROM"
                    " carray(?)) ORDER BY score, chunks.id LIMIT ?",
                    (*weights, match, _numbers(among), limit),
                )
            return [WordHit(*row) for row in rows]

    def chunks(self, ids: Sequence[int]) -> list[ChunkRow]:
        """Passages by their ids, in that order; those that are gone are left out."""
        found = {
            row.id: row for row in self._chunks("chunks.id IN (SELECT value FROM carray(?))", ids)
        }
        return [found[each] for each in ids if each in found]

    def chunks_with(self, contents: Sequence[int]) -> dict[int, list[ChunkRow]]:
        """The passages that have each of some contents, by content: what neighbours stand for."""
        found: dict[int, list[ChunkRow]] = {}
        for row in self._chunks("chunks.content IN (SELECT value FROM carray(?))", contents):
            found.setdefault(row.content, []).append(row)
        return found

    def chunks_of(self, thought: int) -> list[ChunkRow]:
        """All passages of a thought, in the order of its text."""
        rows = self._chunks("chunks.thought IN (SELECT value FROM carray(?))", [thought])
        return sorted(rows, key=lambda row: row.ordinal)

    def ids_of(self, thoughts: Sequence[int]) -> Ids:
        """The ids of the contents (and vectors) of some thoughts, ascending, each once."""
        import numpy as np

        space = self.space
        if space is None or not len(thoughts):
            return np.empty(0, np.int64)
        rows = self.index.read().execute(
            "SELECT content FROM chunks WHERE space = ?"
            " AND thought IN (SELECT value FROM carray(?))",
            (space.n, _numbers(thoughts)),
        )
        return np.unique(np.fromiter((row[0] for row in rows), np.int64))

    def vectors_of(self, thought: int) -> Vectors:
        """The vectors of a thought's passages that have one: (n, dimensions), in any order."""
        import numpy as np

        vectors = self.vectors()
        if vectors is None:
            return np.empty((0, 0), np.float32)
        found = vectors.vectors(self.ids_of([thought]))
        return found[found.any(axis=1)]

    def vectors(self) -> VectorIndex | None:
        """The vectors that serve; None if there are none. The same as long as the model is."""
        space = self.space
        if space is None or space.model is None:
            return None
        with self._opening:
            if self._vectors is None or self._vectors[:2] != (space.n, space.model.n):
                from aimem_tui.index.vectors.choose import open_index

                opened = open_index(space.model.vectors, space.n, self.index.snapshot)
                self._vectors = (space.n, space.model.n, opened)
            return self._vectors[2]

    def _chunks(self, condition: str, values: Sequence[int]) -> list[ChunkRow]:
        with self.index.snapshot() as connection:
            space = spaces.find(connection, self.replica)
            if space is None or not len(values):
                return []
            rows: list[Any] = connection.execute(
                "SELECT id, thought, ordinal, first, last, line, headings, content FROM chunks"
                f" WHERE chunks.space = ? AND {condition}",
                (space.n, _numbers(values)),
            ).fetchall()
            return [_chunk(*row) for row in rows]


def _chunk(id: int, thought: int, ordinal: int, *rest: Any) -> ChunkRow:  # noqa: ANN401, A002
    start, end, line, headings, content = rest
    above = tuple(headings.split("\n")) if headings else ()
    return ChunkRow(id, thought, ordinal, start, end, line, above, content)


def changed_since(
    workspace: apsw.Connection, version: int, *, hidden: bool = False
) -> frozenset[int] | None:
    """The numbers of thoughts that were projected after a version of the workspace.

    Args:
        hidden: also those that are not shown.

    Returns: None if the workspace does not remember so far back.
    """
    if not remembers(workspace, version):
        return None
    return frozenset(
        row[0]
        for row in workspace.execute(
            "SELECT DISTINCT thoughts.n FROM changes JOIN thoughts ON thoughts.id = changes.thought"
            " WHERE changes.version > ? AND (thoughts.shown OR ?)",
            (version, hidden),
        )
    )


def remembers(workspace: apsw.Connection, version: int) -> bool:
    """Whether the workspace's table of changes has all that came after a version."""
    oldest, newest = span(workspace)
    return oldest - 1 <= version <= newest


def span(workspace: apsw.Connection) -> tuple[int, int]:
    """The oldest and the newest version that the workspace's table of changes knows of."""
    newest = workspace.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").get
    oldest = workspace.execute("SELECT min(version) FROM changes").get
    last = int(newest or 0)
    return (last + 1 if oldest is None else int(oldest)), last


def _waiting(connection: apsw.Connection, space: Space) -> tuple[int, int]:
    """Thoughts and passages that wait for vectors; of many, the thoughts are estimated."""
    if space.model is None:
        return 0, 0
    here = (space.model.n, space.n)
    passages: Any = connection.execute(
        "SELECT count(*) FROM waiting WHERE model = ? AND space = ?", here
    ).get
    if passages <= _COUNTED:
        counted: Any = connection.execute(
            "SELECT count(DISTINCT chunks.thought) FROM waiting"
            " JOIN chunks ON chunks.content = waiting.content"
            " WHERE waiting.model = ? AND waiting.space = ?",
            here,
        ).get
        return counted, passages
    # Searches ask for it while indexing is at work, and counting takes longer than a search.
    thoughts: Any = connection.execute(
        "SELECT count(*) FROM thoughts WHERE space = ? AND digest != x''", (space.n,)
    ).get
    chunks: Any = connection.execute("SELECT count(*) FROM chunks WHERE space = ?", (space.n,)).get
    return min(thoughts, -(-passages * thoughts // max(1, chunks))), passages


def _shown(workspace: apsw.Connection) -> int:
    return int(
        workspace.execute(
            "SELECT (SELECT coalesce(sum(thoughts), 0) FROM folders WHERE parent = '')"
            " + (SELECT count(*) FROM thoughts WHERE shown = 1 AND folder = '')"
        ).get
    )


def _numbers(values: Sequence[int]) -> Any:  # noqa: ANN401 - apsw does not say what it is
    return apsw.carray(values if hasattr(values, "dtype") else array("q", values))
