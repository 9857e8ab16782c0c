"""Indexing in tests: a small model that needs no files, and a process that indexes with it.

``python -m tests.index.indexing WORKSPACE_FILE INDEX_FILE LOG`` indexes once; every string that it
embeds is a line of the log, before its vector is stored.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from zlib import crc32

import apsw
import numpy as np
from numpy.typing import NDArray

from aimem_tui.index.contents import digest
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import Embeds, Indexer, ModelSource
from aimem_tui.store.connection import Database
from aimem_tui.workspace.workspace import Workspace

DIMENSIONS = 64


class WordModel:
    """Texts that share words have near vectors: each word is a direction, drawn by its checksum."""

    def __init__(
        self,
        dimensions: int = DIMENSIONS,
        *,
        seed: int = 0,
        log: Path | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.dimensions = dimensions
        self.texts: list[str] = []
        self._seed = seed
        self._log = log
        self._seconds = seconds

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, one a row."""
        self.texts += texts
        if self._log is not None:
            with self._log.open("a", encoding="ascii") as file:
                file.write("".join(f"{digest(text).hex()}\n" for text in texts))
        time.sleep(self._seconds)
        return np.stack([self.embed_one(text) for text in texts])

    def embed_one(self, text: str) -> NDArray[np.float32]:
        """The unit vector of one text."""
        vector = np.full(self.dimensions, 0.01, np.float64)
        for word in text.lower().split():
            drawn = np.random.default_rng([self._seed, crc32(word.encode("utf-8", "replace"))])
            vector += drawn.standard_normal(self.dimensions)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def source(model: WordModel, identity: str = "words") -> ModelSource:
    """A model that is loaded already."""
    return ModelSource(identity, "", lambda: model)


def indexer(
    workspace: Workspace, index: IndexFile, model: WordModel, identity: str = "words"
) -> Indexer:
    """An indexer of an open workspace."""
    return Indexer(workspace.database, index, source(model, identity), clock=workspace.clock)


def main(workspace: str, index: str, log: str, seconds: str = "0.01") -> int:
    """Index once, waiting for whoever is at it."""
    load: Callable[[], Embeds] = lambda: WordModel(log=Path(log), seconds=float(seconds))  # noqa: E731
    database = Database(Path(workspace), _as_it_is)
    with IndexFile(Path(index)) as file:
        made = Indexer(database, file, ModelSource("words", "", load))
        while made.run() is None:
            time.sleep(0.01)
    database.close()
    return 0


def _as_it_is(_connection: apsw.Connection, _path: Path) -> None:
    """The file is prepared."""


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
