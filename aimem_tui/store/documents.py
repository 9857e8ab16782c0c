"""Loading thoughts as documents: their checkpoints and the entries beside them.

A checkpoint stands on its own and an entry may stand on one, so checkpoints come first; what both
hold is applied twice, which changes nothing. This is the only part of the store that needs the
document engine; reading commands stay away.
"""

from __future__ import annotations

import os

import apsw

from crdt.document import ThoughtDocument
from crdt.errors import CrdtError
from crdt.ids import client_id

END = 1 << 62
"""Behind every position."""


def new_client_id() -> int:
    """A fresh Yjs client id for a document that will be written to."""
    return client_id(os.urandom(4))


def updates_of(
    connection: apsw.Connection, thought: int, upto: int = END, *, after: int = 0
) -> list[bytes]:
    """The updates that make a thought: its checkpoints, then its entries in the log's order.

    Args:
        upto: leave out what is behind this position.
        after: leave out what is at or before this position.

    Raises:
        CrdtError: if one is encrypted.
    """
    updates: list[bytes] = []
    for column, table in (("state", "checkpoints"), ("update_bytes", "log")):
        for update, sealed in connection.execute(
            f"SELECT {column}, sealed FROM {table}"
            " WHERE thought = ? AND position > ? AND position <= ? ORDER BY position",
            (thought, after, upto),
        ):
            if sealed:
                raise CrdtError("it is encrypted, and the key is not here")
            updates.append(update)
    return updates


def load(connection: apsw.Connection, thought: int) -> ThoughtDocument:
    """The thought as it is now, writable under a client id of its own.

    Raises:
        crdt.errors.CrdtError: if its bytes are broken.
    """
    return ThoughtDocument.load(new_client_id(), updates_of(connection, thought))
