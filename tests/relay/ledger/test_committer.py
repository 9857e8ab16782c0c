"""The committer stores what all connections bring, in groups, whatever the ledger's mood."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aimem_relay.committer import CommitLimits, Committer, Overloaded
from aimem_relay.ledger.port import (
    Change,
    Committed,
    Copy,
    Forked,
    Job,
    Ledger,
    LedgerDown,
    Outcome,
    Skipped,
    Stored,
)
from aimem_relay.ledger.sqlite import SqliteLedger
from crdt.entry import Entry
from crdt.session.events import EntriesReceived

WORKSPACE = "ab" * 16
REPLICA = "cd" * 16
EAGER = CommitLimits(first_delay=0.001, most_delay=0.002)


class Moody:
    """A real ledger that refuses, loses answers, or waits, as a test wants it to."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.groups: list[int] = []
        self.refuses = 0
        self.loses = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.asked = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)

    async def commit(self, jobs: Sequence[Job]) -> Committed:
        self.asked.set()
        await self.may_go_on.wait()
        if self.refuses:
            self.refuses -= 1
            raise LedgerDown("It refuses.")
        self.groups.append(len(jobs))
        committed = await self.ledger.commit(jobs)
        if self.loses:
            self.loses -= 1
            raise LedgerDown("The answer got lost.")
        return committed


class Relay:
    """A committer over a moody ledger, and all that it tells."""

    def __init__(self, ledger: Moody, limits: CommitLimits) -> None:
        self.ledger = ledger
        self.changes: list[Change] = []
        self.health: list[str] = []
        self.committer = Committer(
            ledger,
            on_change=self.changes.append,
            on_health=self.health.append,
            limits=limits,
        )

    def submit(
        self, seq: int, *, connection: int = 1, replica: str = REPLICA, text: bytes = b"x"
    ) -> asyncio.Future[Outcome]:
        entry = Entry(replica, seq, "1" * 32, text, 1, "Ann")
        event = EntriesReceived(seq, b"token", [entry])
        return self.committer.submit(Job(WORKSPACE, event, connection, "ef" * 16))

    async def copy(self) -> Copy:
        return await self.ledger.ledger.open(WORKSPACE)


@asynccontextmanager
async def relay(tmp_path: Path, limits: CommitLimits = EAGER) -> AsyncIterator[Relay]:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    await ledger.start()
    one = Relay(Moody(ledger), limits)
    one.committer.start()
    try:
        yield one
    finally:
        one.ledger.may_go_on.set()
        await one.committer.close()
        await ledger.close()


def positions(outcomes: Sequence[Outcome]) -> list[int]:
    return [
        record.position for one in outcomes if isinstance(one, Stored) for record in one.records
    ]


async def test_what_arrives_together_is_one_commit(tmp_path: Path) -> None:
    async with relay(tmp_path) as one:
        outcomes = await asyncio.gather(*(one.submit(seq) for seq in range(1, 51)))
        assert positions(outcomes) == list(range(1, 51))
        assert one.ledger.groups == [50]
        assert len(one.changes) == 1


async def test_what_comes_after_a_pause_is_not_kept_waiting(tmp_path: Path) -> None:
    async with relay(tmp_path, CommitLimits(apart=3_600.0, group_jobs=3)) as one:
        await one.submit(1)
        # So soon after it the next one waits for others.
        late = one.submit(2)
        await asyncio.sleep(0)
        assert one.ledger.groups == [1]
        await asyncio.gather(late, one.submit(3), one.submit(4))
        assert one.ledger.groups == [1, 3]


async def test_who_hands_over_a_job_hears_of_it_once_the_change_is_told(tmp_path: Path) -> None:
    heard: list[tuple[Outcome | Exception | None, int]] = []
    async with relay(tmp_path) as one:
        for seq in (1, 2):
            entry = Entry(REPLICA, seq, "1" * 32, b"x", 1, "Ann")
            event = EntriesReceived(seq, b"token", [entry])
            one.committer.hand_over(
                Job(WORKSPACE, event, 1, "ef" * 16),
                lambda outcome: heard.append((outcome, len(one.changes))),
            )
        await one.submit(3)
    assert positions([outcome for outcome, _ in heard]) == [1, 2]
    assert [changes for _, changes in heard] == [1, 1]


async def test_what_arrives_during_a_commit_is_the_next_one(tmp_path: Path) -> None:
    async with relay(tmp_path) as one:
        one.ledger.may_go_on.clear()
        first = one.submit(1)
        await one.ledger.asked.wait()
        others = [one.submit(seq) for seq in range(2, 10)]
        assert one.committer.waiting == 9
        one.ledger.may_go_on.set()
        assert positions(await asyncio.gather(first, *others)) == list(range(1, 10))
        assert one.ledger.groups == [1, 8]
        assert one.committer.waiting == one.committer.waiting_bytes == 0


async def test_groups_stay_within_their_bounds_unless_a_job_alone_is_larger(
    tmp_path: Path,
) -> None:
    limits = CommitLimits(group_jobs=3, group_bytes=1_500)
    async with relay(tmp_path, limits) as one:
        sizes = [10, 10, 10, 10, 1_000, 1_000, 5_000, 10]
        waiting = [one.submit(seq, text=bytes(size)) for seq, size in enumerate(sizes, 1)]
        assert positions(await asyncio.gather(*waiting)) == list(range(1, 9))
        assert one.ledger.groups == [3, 2, 1, 1, 1]


async def test_rooms_hear_of_a_change_before_those_who_wait_for_it(tmp_path: Path) -> None:
    async with relay(tmp_path) as one:
        copy = await one.copy()
        heard: list[str] = []
        future = one.submit(1)
        future.add_done_callback(lambda _: heard.append(f"{len(one.changes)} change"))
        await future
        await asyncio.sleep(0)
        assert heard == ["1 change"]
        assert copy.apply(one.changes[0])
        assert copy == await one.copy()


