"""The entry log: appending and reading.

An entry made here is appended with its sequence number inside one write transaction, so numbers
have no gaps and no two processes ever give out the same one. The order of positions is a causal
order: a process writes an entry only after it has read what the entry builds on. Checkpoints take
their positions from the same counter. Appending marks the thought stale; the projector clears the
mark. What comes from other copies is appended by ``receiving``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import apsw

from crdt.entry import MAX_NAME, MAX_NOTE, Entry
from crdt.vector import Vector

_ROWS = 100
"""How many entries one statement inserts. For each statement the engine lets other threads run, and
takes its turn again: with a statement for each entry that costs more than the inserting."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A change on its way into the log, before it has a number."""

    thought: str
    update: bytes
    at: int
    author: str
    note: str = ""
    sealed: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """An entry and its position in this file's log."""

    position: int
    entry: Entry


def own_replica(connection: apsw.Connection) -> str:
    """The id of this file's replica."""
    return str(connection.execute("SELECT value FROM meta WHERE key = 'replica'").get)


def own_seq(connection: apsw.Connection) -> int:
    """The number of the newest entry that this file's replica has made; 0 for none."""
    found = connection.execute(
        "SELECT seq FROM vectors WHERE replica ="
        " (SELECT n FROM replicas WHERE id = (SELECT value FROM meta WHERE key = 'replica'))"
    ).get
    return int(found or 0)


def thought_number(connection: apsw.Connection, thought: str) -> int:
    """The small number of a thought, given one if it has none."""
    return _number(connection, "thought_ids", "id", thought)


def thought_numbers(connection: apsw.Connection, thoughts: Iterable[str]) -> dict[str, int]:
    """The small numbers of many thoughts, given to those that have none."""
    return _numbers(connection, "thought_ids", thoughts)


def replica_numbers(connection: apsw.Connection, replicas: Iterable[str]) -> dict[str, int]:
    """The small numbers of replicas, given to those that have none."""
    return _numbers(connection, "replicas", replicas)


def author_number(connection: apsw.Connection, name: str) -> int:
    """The small number of an author, given one if there is none."""
    return _number(connection, "authors", "name", name)


def append(connection: apsw.Connection, drafts: Sequence[Draft]) -> list[Record]:
    """Append changes made here; the caller holds the write transaction.

    Returns: the entries with the numbers they were given, in order.
    """
    if not drafts:
        return []
    replica = own_replica(connection)
    first = own_seq(connection) + 1
    entries = [
        Entry(
            replica,
            seq,
            d.thought,
            d.update,
            d.at,
            _fitting(d.author, MAX_NAME),
            _fitting(d.note, MAX_NOTE),
            d.sealed,
        )
        for seq, d in enumerate(drafts, first)
    ]
    first = insert(connection, entries)
    return [Record(position, entry) for position, entry in enumerate(entries, first)]


def _fitting(text: str, most: int) -> str:
    """A name or note as other machines take it: not too long, and nothing that is no text."""
    if len(text) <= most and text.isprintable():
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:most]


def insert(connection: apsw.Connection, entries: Sequence[Entry]) -> int:
    """Append entries that have their names; the caller holds the write transaction.

    They must not be there yet. The vector advances over those that follow without a hole.

    Returns: the position of the first one; the others follow it.
    """
    newest: dict[str, int] = {}
    for entry in entries:
        newest[entry.replica] = max(entry.seq, newest.get(entry.replica, 0))
    extend_reach(connection, newest)
    replicas = replica_numbers(connection, newest)
    thoughts = thought_numbers(connection, (entry.thought for entry in entries))
    names = dict.fromkeys(entry.author for entry in entries)
    authors = {name: author_number(connection, name) for name in names}
    first = last_position(connection) + 1
    for start in range(0, len(entries), _ROWS):
        part = entries[start : start + _ROWS]
        values: list[object] = []
        for position, entry in enumerate(part, first + start):
            replica, seq, thought, update, at, author, note, sealed, signature = entry
            values += (position, replicas[replica], seq, thoughts[thought], at)
            values += (authors[author], note, update, sealed, signature)
        connection.execute(_INSERT + ", ".join([_ROW] * len(part)), values)
    for number in replicas.values():
        advance(connection, number)
    mark_stale(connection, thoughts.values())
    return first


