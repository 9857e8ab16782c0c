"""Loading thoughts as documents: the checkpoint, if there is one, and the entries after it.

This is the only part of the store that needs the document engine; reading commands stay away.
"""

from __future__ import annotations

import os

import apsw

from crdt.document import ThoughtDocument
from crdt.ids import client_id


def new_client_id() -> int:
    """A fresh Yjs client id for a document that will be written to."""
    return client_id(os.urandom(4))


def updates_of(connection: apsw.Connection, thought: int, upto: int | None = None) -> list[bytes]:
    """The updates that make a thought, in the log's order.

    Args:
        upto: leave out entries behind this position; the checkpoint is always included.
    """
    state = connection.execute("SELECT state FROM checkpoints WHERE thought = ?", (thought,)).get
    updates: list[bytes] = [] if state is None else [state]
    rows = connection.execute(
        "SELECT update_bytes FROM log WHERE thought = ? AND position <= ? ORDER BY position",
        (thought, (1 << 62) if upto is None else upto),
    )
    updates.extend(row[0] for row in rows)
    return updates


def load(connection: apsw.Connection, thought: int) -> ThoughtDocument:
    """The thought as it is now, writable under a client id of its own.

    Raises:
        crdt.errors.CrdtError: if its bytes are broken.
    """
    return ThoughtDocument.load(new_client_id(), updates_of(connection, thought))
