"""How many passages a second are indexed with the same weights by aimem and by others.

Each begins with the same texts and the model loaded, and ends when all is stored:

- aimem: its job, from a workspace that was never indexed: reads the thoughts, cuts them, writes
  words, embeds, stores vectors. On all processors, as ``aimem index run`` does it.
- qdrant (local mode, embeds by fastembed) and Chroma: get aimem's passages, embed, store.
- basic-memory: ``reindex --full --embeddings`` with the same thoughts as files, their words being
  indexed before, less the time that this takes with one short note. It cuts passages of its own;
  what counts is how long it takes for all.

``python -m bench.search_rate FILE INDEX`` indexes a workspace and tells the seconds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from aimem_tui.markdown import chunks
from aimem_tui.markdown.describe import describe
from bench import peers, search_peers
from bench.cache import ROOT
from bench.corpus import Corpus, kept
from bench.measure import Contest, Goal, Report, Series, Size, in_turns
from bench.search_texts import Notes

_PASSAGES = 300


def measure(report: Report, notes: Notes, size: Size) -> None:
    """Index the same passages with each, in turns."""
    wanted = size.pick(_PASSAGES, 8)
    corpus = kept(f"search-rate-{wanted}-{len(notes.real)}", notes.texts(wanted))
    said = _said(notes, wanted)
    with TemporaryDirectory(prefix="aimem-bench-") as scratch:
        contestants = _contestants(report, corpus, notes, wanted, Path(scratch))
        found = in_turns(contestants, size.pick(3, 1), warmups=0)
    rates = [
        Series(name, tuple(len(said) / seconds for seconds in series.values))
        for name, series in found.items()
    ]
    goals = tuple(Goal(1.0, "ratio", each.name, at_least=True) for each in rates[1:])
    report.contests.append(
        Contest(f"{len(said)} passages embedded and stored", "passages/s", tuple(rates), goals)
    )


def _contestants(
    report: Report, corpus: Corpus, notes: Notes, wanted: int, scratch: Path
) -> Mapping[str, Callable[[], float]]:
    texts = scratch / "texts.json"
    texts.write_text(json.dumps(_said(notes, wanted)), encoding="utf-8")
    turn = count()

    def new() -> Path:
        return scratch / str(next(turn))

    found: dict[str, Callable[[], float]] = {"aimem": lambda: _aimem(corpus, new())}
    libraries = {"qdrant": search_peers.qdrant_library, "chroma": search_peers.chroma_library}
    for name, library in libraries.items():
        try:
            peer = library()
        except peers.Absent as absent:
            report.notes.append(f"Indexing: {name} was not measured: {absent}.")
        else:
            found[peer.label] = _by(peer, name, new, texts)
    try:
        notebook = search_peers.basic_memory()
    except peers.Absent as absent:
        report.notes.append(f"Indexing: basic-memory was not measured: {absent}.")
    else:
        files = _files(notes, wanted, scratch / "files")
        found[notebook.label] = lambda: _basic_memory(notebook, files, new())
    return found


def _said(notes: Notes, wanted: int) -> list[str]:
    """The passages as aimem embeds them."""
    said = []
    for text in notes.texts(wanted):
        title = describe(text.path, text.body).title
        cut = chunks.chunk(title, text.body)
        said += [chunks.embedded(title, chunk, text.body) for chunk in cut]
    return said


def _aimem(corpus: Corpus, place: Path) -> float:
    place.mkdir()
    command = [sys.executable, "-m", "bench.search_rate", str(corpus.file), str(place / "index.db")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    shutil.rmtree(place)
    return float(json.loads(ended.stdout))


def _by(
    peer: peers.Peer, library: str, new: Callable[[], Path], texts: Path
) -> Callable[[], float]:
    def measured() -> float:
        place = new()
        seconds = search_peers.run_peer(peer, library, "index", str(place), str(texts))
        shutil.rmtree(place)
        return float(str(seconds))

    return measured


def _basic_memory(peer: peers.Peer, files: Path, place: Path) -> float:
    seconds = []
    for source in (files / "all", files / "one"):
        home = place / source.name
        home.mkdir(parents=True)
        search_peers.add(peer, home, source)
        variables = search_peers.variables(home)
        search_peers.timed(search_peers.reindexing(peer, "--search"), variables)
        command = search_peers.reindexing(peer, "--embeddings")
        seconds.append(search_peers.timed(command, variables))
    shutil.rmtree(place)
    return max(0.001, seconds[0] - seconds[1])


def _files(notes: Notes, wanted: int, folder: Path) -> Path:
    for text in notes.texts(wanted):
        file = folder / "all" / text.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.body, encoding="utf-8")
    (folder / "one").mkdir()
    (folder / "one" / "note.md").write_text("# Note\n\nOne line.\n", encoding="utf-8")
    return folder


def main(file: str, index: str) -> int:
    """Index a workspace; prints the seconds without those for loading the model."""
    from aimem_tui.embedding.runtime import processors
    from aimem_tui.index.file import IndexFile
    from aimem_tui.index.job import Indexer, ModelSource
    from aimem_tui.workspace.workspace import Workspace

    source = ModelSource.of("", threads=processors())
    model = source.load()
    model.embed(["warm"])
    with (
        Workspace(Path(file), name="default", author="bench") as workspace,
        IndexFile(Path(index)) as opened,
    ):
        started = time.perf_counter()
        Indexer(workspace.database, opened, ModelSource(source.identity, "", lambda: model)).run()
        print(json.dumps(time.perf_counter() - started))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