def advance(connection: apsw.Connection, replica: int) -> None:
    """Let the vector say what is held of a replica (by its number here) without a hole."""
    held = int(connection.execute("SELECT seq FROM vectors WHERE replica = ?", (replica,)).get)
    following = "SELECT EXISTS (SELECT 1 FROM log WHERE replica = ? AND seq = ?)"
    if not connection.execute(following, (replica, held + 1)).get:
        return
    count, last = connection.execute(
        "SELECT count(*), max(seq) FROM log WHERE replica = ? AND seq > ?", (replica, held)
    ).get
    if count != last - held:
        last = connection.execute(
            "SELECT seq FROM log AS one WHERE replica = ?1 AND seq > ?2 AND NOT EXISTS"
            " (SELECT 1 FROM log WHERE replica = ?1 AND seq = one.seq + 1) ORDER BY seq LIMIT 1",
            (replica, held),
        ).get
    connection.execute("UPDATE vectors SET seq = ? WHERE replica = ?", (last, replica))


def extend_reach(connection: apsw.Connection, vector: Mapping[str, int]) -> None:
    """Note up to which numbers the log and checkpoints reach."""
    numbers = replica_numbers(connection, vector)
    connection.executemany(
        "INSERT INTO vectors (replica, seq, reach) VALUES (?, 0, ?)"
        " ON CONFLICT (replica) DO UPDATE SET reach = max(reach, excluded.reach)",
        [(numbers[replica], seq) for replica, seq in vector.items()],
    )


def mark_stale(connection: apsw.Connection, thoughts: Iterable[int]) -> None:
    """Note that the projections of thoughts, by their numbers here, are behind."""
    connection.execute(
        "INSERT OR IGNORE INTO stale SELECT value FROM json_each(?)", (json.dumps([*thoughts]),)
    )


def tail(connection: apsw.Connection, after: int, limit: int = 1_000) -> list[Record]:
    """The entries behind position ``after``, oldest first, at most ``limit``."""
    return [*behind(connection, after, limit)]


def behind(connection: apsw.Connection, after: int, limit: int) -> Iterator[Record]:
    """The entries behind position ``after``, oldest first, read one by one, at most ``limit``."""
    return _records(connection, "log.position > ?", after, limit=limit)


def since(connection: apsw.Connection, position: int) -> list[Record]:
    """All that is new behind ``position``, oldest first, checkpoints from other copies included.

    Entries that a checkpoint has replaced by now are not there any more; in the place of the last
    of them stands the checkpoint's state, as an update of no replica with the number 0.
    """
    records = [*_records(connection, "log.position > ?", position)]
    records += [
        Record(at_position, Entry("", 0, thought, state, at, author))
        for at_position, thought, state, at, author in connection.execute(
            "SELECT upto, thought_ids.id, state, at, authors.name FROM checkpoints"
            " JOIN thought_ids ON thought_ids.n = thought JOIN authors ON authors.n = author"
            " WHERE upto > ?",
            (position,),
        )
    ]
    return sorted(records, key=attrgetter("position"))


def entries_of(connection: apsw.Connection, thought: int, after: int = 0) -> Iterable[Record]:
    """The entries of one thought that are in the log, oldest first."""
    return _records(connection, "log.thought = ? AND log.position > ?", thought, after)


def by_name(connection: apsw.Connection, replica: str, seq: int) -> Entry | None:
    """The entry with this name, if it is in the log."""
    found = _records(
        connection, "log.replica = (SELECT n FROM replicas WHERE id = ?) AND seq = ?", replica, seq
    )
    return next((record.entry for record in found), None)


