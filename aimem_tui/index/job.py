"""Bringing the index up to date with a workspace: chunks first, then vectors.

- Chunks: what the workspace's table of changes names since the version that was read last, or every
  thought where it does not remember so far. The text is read inside the transaction that writes.
- Vectors: a batch of the queue at a time, of the thoughts changed last first. The texts are read
  and embedded outside of any transaction; the one that stores the vectors takes only those still
  waited for. A text that is not what its digest says any more is read anew instead.
- Between two batches the workspace is looked at again, so an edit waits for one batch at most.
- Whatever ends the process, what was committed stays and the rest is still in the queue.
- One process of a machine at a time, by a lock; so no string is embedded twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import apsw

from aimem_tui import locks
from aimem_tui.index import contents, spaces, status, thoughts
from aimem_tui.index.contents import Contents, digest
from aimem_tui.index.file import IndexFile
from aimem_tui.index.reader import remembers, span
from aimem_tui.index.spaces import Model, Space
from aimem_tui.markdown import chunks
from aimem_tui.markdown.chunks import Chunk
from aimem_tui.model import Progress
from aimem_tui.model.transfer import never, silent
from aimem_tui.store.connection import Database, explained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH = 32
"""Strings embedded at once, and lost at most when the process is killed."""
_WINDOW = 4 * BATCH
"""Strings that are brought into order of their length before they are cut into batches."""
_THOUGHTS, _BYTES = 50, 2_000_000
"""What is read into the index in one transaction, at most."""
_TIDY_S = 600.0
TURN_S = 2.0
"""How long one workspace is indexed while another waits."""
QUIET_S, LONGEST_S = 0.7, 5.0
"""Chunks wait until nothing was written for so long, or the first change is so long ago: what is
half typed need not be embedded."""


class Embeds(Protocol):
    """What makes vectors; see :class:`aimem_tui.embedding.model.Embedder`."""

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, one a row."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """The model to index with, before it is loaded."""

    identity: str
    """What decides its vectors, in 16 hexadecimal digits."""
    choice: str
    """The setting ``index.model``: where it is; empty for the one that comes with aimem."""
    load: Callable[[], Embeds]

    @classmethod
    def of(cls, setting: str, *, threads: int | None = None) -> ModelSource:
        """The model that the setting ``index.model`` means.

        Args:
            threads: how many compute; None: as many as leave room for whoever types.

        Raises:
            BadInput: if there is none.
        """
        from aimem_tui.embedding.choice import ModelChoice

        choice = ModelChoice.named(setting)

        def load() -> Embeds:
            from aimem_tui.embedding.model import Embedder

            return Embedder(choice, threads=threads)

        return cls(choice.identity, setting, load)


class Pending(NamedTuple):
    """What is still to be done."""

    thoughts: int
    """Thoughts to be read."""
    passages: int
    """Strings to be embedded."""


class Done(NamedTuple):
    """What a run has done."""

    thoughts: int
    passages: int
    """Chunks written."""
    embedded: int


class _Text(NamedTuple):
    content: int
    thought: int
    said: str
    """Empty where the text is not what it was."""


class Indexer:
    """Indexes one workspace. For one thread.

    Args:
        database: the workspace's file; it is only read.
        index: the machine's index.
        source: the model.
        clock: milliseconds since the Unix epoch.
    """

    def __init__(
        self,
        database: Database,
        index: IndexFile,
        source: ModelSource,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._database = database
        self._index = index
        self._source = source
        self._clock = clock
        self._embedder: Embeds | None = None
        self._lock = locks.to_index(index.path)
        self._done = Done(0, 0, 0)
        self._tidied: float | None = None

    @property
    def has_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._embedder is not None

    def pending(self) -> Pending:
        """What is still to be done for this workspace."""
        with self._index.snapshot() as connection, self._database.snapshot() as workspace:
            space = spaces.find(connection, self._whose(workspace).replica)
            numbers = self._changed(workspace, space)
            target = next(
                (m for m in spaces.models(connection) if m.identity == self._source.identity), None
            )
            if space is None or target is None or target.n not in _used(space):
                return Pending(len(numbers), 0 if space is None else _contents(connection, space))
            return Pending(len(numbers), _waiting(connection, target, space))

    def run(
        self,
        stop: Callable[[], bool] = never,
        on_progress: Callable[[Progress], None] = silent,
        *,
        ignore_pause: bool = False,
        give_way: bool = False,
    ) -> Done | None:
        """Do all that is pending, unless another process is at it.

        Args:
            stop: asked between batches.
            ignore_pause: embed although indexing is paused.
            give_way: end early if another workspace of this machine waits for its turn. Whoever
                does so comes back after a moment for the rest.

        Returns: what was done; None if another process indexes.

        Raises:
            StorageError, BadInput: if a file or the model cannot be used.
        """
        replica = self._whose(self._database.read()).replica
        if not self._lock.take():
            if give_way:
                status.ask(self._index, replica)
            return None
        self._done = Done(0, 0, 0)
        turn_ends = time.monotonic() + TURN_S
        try:
            status.has_turn(self._index, replica)
            space, target = self._prepare()
            look = Look(self._database)
            self._read(space, stop, on_progress)

            def held() -> bool:
                if stop() or (not ignore_pause and status.is_paused(self._index)):
                    return True
                over = give_way and time.monotonic() > turn_ends
                return over and status.is_asked(self._index, replica)

            if not held():
                self._embed(space, target, look, held, on_progress)
            self._change_model(space, target)
            self._tidy(space, stop)
        finally:
            self._lock.release()
        return self._done

    # The space and its models

    def _prepare(self) -> tuple[Space, Model]:
        with self._index.write() as connection, self._database.snapshot() as workspace:
            known = {model.identity: model for model in spaces.models(connection)}
            target = known.get(self._source.identity)
            whose = self._whose(workspace)
            space = spaces.find(connection, whose.replica)
            if target is None or space is None or str(space.file) != str(whose.file):
                space = spaces.make(connection, whose)
                target = spaces.know(
                    connection,
                    self._source.identity,
                    self._source.choice,
                    target.dimensions if target else self._loaded().dimensions,
                )
            self._aim(connection, space, target)
        found = spaces.find(self._index.read(), whose.replica)
        assert found is not None, "it was just made"
        return found, target

    def _aim(self, connection: apsw.Connection, space: Space, target: Model) -> None:
        """Have a space served by a model, now or when its vectors are made."""
        serving = space.model.n if space.model else None
        if serving is None:
            connection.execute("UPDATE spaces SET model = ? WHERE n = ?", (target.n, space.n))
        elif serving == target.n and space.making is not None:
            self._drop_vectors(connection, space, space.making)
            connection.execute("UPDATE spaces SET making = NULL WHERE n = ?", (space.n,))
        elif serving != target.n and space.making != target.n:
            if space.making is not None:
                self._drop_vectors(connection, space, space.making)
            connection.execute("UPDATE spaces SET making = ? WHERE n = ?", (target.n, space.n))
            having = set(target.vectors.ids(connection, space.n))
            # The newest chunks have the highest numbers.
            rows: list[Any] = connection.execute(
                "SELECT content, max(id) FROM chunks WHERE space = ? GROUP BY content", (space.n,)
            ).fetchall()
            contents.queue(
                connection, target, space.n, [row for row in rows if row[0] not in having]
            )
        thoughts.drop_unused_models(connection)

    def _drop_vectors(self, connection: apsw.Connection, space: Space, model: int) -> None:
        connection.execute("DELETE FROM waiting WHERE model = ? AND space = ?", (model, space.n))
        for each in spaces.models(connection):
            if each.n == model:
                each.vectors.remove(connection, each.vectors.ids(connection, space.n))

    def _change_model(self, space: Space, target: Model) -> None:
        """Have the new vectors serve, if they are all there."""
        with self._index.write() as connection:
            current = spaces.find(connection, space.replica)
            if current is None or current.making != target.n:
                return
            if _waiting(connection, target, space):
                return
            if current.model is not None:
                self._drop_vectors(connection, space, current.model.n)
            connection.execute(
                "UPDATE spaces SET model = ?, making = NULL WHERE n = ?", (target.n, space.n)
            )
            thoughts.drop_unused_models(connection)

    def _tidy(self, space: Space, stop: Callable[[], bool]) -> None:
        """Drop what is not needed any more, now and then."""
        if stop() or (self._tidied and time.monotonic() - self._tidied < _TIDY_S):
            return
        self._tidied = time.monotonic()
        now = self._clock()
        with self._index.write() as connection:
            for other in spaces.all_spaces(connection):
                if other.n != space.n and not _is_there(other):
                    thoughts.drop_space(connection, other, now)
            contents.prune_spare(connection, now)
            for model in spaces.models(connection):
                model.vectors.tidy(connection)

    # Chunks

    def _read(
        self, space: Space, stop: Callable[[], bool], on_progress: Callable[[Progress], None]
    ) -> None:
        """Bring the chunks up to date."""
        with self._index.snapshot() as connection, self._database.snapshot() as workspace:
            current = spaces.find(connection, space.replica) or space
            newest = span(workspace)[1]
            numbers = self._changed(workspace, current)
        done = 0
        for group in self._groups(numbers):
            if stop():
                return
            self._update(space, group)
            done += len(group)
            if len(numbers) > 1:
                on_progress(Progress("Reading", done, len(numbers)))
        if newest != current.version:
            with self._index.write() as connection:
                connection.execute("UPDATE spaces SET version = ? WHERE n = ?", (newest, space.n))

    def _changed(self, workspace: apsw.Connection, space: Space | None) -> list[int]:
        """The numbers of thoughts to look at, the oldest first."""
        if space is not None and remembers(workspace, space.version):
            rows = workspace.execute(
                "SELECT DISTINCT t.n, t.updated_at FROM changes JOIN thoughts AS t"
                " ON t.id = changes.thought WHERE changes.version > ? ORDER BY t.updated_at, t.n",
                (space.version,),
            )
            return [row[0] for row in rows]
        rows = workspace.execute("SELECT n FROM thoughts ORDER BY updated_at, n")
        numbers = [row[0] for row in rows]
        if space is not None:
            known = self._index.read().execute(
                "SELECT thought FROM thoughts WHERE space = ?", (space.n,)
            )
            # One that is not in the lists for the moment comes back to them.
            stale = workspace.execute("SELECT thought FROM stale")
            coming = {row[0] for row in stale}.union(numbers)
            numbers += sorted({row[0] for row in known} - coming)
        return numbers

    def _groups(self, numbers: Sequence[int]) -> Iterator[list[int]]:
        """Numbers by what one transaction takes in."""
        group: list[int] = []
        size = 0
        workspace = self._database.read()
        for number in numbers:
            group.append(number)
            size += workspace.execute("SELECT size FROM thoughts WHERE n = ?", (number,)).get or 0
            if len(group) == _THOUGHTS or size > _BYTES:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _update(self, space: Space, numbers: Sequence[int], *, anew: bool = False) -> None:
        gone = False
        with self._index.write() as connection, self._database.snapshot() as workspace:
            found = thoughts.sources(workspace, numbers)
            current = spaces.find(connection, space.replica) or space
            taken = Contents(connection, current, self._clock())
            purged: list[int] = []
            for number in numbers:
                source = found.get(number)
                known = thoughts.known_digest(connection, space, number)
                if source is None:
                    thoughts.leave(connection, space, taken, number)
                elif source.purged:
                    if known is not None:
                        purged.append(number)
                elif anew or source.digest != known:
                    written = thoughts.update(connection, space, taken, source)
                    self._count(thoughts=1, passages=written)
            taken.flush()
            if purged:
                thoughts.forget(connection, space, purged)
                gone = True
        if gone:
            self._index.truncate_wal()

    # Vectors

    def _embed(
        self,
        space: Space,
        target: Model,
        look: Look,
        stop: Callable[[], bool],
        on_progress: Callable[[Progress], None],
    ) -> None:
        done = 0
        while True:
            connection = self._index.read()
            window = [
                row[0]
                for row in connection.execute(
                    "SELECT content FROM waiting WHERE model = ? AND space = ?"
                    " ORDER BY at DESC LIMIT ?",
                    (target.n, space.n, _WINDOW),
                )
            ]
            if not window:
                return
            if not done:
                on_progress(Progress("Embedding", 0, _waiting(connection, target, space)))
            texts = self._texts(space, window)
            if lost := {text.thought for text in texts if not text.said}:
                self._update(space, sorted(lost), anew=True)
            ready = sorted((text for text in texts if text.said), key=lambda text: len(text.said))
            for at in range(0, len(ready), BATCH):
                if stop():
                    return
                batch = ready[at : at + BATCH]
                self._store(target, batch)
                done += len(batch)
                on_progress(Progress("Embedding", done, done + _waiting(connection, target, space)))
                if look.is_due():
                    # What was just edited comes first.
                    self._read(space, stop, silent)
                    break

    def _texts(self, space: Space, window: Sequence[int]) -> list[_Text]:
        """The strings that contents stand for, as far as the workspace still says them."""
        connection = self._index.read()
        rows: list[Any] = connection.execute(
            "SELECT contents.id, contents.digest, thought, ordinal, first, last, line, headings"
            " FROM contents JOIN chunks ON chunks.content = contents.id"
            " WHERE contents.id IN (SELECT value FROM json_each(?)) GROUP BY contents.id",
            (str(list(window)),),
        ).fetchall()
        with self._database.snapshot() as workspace:
            found = thoughts.sources(workspace, sorted({row[2] for row in rows}))
        texts = []
        for content, wanted, thought, ordinal, first, last, line, headings in rows:
            said = ""
            if (source := found.get(thought)) is not None and source.shown:
                above = tuple(headings.split("\n")) if headings else ()
                chunk = Chunk(ordinal, first, last, line, above)
                said = chunks.embedded(source.title, chunk, source.text)
                if digest(said) != wanted:
                    said = ""
            texts.append(_Text(content, thought, said))
        return texts

    def _store(self, target: Model, batch: Sequence[_Text]) -> None:
        import numpy as np

        embedded = self._loaded().embed([text.said for text in batch])
        row_of = {text.content: row for row, text in enumerate(batch)}
        with self._index.write() as connection:
            # Whoever else waits for the same string gets the vector, too.
            rows: list[Any] = connection.execute(
                "SELECT asked.id, same.id, same.space FROM contents AS asked"
                " JOIN contents AS same ON same.digest = asked.digest"
                " JOIN waiting ON waiting.content = same.id AND waiting.model = ?"
                " WHERE asked.id IN (SELECT value FROM json_each(?))",
                (target.n, str(list(row_of))),
            ).fetchall()
            for number in {row[2] for row in rows}:
                keys = np.array([same for _, same, there in rows if there == number], np.int64)
                picked = [row_of[asked] for asked, _, there in rows if there == number]
                target.vectors.put(connection, number, keys, embedded[picked])
            connection.executemany(
                "DELETE FROM waiting WHERE model = ? AND content = ?",
                [(target.n, same) for _, same, _ in rows],
            )
        self._count(embedded=len(batch))

    def _loaded(self) -> Embeds:
        if self._embedder is None:
            self._embedder = self._source.load()
        return self._embedder

    def _count(self, *, thoughts: int = 0, passages: int = 0, embedded: int = 0) -> None:
        done = self._done
        self._done = Done(
            done.thoughts + thoughts, done.passages + passages, done.embedded + embedded
        )

    def _whose(self, workspace: apsw.Connection) -> spaces.WorkspaceFile:
        return spaces.whose(workspace, self._database.path)


class Look:
    """Whether a workspace was written to, and then left alone for a moment."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = self._read()
        self._first = self._last = 0.0

    def is_due(self) -> bool:
        """Whether to read it now; asked again and again."""
        now, version = time.monotonic(), self._read()
        if version != self._version:
            self._version = version
            self._first, self._last = self._first or now, now
        if not self._first or (now - self._last < QUIET_S and now - self._first < LONGEST_S):
            return False
        self._first = 0.0
        return True

    def _read(self) -> int:
        with explained(self._database.path):
            return int(self._database.read().pragma("data_version"))


def _used(space: Space) -> set[int | None]:
    return {space.making, space.model.n if space.model else None}


def _waiting(connection: apsw.Connection, model: Model, space: Space) -> int:
    return int(
        connection.execute(
            "SELECT count(*) FROM waiting WHERE model = ? AND space = ?", (model.n, space.n)
        ).get
    )


def _contents(connection: apsw.Connection, space: Space) -> int:
    return int(
        connection.execute(
            "SELECT count(DISTINCT content) FROM chunks WHERE space = ?", (space.n,)
        ).get
    )


def _is_there(space: Space) -> bool:
    """Whether a space's file is still that workspace's."""
    if not space.file.is_file():
        return False
    with suppress(apsw.Error):
        connection = apsw.Connection(str(space.file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            found = connection.execute("SELECT value FROM meta WHERE key = 'replica'").get
        finally:
            connection.close()
        return bool(found == space.replica)
    # What cannot be read now may be readable later.
    return True
