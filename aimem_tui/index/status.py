"""What the index holds and what it waits for, in figures; and whether it is paused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import apsw

from aimem_tui import locks
from aimem_tui.index import spaces
from aimem_tui.index.file import IndexFile

_PAUSED = "paused"
_ASKED = "asked"


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """One workspace in the index."""

    file: Path
    thoughts: int
    passages: int
    waiting: int
    """Passages whose vectors are still to be made, by the model that serves or the next."""
    model: str
    """Where the model is whose vectors serve; empty for the one that comes with aimem."""
    changing: bool
    """Whether the vectors of another model are being made."""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The machine's index."""

    file: Path
    bytes: int
    paused: bool
    working: bool
    """Whether a process is indexing now."""
    spaces: tuple[SpaceStatus, ...]
    spare: int
    """Vectors kept for texts that no thought has any more."""


def read(index: IndexFile) -> IndexStatus:
    """The index in figures."""
    with index.snapshot() as connection:
        found = tuple(_space(connection, space) for space in spaces.all_spaces(connection))
        spare = int(connection.execute("SELECT count(*) FROM contents WHERE space = 0").get)
        paused = _is_paused(connection)
    size = sum(
        file.stat().st_size
        for file in (index.path, index.path.with_name(index.path.name + "-wal"))
        if file.exists()
    )
    return IndexStatus(index.path, size, paused, _is_working(index), found, spare)


def is_paused(index: IndexFile) -> bool:
    """Whether no vectors are to be made until :func:`resume`."""
    return _is_paused(index.read())


def pause(index: IndexFile) -> None:
    """Have every process make no vectors. What is written is still found by its words."""
    with index.write() as connection:
        connection.execute("INSERT OR REPLACE INTO state VALUES (?, '1')", (_PAUSED,))


def resume(index: IndexFile) -> None:
    """Have vectors made again."""
    with index.write() as connection:
        connection.execute("DELETE FROM state WHERE key = ?", (_PAUSED,))


def ask(index: IndexFile, workspace: str) -> None:
    """Ask whoever indexes for a turn, for the workspace of a replica id."""
    with index.write() as connection:
        connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (_ASKED, workspace))


def is_asked(index: IndexFile, workspace: str) -> bool:
    """Whether somebody asks for a turn for another workspace than this one."""
    asked = index.read().execute("SELECT value FROM state WHERE key = ?", (_ASKED,)).get
    return asked is not None and asked != workspace


def has_turn(index: IndexFile, workspace: str) -> None:
    """Take back the question, if it was for this workspace."""
    if index.read().execute("SELECT value FROM state WHERE key = ?", (_ASKED,)).get == workspace:
        with index.write() as connection:
            connection.execute("DELETE FROM state WHERE key = ?", (_ASKED,))


def _is_paused(connection: apsw.Connection) -> bool:
    return bool(
        connection.execute("SELECT EXISTS (SELECT 1 FROM state WHERE key = ?)", (_PAUSED,)).get
    )


def _is_working(index: IndexFile) -> bool:
    lock = locks.to_index(index.path)
    free = lock.take()
    lock.release()
    return not free


def _space(connection: apsw.Connection, space: spaces.Space) -> SpaceStatus:
    def count(sql: str) -> int:
        return int(connection.execute(sql, (space.n,)).get or 0)

    return SpaceStatus(
        space.file,
        count("SELECT count(*) FROM thoughts WHERE space = ? AND digest != x''"),
        count("SELECT count(*) FROM chunks WHERE space = ?"),
        count("SELECT count(DISTINCT content) FROM waiting WHERE space = ?"),
        space.model.choice if space.model else "",
        space.making is not None,
    )
