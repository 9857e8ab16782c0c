"""A pod that does nothing but commit, as a process: ``python -m tests.relay.ledger.load …``.

Its arguments are the kind of ledger, where it is, a replica, how many groups to commit (0 for no
end) and workspaces. After each group that was answered it prints a line: the number up to which the
replica's entries are stored in each workspace. Groups go through the workspaces in random order, as
those of pods do.
"""

from __future__ import annotations

import asyncio
import random
import sys
from itertools import count
from pathlib import Path

from aimem_relay.ledger.port import Job, Ledger, Stored
from aimem_relay.ledger.postgres import PostgresLedger
from aimem_relay.ledger.sqlite import SqliteLedger
from crdt.entry import Entry
from crdt.session.events import EntriesReceived

PER_GROUP = 5


def ledger_at(kind: str, where: str) -> Ledger:
    """The ledger that the arguments name."""
    return SqliteLedger(Path(where)) if kind == "sqlite" else PostgresLedger(where)


def entry(replica: str, seq: int) -> Entry:
    """The entry that a replica of the load makes under a number."""
    return Entry(replica, seq, f"{seq % 3:032x}", f"{seq}".encode() * 40, 1, "load")


async def commit_groups(ledger: Ledger, replica: str, groups: int, workspaces: list[str]) -> None:
    """Commit, and say so."""
    for group in range(groups) if groups else count():
        shuffled = random.sample(workspaces, len(workspaces))
        seqs = range(group * PER_GROUP + 1, (group + 1) * PER_GROUP + 1)
        jobs = [
            Job(workspace, EntriesReceived(seq, b"", [entry(replica, seq)]), n, replica)
            for seq in seqs
            for n, workspace in enumerate(shuffled, 1)
        ]
        committed = await ledger.commit(jobs)
        assert all(isinstance(one, Stored) and one.records for one in committed.outcomes)
        print(seqs[-1], flush=True)


async def main(kind: str, where: str, replica: str, groups: str, *workspaces: str) -> None:
    """Run until done or killed."""
    ledger = ledger_at(kind, where)
    await ledger.start()
    try:
        await commit_groups(ledger, replica, int(groups), [*workspaces])
    finally:
        await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
