"""Programs that search beside aimem: how each is installed, filled and asked.

- Chroma gets aimem's own passages with their vectors, texts and what filters need; it embeds every
  search itself. Its index is approximate.
- basic-memory gets the same thoughts as files, cuts and embeds them itself, with its own defaults.
- Both embed with the weights that aimem brings (``bench/search_model.py``).
- Neither is filled twice: what they made stays in the cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aimem_tui.index import spaces
from aimem_tui.index.file import IndexFile
from aimem_tui.index.reader import IndexReader
from aimem_tui.markdown import chunks
from aimem_tui.model import Thought
from aimem_tui.workspace.workspace import Workspace
from bench import cache, peers
from bench.search_children import BasicMemory, Library
from bench.search_index import Filled
from bench.search_model import model

PROJECT = "bench"
_TIMEOUT_S = 6 * 3600
_SQLITE = 'import sys, pysqlite3\nsys.modules["sqlite3"] = pysqlite3\n' + (
    'sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2\n'
)
"""For a Python whose own SQLite loads no extensions, without which basic-memory has no meaning."""


@dataclass(frozen=True, slots=True)
class Chroma:
    """Chroma with the passages of a workspace."""

    peer: peers.Peer
    folder: Path
    seconds: float
    """How long it took to fill."""

    def opened(self) -> Library:
        """In a process of its own."""
        return Library(self.peer.program, "chroma", "serve", str(self.folder), str(model()))

    def command(self) -> list[str]:
        """What answers one search, whose text is to stand behind it."""
        return [*_script(self.peer, "chroma", "once", str(self.folder)), str(model())]

    def recall(self, filled: Filled, questions: list[str]) -> float:
        """How many of the 20 nearest passages it finds, 0 to 1."""
        passages = str(_passages(filled))
        found: float = run_peer(
            self.peer, "chroma", "recall", str(self.folder), passages, questions
        )
        return found


@dataclass(frozen=True, slots=True)
class Notebook:
    """basic-memory with the thoughts of a workspace."""

    peer: peers.Peer
    home: Path
    seconds: float
    """How long it took to fill: words, then vectors."""

    def opened(self) -> BasicMemory:
        """Its server for agents."""
        return BasicMemory(self.peer.program, PROJECT, variables(self.home))

    def command(self, kind: str) -> list[str]:
        """What answers one search, whose text is to stand behind it."""
        options = {"fulltext": [], "semantic": ["--vector"], "hybrid": ["--hybrid"]}[kind]
        words = ["tool", "search-notes", *options, "--project", PROJECT, "--page-size", "20"]
        return [str(self.peer.program), *words, "--json", "--"]


def chroma_library() -> peers.Peer:
    """Chroma's library.

    Raises:
        peers.Absent: if it cannot be had.
    """
    return peers.installed("chromadb<2", program="python")


def qdrant_library() -> peers.Peer:
    """qdrant's library with what embeds for it.

    Raises:
        peers.Absent: if it cannot be had.
    """
    return peers.installed("qdrant-client<2", "fastembed", program="python")


def basic_memory() -> peers.Peer:
    """basic-memory, able to load the extension it searches vectors with.

    Raises:
        peers.Absent: if it cannot be had.
    """
    # An environment of its own: the one that imports are measured with has no other SQLite.
    peer = peers.installed(
        "basic-memory<0.24", "pysqlite3-binary", oldest=(3, 12), place="basic-memory-semantic"
    )
    (libraries,) = (peer.program.parents[1] / "lib").glob("python3*/site-packages")
    (libraries / "sitecustomize.py").write_text(_SQLITE, encoding="utf-8")
    return peer


def chroma(filled: Filled) -> Chroma:
    """Chroma with a workspace's passages, filled if the cache has none.

    Raises:
        peers.Absent: if it cannot be had.
    """
    peer = chroma_library()
    folder = filled.corpus.root / "chroma"
    if not _is_filled(folder):
        passages = _passages(filled)
        command = [*_script(peer, "chroma", "fill", str(folder / "data")), str(model())]
        _note(folder, timed([*command, str(passages)], {}))
    return Chroma(peer, folder / "data", _noted(folder))


def notebook(filled: Filled) -> Notebook:
    """basic-memory with a workspace's thoughts, filled if the cache has none.

    Raises:
        peers.Absent: if it cannot be had.
    """
    peer = basic_memory()
    home = filled.corpus.root / "basic-memory"
    if not _is_filled(home):
        add(peer, home, filled.files)
        seconds = timed(reindexing(peer, "--search"), variables(home))
        seconds += timed(reindexing(peer, "--embeddings"), variables(home))
        _note(home, seconds)
    return Notebook(peer, home, _noted(home))


def add(peer: peers.Peer, home: Path, files: Path) -> None:
    """Make basic-memory know a copy of a folder of files, for it writes into them.

    Args:
        home: where it is to be at home.
    """
    notes = home / "notes"
    shutil.copytree(files, notes)
    timed([str(peer.program), "project", "add", PROJECT, str(notes), "--default"], variables(home))


def reindexing(peer: peers.Peer, side: str) -> list[str]:
    """What makes one side of basic-memory's index anew: ``--search`` or ``--embeddings``."""
    return [str(peer.program), "reindex", "--full", side, "-p", PROJECT]


