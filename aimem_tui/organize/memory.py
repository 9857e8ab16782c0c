"""What was dismissed, and what was listed: ``suggestions.db`` beside the workspace's file.

- Of what was dismissed only keys are kept, which say nothing of any text.
- Of what was listed everything is kept for a while, so that ``accept`` means what was shown. That
  may be words of a thought: :meth:`Memory.forget` is for when a thought is purged. Rows are
  overwritten when they go.
- Never replicated: what one person dismisses, another may accept. Any number of processes may use
  it at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from aimem_tui.errors import Ambiguous, NotFound, StorageError
from aimem_tui.organize.suggestion import Suggestion, SuggestionKind, keys_of
from aimem_tui.store.connection import explained

FILE_NAME = "suggestions.db"
_BUSY_MS = 10_000
_KEPT = 5_000
_FEWEST_DIGITS = 4
_SCHEMA = """
CREATE TABLE IF NOT EXISTS dismissed (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listed (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    thought    TEXT NOT NULL,
    proposal   TEXT NOT NULL,
    why        TEXT NOT NULL,
    confidence REAL NOT NULL,
    other      TEXT NOT NULL,
    subject    TEXT NOT NULL,
    at         INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Memory:
    """What is remembered of a workspace's suggestions.

    Args:
        file: the memory's own file; made when there is something to remember.

    Every method raises :class:`~aimem_tui.errors.StorageError` if the file cannot be used.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def dismissed(self) -> frozenset[str]:
        """The keys of all that was dismissed; see :func:`keys_of`."""
        if not self.file.is_file():
            return frozenset()
        with self._open() as connection:
            return frozenset(str(row[0]) for row in connection.execute("SELECT key FROM dismissed"))

    def dismiss(self, suggestion: Suggestion, at: int) -> None:
        """Remember that a suggestion was dismissed at a time in ms."""
        with self._open() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO dismissed VALUES (?, ?)",
                [(key, at) for key in keys_of(suggestion)],
            )
            connection.execute("DELETE FROM listed WHERE id = ?", (suggestion.id,))

    def recall(self, suggestion: Suggestion) -> None:
        """Forget that a suggestion was dismissed."""
        if self.file.is_file():
            with self._open() as connection:
                keys = [(key,) for key in keys_of(suggestion)]
                connection.executemany("DELETE FROM dismissed WHERE key = ?", keys)

    def keep(self, suggestions: Iterable[Suggestion], at: int) -> None:
        """Keep what is about to be shown, for :meth:`find`."""
        rows = [
            (each.id, each.kind.value, each.thought, "\n".join(each.proposal), each.why,
             each.confidence, each.other, each.subject, at)
            for each in suggestions
        ]  # fmt: skip
        if not rows:
            return
        with self._open() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO listed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            connection.execute(
                "DELETE FROM listed WHERE id IN (SELECT id FROM listed ORDER BY at DESC, id"
                " LIMIT -1 OFFSET ?)",
                (_KEPT,),
            )

    def find(self, beginning: str) -> Suggestion:
        """The suggestion that was listed under an id, of which the first four digits will do.

        Raises:
            NotFound: if none was.
            Ambiguous: if several begin so.
        """
        wanted = beginning.strip().casefold()
        rows: list[tuple[object, ...]] = []
        plain = len(wanted) >= _FEWEST_DIGITS and set(wanted) <= set("0123456789abcdef")
        if self.file.is_file() and plain:
            with self._open() as connection:
                rows = connection.execute(
                    "SELECT id, kind, thought, proposal, why, confidence, other, subject"
                    " FROM listed WHERE id >= ? AND id < ? ORDER BY id",
                    (wanted, wanted + "g"),
                ).fetchall()
        if len(rows) > 1:
            raise Ambiguous(
                f"Several suggestions begin with {beginning}.",
                why=f"{', '.join(str(row[0]) for row in rows[:5])}.",
                hint="Say more of the id.",
            )
        if not rows:
            raise NotFound(
                f"There is no suggestion {beginning}.", hint="To see all: aimem organize."
            )
        return _suggestion(rows[0])

    def forget(self, thoughts: Collection[str]) -> None:
        """Forget what was listed about thoughts, by their ids."""
        if self.file.is_file():
            with self._open() as connection:
                connection.executemany(
                    "DELETE FROM listed WHERE thought = ?1 OR other = ?1",
                    [(thought,) for thought in thoughts],
                )

    def forget_one(self, identity: str) -> None:
        """Forget one listed suggestion, by its id."""
        if self.file.is_file():
            with self._open() as connection:
                connection.execute("DELETE FROM listed WHERE id = ?", (identity,))

    def known(self) -> frozenset[str]:
        """The ids of all thoughts that something listed is about."""
        if not self.file.is_file():
            return frozenset()
        with self._open() as connection:
            rows = connection.execute("SELECT thought FROM listed UNION SELECT other FROM listed")
            return frozenset(str(row[0]) for row in rows if row[0])

    @contextmanager
    def _expendable(self) -> Iterator[None]:
        try:
            yield
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise StorageError(
                f"{self.file} is damaged.",
                why=str(error),
                hint="Delete it: all it holds is which suggestions were dismissed.",
            ) from error

    @contextmanager
    def _open(self) -> Iterator[apsw.Connection]:
        """A transaction of writing."""
        with explained(self.file), self._expendable():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            connection = apsw.Connection(str(self.file))
            try:
                connection.set_busy_timeout(_BUSY_MS)
                connection.execute("PRAGMA secure_delete = ON").fetchall()
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_SCHEMA)
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                connection.close()


def _suggestion(row: tuple[object, ...]) -> Suggestion:
    identity, kind, thought, proposal, why, confidence, other, subject = row
    return Suggestion(
        str(identity),
        SuggestionKind(str(kind)),
        str(thought),
        tuple(str(proposal).split("\n")) if proposal else (),
        str(why),
        float(str(confidence)),
        str(other),
        str(subject),
    )
