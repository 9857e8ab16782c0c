"""How much of what was made here is somewhere else, too.

Another copy acknowledges the own entries that it has on disk, up to a number. The figure goes down
as well: a copy that has lost something says less, and is sent it again. Whoever notices that a peer
has another log id than before forgets what the peer said under the old one.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from aimem_tui.store import log
from aimem_tui.store.connection import Database
from crdt import ids
from crdt.vector import Vector


@dataclass(frozen=True, slots=True)
class Standing:
    """How a file stands among the copies of its workspace."""

    workspace: str
    replica: str
    own_seq: int
    """The number of the newest entry that was made here."""
    durable_seq: int
    """Up to which of them some other copy has them on disk."""
    oldest_undurable: int
    """When the oldest of the others was made, ms since the Unix epoch; 0 if there is none."""


def note_acknowledged(
    database: Database, peer_log: str, seq: int, *, replica: str | None = None
) -> None:
    """Note up to which own entry a peer has them on disk. Costs a transaction if that is news.

    Args:
        replica: the own replica id when the session began; what was said of another one than the
            present is passed over.
    """
    own = log.own_replica(database.read())
    if (own if replica is None else replica) != own or _said(database.read(), peer_log, own) == seq:
        return
    with database.write() as connection:
        # Asked again under the lock: the file may have taken another id meanwhile.
        if log.own_replica(connection) == own:
            connection.execute(
                "INSERT OR REPLACE INTO acknowledged VALUES (?, ?, ?)", (peer_log, own, seq)
            )


def forget_peer(database: Database, peer_log: str) -> None:
    """Forget what a log said of us and where we stopped in it: it is gone."""
    with database.write() as connection:
        for table in ("acknowledged", "tokens"):
            connection.execute(f"DELETE FROM {table} WHERE log = ?", (peer_log,))


def durable_seq(connection: apsw.Connection) -> int:
    """The highest own number up to which some other copy has everything on disk; 0 for none."""
    found = connection.execute(
        "SELECT max(seq) FROM acknowledged WHERE replica = ?", (log.own_replica(connection),)
    ).get
    return int(found or 0)


def oldest_undurable(connection: apsw.Connection) -> int:
    """When the oldest own entry was made that no other copy is known to have; 0 if there is none.

    An import takes the times of its files; its thoughts say when it was.

    Returns: ms since the Unix epoch.
    """
    durable = durable_seq(connection)
    if log.own_seq(connection) <= durable:
        return 0
    own = log.own_replica(connection)
    row = connection.execute(
        "SELECT at, thought_ids.id FROM log JOIN thought_ids ON thought_ids.n = thought"
        " WHERE replica = (SELECT n FROM replicas WHERE id = ?) AND seq > ? ORDER BY seq LIMIT 1",
        (own, durable),
    ).fetchone()
    if row is not None:
        return max(int(row[0]), ids.time_of(row[1]))
    covering = connection.execute(
        "SELECT at, vector FROM checkpoints WHERE instr(vector, ?)", (bytes.fromhex(own),)
    )
    return min((int(at) for at, v in covering if Vector.from_bytes(v)[own] > durable), default=0)


def standing(connection: apsw.Connection) -> Standing:
    """All of it at one moment; the caller holds a snapshot."""
    return Standing(
        str(connection.execute("SELECT value FROM meta WHERE key = 'workspace'").get),
        log.own_replica(connection),
        log.own_seq(connection),
        durable_seq(connection),
        oldest_undurable(connection),
    )


def _said(connection: apsw.Connection, peer_log: str, own: str) -> int | None:
    row = connection.execute(
        "SELECT seq FROM acknowledged WHERE log = ? AND replica = ?", (peer_log, own)
    ).fetchone()
    return None if row is None else int(row[0])
