"""Replays one editing history in a process of its own and tells what it cost: for ``bench.traces``.

``python -m bench.replay {aimem,pycrdt} FILE`` types the history, one transaction for each of its
own, and prints JSON. ``aimem`` types into an open thought whose edits go through the group writer
into a durable workspace, and the time ends when the last one is on disk. ``pycrdt`` types into a
bare text and collects the updates. Memory is what the process held at most, less what it held
before the first edit; the file is one that :func:`unpack` wrote, which can be read without making
garbage whose room would be used again.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import memory


@dataclass(frozen=True, slots=True)
class Patch:
    """A replacement of ``deleted`` bytes at ``start``."""

    start: int
    deleted: int
    inserted: str


@dataclass(frozen=True, slots=True)
class Trace:
    """An editing history."""

    begins: str
    edits: tuple[tuple[Patch, ...], ...]
    ends: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a replay cost."""

    seconds: float
    memory_mb: float
    edits: int
    entries: int
    """Entries in the log, or updates collected."""
    right: bool
    """Whether the text was the expected one at the end."""


def unpack(source: Path, target: Path, edits: int = 0) -> None:
    """Rewrite a history of the editing-traces collection, its first ``edits`` or all, for reading.

    One line of JSON for the text before, for each transaction its patches in bytes, and the text
    after.
    """
    with gzip.open(source, "rt", encoding="utf-8") as file:
        raw = json.load(file)
    text = begins = raw["startContent"]
    transactions = raw["txns"][: edits or None]
    is_ascii = text.isascii() and all(
        patch[2].isascii() for transaction in transactions for patch in transaction["patches"]
    )
    with target.open("w", encoding="utf-8") as out:
        print(json.dumps(begins), file=out)
        for transaction in transactions:
            patches = []
            for at, deleted, inserted in transaction["patches"]:
                if is_ascii:
                    patches.append((at, deleted, inserted))
                else:
                    gone = text[at : at + deleted]
                    patches.append((len(text[:at].encode()), len(gone.encode()), inserted))
                if edits or not is_ascii:
                    text = text[:at] + inserted + text[at + deleted :]
            print(json.dumps(patches), file=out)
        print(json.dumps(text if edits else raw["endContent"]), file=out)


def read(path: Path) -> Trace:
    """A history that :func:`unpack` wrote."""
    with path.open(encoding="utf-8") as file:
        begins = json.loads(next(file))
        edits = []
        line = next(file)
        for following in file:
            edits.append(tuple(Patch(*patch) for patch in json.loads(line)))
            line = following
    return Trace(begins, tuple(edits), json.loads(line))


def through_aimem(trace: Trace) -> Cost:
    """Type into an open thought of a durable workspace."""
    from aimem_tui.workspace.workspace import Workspace
    from crdt.document import Change

    edits: Sequence[list[Change]] = [
        [Change(patch.start, patch.deleted, patch.inserted) for patch in edit]
        for edit in trace.edits
    ]
    with TemporaryDirectory(prefix="aimem-bench-") as folder:
        file = Path(folder) / "workspace.db"
        with Workspace(file, name="bench", author="bench") as workspace:
            thought = workspace.create("trace.md", trace.begins)
            live = workspace.open_live(thought.id)
            _ = workspace.writer

            def replay() -> None:
                for changes in edits:
                    live.document.splice(changes)
                if not workspace.writer.flush():
                    raise RuntimeError(workspace.writer.state().trouble)

            seconds, megabytes = _watched(replay)
            right = live.document.text == trace.ends
            live.close()
            entries = workspace.database.read().execute("SELECT count(*) FROM log").get
        return Cost(seconds, megabytes, len(edits), int(entries), right)


def through_pycrdt(trace: Trace) -> Cost:
    """Type into a bare document and collect its updates."""
    import pycrdt

    document: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    text = document.get("content", type=pycrdt.Text)
    text += trace.begins
    updates: list[bytes] = []
    subscription = document.observe(lambda event: updates.append(event.update))

    def replay() -> None:
        for edit in trace.edits:
            with document.transaction():
                for patch in edit:
                    if patch.deleted:
                        del text[patch.start : patch.start + patch.deleted]
                    if patch.inserted:
                        text.insert(patch.start, patch.inserted)

    seconds, megabytes = _watched(replay)
    document.unobserve(subscription)
    return Cost(seconds, megabytes, len(trace.edits), len(updates), str(text) == trace.ends)


def _watched(action: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and megabytes that the process came to hold beyond what it held before."""
    before = memory.forget_peak_mb()
    started = time.perf_counter()
    action()
    seconds = time.perf_counter() - started
    return seconds, memory.peak_mb() - before


def main() -> None:
    """Replay as the command line says."""
    contestant, path = sys.argv[1:]
    trace = read(Path(path))
    cost = through_aimem(trace) if contestant == "aimem" else through_pycrdt(trace)
    print(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main()
