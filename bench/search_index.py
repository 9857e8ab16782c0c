"""A workspace of so many passages with its index, for ``bench.search``: filled once, then reused.

The index is filled by the product's own job: it cuts the texts into passages, writes their words,
queues them, and stores vectors a batch at a time. Only the numbers of most vectors are made up,
since to embed 100,000 passages takes an hour on two cores. A made-up vector is that of the real
note its thought was made from, moved by the difference of two other notes' vectors: so vectors lie
as those of passages do, and those of a note's offspring lie together. The first twenty thoughts
are embedded really, and so is every search.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aimem_tui.embedding.model import Embedder, ModelChoice
from aimem_tui.embedding.runtime import processors
from aimem_tui.index import status
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import Indexer, ModelSource
from aimem_tui.model import Progress
from aimem_tui.paths import Home
from bench import cache
from bench.corpus import Corpus, kept
from bench.search_texts import Notes

_REAL_THOUGHTS = 20
_BEGINNING = 1_000
"""Characters of a note that stand for what it means."""
_MOVED = 0.75
_SAID_EVERY_S = 15.0

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Filled:
    """A workspace with its index."""

    corpus: Corpus
    passages: int
    seconds: float
    """How long the passages took, with vectors that cost nothing."""

    @property
    def home(self) -> Home:
        """Where aimem is at home with it."""
        root = self.corpus.root
        return Home(config=root, data=root, state=root / "state")

    @property
    def files(self) -> Path:
        """The same thoughts as a folder of markdown files, written once."""
        folder = self.corpus.root / "files"
        if not folder.is_dir():
            from aimem_tui.model import ExportOptions

            with cache.made_whole(folder) as unfinished, self.corpus.open() as workspace:
                workspace.export(unfinished, ExportOptions())
        return folder


def filled(passages: int, notes: Notes) -> Filled:
    """A workspace of about so many passages, with its index up to date."""
    corpus = kept(f"search-{passages}-{len(notes.real)}", notes.texts(passages))
    made = corpus.root / "index.json"
    stand_in = StandIn(notes)
    stand_in.prepare()
    choice = ModelChoice.bundled()
    started = time.perf_counter()
    with corpus.open() as workspace, IndexFile(corpus.root / "index.db") as index:
        source = ModelSource(choice.identity, "", lambda: stand_in)
        # Again each time: what the index is made of may have changed, and else it takes a moment.
        done = Indexer(workspace.database, index, source).run(on_progress=_Said())
        if done is None:
            raise RuntimeError("another process is indexing this workspace")
        index.truncate_wal()
        (space,) = status.read(index).spaces
        if done.passages > space.passages // 2 or not made.is_file():
            seconds = round(time.perf_counter() - started, 1)
            made.write_text(json.dumps({"seconds": seconds}), encoding="utf-8")
    seconds = json.loads(made.read_text(encoding="utf-8"))["seconds"]
    return Filled(corpus, space.passages, seconds)


class StandIn:
    """Makes vectors as if it were the bundled model; see the head of this file."""

    dimensions = 384

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def prepare(self) -> None:
        """Embed the notes, if the cache has no vectors of them; else that is done when needed."""
        len(self._anchors)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one a row."""
        numbers = [self._notes.number_of(text.partition("\n")[0]) for text in texts]
        really = [at for at, each in enumerate(numbers) if each is None or each < _REAL_THOUGHTS]
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        if really:
            vectors[really] = self._model.embed([texts[at] for at in really])
        for at, number in enumerate(numbers):
            if number is not None and number >= _REAL_THOUGHTS:
                vectors[at] = self._moved(number % len(self._anchors), texts[at])
        return vectors

    def _moved(self, note: int, text: str) -> Vectors:
        seed = blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
        one, other = np.random.default_rng(int.from_bytes(seed)).integers(
            len(self._anchors), size=2
        )
        vector = self._anchors[note] + _MOVED * (self._anchors[one] - self._anchors[other])
        length = np.linalg.norm(vector)
        return np.asarray(vector / length if length > 1e-6 else self._anchors[note], np.float32)

    @cached_property
    def _model(self) -> Embedder:
        return Embedder(ModelChoice.bundled(), threads=processors())

    @cached_property
    def _anchors(self) -> Vectors:
        """The vectors of the notes."""
        said = [f"{note.title}\n{note.body[:_BEGINNING]}" for note in self._notes.real]
        name = blake2b("\0".join(said).encode(), digest_size=8).hexdigest()
        file = cache.folder("vectors") / f"notes-{name}.npy"
        if not file.is_file():
            print(f"Embedding {len(said):,} notes", file=sys.stderr)
            with file.with_suffix(".unfinished").open("wb") as unfinished:
                np.save(unfinished, self._model.embed(said))
            file.with_suffix(".unfinished").rename(file)
        return np.asarray(np.load(file), np.float32)


class _Said:
    """Tells on standard error how far a long filling has come."""

    def __init__(self) -> None:
        self._due = time.monotonic() + _SAID_EVERY_S

    def __call__(self, progress: Progress) -> None:
        """One state."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _SAID_EVERY_S
            print(f"{progress.step} {progress.done:,} of {progress.total or 0:,}", file=sys.stderr)