async def test_while_the_ledger_refuses_jobs_wait_and_everybody_is_told_once(
    tmp_path: Path,
) -> None:
    async with relay(tmp_path) as one:
        one.ledger.refuses = 5
        first = await asyncio.gather(one.submit(1), one.submit(2))
        assert positions(first) == [1, 2]
        assert one.health == ["It refuses.", ""]
        assert one.committer.problem == ""


async def test_a_ledger_that_keeps_silent_counts_as_down_until_it_answers(tmp_path: Path) -> None:
    async with relay(tmp_path, CommitLimits(patience=0.01)) as one:
        one.ledger.may_go_on.clear()
        waiting = one.submit(1)
        async with asyncio.timeout(20):
            while not one.health:
                await asyncio.sleep(0.01)
        assert one.committer.problem and not waiting.done()
        one.ledger.may_go_on.set()
        await waiting
        assert one.health == ["The ledger does not answer.", ""]
        assert one.ledger.groups == [1], "it was asked once"


async def test_a_lost_answer_is_asked_for_again_and_nothing_is_stored_twice(
    tmp_path: Path,
) -> None:
    async with relay(tmp_path) as one:
        copy = await one.copy()
        one.ledger.loses = 2
        outcomes = await asyncio.gather(one.submit(1), one.submit(2))
        assert all(isinstance(outcome, Stored) for outcome in outcomes)
        assert (await one.copy()).last == 2
        # The change itself was in the lost answer, but the version tells that there was one.
        assert not one.changes[-1].records
        assert not copy.apply(one.changes[-1])
        tail = await one.ledger.ledger.tail(WORKSPACE, copy.version, copy.last, 10, 10_000)
        assert copy.apply(tail)
        assert copy == await one.copy()


async def test_after_a_fork_nothing_more_of_that_connection_is_stored(tmp_path: Path) -> None:
    async with relay(tmp_path) as one:
        await one.submit(1)
        one.ledger.may_go_on.clear()
        one.ledger.asked.clear()
        waiting = [
            one.submit(1, text=b"another", connection=2),
            one.submit(2, connection=2),
            one.submit(2, connection=3),
        ]
        await one.ledger.asked.wait()
        queued = one.submit(3, connection=2)
        one.ledger.may_go_on.set()
        outcomes = await asyncio.gather(*waiting)
        assert outcomes[:2] == [Forked(REPLICA, 1), Skipped()]
        assert positions(outcomes) == [2]
        assert await queued == Skipped()
        assert await one.submit(4, connection=2) == Skipped()
        assert (await one.copy()).last == 2


async def test_a_job_that_cannot_be_stored_harms_no_other_connection(tmp_path: Path) -> None:
    async with relay(tmp_path) as one:
        too_large = 1 << 70
        waiting = [
            one.submit(1, connection=1),
            one.submit(too_large, connection=2, replica="12" * 16),
            one.submit(1, connection=2, replica="34" * 16),
            one.submit(2, connection=1),
        ]
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert positions([one for one in outcomes if not isinstance(one, BaseException)]) == [1, 2]
        assert isinstance(outcomes[1], OverflowError)
        assert outcomes[2] == Skipped()
        assert one.health == []


async def test_the_queue_is_bounded_and_takes_more_once_there_is_room(tmp_path: Path) -> None:
    limits = CommitLimits(queued_jobs=3, queued_bytes=2_000, first_delay=0.001)
    async with relay(tmp_path, limits) as one:
        one.ledger.may_go_on.clear()
        under_way = one.submit(1)
        await one.ledger.asked.wait()
        waiting = [one.submit(seq) for seq in (2, 3, 4)]
        with pytest.raises(Overloaded):
            one.submit(5)
        one.ledger.may_go_on.set()
        await asyncio.gather(under_way, *waiting)
        one.ledger.may_go_on.clear()
        one.ledger.asked.clear()
        under_way = one.submit(5)
        await one.ledger.asked.wait()
        large = one.submit(6, text=bytes(1_500))
        with pytest.raises(Overloaded):
            one.submit(7, text=bytes(1_500))
        one.ledger.may_go_on.set()
        await asyncio.gather(under_way, large)
        assert (await one.copy()).last == 6


async def test_closing_stores_what_waits_and_takes_nothing_more(tmp_path: Path) -> None:
    async with relay(tmp_path) as one:
        waiting = [one.submit(seq) for seq in range(1, 20)]
        await one.committer.close()
        assert positions([future.result() for future in waiting]) == list(range(1, 20))
        with pytest.raises(Overloaded):
            one.submit(20)


async def test_closing_can_be_given_up_while_the_ledger_is_down(tmp_path: Path) -> None:
    async with relay(tmp_path) as one:
        one.ledger.refuses = 10**9
        future = one.submit(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.committer.close(), 0.05)
        assert future.cancelled()


async def test_a_listener_that_fails_keeps_nobody_waiting(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    await ledger.start()
    moody = Moody(ledger)
    moody.refuses = 1

    def fail(told: object) -> None:
        raise KeyError(told)

    committer = Committer(moody, on_change=fail, on_health=fail, on_commit=fail, limits=EAGER)
    committer.start()
    workspace = secrets.token_hex(16)
    event = EntriesReceived(1, b"", [Entry(REPLICA, 1, "1" * 32, b"x", 1, "Ann")])
    assert isinstance(await committer.submit(Job(workspace, event)), Stored)
    assert moody.groups == [1]
    await committer.close()
    await ledger.close()
