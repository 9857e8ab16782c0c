"""Whatever is committed, read and replaced in any order, each ledger does what the model does."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from aimem_relay.ledger.port import (
    Authored,
    Change,
    Copy,
    DueThought,
    Forked,
    Head,
    Job,
    Ledger,
    Record,
    Skipped,
    Stored,
)
from crdt.entry import Checkpoint, Entry
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.session.replica import Cursor
from crdt.vector import Vector
from tests.relay.ledger.conftest import DUE
from tests.relay.ledger.model import Model

T = TypeVar("T")
REPLICAS = [f"{n:032x}" for n in (0, 0xABC, 2**128 - 1)]
THOUGHTS = [f"{n:032x}" for n in (1, 2, 3)]
LOGS = [f"{n:032x}" for n in (7, 8)]
SEQS = st.integers(1, 12)
THOUGHT = st.sampled_from(THOUGHTS)
SEALED = st.sampled_from((0, 0, 0, 0, 0, 0, 4_294_967_295))
VECTORS = st.dictionaries(st.sampled_from(REPLICAS), SEQS, max_size=3).map(Vector)
DATA = st.sampled_from((b"", b"\0", b"one", b"two", b"x" * 700, bytes(3_000)))
TEXT = st.sampled_from(("", "Ann", "Bén\0", "\ud800'\\"))
BATCHES = st.tuples(st.sampled_from((1, 2, 1_000)), st.sampled_from((1, 900, 100_000)))

checkpoints = st.builds(
    Checkpoint,
    THOUGHT,
    DATA,
    st.dictionaries(st.sampled_from(REPLICAS), SEQS, min_size=1, max_size=3).map(Vector),
    st.integers(-(1 << 62), 1 << 62),
    TEXT,
    SEALED,
    st.sampled_from((b"", b"signed")),
)


@st.composite
def entry_runs(draw: st.DrawFn) -> list[Entry]:
    """Entries with ascending numbers, mostly the same ones under the same name."""
    replica = draw(st.sampled_from(REPLICAS))
    start = draw(SEQS)
    run = []
    for seq in range(start, start + draw(st.integers(1, 5))):
        fork = draw(st.integers(0, 11)) == 11
        update = bytes([seq]) * (900 if seq % 5 == 0 else 3)
        thought = THOUGHTS[seq % 3]
        author = ("Ann", "Bén\0", "\ud800")[seq % 3]
        sealed = 3 if seq == 11 else 0
        run.append(Entry(replica, seq, thought, update, seq - fork, author, "why\0", sealed, b"s"))
    return run


EVENTS = st.one_of(
    st.builds(EntriesReceived, st.just(1), st.binary(max_size=3), entry_runs()),
    st.builds(EntriesReceived, st.just(1), st.binary(max_size=3), entry_runs()),
    st.builds(
        CheckpointsReceived,
        st.just(1),
        st.binary(max_size=3),
        st.lists(checkpoints, min_size=1, max_size=3),
    ),
    st.builds(CaughtUp, st.just(1), st.binary(max_size=3), VECTORS),
    st.builds(
        Authored,
        st.integers(0, 5).map(lambda n: bytes([n]) * 16),
        THOUGHT,
        st.lists(DATA, min_size=1, max_size=3),
        # Not so old that the key is forgotten.
        st.just(1 << 50),
        TEXT,
    ),
)
GROUPS = st.lists(
    st.tuples(st.booleans(), EVENTS, st.integers(1, 3), st.sampled_from(LOGS)),
    min_size=1,
    max_size=6,
)


@dataclass(frozen=True)
class Reader:
    """Somebody who reads a workspace from somewhere on."""

    second: bool
    cursor: Cursor
    known: Vector
    has_all: bool
    batch: tuple[int, int]


READERS = st.builds(
    Reader,
    st.booleans(),
    st.builds(Cursor, st.sampled_from((0, 0, 3, 20)), st.sampled_from((0, 0, 3, 20))),
    VECTORS,
    st.booleans(),
    BATCHES,
)


class LedgerMachine(RuleBasedStateMachine):
    """Two workspaces of a ledger, each with a copy that commits and one that follows."""

    def __init__(self, runner: asyncio.Runner, make_ledger: Callable[[], Ledger]) -> None:
        super().__init__()
        self.runner = runner
        self.make_ledger = make_ledger
        self.ledger = make_ledger()
        self.names = [secrets.token_hex(16) for _ in range(2)]
        self.models: dict[str, Model] = {}
        self.copies: dict[str, Copy] = {}
        self.followers: dict[str, Copy] = {}
        self.run(self.ledger.start())

    def teardown(self) -> None:
        for name in self.models:
            self.check_copy(name)
        self.run(self.ledger.close())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        for name in self.names:
            copy = self.run(self.ledger.open(name))
            assert (copy.version, copy.last, copy.count, copy.size) == (0, 0, 0, 0)
            self.models[name] = Model(name, copy.replica, copy.log)
            self.copies[name] = copy
            self.followers[name] = self.run(self.ledger.open(name))

    @rule(group=GROUPS, reader=READERS)
    def commit_once(self, group: list[Any], reader: Reader) -> None:
        self.commit(group, again=False)
        self.read(reader)

    @rule(group=GROUPS, reader=READERS)
    def commit_and_lose_the_answer(self, group: list[Any], reader: Reader) -> None:
        self.commit(group, again=True)
        self.read(reader)

    @rule(group=GROUPS, reader=READERS)
    def commit_once_more(self, group: list[Any], reader: Reader) -> None:
        self.commit(group, again=False)
        self.read(reader)

    def commit(self, group: list[Any], again: bool) -> None:
        jobs = [
            Job(self.names[second], event, connection + 10 * second, log)
            for second, event, connection, log in group
        ]
        committed = self.run(self.ledger.commit(jobs))
        for name in self.names:
            places = [n for n, job in enumerate(jobs) if job.workspace == name]
            expected = self.models[name].commit([jobs[n] for n in places])
            assert [committed.outcomes[n] for n in places] == expected
        assert {change.workspace for change in committed.changes} == {j.workspace for j in jobs}
        for change in committed.changes:
            self.apply(change)
        if again:
            repeated = self.run(self.ledger.commit(jobs))
            # Nothing is stored twice: what was stored is there, what was not is refused again.
            for name in self.names:
                mine = [n for n, job in enumerate(jobs) if job.workspace == name]
                expected = self.models[name].commit([jobs[n] for n in mine])
                assert [repeated.outcomes[n] for n in mine] == expected
            for change in repeated.changes:
                self.apply(change)
        for change in committed.changes:
            self.check_copy(change.workspace)

    def apply(self, change: Change) -> None:
        assert self.copies[change.workspace].apply(change)
        assert change.version == self.copies[change.workspace].version

    def check_copy(self, name: str) -> None:
        copy, disk = self.copies[name], self.models[name].disk
        assert copy == self.run(self.ledger.open(name))
        assert copy.vector() == disk.vector()
        assert copy.reach() == disk.reach()
        assert (copy.replica, copy.log, copy.last) == (disk.replica, disk.log, disk.last)
        assert copy.last_checkpoint >= max((at for at, _ in disk.checkpoints), default=0)
        records = self.models[name].records()
        assert copy.count == len(records)
        assert copy.size == sum(record.size for record in records)
        for replica, seq in copy.vector().items():
            digest = copy.digest(replica, seq)
            assert digest in (b"", self.models[name].digests.get((replica, seq)))
            if disk.digest(replica, seq):
                assert digest == disk.digest(replica, seq)
        # A lease that is over at once: they are told each time, beside those of other runs.
        told = self.run(self.ledger.due(1_000_000, -1))
        due = {one.thought for one in told if one.workspace == name}
        assert due == self.models[name].due(DUE)

    @rule(second=st.booleans(), batch=BATCHES)
    def follow(self, second: bool, batch: tuple[int, int]) -> None:
        name = self.names[second]
        follower = self.followers[name]
        most, most_bytes = batch
        before = follower.last
        change = self.run(self.ledger.tail(name, follower.version, follower.last, most, most_bytes))
        assert follower.apply(change)
        assert follower == self.copies[name]
        newest = [r for r in self.models[name].records() if r.position > change.behind]
        assert list(change.records) == newest
        assert len(newest) <= most
        assert sum(record.size for record in newest) <= most_bytes
        older = [r for r in self.models[name].records() if before < r.position <= change.behind]
        if older:
            assert len(newest) == most or (
                sum(r.size for r in newest) + older[-1].size > most_bytes
            )

    @rule(reader=READERS)
    def read(self, reader: Reader) -> None:
        name, cursor, batch = self.names[reader.second], reader.cursor, reader.batch
        known = self.models[name].disk.vector() if reader.has_all else reader.known
        checkpoints, entries = self.models[name].behind(cursor, known)
        read_checkpoints: list[Checkpoint] = []
        read_entries: list[Entry] = []
        more = True
        while True:
            found = self.run(self.ledger.read(name, cursor, known, *batch))
            records = [*found.checkpoints, *found.entries]
            assert not (found.checkpoints and found.entries)
            assert not records or more
            assert found.vector == self.models[name].disk.vector()
            assert len(records) <= batch[0]
            sizes = sum(Record(0, record).size for record in records)
            assert sizes <= batch[1] or len(records) == 1
            read_checkpoints += found.checkpoints
            read_entries += found.entries
            cursor, more = found.cursor, found.left > 0
            if not records:
                break
            assert not (found.checkpoints and read_entries)
        assert not more
        assert (read_checkpoints, read_entries) == (checkpoints, entries)

    @rule(second=st.booleans())
    def tokens(self, second: bool) -> None:
        name = self.names[second]
        for log in LOGS:
            token = self.run(self.ledger.token(name, log))
            assert token == self.models[name].disk.resume_token(log)

    @rule(second=st.booleans(), thought=THOUGHT, back=st.sampled_from((0, 0, 1, 3)), state=DATA)
    def replace(self, second: bool, thought: str, back: int, state: bytes) -> None:
        name = self.names[second]
        model = self.models[name]
        held = self.run(self.ledger.records_of(name, thought))
        assert held.upto == model.disk.last
        mine = [record.item for record in model.records() if record.item.thought == thought]
        assert [*held.checkpoints, *held.entries] == sorted(
            mine, key=lambda item: isinstance(item, Entry)
        )
        upto = max(0, held.upto - back)
        checkpoint = model.replace(thought, upto, state)
        if checkpoint is None:
            checkpoint = Checkpoint(thought, state, Vector({REPLICAS[0]: 99}))
            assert self.run(self.ledger.replace(name, thought, upto, checkpoint)) is None
            return
        too_little = Checkpoint(thought, state, Vector({"f" * 31 + "0": 1}))
        with pytest.raises(ValueError, match="does not cover"):
            self.run(self.ledger.replace(name, thought, upto, too_little))
        change = self.run(self.ledger.replace(name, thought, upto, checkpoint))
        assert change is not None
        assert list(change.records) == [Record(model.disk.last, checkpoint)]
        self.apply(change)
        self.check_copy(name)

    @rule(second=st.booleans(), thought=THOUGHT)
    def set_aside(self, second: bool, thought: str) -> None:
        self.run(self.ledger.set_aside(self.names[second], thought))
        self.models[self.names[second]].aside.add(thought)
        self.check_copy(self.names[second])

    @rule(second=st.booleans())
    def renew(self, second: bool) -> None:
        name = self.names[second]
        change = self.run(self.ledger.renew(name))
        assert {change.replica, change.log}.isdisjoint(
            {self.copies[name].replica, self.copies[name].log}
        )
        assert not self.copies[name].apply(change)
        self.models[name].disk.renamed(change.replica, change.log)
        self.copies[name] = self.run(self.ledger.open(name))
        self.followers[name] = self.run(self.ledger.open(name))

    @rule()
    def restart(self) -> None:
        self.run(self.ledger.close())
        self.ledger = self.make_ledger()
        self.run(self.ledger.start())

    @rule()
    def poll(self) -> None:
        versions = self.run(self.ledger.versions([*self.names, secrets.token_hex(16)]))
        assert versions == {name: self.copies[name].version for name in self.names}
        assert set(self.names) <= set(self.run(self.ledger.workspaces()))
        for name in self.names:
            assert self.run(self.ledger.size(name)) == self.copies[name].size


def test_a_ledger_does_what_the_model_does(make_ledger: Callable[[], Ledger]) -> None:
    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            lambda: LedgerMachine(runner, make_ledger), settings=settings(stateful_step_count=30)
        )


def entries_job(workspace: str, connection: int, *entries: Entry) -> Job:
    return Job(workspace, EntriesReceived(1, b"token", entries), connection, LOGS[0])


def made(seq: int, text: bytes = b"text", thought: str = THOUGHTS[0]) -> Entry:
    return Entry(REPLICAS[1], seq, thought, text, 1, "Ann")


async def test_after_a_fork_the_rest_of_that_connection_is_not_stored(
    make_ledger: Callable[[], Ledger],
) -> None:
    ledger = make_ledger()
    await ledger.start()
    name = secrets.token_hex(16)
    await ledger.commit([entries_job(name, 1, made(1))])
    committed = await ledger.commit(
        [
            entries_job(name, 2, made(2, b"a"), made(1, b"another")),
            entries_job(name, 2, made(2, b"b")),
            entries_job(name, 3, made(2, b"c")),
        ]
    )
    assert committed.outcomes == (
        Forked(REPLICAS[1], 1),
        Skipped(),
        Stored((Record(2, made(2, b"c")),)),
    )
    await ledger.close()


async def test_the_vector_stops_at_a_hole_and_goes_on_when_it_is_filled(
    make_ledger: Callable[[], Ledger],
) -> None:
    ledger = make_ledger()
    await ledger.start()
    name = secrets.token_hex(16)
    first = await ledger.commit([entries_job(name, 1, made(1), made(3), made(4), made(6))])
    assert first.changes[0].heads == (Head(REPLICAS[1], 1, 6, made(1).digest()),)
    # The entries behind the hole are found in the tables: this group does not bring them.
    second = await ledger.commit([entries_job(name, 1, made(2))])
    assert second.changes[0].heads == (Head(REPLICAS[1], 4, 6, made(4).digest()),)
    said = CaughtUp(2, b"token", Vector({REPLICAS[1]: 5, REPLICAS[2]: 9}))
    third = await ledger.commit([Job(name, said, 1, LOGS[0])])
    assert set(third.changes[0].heads) == {
        Head(REPLICAS[1], 6, 6, made(6).digest()),
        Head(REPLICAS[2], 9, 9, b""),
    }
    assert (third.changes[0].since, third.changes[0].version) == (2, 3)
    await ledger.close()


async def test_a_group_large_enough_to_be_copied_is_stored_as_a_small_one(
    make_ledger: Callable[[], Ledger],
) -> None:
    ledger = make_ledger()
    await ledger.start()
    name = secrets.token_hex(16)
    entries = [made(seq, bytes([seq]) * seq, THOUGHTS[seq % 3]) for seq in range(1, 256)]
    copy = await ledger.open(name)
    committed = await ledger.commit(
        [entries_job(name, 1, *entries[:200]), entries_job(name, 1, *entries[200:])]
    )
    assert copy.apply(committed.changes[0])
    assert copy == await ledger.open(name)
    found = await ledger.read(name, Cursor(), Vector(), 1_000, 1 << 20)
    assert found.entries == entries
    await ledger.close()


async def test_what_a_stock_client_wrote_becomes_entries_of_the_ledger_itself(
    make_ledger: Callable[[], Ledger],
) -> None:
    ledger = make_ledger()
    await ledger.start()
    name = secrets.token_hex(16)
    copy = await ledger.open(name)
    authored = Authored(secrets.token_bytes(16), THOUGHTS[0], [b"one", b"two"], 1 << 50, "Ben")
    stored = (await ledger.commit([Job(name, authored, 1)])).outcomes[0]
    assert isinstance(stored, Stored)
    assert [(r.item.replica, r.item.seq, r.item.update) for r in stored.records] == [
        (copy.replica, 1, b"one"),
        (copy.replica, 2, b"two"),
    ]
    assert (await ledger.commit([Job(name, authored, 1)])).outcomes == (Stored(),)
    assert (await ledger.open(name)).vector() == Vector({copy.replica: 2})
    await ledger.close()


async def test_a_lease_keeps_a_due_thought_from_others_until_it_has_passed(
    make_ledger: Callable[[], Ledger],
) -> None:
    ledger = make_ledger()
    await ledger.start()
    name = secrets.token_hex(16)
    await ledger.commit([entries_job(name, 1, *(made(seq) for seq in range(1, 6)))])
    due = [DueThought(name, THOUGHTS[0])]
    assert await ledger.due(10, 3_600_000) == due
    assert await ledger.due(10, 3_600_000) == []
    await ledger.commit([entries_job(name, 1, *(made(seq) for seq in range(6, 11)))])
    assert await ledger.due(10, 3_600_000) == []
    checkpoint = Checkpoint(THOUGHTS[0], b"state", Vector({REPLICAS[1]: 5}))
    # What came meanwhile is enough for another one at once.
    assert await ledger.replace(name, THOUGHTS[0], 5, checkpoint) is not None
    assert await ledger.due(10, -1) == due
    assert await ledger.due(10, -1) == due
    await ledger.close()
