"""Compaction: replacing a thought's entries by a checkpoint.

In one transaction: the revisions' texts are kept, the checkpoint is built by the safe formula and
checked, and the entries it covers are deleted. Before and after, the thought reads the same. Who
follows the log and has not seen these entries is given the checkpoint (:func:`log.since`).
"""

from __future__ import annotations

import apsw

from aimem_tui.store import documents, revisions
from crdt.checkpoint import build_state
from crdt.vector import Vector

ENTRIES_BEFORE_COMPACTION = 2_000
"""A thought with more entries than this in the log is compacted: it opens in a few ms again."""


def is_due(connection: apsw.Connection, thought: int) -> bool:
    """Whether a thought has gathered enough entries to be compacted."""
    count = connection.execute("SELECT count(*) FROM log WHERE thought = ?", (thought,)).get
    return int(count) > ENTRIES_BEFORE_COMPACTION


def compact(connection: apsw.Connection, thought: int, *, forget_history: bool = False) -> None:
    """Replace a thought's entries by a checkpoint; the caller holds the write transaction.

    Args:
        forget_history: keep no revision texts, and drop those kept earlier (a purge).

    Raises:
        crdt.errors.CrdtError: if the checkpoint would not make the same thought; nothing is lost.
    """
    if forget_history:
        connection.execute("DELETE FROM kept_revisions WHERE thought = ?", (thought,))
    last = connection.execute(
        "SELECT position, at, author FROM log WHERE thought = ? ORDER BY position DESC LIMIT 1",
        (thought,),
    ).fetchone()
    if last is None:
        return
    # Before anything is written: this is where it can fail.
    state = build_state(documents.updates_of(connection, thought))
    if not forget_history:
        revisions.keep(connection, thought)
    connection.execute(
        "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
        (thought, _vector(connection, thought).to_bytes(), state, last[1], last[2], last[0]),
    )
    connection.execute("DELETE FROM log WHERE thought = ? AND position <= ?", (thought, last[0]))


def _vector(connection: apsw.Connection, thought: int) -> Vector:
    """For each replica the last entry of this thought, in the checkpoint or in the log."""
    earlier = connection.execute("SELECT vector FROM checkpoints WHERE thought = ?", (thought,)).get
    in_log = connection.execute(
        "SELECT replicas.id, max(seq) FROM log JOIN replicas ON replicas.n = replica"
        " WHERE thought = ? GROUP BY replica",
        (thought,),
    )
    seqs = Vector({str(replica): int(seq) for replica, seq in in_log})
    return seqs if earlier is None else Vector.from_bytes(earlier).merged(seqs)
