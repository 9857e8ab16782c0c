"""Who a workspace's file is: the ids under which it takes part in synchronisation.

- ``workspace`` is shared by all copies. ``replica`` is the name under which this file makes
  entries, ``log`` names the numbering of its log; no two files may use the same.
- A file that was copied, or replaced by an older one, would give out numbers again that others know
  already. So the file notes which file it is, and a witness outside of it, in the folder for the
  machine's state, notes how far it had come when something last left it. If either does not fit
  when the file is opened, it takes new ids before it is used (``whereabouts``).
- Taking new ids for nothing costs a few bytes in every vector and no more: it may happen on file
  systems that change the numbers of their files, and when a file moves to another disk.
- What escapes this (the whole machine was put back) the sessions find out as a fork: then the
  replica is disowned.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from aimem_tui.errors import StorageError
from aimem_tui.store import checkpoints, log, whereabouts
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft
from crdt.entry import Checkpoint
from crdt.errors import CrdtError
from crdt.vector import Vector


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids of a file, each of 32 hexadecimal digits."""

    workspace: str
    replica: str
    log: str


class IdentityChanged(StorageError):
    """The file has taken other ids since a session began; the session has to end."""


def of(connection: apsw.Connection) -> Identity:
    """The ids in force."""
    found = dict(
        connection.execute(
            "SELECT key, value FROM meta WHERE key IN ('workspace', 'replica', 'log')"
        )
    )
    return Identity(found["workspace"], found["replica"], found["log"])


def check_current(connection: apsw.Connection, log_id: str) -> None:
    """Make sure that the file still has the log id that it had when a session began.

    Raises:
        IdentityChanged: if it has another one.
    """
    if connection.execute("SELECT value FROM meta WHERE key = 'log'").get != log_id:
        raise IdentityChanged(
            "The workspace has taken another id since the connection began.",
            hint="Connect again.",
        )


def renew(database: Database) -> Identity:
    """Take a new replica id and a new log id; what was made under the old one stays."""
    with database.write() as connection:
        whereabouts.take_new_ids(connection)
        return of(connection)


def disown(database: Database, replica: str) -> Identity:
    """Give up a replica of which two versions exist, whoever's it is; what it said is issued anew.

    What it touched becomes a checkpoint that does not name it, and an own entry with the whole
    state, so that copies which have that replica's numbers already get what was said, too. The log
    id changes in any case: what sessions checked before does not fit any more.

    All of it is one transaction, which takes some ms for each thought that the replica has touched.
    In pieces, a file in between would have given up entries that its vector still names; another
    program that reads it then, or a session after a crash, would offer what it cannot give.
    """
    with database.write() as connection:
        if replica == log.own_replica(connection):
            whereabouts.take_new_ids(connection)
        else:
            whereabouts.take_new_log_id(connection)
        number = connection.execute("SELECT n FROM replicas WHERE id = ?", (replica,)).get
        rows = connection.execute("SELECT DISTINCT thought FROM log WHERE replica = ?", (number,))
        touched = {int(thought) for (thought,) in rows} | checkpoints.naming(connection, replica)
        for thought in sorted(touched):
            _issue_anew(connection, thought, replica)
        connection.execute("DELETE FROM vectors WHERE replica = ?", (number,))
        connection.execute("DELETE FROM tokens")
        return of(connection)


def _issue_anew(connection: apsw.Connection, thought: int, replica: str) -> None:
    from aimem_tui.store import compaction

    try:
        compaction.compact(connection, thought, without=replica)
        said = checkpoints.of(connection, thought)
    except CrdtError:
        # What cannot be read is said again piece by piece.
        said = checkpoints.of(connection, thought)
        entries = [record.entry for record in log.entries_of(connection, thought)]
        _strike_out(connection, thought, replica)
    else:
        entries = []
    drafts = [Draft(one.thought, one.state, one.at, one.author, "", one.sealed) for one in said]
    drafts += [Draft(e.thought, e.update, e.at, e.author, e.note, e.sealed) for e in entries]
    log.append(connection, drafts)


def _strike_out(connection: apsw.Connection, thought: int, replica: str) -> None:
    """Remove a replica's entries of a thought, and its name from the thought's checkpoints."""
    connection.execute(
        "DELETE FROM log WHERE thought = ? AND replica = (SELECT n FROM replicas WHERE id = ?)",
        (thought, replica),
    )
    kept = checkpoints.of(connection, thought)
    connection.execute("DELETE FROM checkpoints WHERE thought = ?", (thought,))
    for one in kept:
        vector = {name: seq for name, seq in one.vector.items() if name != replica}
        checkpoints.put(
            connection,
            Checkpoint(one.thought, one.state, Vector(vector), one.at, one.author, one.sealed),
        )
