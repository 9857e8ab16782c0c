"""The entry log: appending and reading.

An entry is appended with its sequence number inside one write transaction, so numbers have no
gaps and no two processes ever give out the same one. The order of positions is a causal order:
a process writes an entry only after it has read what the entry builds on. Appending marks the
thought stale; the projector clears the mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import apsw

from crdt.entry import Entry
from crdt.vector import Vector


@dataclass(frozen=True, slots=True)
class Draft:
    """A change on its way into the log, before it has a number."""

    thought: str
    update: bytes
    at: int
    author: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """An entry and its position in this file's log."""

    position: int
    entry: Entry


def own_replica(connection: apsw.Connection) -> str:
    """The id of this file's replica."""
    return str(connection.execute("SELECT value FROM meta WHERE key = 'replica'").get)


def thought_number(connection: apsw.Connection, thought: str) -> int:
    """The small number of a thought, given one if it has none."""
    return _number(connection, "thought_ids", "id", thought)


def append(connection: apsw.Connection, drafts: Sequence[Draft]) -> list[Record]:
    """Append changes made here; the caller holds the write transaction.

    Returns: the entries with the numbers they were given, in order.
    """
    if not drafts:
        return []
    replica_id = own_replica(connection)
    replica = _number(connection, "replicas", "id", replica_id)
    seq = int(connection.execute("SELECT seq FROM vectors WHERE replica = ?", (replica,)).get or 0)
    authors: dict[str, int] = {}
    thoughts: dict[str, int] = {}
    records = []
    for draft in drafts:
        seq += 1
        if draft.author not in authors:
            authors[draft.author] = _number(connection, "authors", "name", draft.author)
        if draft.thought not in thoughts:
            thoughts[draft.thought] = thought_number(connection, draft.thought)
        connection.execute(
            "INSERT INTO log (replica, seq, thought, at, author, note, update_bytes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                replica,
                seq,
                thoughts[draft.thought],
                draft.at,
                authors[draft.author],
                draft.note,
                draft.update,
            ),
        )
        entry = Entry(
            replica_id, seq, draft.thought, draft.update, draft.at, draft.author, draft.note
        )
        records.append(Record(connection.last_insert_rowid(), entry))
    connection.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?)", (replica, seq))
    connection.executemany(
        "INSERT OR IGNORE INTO stale VALUES (?)", [(n,) for n in thoughts.values()]
    )
    return records


def tail(connection: apsw.Connection, after: int, limit: int = 1_000) -> list[Record]:
    """The entries behind position ``after``, oldest first, at most ``limit``."""
    return [*_records(connection, "log.position > ?", after, limit=limit)]


def since(connection: apsw.Connection, position: int) -> list[Record]:
    """All that is new behind ``position``, oldest first.

    Entries that a checkpoint has replaced by now are not there any more; in the place of the last
    of them stands the checkpoint's state, as an update of no replica with the number 0.
    """
    records = [*_records(connection, "log.position > ?", position)]
    records += [
        Record(at_position, Entry("", 0, thought, state, at, author))
        for at_position, thought, state, at, author in connection.execute(
            "SELECT checkpoints.position, thought_ids.id, state, at, authors.name FROM checkpoints"
            " JOIN thought_ids ON thought_ids.n = thought JOIN authors ON authors.n = author"
            " WHERE checkpoints.position > ?",
            (position,),
        )
    ]
    return sorted(records, key=attrgetter("position"))


def entries_of(connection: apsw.Connection, thought: int, after: int = 0) -> Iterable[Record]:
    """The entries of one thought that are in the log, oldest first."""
    return _records(connection, "log.thought = ? AND log.position > ?", thought, after)


def last_position(connection: apsw.Connection) -> int:
    """The position of the newest entry ever written; 0 in an empty workspace."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").get
    return int(row or 0)


def vector(connection: apsw.Connection) -> Vector:
    """Exactly what this copy of the workspace has."""
    rows = connection.execute(
        "SELECT replicas.id, vectors.seq FROM vectors JOIN replicas ON replicas.n = replica"
    )
    return Vector({str(replica): int(seq) for replica, seq in rows})


def _records(
    connection: apsw.Connection, condition: str, *values: int, limit: int = -1
) -> Iterator[Record]:
    rows = connection.execute(
        "SELECT log.position, replicas.id, log.seq, thought_ids.id, log.update_bytes, log.at,"
        " authors.name, log.note FROM log"
        " JOIN replicas ON replicas.n = log.replica"
        " JOIN thought_ids ON thought_ids.n = log.thought"
        " JOIN authors ON authors.n = log.author"
        f" WHERE {condition} ORDER BY log.position LIMIT ?",
        (*values, limit),
    )
    return (Record(position, Entry(*entry)) for position, *entry in rows)


def _number(connection: apsw.Connection, table: str, column: str, value: str) -> int:
    """The row number of ``value`` in a table of names, added if it is new."""
    found = connection.execute(f"SELECT n FROM {table} WHERE {column} = ?", (value,)).get
    if found is None:
        connection.execute(f"INSERT INTO {table} ({column}) VALUES (?)", (value,))
        return connection.last_insert_rowid()
    return int(found)
