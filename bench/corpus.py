"""A workspace of many made-up thoughts, built once by the product's own code and then reused.

The texts are those of :mod:`bench.prose`, or a program's own; they enter as an import's do: one
entry each in the log, projected at once, some hundred in a transaction.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aimem_tui.paths import Home
from aimem_tui.workspace import registry
from aimem_tui.workspace.workspace import Workspace
from bench import cache
from bench.prose import Text, Writer
from crdt import ids

NAME = "default"
_BATCH = 500
_EDITION = 2
"""Counts up when the texts or the way into the workspace change: old workspaces are made anew."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A workspace in the cache."""

    root: Path
    """What ``AIMEM_HOME`` is to be."""
    file: Path
    thoughts: int
    bytes_of_text: int
    seconds: float
    """How long it took to build."""

    @property
    def environment(self) -> dict[str, str]:
        """What is to be set in the environment of a process that uses this workspace."""
        return {
            "AIMEM_HOME": str(self.root),
            "AIMEM_WORKSPACE": NAME,
            "AIMEM_AUTHOR": "bench",
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def open(self) -> Workspace:
        """The workspace, opened in this process."""
        return Workspace(self.file, name=NAME, author="bench")


def corpus(thoughts: int) -> Corpus:
    """The workspace of so many thoughts, built if it is not in the cache."""
    return kept(f"workspace-{thoughts}", texts(thoughts))


def kept(name: str, texts: Iterable[Text]) -> Corpus:
    """A workspace of texts, built if the cache has none of that name.

    Args:
        name: says which texts they are.
    """
    root = cache.folder() / f"{name}-{_schema()}-{_EDITION}"
    facts = root / "corpus.json"
    if not facts.is_file():
        with cache.made_whole(root) as unfinished:
            started = time.perf_counter()
            thoughts, size = _build(_file(unfinished), texts)
            seconds = round(time.perf_counter() - started, 1)
            (unfinished / "corpus.json").write_text(
                json.dumps({"thoughts": thoughts, "bytes_of_text": size, "seconds": seconds})
            )
    known = json.loads(facts.read_text())
    return Corpus(root, _file(root), known["thoughts"], known["bytes_of_text"], known["seconds"])


def texts(count: int) -> Iterator[Text]:
    """The first texts of the corpus."""
    writer = Writer()
    return (writer.text(number) for number in range(count))


def _build(file: Path, texts: Iterable[Text]) -> tuple[int, int]:
    """Returns: how many texts there were, and their bytes."""
    draw = Random("ids")
    count = size = 0
    with Workspace(file, name=NAME, author="bench") as workspace:
        batch: list[Text] = []
        for text in texts:
            batch.append(text)
            count += 1
            size += len(text.body.encode())
            if len(batch) == _BATCH:
                _enter(workspace, batch, draw)
                batch = []
        _enter(workspace, batch, draw)
        workspace.database.truncate_wal()
    return count, size


def _enter(workspace: Workspace, batch: list[Text], draw: Random) -> None:
    from aimem_tui.store import log, projector
    from crdt.document import ThoughtDocument, ThoughtMeta

    with workspace.database.write() as connection:
        for text in batch:
            document, update = ThoughtDocument.create(
                ids.client_id(draw.randbytes(4)),
                path=text.path,
                text=text.body,
                at=text.at,
                by=text.author,
            )
            document.close()
            thought = ids.uuid7(text.at, draw.randbytes(10))
            log.append(connection, [log.Draft(thought, update, text.at, text.author)])
            number = log.thought_number(connection, thought)
            meta = ThoughtMeta(text.path, (), text.at, text.author, None, None)
            projector.project(
                connection,
                number,
                projector.Content(thought, text.body, meta, text.at, text.author),
            )
            connection.execute("DELETE FROM stale WHERE thought = ?", (number,))


def _schema() -> str:
    """A fingerprint of the schema: where it changes, a workspace is made anew."""
    from aimem_tui.store import migrate

    whole = "".join(migration.sql for migration in migrate.load())
    return hashlib.blake2b(whole.encode(), digest_size=4).hexdigest()


def _file(root: Path) -> Path:
    return registry.file_of(Home(config=root, data=root, state=root / "state"), NAME)
