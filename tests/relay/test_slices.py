"""What a room gives its connections: everybody the same, encoded once, and never wrong."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from aimem_relay.ledger.port import Change, Copy, Head, Record
from aimem_relay.room import RING_RECORDS, Room
from crdt.entry import Checkpoint, Entry
from crdt.session.holding import Holding
from crdt.session.replica import Cursor
from crdt.vector import Vector
from crdt.wire import codec

REPLICAS = [f"{n:032x}" for n in range(1, 5)]
WORKSPACE, LEDGER, LOG = "a" * 32, "b" * 32, "c" * 32

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10)
ENTRIES = st.builds(
    Entry,
    st.sampled_from(REPLICAS),
    st.integers(1, 50),
    st.sampled_from(["e" * 32, "f" * 32]),
    st.binary(max_size=40),
    st.integers(-(1 << 40), 1 << 40),
    TEXTS,
    TEXTS,
    st.integers(0, 3),
    st.binary(max_size=8),
)
FIELDS = {
    "run": st.integers(0, 1 << 31),
    "mark": st.integers(1, 1 << 40),
    "left": st.integers(0, 1 << 40),
    "token": st.binary(max_size=64),
}


@given(st.lists(ENTRIES, min_size=1, max_size=40), st.fixed_dictionaries(FIELDS))
def test_a_batch_that_is_encoded_once_has_the_bytes_of_one_that_is_not(
    entries: list[Entry], fields: dict[str, int | bytes]
) -> None:
    message = codec.pack_entries(entries, **fields)
    batch = codec.Batch(entries)
    for _ in range(2):
        assert batch.encode(**fields) == codec.encode(message)


@given(st.lists(ENTRIES, min_size=1, max_size=40), st.fixed_dictionaries(FIELDS), st.data())
def test_a_part_of_a_batch_carries_just_these_entries(
    entries: list[Entry], fields: dict[str, int | bytes], data: st.DataObject
) -> None:
    places = sorted(data.draw(st.sets(st.sampled_from(range(len(entries))), min_size=1)))
    message = codec.decode(codec.Batch(entries).encode_some(places, **fields))
    assert isinstance(message, codec.Entries)
    assert codec.unpack_entries(message) == [entries[place] for place in places]
    assert {name: getattr(message, name) for name in fields} == fields


SEQS = st.dictionaries(st.sampled_from(REPLICAS), st.integers(1, 20))


@given(SEQS, st.lists(st.tuples(st.sampled_from(REPLICAS), st.integers(1, 20))), SEQS, SEQS)
def test_what_is_had_is_the_same_whatever_it_rests_on(
    base: dict[str, int],
    added: list[tuple[str, int]],
    earlier: dict[str, int],
    grown: dict[str, int],
) -> None:
    holding, model = Holding(Vector(base)), dict(base)

    def check() -> None:
        assert holding.vector() == Vector(model)
        assert all(holding[replica] == model.get(replica, 0) for replica in REPLICAS)

    for replica, seq in added:
        holding.add(replica, seq)
        model[replica] = max(seq, model.get(replica, 0))
        check()
    since = Vector(earlier)
    holding.merge(since)
    model = dict(Vector(model).merged(since).items())
    holding.rest_on(since)
    check()
    later = since.merged(grown)
    changed = dict.fromkeys(grown, 1)
    assert holding.covers_since(since, changed, later) == holding.covers(later)
    assert holding.covers(later) == Vector(model).covers(later)
    assert holding.covers_since(Vector(earlier), changed, later) is None
    holding.merge(later)
    model = dict(Vector(model).merged(later).items())
    holding.rest_on(later, since)
    check()


class Model:
    """A ledger of one workspace, as simple as can be, and a room that follows it."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.seqs: dict[str, int] = {}
        self.vectors: dict[int, Vector] = {0: Vector()}
        self.version = 0
        self.room = Room(Copy(WORKSPACE, LEDGER, LOG, 0, 0, 0, 0, 0, {}), 10)

    @property
    def last(self) -> int:
        return self.records[-1].position if self.records else 0

    def commit(self, replicas: Sequence[str], *, checkpoint: bool = False, adopt: str = "") -> None:
        before, new = self.last, []
        for replica in replicas:
            seq = self.seqs[replica] = self.seqs.get(replica, 0) + 1
            new.append(Entry(replica, seq, "e" * 32, b"\0\0", 1, "Ann"))
        items: list[Entry | Checkpoint] = [*new]
        if checkpoint:
            items.append(Checkpoint("f" * 32, b"\0\0", Vector({"d" * 32: len(self.records) + 1})))
        records = [Record(before + n, item) for n, item in enumerate(items, 1)]
        self.records += records
        heads = {replica: self.seqs[replica] for replica in replicas}
        if adopt:
            heads[adopt] = self.seqs[adopt] = self.seqs.get(adopt, 0) + 3
        self.version += 1
        checkpoints = [one.position for one in self.records if isinstance(one.item, Checkpoint)]
        change = Change(
            WORKSPACE,
            LEDGER,
            LOG,
            self.version - 1,
            self.version,
            before,
            self.last,
            max(checkpoints, default=0),
            len(self.records),
            0,
            [Head(replica, seq, seq, b"") for replica, seq in heads.items()],
            records,
        )
        assert self.room.apply(change)

    def check(self, after: Cursor, known: Vector, most: int) -> None:
        found = self.room.read(after, known, most, 1 << 20)
        if found is None:
            # Only who is far behind is sent to the ledger.
            assert min(after.entry, after.checkpoint) < self.last - RING_RECORDS
            return
        behind = [one for one in self.records if one.position > after.entry]
        entries = [one.item for one in behind if isinstance(one.item, Entry)]
        checkpoints = [
            one.item
            for one in self.records
            if one.position > after.checkpoint
            and isinstance(one.item, Checkpoint)
            and not known.covers(one.item.vector)
        ]
        assert list(found.checkpoints) == checkpoints[:most]
        if found.checkpoints:
            assert not found.entries
            assert found.left or not entries
            return
        assert list(found.entries) == entries[:most]
        assert found.left == len(entries[most:])
        assert found.vector == Vector(self.seqs)
        assert found.cursor.checkpoint >= self.room.copy.last_checkpoint
        if found.batch is not None:
            assert list(found.batch.entries) == list(found.entries)
        if found.since is not None:
            made_by = {one.replica for one in found.entries}
            differ = {one for one in found.vector if found.vector[one] != found.since[one]}
            assert differ <= made_by
            assert found.vector.covers(found.since)


STEPS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(REPLICAS), max_size=60),
        st.booleans(),
        st.sampled_from(["", "", "", *REPLICAS]),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(STEPS, st.data())
def test_a_room_gives_what_the_ledger_would(
    steps: list[tuple[list[str], bool, str, bool]], data: st.DataObject
) -> None:
    model = Model()
    for replicas, checkpoint, adopt, trims in steps:
        model.commit(replicas, checkpoint=checkpoint, adopt=adopt)
        positions = [0, *(one.position for one in model.records)]
        entry = data.draw(st.sampled_from(positions))
        at = data.draw(st.sampled_from(positions[: bisect_right(positions, entry)]))
        known = Vector({"d" * 32: data.draw(st.integers(0, len(model.records)))})
        model.check(Cursor(at, entry), known, data.draw(st.integers(1, 100)))
        if trims:
            model.room.trim()


def test_all_who_keep_up_are_given_the_very_same_slice() -> None:
    model = Model()
    model.commit(REPLICAS)
    model.commit(REPLICAS[:1])
    one, other = (model.room.read(Cursor(0, 4), Vector(), 100, 1 << 20) for _ in range(2))
    assert one is other
    assert one is not None and one.since is not None and len(one.entries) == 1