def variables(home: Path) -> dict[str, str]:
    """What is to be set for basic-memory, so that all it knows is in one folder."""
    return {
        "HOME": str(home),
        "PYTHONPATH": "",
        "BASIC_MEMORY_HOME": str(home / "main"),
        "BASIC_MEMORY_CONFIG_DIR": str(home / "config"),
        "BASIC_MEMORY_SEMANTIC_EMBEDDING_MODEL": "sentence-transformers/all-MiniLM-L6-v2",
        "BASIC_MEMORY_SEMANTIC_EMBEDDING_DIMENSIONS": "384",
        "BASIC_MEMORY_SEMANTIC_EMBEDDING_CACHE_DIR": str(model() / "hub"),
        "HF_HUB_OFFLINE": "1",
    }


def run_peer(peer: peers.Peer, library: str, action: str, folder: str, *rest: object) -> Any:  # noqa: ANN401
    """What a run of ``bench/search_peer.py`` says, with the model's folder put in.

    Raises:
        RuntimeError: if it fails.
    """
    words = [each if isinstance(each, str) else json.dumps(each) for each in rest]
    said = _ran([*_script(peer, library, action, folder), str(model()), *words], {})
    return json.loads(said.strip().splitlines()[-1])


def _passages(filled: Filled) -> Path:
    """The passages of a workspace's index with their vectors, as files."""
    folder = filled.corpus.root / "passages"
    if not folder.is_dir():
        with cache.made_whole(folder) as unfinished:
            _write_passages(filled, unfinished)
    return folder


def _write_passages(filled: Filled, folder: Path) -> None:
    with (
        filled.corpus.open() as workspace,
        IndexFile(filled.home.index_file) as index,
        index.snapshot() as connection,
        (folder / "passages.jsonl").open("w", encoding="utf-8") as out,
    ):
        (space,) = spaces.all_spaces(connection)
        assert space.model is not None, "it was filled"
        reader = IndexReader(index, space.replica)
        contents: list[int] = []
        for number, thought in _thoughts(workspace):
            text = workspace.text(thought.id)
            for row in reader.chunks_of(number):
                place = (row.ordinal, row.start, row.end, row.line, row.headings)
                contents.append(row.content)
                said = {
                    "text": chunks.embedded(thought.title, chunks.Chunk(*place), text),
                    "kind": str(thought.kind),
                    "tags": list(thought.tags),
                    "at": thought.updated_at,
                }
                out.write(json.dumps(said) + "\n")
        vectors = space.model.vectors.fetch(connection, np.array(contents, np.int64))
    np.save(folder / "vectors.npy", vectors)


def _thoughts(workspace: Workspace) -> Iterator[tuple[int, Thought]]:
    """All thoughts, with their numbers inside the file."""
    rows: list[Any] = workspace.database.read().execute("SELECT n, id FROM thoughts").fetchall()
    return ((number, workspace.by_id(thought)) for number, thought in rows)


def _script(peer: peers.Peer, *words: str) -> list[str]:
    return [str(peer.program), str(Path(__file__).with_name("search_peer.py")), *words]


def timed(command: list[str], more: Mapping[str, str]) -> float:
    """Seconds that a process takes.

    Raises:
        RuntimeError: if it fails.
    """
    started = time.perf_counter()
    _ran(command, more)
    return time.perf_counter() - started


def _ran(command: list[str], more: Mapping[str, str]) -> str:
    ended = subprocess.run(
        command,
        env=dict(os.environ) | {"PYTHONPATH": ""} | dict(more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stdout}\n{ended.stderr}")
    return ended.stdout


def _is_filled(folder: Path) -> bool:
    """Whether all is there; else what is there is removed. It cannot get its name in the end, as
    basic-memory remembers it."""
    if (folder / "filled.json").is_file():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"Filling {folder}", file=sys.stderr)
    return False


def _note(folder: Path, seconds: float) -> None:
    (folder / "filled.json").write_text(json.dumps(round(seconds, 1)), encoding="utf-8")


def _noted(folder: Path) -> float:
    return float(json.loads((folder / "filled.json").read_text(encoding="utf-8")))
