"""Passages that mean what was asked for, and passages that have its words: what the index adds.

Everything here needs the machine's index; numpy, the model and its runtime are loaded by the first
search by meaning, never by one by words. One of these serves a workspace as long as it is open, in
any thread.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import apsw

from aimem_tui.search import matching
from aimem_tui.search.query import Query

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from aimem_tui.embedding.model import Embedder
    from aimem_tui.index.reader import ChunkRow, IndexReader
    from aimem_tui.index.spaces import Model
    from aimem_tui.index.vectors.port import Vectors

WEIGHTS = (2.0, 1.5, 1.0)
"""How much a word counts in the title, the headings and the text of a passage."""
_REMEMBERED = 64
_COUNT_QUICK_S, _COUNT_KEPT_S = 0.02, 10.0
_LONGEST = 4_000
"""Characters of a search that are looked at for what it means; a model reads no further."""


class Near(NamedTuple):
    """A thought and how near it is, with the passage of it that is nearest."""

    thought: int
    cosine: float
    start: int
    end: int
    """Where the passage is, in characters of the text as it was indexed."""


class Meaning:
    """Search by passages in one workspace.

    Args:
        reader: of the workspace's space.
        embedder: gives the model that a space's vectors were made with, loaded once.
        once: whether one search is all that will follow: a thread for it is not worth its while.
    """

    def __init__(
        self, reader: IndexReader, embedder: Callable[[Model], Embedder], *, once: bool = False
    ) -> None:
        self.reader = reader
        self._once = once
        self._embedder = embedder
        self._lock = threading.Lock()
        self._embedding = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._unindexed = 0
        self._counted_until = 0.0
        self._queries: OrderedDict[tuple[str, str], Vectors] = OrderedDict()

    def is_ready(self) -> bool:
        """Whether any thought can be found by its meaning. Loads nothing."""
        return self.reader.model is not None

    def near(self, text: str, k: int, among: Sequence[int] | None = None) -> list[Near]:
        """The thoughts nearest to a search, the nearest first.

        Args:
            k: how many passages are looked at.
            among: only these thoughts, by their numbers.

        Raises:
            AimemError: if the model or the index cannot be used.
        """
        model = self.reader.model
        if model is None:
            return []
        return self.near_vector(self._vector(model, text[:_LONGEST]), k, among)

    def near_soon(self, text: str, k: int) -> Callable[[], list[Near]]:
        """Begin with :meth:`near` in a thread of its own; what is returned waits for the answer.

        Most of it is computing that lets go of the interpreter, while the words are looked for.
        """
        if self._once:
            return partial(self.near, text, k)
        with self._lock:
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(1, "aimem-meaning")
            return self._pool.submit(self.near, text, k).result

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def near_vector(
        self, vector: Vectors, k: int, among: Sequence[int] | None = None
    ) -> list[Near]:
        """The thoughts nearest to a vector, the nearest first."""
        vectors = self.reader.vectors()
        if vectors is None or len(vector) != vectors.dimensions:
            return []
        contents = None if among is None else self.reader.ids_of(among)
        if contents is not None and not len(contents):
            return []
        found = vectors.nearest(vector, k, contents)
        wanted = [int(content) for content in found.ids]
        rows = self.reader.chunks_with(wanted)
        return _by_thought(
            (row, float(cosine))
            for content, cosine in zip(wanted, found.cosines, strict=True)
            for row in rows.get(content, ())
        )

    def passages_with(self, query: Query, limit: int) -> list[tuple[int, float]]:
        """The thoughts whose single passages have the words of a search, with BM25, best first."""
        if query.open_ended:
            # Beginnings are in the workspace's own table; here they would take very long.
            query = query._replace(terms=query.terms[:-1], open_ended=False)
        if not query.has_words:
            return []
        with self.reader.index.snapshot() as connection:
            space = self.reader.space
            if space is None:
                return []
            table = space.words
            plan = matching.plan(connection, table, query)
            found: dict[int, float] = {}
            for match, oldest in (
                (plan.match, plan.newest_from),
                (plan.titled, plan.titled_from),
            ):
                if not match:
                    continue
                rows = connection.execute(
                    "SELECT chunks.thought, -found.score FROM (SELECT rowid AS id, rank AS score"
                    f" FROM {table} WHERE {table} MATCH ? AND rank MATCH ? AND rowid >= ?"
                    " ORDER BY rank LIMIT ?) AS found CROSS JOIN chunks ON chunks.id = found.id",
                    (match, f"bm25{WEIGHTS}", oldest, 2 * limit),
                )
                for thought, score in rows:
                    found[thought] = max(score, found.get(thought, score))
        return sorted(found.items(), key=lambda item: -item[1])[:limit]

    def unknown(self, thoughts: Sequence[int]) -> tuple[set[int], set[int]]:
        """What the index does not know yet of some thoughts.

        Returns: those that are not in it; and those that cannot, or not in all their passages, be
            found by their meaning.
        """
        with self.reader.index.snapshot() as connection:
            space = self.reader.space
            if space is None:
                return set(thoughts), set(thoughts)
            numbers = apsw.carray(array("q", thoughts or (-1,)))
            known = connection.execute(
                "SELECT DISTINCT thought FROM chunks WHERE space = ?"
                " AND thought IN (SELECT value FROM carray(?))",
                (space.n, numbers),
            )
            unread = set(thoughts) - {int(row[0]) for row in known}
            if space.model is None:
                return unread, set(thoughts)
            waiting = connection.execute(
                "SELECT DISTINCT chunks.thought FROM chunks CROSS JOIN waiting"
                " ON waiting.model = ? AND waiting.content = chunks.content"
                " WHERE chunks.space = ? AND chunks.thought IN (SELECT value FROM carray(?))",
                (space.model.n, space.n, numbers),
            )
            return unread, unread | {int(row[0]) for row in waiting}

    def unindexed(self, workspace: apsw.Connection) -> int:
        """How many thoughts cannot be found by all they mean yet.

        While very many wait, to count them takes longer than to search; then the last count serves
        for some seconds.
        """
        now = time.monotonic()
        if now >= self._counted_until:
            self._unindexed = self.reader.coverage(workspace).unindexed
            took = time.monotonic() - now
            self._counted_until = now + _COUNT_KEPT_S if took > _COUNT_QUICK_S else 0.0
        return self._unindexed

    def _vector(self, model: Model, text: str) -> Vectors:
        key = (model.identity, text)
        with self._embedding:
            known = self._queries.get(key)
            if known is None:
                # A model is not for two threads at once.
                known = self._queries[key] = self._embedder(model).embed_one(text)
                if len(self._queries) > _REMEMBERED:
                    self._queries.popitem(last=False)
            self._queries.move_to_end(key)
            return known


def _by_thought(passages: Iterable[tuple[ChunkRow, float]]) -> list[Near]:
    """Each thought by its nearest passage: the rest of a long text says nothing against it."""
    best: dict[int, Near] = {}
    for row, cosine in passages:
        if row.thought not in best:
            best[row.thought] = Near(row.thought, cosine, row.start, row.end)
    return [*best.values()]
