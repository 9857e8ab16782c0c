"""Committing keystrokes in groups, off the thread that types.

Edits of an open thought arrive one by one and are committed together: the writer waits a moment
after the first, takes what has come by then, merges neighbours of one thought into one entry and
commits them in one transaction, fsync included. Merging is safe because nobody has seen an entry
before its commit. The order of submission is kept, so the log stays a causal order.

If a commit fails (the disk is full) the edits stay in the queue, the failure is reported, and the
writer tries again; nothing is dropped while the process lives.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aimem_tui.store import log
from aimem_tui.store.connection import Database
from aimem_tui.store.log import Draft, Record

GATHER_S = 0.03
"""How long the first edit of a group waits for others, in seconds."""

RETRY_S = 2.0
GROUP_LIMIT = 5_000
MERGE_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WriterState:
    """How the writer stands, for the status line."""

    pending: int
    """Edits that are not on disk yet."""
    trouble: str
    """Why the last commit failed, in words; empty when all is well."""
    oldest: int = 0
    """When the one that waits longest was made, in ms; 0 if none waits."""


class GroupWriter:
    """A thread that commits drafts in groups.

    Args:
        database: where to.
        on_commit: called in the writer's thread after each commit.
        on_trouble: called in the writer's thread when a commit failed, and with "" when it is over.
    """

    def __init__(
        self,
        database: Database,
        on_commit: Callable[[Sequence[Record]], None] | None = None,
        on_trouble: Callable[[str], object] | None = None,
    ) -> None:
        self._database = database
        self._on_commit = on_commit
        self.on_trouble = on_trouble
        self._queue: deque[Draft] = deque()
        self._condition = threading.Condition()
        self._closing = False
        self._hurry = False
        self._trouble = ""
        self._taken = 0
        self._written = 0
        self._attempt = 0
        self._failed_attempt = 0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="aimem-writer", daemon=True)
        self._thread.start()

    def submit(self, draft: Draft) -> None:
        """Take an edit; returns at once."""
        with self._condition:
            if self._closing:
                raise RuntimeError("the writer is closed")
            self._queue.append(draft)
            self._taken += 1
            self._condition.notify_all()

    def state(self) -> WriterState:
        """How many edits wait, and why, if something is wrong."""
        with self._condition:
            oldest = self._queue[0].at if self._queue else 0
            return WriterState(len(self._queue), self._trouble, oldest)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until everything submitted so far is on disk; False if it did not get there.

        Args:
            timeout: seconds; None waits until it is done or an attempt made from now on fails.
        """
        with self._condition:
            wanted, attempt = self._taken, self._attempt
            self._hurry = True
            self._condition.notify_all()
            self._condition.wait_for(
                lambda: self._written >= wanted or self._failed_attempt > attempt or self._ended,
                timeout,
            )
            return self._written >= wanted

    def close(self) -> bool:
        """Write what waits and stop; False if something could not be written."""
        self.flush()
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join()
        return not self._queue

    def _run(self) -> None:
        try:
            while group := self._next_group():
                self._commit(group)
        finally:
            with self._condition:
                self._ended = True
                self._condition.notify_all()

    def _next_group(self) -> list[Draft]:
        """Wait for edits and for others to join them; empty when it is time to stop."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._queue) or self._closing)
            if self._closing and self._trouble:
                return []
            if self._queue:
                wait = RETRY_S if self._trouble else GATHER_S
                self._condition.wait_for(lambda: self._hurry or self._closing, wait)
            self._hurry = False
            self._attempt += 1
            return [self._queue[i] for i in range(min(len(self._queue), GROUP_LIMIT))]

    def _commit(self, group: Sequence[Draft]) -> None:
        try:
            drafts = merge_neighbours(group)
            with self._database.write() as connection:
                records = log.append(connection, drafts)
        except Exception as error:
            # Whatever it is, the edits stay in the queue and the thread alive.
            trouble = str(error) or type(error).__name__
            with self._condition:
                self._trouble = trouble
                self._failed_attempt = self._attempt
                self._condition.notify_all()
            if self.on_trouble is not None:
                self.on_trouble(trouble)
            return
        try:
            # The callback first: whoever waits in flush() finds it done.
            if self._on_commit is not None:
                self._on_commit(records)
        finally:
            with self._condition:
                for _ in group:
                    self._queue.popleft()
                self._written += len(group)
                recovered = bool(self._trouble)
                self._trouble = ""
                self._condition.notify_all()
        if recovered and self.on_trouble is not None:
            self.on_trouble("")


def merge_neighbours(drafts: Sequence[Draft]) -> list[Draft]:
    """Edits of one thought by one author become one, unless they say why they were made.

    Thoughts are independent of each other, so edits of one may be drawn together past edits of
    another; the order within a thought stays.
    """
    from crdt import adapter

    runs: list[list[Draft]] = []
    open_run: dict[str, list[Draft]] = {}
    sizes: dict[str, int] = {}
    for draft in drafts:
        run = open_run.get(draft.thought)
        if (
            run is not None
            and not draft.note
            and not run[-1].note
            and run[-1].author == draft.author
            and sizes[draft.thought] < MERGE_LIMIT_BYTES
        ):
            run.append(draft)
            sizes[draft.thought] += len(draft.update)
        else:
            run = [draft]
            runs.append(run)
            open_run[draft.thought] = run
            sizes[draft.thought] = len(draft.update)
    return [
        run[0]
        if len(run) == 1
        else Draft(
            run[0].thought, adapter.merge([d.update for d in run]), run[-1].at, run[-1].author
        )
        for run in runs
    ]