def digest(connection: apsw.Connection, replica: str, seq: int) -> bytes:
    """The digest of the entry with this name; empty where it is not known any more."""
    entry = by_name(connection, replica, seq)
    if entry is not None:
        return entry.digest()
    kept = connection.execute(
        "SELECT digest FROM vectors WHERE replica = (SELECT n FROM replicas WHERE id = ?)"
        " AND digest_seq = ?",
        (replica, seq),
    ).get
    return bytes(kept or b"")


def keep_digests(connection: apsw.Connection, thought: int) -> None:
    """Remember those of a thought's entries that are the last ones held of their replica.

    To be called before the entries leave the log; the caller holds the write transaction.
    """
    last = _records(
        connection,
        "log.thought = ? AND EXISTS (SELECT 1 FROM vectors"
        " WHERE vectors.replica = log.replica AND vectors.seq = log.seq)",
        thought,
    )
    for entry in [record.entry for record in last]:
        connection.execute(
            "UPDATE vectors SET digest = ?, digest_seq = ?"
            " WHERE replica = (SELECT n FROM replicas WHERE id = ?)",
            (entry.digest(), entry.seq, entry.replica),
        )


def last_position(connection: apsw.Connection) -> int:
    """The newest position ever given out; 0 in an empty workspace."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").get
    return int(row or 0)


def next_position(connection: apsw.Connection) -> int:
    """Give out a position for a checkpoint; the caller holds the write transaction."""
    position = last_position(connection) + 1
    connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'log'", (position,))
    if not connection.changes():
        connection.execute("INSERT INTO sqlite_sequence VALUES ('log', ?)", (position,))
    return position


def vector(connection: apsw.Connection) -> Vector:
    """Exactly what this copy of the workspace has."""
    return _seqs(connection, "seq")


def reach(connection: apsw.Connection) -> Vector:
    """For each replica the highest number of the vector, the log and all checkpoints."""
    return _seqs(connection, "reach")


def _seqs(connection: apsw.Connection, column: str) -> Vector:
    rows = connection.execute(
        f"SELECT replicas.id, {column} FROM vectors JOIN replicas ON replicas.n = replica"
    )
    return Vector(dict(rows))


def _records(
    connection: apsw.Connection, condition: str, *values: int | str, limit: int = -1
) -> Iterator[Record]:
    rows = connection.execute(
        "SELECT log.position, replicas.id, log.seq, thought_ids.id, log.update_bytes, log.at,"
        " authors.name, log.note, log.sealed, log.signature FROM log"
        " JOIN replicas ON replicas.n = log.replica"
        " JOIN thought_ids ON thought_ids.n = log.thought"
        " JOIN authors ON authors.n = log.author"
        f" WHERE {condition} ORDER BY log.position LIMIT ?",
        (*values, limit),
    )
    return (Record(position, Entry(*entry)) for position, *entry in rows)


def _numbers(connection: apsw.Connection, table: str, ids: Iterable[str]) -> dict[str, int]:
    """The row numbers of many ids in a table of names, looked up at once; new ones are added."""
    wanted = [*dict.fromkeys(ids)]
    if len(wanted) < 2:
        return {one: _number(connection, table, "id", one) for one in wanted}
    look_up = f"SELECT {table}.id, n FROM json_each(?) JOIN {table} ON {table}.id = value"
    found = dict(connection.execute(look_up, (json.dumps(wanted),)))
    if len(found) < len(wanted):
        missing = json.dumps([one for one in wanted if one not in found])
        connection.execute(f"INSERT INTO {table} (id) SELECT value FROM json_each(?)", (missing,))
        found.update(connection.execute(look_up, (missing,)))
    return found


def _number(connection: apsw.Connection, table: str, column: str, value: str) -> int:
    """The row number of ``value`` in a table of names, added if it is new."""
    found = connection.execute(f"SELECT n FROM {table} WHERE {column} = ?", (value,)).get
    if found is None:
        connection.execute(f"INSERT INTO {table} ({column}) VALUES (?)", (value,))
        return connection.last_insert_rowid()
    return int(found)


_INSERT = (
    "INSERT INTO log (position, replica, seq, thought, at, author, note, update_bytes, sealed,"
    " signature) VALUES "
)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
