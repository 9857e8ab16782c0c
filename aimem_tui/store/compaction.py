"""Compaction: replacing all that the file holds of a thought by one checkpoint.

In one transaction: the revisions' texts are kept, the checkpoint is built of the thought's entries
and earlier checkpoints by the safe formula and checked, and what it covers is deleted. Before and
after, the thought reads the same. Who follows the log and has not seen what is gone is given the
checkpoint: within this file by :func:`log.since`, other copies because it has a new position.
"""

from __future__ import annotations

import apsw

from aimem_tui.store import checkpoints, documents, log, revisions
from crdt.checkpoint import build_state
from crdt.entry import Checkpoint
from crdt.vector import Vector

ENTRIES_BEFORE_COMPACTION = 2_000
"""A thought with more entries than this in the log is compacted: it opens in a few ms again."""

CHECKPOINTS_BEFORE_COMPACTION = 8
"""So is one with more checkpoints than this, each of which may be the whole thought."""


def is_due(connection: apsw.Connection, thought: int) -> bool:
    """Whether a thought has gathered so much that it should be compacted."""
    entries, states = connection.execute(
        "SELECT (SELECT count(*) FROM log WHERE thought = ?1),"
        " (SELECT count(*) FROM checkpoints WHERE thought = ?1)",
        (thought,),
    ).get
    due = entries > ENTRIES_BEFORE_COMPACTION or states > CHECKPOINTS_BEFORE_COMPACTION
    return bool(due)


def compact(
    connection: apsw.Connection, thought: int, *, forget_history: bool = False, without: str = ""
) -> bool:
    """Replace a thought's entries and checkpoints by one; the caller holds the write transaction.

    Args:
        forget_history: keep no revision texts, and drop those kept earlier (a purge).
        without: a replica that the checkpoint's vector does not name.

    Returns: whether there was anything to replace.

    Raises:
        crdt.errors.CrdtError: if the checkpoint would not make the same thought; nothing is lost.
    """
    if forget_history:
        connection.execute("DELETE FROM kept_revisions WHERE thought = ?", (thought,))
    entries, states, last = connection.execute(
        "SELECT sum(entry), sum(NOT entry), max(position) FROM ("
        " SELECT position, 1 AS entry FROM log WHERE thought = ?1 UNION ALL"
        " SELECT position, 0 FROM checkpoints WHERE thought = ?1)",
        (thought,),
    ).get
    if last is None or (not entries and states == 1 and not without):
        return False
    # Before anything is written: this is where it can fail.
    state = build_state(documents.updates_of(connection, thought))
    if not forget_history:
        revisions.keep(connection, thought)
    covered = dict(covers(connection, thought).items())
    covered.pop(without, None)
    touch = revisions.last_touch(connection, thought)
    at, author = (0, "") if touch is None else (touch.at, touch.author)
    identity = str(connection.execute("SELECT id FROM thought_ids WHERE n = ?", (thought,)).get)
    log.keep_digests(connection, thought)
    for table in ("log", "checkpoints"):
        connection.execute(f"DELETE FROM {table} WHERE thought = ?", (thought,))
    made = Checkpoint(identity, state, Vector(covered), at, author)
    checkpoints.put(connection, made, replaced=last)
    return True


def covers(connection: apsw.Connection, thought: int) -> Vector:
    """For each replica the last entry of this thought, in a checkpoint or in the log."""
    in_log = connection.execute(
        "SELECT replicas.id, max(seq) FROM log JOIN replicas ON replicas.n = replica"
        " WHERE thought = ? GROUP BY replica",
        (thought,),
    )
    found = Vector(dict(in_log))
    for vector in checkpoints.vectors_of(connection, thought):
        found = found.merged(vector)
    return found
