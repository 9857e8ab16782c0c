"""Group commit: what arrives within a moment becomes one transaction of the ledger.

- One group is under way at a time, in the order of arrival; so the jobs of one connection are
  stored in order. While a commit takes its time the next group gathers. Where a commit is quick,
  groups still begin ``apart``, lest each be a single job; one that comes after a pause is not kept.
- While the ledger is down the group under way is tried again until it is stored, and the queue
  grows up to its bound; beyond that ``submit`` refuses.
- After a fork, or a job that the ledger cannot store for a reason of its own, later jobs of that
  connection are skipped: they would leave a hole.
- ``on_change`` hears of a commit before those who wait for it do, so that a room that is asked what
  it has knows of everything that was answered.
- Who hands over a job is called back, in the same turn of the event loop for all of a group.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

from aimem_relay.ledger.port import (
    Authored,
    Change,
    Committed,
    Forked,
    Job,
    Ledger,
    LedgerDown,
    Outcome,
    Skipped,
    size_of,
)
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived

T = TypeVar("T")
Told: TypeAlias = Callable[[Outcome | Exception | None], None]
"""Hears what became of a job, once that is on disk; or what the ledger has raised if it cannot
store this job; or None if the job was given up."""
_log = logging.getLogger(__name__)
SILENT = "The ledger does not answer."
_BAD_CONNECTIONS = 10_000
_VECTOR_ITEM = 24


class Overloaded(Exception):
    """The queue is full: the ledger is down or too slow. The connection is to be dropped."""


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """How large groups and the queue may become. Sizes are bytes, times are seconds."""

    apart: float = 0.002
    """Between the beginnings of two groups, at least, unless the second one is full."""
    group_jobs: int = 1_000
    group_bytes: int = 4 << 20
    """A group is no larger, unless it is a single job."""
    queued_jobs: int = 50_000
    queued_bytes: int = 128 << 20
    first_delay: float = 0.1
    """Between attempts while the ledger is down; grows twofold up to ``most_delay``."""
    most_delay: float = 2.0
    patience: float = 5.0
    """After so long without an answer the ledger counts as down, and is waited for all the same."""


@dataclass(frozen=True, slots=True)
class CommitDone:
    """For measuring: one group that was stored."""

    jobs: int
    seconds: float
    """From the first attempt to the answer."""


@dataclass(slots=True, eq=False)
class _Waiting:
    job: Job
    size: int
    told: Told


class Committer:
    """Stores the jobs of all connections of a pod.

    Args:
        on_change: told of every change that a commit has made, in the order of the commits.
        on_health: told when the ledger stops answering, and why, and with an empty text when it
            answers again.
        on_commit: told of every group that was stored.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        on_change: Callable[[Change], None] = lambda change: None,
        on_health: Callable[[str], None] = lambda problem: None,
        on_commit: Callable[[CommitDone], None] = lambda done: None,
        limits: CommitLimits | None = None,
    ) -> None:
        self.problem = ""
        """Why nothing can be stored just now; empty while all is well."""
        self._ledger = ledger
        self._on_change = on_change
        self._on_health = on_health
        self._on_commit = on_commit
        self._limits = limits or CommitLimits()
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._under_way: list[_Waiting] = []
        self._bad: dict[int, None] = {}
        self._arrived = asyncio.Event()
        self._group_full = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to store. Call it once, inside the event loop."""
        self._task = asyncio.create_task(self._run(), name="committer")

    async def close(self) -> None:
        """Store what is queued, then stop. Cancel it to give up; what waits is cancelled then."""
        self._closing = True
        self._arrived.set()
        self._group_full.set()
        task, self._task = self._task, None
        if task is None:
            return
        try:
            await task
        finally:
            task.cancel()
            for waiting in [*self._under_way, *self._queue]:
                _call(waiting.told, None)
            self._queue.clear()
            self._queued_bytes = 0

    def submit(self, job: Job) -> asyncio.Future[Outcome]:
        """Queue a job; the future tells what became of it, once that is on disk.

        The future fails with what the ledger has raised if the ledger cannot store this job.

        Raises:
            Overloaded: if the queue is full, or the committer is closing.
        """
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.hand_over(job, partial(_settle, outcome))
        return outcome

    def hand_over(self, job: Job, told: Told) -> None:
        """Queue a job. ``told`` hears what became of it, at once where that is known.

        Raises:
            Overloaded: if the queue is full, or the committer is closing; nobody hears then.
        """
        if job.connection in self._bad:
            told(Skipped())
            return
        limits = self._limits
        size = _size(job)
        if self._closing:
            raise Overloaded("The relay is stopping.")
        if len(self._queue) >= limits.queued_jobs or (
            self._queue and self._queued_bytes + size > limits.queued_bytes
        ):
            raise Overloaded("Too much is waiting to be stored.")
        self._queue.append(_Waiting(job, size, told))
        self._queued_bytes += size
        self._arrived.set()
        if self._is_full:
            self._group_full.set()

    @property
    def waiting(self) -> int:
        """How many jobs are not stored yet."""
        return len(self._queue) + len(self._under_way)

    @property
    def waiting_bytes(self) -> int:
        """How large the jobs are that are queued behind those under way."""
        return self._queued_bytes

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        began = -self._limits.apart
        while True:
            if not self._queue:
                if self._closing:
                    return
                self._arrived.clear()
                await self._arrived.wait()
            await self._gather(began + self._limits.apart - loop.time())
            began = loop.time()
            self._under_way = self._take()
            await self._store(self._under_way)
            self._under_way = []

    async def _gather(self, seconds: float) -> None:
        """Wait for so long, or until the group is full."""
        if seconds <= 0 or self._closing or self._is_full:
            return
        self._group_full.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._group_full.wait()

    @property
    def _is_full(self) -> bool:
        limits = self._limits
        return len(self._queue) >= limits.group_jobs or self._queued_bytes >= limits.group_bytes

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._queue and len(group) < self._limits.group_jobs:
            waiting = self._queue[0]
            if group and size + waiting.size > self._limits.group_bytes:
                break
            self._queue.popleft()
            self._queued_bytes -= waiting.size
            group.append(waiting)
            size += waiting.size
        return group

    async def _store(self, group: Sequence[_Waiting]) -> None:
        group = [waiting for waiting in group if not self._is_skipped(waiting)]
        if not group:
            return
        try:
            committed = await self._insist([waiting.job for waiting in group])
        except Exception as error:
            if len(group) == 1:
                self._cannot_store(group[0], error)
                return
            # One of them is to blame; the others must not suffer for it.
            middle = len(group) // 2
            await self._store(group[:middle])
            await self._store(group[middle:])
            return
        for change in committed.changes:
            _call(self._on_change, change)
        for waiting, outcome in zip(group, committed.outcomes, strict=True):
            if isinstance(outcome, Forked):
                self._refuse_more(waiting.job.connection)
            _call(waiting.told, outcome)

    async def _insist(self, jobs: Sequence[Job]) -> Committed:
        loop = asyncio.get_running_loop()
        began, delay = loop.time(), self._limits.first_delay
        while True:
            try:
                committed = await self._commit(jobs)
            except LedgerDown as error:
                self._set_problem(str(error) or SILENT)
                # Pods that lost the ledger together do not come back to it together.
                await asyncio.sleep(delay * random.uniform(0.5, 1))
                delay = min(2 * delay, self._limits.most_delay)
                continue
            self._set_problem("")
            _call(self._on_commit, CommitDone(len(jobs), loop.time() - began))
            return committed

    async def _commit(self, jobs: Sequence[Job]) -> Committed:
        slow = asyncio.get_running_loop().call_later(
            self._limits.patience, self._set_problem, SILENT
        )
        try:
            return await self._ledger.commit(jobs)
        finally:
            slow.cancel()

    def _set_problem(self, problem: str) -> None:
        if bool(problem) != bool(self.problem):
            _call(self._on_health, problem)
        self.problem = problem

    def _is_skipped(self, waiting: _Waiting) -> bool:
        if waiting.job.connection in self._bad:
            _call(waiting.told, Skipped())
            return True
        return False

    def _cannot_store(self, waiting: _Waiting, error: Exception) -> None:
        _log.error("a job cannot be stored", exc_info=error)
        self._refuse_more(waiting.job.connection)
        _call(waiting.told, error)

    def _refuse_more(self, connection: int) -> None:
        if connection:
            self._bad[connection] = None
            if len(self._bad) > _BAD_CONNECTIONS:
                del self._bad[next(iter(self._bad))]


def _call(listener: Callable[[T], None], told: T) -> None:
    try:
        listener(told)
    except Exception:
        # What was stored is stored, and whoever waits for it has to hear that.
        _log.exception("a listener of the committer failed")


def _settle(future: asyncio.Future[Outcome], outcome: Outcome | Exception | None) -> None:
    if future.done():
        return
    if outcome is None:
        future.cancel()
    elif isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _size(job: Job) -> int:
    match job.event:
        case EntriesReceived():
            return sum(size_of(entry) for entry in job.event.entries)
        case CheckpointsReceived():
            return sum(size_of(checkpoint) for checkpoint in job.event.checkpoints)
        case CaughtUp():
            return _VECTOR_ITEM * len(job.event.vector)
        case Authored():
            return sum(len(update) for update in job.event.updates)
