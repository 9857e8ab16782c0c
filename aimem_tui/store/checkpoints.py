"""The checkpoints of thoughts as they lie in the file.

A thought may have several: those that other copies sent stand beside each other and beside the
entries, until ``compaction`` makes one of all. A checkpoint takes a new position whenever it is
written, so that whoever follows the file from a position on meets it.
"""

from __future__ import annotations

import apsw

from aimem_tui.store import log
from crdt.entry import Checkpoint
from crdt.vector import Vector


def put(connection: apsw.Connection, checkpoint: Checkpoint, *, replaced: int | None = None) -> int:
    """Store a checkpoint and return its position; the caller holds the write transaction.

    Args:
        replaced: the last position whose records it stands for; None if it came from elsewhere.
    """
    position = log.next_position(connection)
    connection.execute(
        "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            position,
            log.thought_number(connection, checkpoint.thought),
            checkpoint.vector.to_bytes(),
            checkpoint.state,
            checkpoint.at,
            log.author_number(connection, checkpoint.author),
            checkpoint.sealed,
            checkpoint.signature,
            position if replaced is None else replaced,
        ),
    )
    log.extend_reach(connection, checkpoint.vector)
    return position


def at(connection: apsw.Connection, position: int) -> Checkpoint:
    """The checkpoint at a position, which must be there."""
    return _read(connection, "position = ?", position)[0]


def of(connection: apsw.Connection, thought: int) -> list[Checkpoint]:
    """The checkpoints of a thought, by its number here, in the order in which they came."""
    return _read(connection, "thought = ?", thought)


def vectors_of(connection: apsw.Connection, thought: int) -> list[Vector]:
    """What each checkpoint of a thought, by its number here, covers."""
    rows = connection.execute("SELECT vector FROM checkpoints WHERE thought = ?", (thought,))
    return [Vector.from_bytes(vector) for (vector,) in rows]


def naming(connection: apsw.Connection, replica: str) -> set[int]:
    """The numbers of the thoughts that have a checkpoint with entries of a replica."""
    rows = connection.execute(
        "SELECT thought, vector FROM checkpoints WHERE instr(vector, ?)", (bytes.fromhex(replica),)
    )
    return {int(thought) for thought, vector in rows if replica in Vector.from_bytes(vector)}


def _read(connection: apsw.Connection, condition: str, value: int) -> list[Checkpoint]:
    rows = connection.execute(
        "SELECT thought_ids.id, state, vector, at, authors.name, sealed, signature"
        " FROM checkpoints JOIN thought_ids ON thought_ids.n = thought"
        f" JOIN authors ON authors.n = author WHERE {condition} ORDER BY position",
        (value,),
    )
    return [
        Checkpoint(thought, state, Vector.from_bytes(vector), *rest)
        for thought, state, vector, *rest in rows
    ]
