"""Searching an open workspace: by words in its file, by meaning through the machine's index.

The index is opened when a search first needs it and there is one, the model when a search is first
embedded; both stay for as long as the workspace is open. A search by words touches neither.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui.errors import AimemError, BadInput
from aimem_tui.model import Filter
from aimem_tui.store.connection import Database

if TYPE_CHECKING:
    from aimem_tui.embedding.model import Embedder
    from aimem_tui.index.file import IndexFile
    from aimem_tui.index.spaces import Model
    from aimem_tui.model import Related, SearchResults
    from aimem_tui.search.semantic import Meaning


class Searching:
    """The searches of one workspace, from any thread.

    Args:
        database: the workspace's.
        clock: milliseconds since the Unix epoch.
        index_file: the machine's index; it need not exist. None: where this machine keeps it.
    """

    def __init__(
        self, database: Database, clock: Callable[[], int], index_file: Path | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._index_file = index_file
        self._lock = threading.Lock()
        self._index: IndexFile | None = None
        self._meaning: Meaning | None = None
        self._embedder: Embedder | None = None
        self._once = False

    def once(self) -> None:
        """See :meth:`aimem_tui.workspace.workspace.Workspace.search_once`."""
        self._once = True

    def close(self) -> None:
        """Close the index, if it was opened."""
        with self._lock:
            if self._meaning is not None:
                self._meaning.close()
            if self._index is not None:
                self._index.close()
            self._index = self._meaning = self._embedder = None

    def search(
        self, text: str, wanted: Filter, *, kind: str, limit: int, as_you_type: bool
    ) -> SearchResults:
        """See :meth:`aimem_tui.workspace.workspace.Workspace.search`."""
        from aimem_tui.search import finder

        if kind not in finder.KINDS:
            raise BadInput(
                f"There is no search called {kind}.", hint=f"Use {', '.join(finder.KINDS)}."
            )
        meaning, trouble = self._usable_meaning()
        search = finder.Search(text, wanted, kind, limit, as_you_type, self._clock())
        with self._database.snapshot() as connection:
            found = finder.find(connection, search, meaning)
        return found._replace(said=f"{found.said} {trouble}".strip()) if trouble else found

    def has_word(self, word: str) -> bool:
        """See :meth:`aimem_tui.workspace.workspace.Workspace.has_word`."""
        from aimem_tui.search import fulltext, matching, query
        from aimem_tui.store import catalogue

        with self._database.snapshot() as connection:
            plan = matching.plan(connection, "fulltext", query.parse(word))
            return fulltext.count(connection, plan, catalogue.where(Filter())) > 0

    def related(self, thought: str, limit: int) -> list[Related]:
        """See :meth:`aimem_tui.workspace.workspace.Workspace.related`."""
        from aimem_tui.search import related

        meaning, _ = self._usable_meaning()
        with self._database.snapshot() as connection:
            return related.related(connection, thought, limit, meaning)

    def _usable_meaning(self) -> tuple[Meaning | None, str]:
        """Search by meaning; None with the reason, if there is one, where the index is no help."""
        try:
            return self._opened(), ""
        except AimemError as error:
            return None, f"The index cannot be used: {error}"

    def _opened(self) -> Meaning | None:
        with self._lock:
            if self._meaning is None:
                file = self._index_file or _index_file()
                if not file.is_file():
                    return None
                from aimem_tui.index.file import IndexFile
                from aimem_tui.index.reader import IndexReader
                from aimem_tui.search.semantic import Meaning

                self._index = IndexFile.existing(file)
                if self._index is None:
                    return None
                replica = (
                    self._database.read()
                    .execute("SELECT value FROM meta WHERE key = 'replica'")
                    .get
                )
                self._meaning = Meaning(
                    IndexReader(self._index, str(replica)), self._embed_with, once=self._once
                )
            return self._meaning

    def _embed_with(self, model: Model) -> Embedder:
        """The model that vectors were made with, loaded once."""
        embedder = self._embedder
        if embedder is None or embedder.identity != model.identity:
            if self._once:
                # numpy's library for matrices would start a thread for each processor.
                os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            from aimem_tui.embedding.model import Embedder, ModelChoice

            choice = ModelChoice.at(Path(model.choice)) if model.choice else ModelChoice.bundled()
            if choice.identity != model.identity:
                raise AimemError(
                    "The model is not the one that the index was made with.",
                    hint="Run: aimem index run.",
                )
            self._embedder = embedder = Embedder(choice, once=self._once)
        return embedder


def _index_file() -> Path:
    from aimem_tui import paths

    return paths.home().index_file
