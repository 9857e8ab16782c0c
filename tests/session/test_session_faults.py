"""The session against what should not happen: holes, forks, lies and broken frames."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.entry import Entry
from crdt.errors import WireError
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.vector import Vector
from crdt.wire import codec, messages
from crdt.wire.messages import CloseCode
from tests.session.pairs import Pair, Side, disk, open_pair, thought, write

ANNE = "9" * 32


def entry(seq: int, update: bytes = b"\0\0", replica: str = ANNE, sealed: int = 0) -> Entry:
    return Entry(replica, seq, thought(), update, 1, "Anne", sealed=sealed)


def batch(mark: int, *entries: Entry, run: int = 1) -> bytes:
    return codec.encode(codec.pack_entries(entries, run=run, mark=mark, left=0, token=b"t"))


def caught_up(mark: int, vector: dict[str, int], run: int = 1) -> bytes:
    return codec.encode(messages.CaughtUp(run, mark, b"t", Vector(vector).to_bytes()))


def tell(side: Side, *frames: bytes) -> list[ev.Event]:
    before = len(side.events)
    for frame in frames:
        side.take(side.session.receive(frame, 0))
    return side.events[before:]


def code_of(side: Side) -> CloseCode | None:
    return side.gone.code if side.gone else None


# Holes


def test_a_hole_is_asked_for_again_and_nothing_of_it_is_reported() -> None:
    pair = open_pair()
    told = tell(pair.b, batch(1, entry(1)), batch(2, entry(2), entry(4)), batch(3, entry(5)))
    assert [type(event) for event in told] == [ev.EntriesReceived, ev.Progress, ev.Resyncing]
    (want,) = pair.b.session.pull(1 << 20, 0)[-1:]
    again = codec.decode(want)
    assert isinstance(again, messages.Want)
    assert again.run == 2 and again.resume == b""
    assert [(tip.replica.hex(), tip.seq) for tip in again.tips] == [(ANNE, 1)]
    told = tell(pair.b, batch(4, entry(2), entry(3), entry(4), run=2))
    assert isinstance(told[0], ev.EntriesReceived)
    assert pair.b.disk.vector() == Vector({ANNE: 4})


def test_what_was_lost_on_the_way_is_asked_for_again_and_arrives() -> None:
    one, other = disk(1), disk(2)
    write(one, 30)
    hidden = one.by_name["1" * 32, 20]
    one.entries = [entry for entry in one.entries if entry is not hidden]
    one.positions.remove(20)
    pair = Pair(one, other)
    for _ in range(2):
        pair.step()
    one.entries.insert(19, hidden)
    one.positions.insert(19, 20)
    pair.settle()
    assert pair.b.of(ev.Resyncing)
    assert other.vector() == one.vector()


def test_a_hole_that_stays_ends_the_session() -> None:
    one, other = disk(1), disk(2)
    write(one, 3)
    del one.entries[1], one.positions[1]
    pair = Pair(one, other).settle()
    assert code_of(pair.a) == code_of(pair.b) == CloseCode.GAP
    assert len(other.entries) == 0


def test_a_hole_that_another_connection_has_filled_is_none() -> None:
    pair = open_pair()
    tell(pair.b, batch(1, entry(1)))
    pair.b.disk.append([entry(2), entry(3)])
    assert isinstance(tell(pair.b, batch(2, entry(4)))[0], ev.EntriesReceived)


def test_a_vector_that_says_more_than_came_is_not_believed() -> None:
    pair = open_pair()
    told = tell(pair.b, batch(1, entry(1)), caught_up(2, {ANNE: 2}))
    assert isinstance(told[-1], ev.Resyncing)
    assert pair.b.disk.vector() == Vector({ANNE: 1})


def test_a_log_that_lost_its_tail_is_read_from_its_start() -> None:
    one, other = disk(1), disk(2)
    write(one, 5)
    backup = one.clone()
    # Another's entries, which that log will never have under these positions again.
    one.append([entry(1), entry(2)])
    Pair(one, other).settle()
    backup.append([entry(n, replica="8" * 32) for n in (1, 2, 3)])
    pair = Pair(backup, other).settle()
    assert other.vector().covers(backup.vector())
    assert pair.b.of(ev.Resyncing)


def test_a_driver_can_ask_for_everything_again() -> None:
    one, other = disk(1), disk(2)
    write(one, 20)
    pair = Pair(one, other).settle()
    assert pair.b.session.ask_again("something waits", Vector()) == [
        ev.Resyncing("something waits")
    ]
    pair.settle()
    assert pair.a.entries_sent() == 40
    assert len(other.entries) == 20


def test_acknowledgements_of_an_earlier_run_count_for_nothing() -> None:
    pair = open_pair()
    pair.b.storing = False
    pair.grow(pair.a, 3)
    pair.settle()
    pair.b.session.ask_again("again")
    pair.settle()
    first, second = pair.b.of(ev.EntriesReceived)
    assert isinstance(first, ev.EntriesReceived) and isinstance(second, ev.EntriesReceived)
    pair.b.session.stored(first.mark)
    pair.settle()
    assert ev.Acknowledged(3) not in pair.a.events
    pair.b.store(second)
    pair.settle()
    assert pair.a.events[-1] == ev.Acknowledged(3)


# Order


@pytest.mark.parametrize(
    "frames",
    [
        [batch(1, entry(1), run=2)],
        [batch(1, entry(1), entry(1))],
        [batch(1, entry(1), entry(2)), batch(2, entry(2))],
        [codec.encode(messages.Ack(1))],
        [codec.encode(messages.Want(3, []))],
        [codec.encode(messages.Hello(1, 1, b"\xaa" * 16, b"x" * 16, b"y" * 16, "reader", 9))],  # type: ignore[arg-type]
    ],
    ids=[
        "a want not sent", "an entry twice", "descending", "an ack of nothing", "a want skipped",
        "a hello too late",
    ],
)  # fmt: skip
def test_what_is_out_of_order_ends_the_session(frames: list[bytes]) -> None:
    pair = open_pair()
    tell(pair.b, *frames)
    assert code_of(pair.b) is CloseCode.BAD_ORDER


@pytest.mark.parametrize(
    "frames",
    [
        [batch(2, entry(1))],
        [batch(1, entry(1)), batch(1, entry(2))],
        [batch(1, entry(1)), batch(3, entry(2))],
        [codec.encode(messages.Ping(5))],
    ],
    ids=["missing", "twice", "skipped", "counted"],
)
def test_a_frame_that_got_lost_or_came_twice_ends_the_session(frames: list[bytes]) -> None:
    pair = open_pair()
    tell(pair.b, *frames)
    assert code_of(pair.b) is CloseCode.LOST_FRAME


@given(st.integers(0, 12), st.booleans())
def test_any_lost_or_doubled_frame_is_found_out_by_the_next_ping(nth: int, twice: bool) -> None:
    one, other = disk(1), disk(2)
    write(one, 30)
    write(other, 30)
    pair = Pair(one, other, limits=Limits(batch_entries=10))
    carried = 0

    def mangle(frame: bytes) -> list[bytes]:
        nonlocal carried
        carried += 1
        return ([frame] * 2 if twice else []) if carried == nth + 1 else [frame]

    pair.settle(mangle)
    pair.tick(10_000)
    for _ in range(3):
        pair.tick(10_000)
        pair.settle()
    assert carried <= nth or pair.a.gone is not None or pair.b.gone is not None


@pytest.mark.parametrize(
    "frame",
    [batch(1, entry(1)), codec.encode(messages.Want(1, [])), codec.encode(messages.Ping(0))],
    ids=["entries", "want", "ping"],
)
def test_nothing_is_said_before_the_greeting(frame: bytes) -> None:
    session = Session(disk(1), 0)
    (gone,) = session.receive(frame, 0)
    assert isinstance(gone, ev.PeerGone) and gone.code is CloseCode.BAD_ORDER


def test_before_the_greeting_only_small_frames_are_looked_at() -> None:
    session = Session(disk(1), 0)
    (gone,) = session.receive(bytes(70_000), 0)
    assert isinstance(gone, ev.PeerGone) and gone.code is CloseCode.TOO_BIG


# Forks


def test_a_restored_backup_learns_that_it_is_one() -> None:
    one, other = disk(1), disk(2)
    write(one, 3)
    backup = one.clone()
    write(one, 2)
    Pair(one, other).settle()
    pair = Pair(backup, other).settle()
    assert ev.ForkDetected("1" * 32, 5) in pair.a.events
    assert code_of(pair.a) is CloseCode.FORK


@pytest.mark.parametrize(("mine", "theirs"), [(1, 1), (1, 3), (3, 1)])
def test_copies_that_went_their_own_ways_are_found_out(mine: int, theirs: int) -> None:
    one, relay = disk(1), disk(2)
    write(one, 3)
    copy = one.clone()
    write(one, theirs)
    write(copy, mine, thought(5))
    Pair(one, relay).settle()
    before = relay.vector()
    pair = Pair(copy, relay).settle()
    assert any(isinstance(event, ev.ForkDetected) for event in pair.a.events)
    assert any(isinstance(event, ev.ForkDetected) for event in pair.b.events)
    assert relay.vector() == before


def test_two_versions_of_a_third_replicas_entries_are_found_out() -> None:
    one, other = disk(1), disk(2)
    one.append([entry(1), entry(2)])
    other.append([entry(1), entry(2, b"\0\0\0")])
    pair = Pair(one, other).settle()
    assert ev.ForkDetected(ANNE, 2) in pair.a.events
    assert ev.ForkDetected(ANNE, 2) in pair.b.events


def test_a_known_name_with_other_bytes_is_a_fork() -> None:
    pair = open_pair()
    told = tell(pair.b, batch(1, entry(1)))
    pair.b.disk.append([entry(2)])
    told = tell(pair.b, batch(2, entry(2, b"\0\0\0")))
    assert ev.ForkDetected(ANNE, 2) in told
    assert code_of(pair.b) is CloseCode.FORK


def test_what_goes_on_from_another_entry_than_the_peers_is_not_sent() -> None:
    one, other = disk(1), disk(2)
    one.append([entry(1), entry(2)])
    pair = Pair(one, other)
    pair.a.storing = pair.b.storing = False
    pair.settle()
    # While the two are connected the other copy hears of another life of Anne's, from elsewhere.
    other.append([entry(1), entry(2, b"\0\0\0"), entry(3, b"\0\0\0")])
    pair.b.session.log_grew()
    pair.settle()
    pair.tick(1)
    assert not pair.a.of(ev.EntriesReceived)
    assert ev.ForkDetected(ANNE, 2) in pair.a.events
    assert ev.ForkDetected(ANNE, 2) in pair.b.events


def test_nobody_else_makes_entries_under_the_own_name() -> None:
    pair = open_pair()
    told = tell(pair.b, batch(1, entry(1, replica="2" * 32)))
    assert told[0] == ev.ForkDetected("2" * 32, 1)
    pair = open_pair()
    tell(pair.b, caught_up(1, {"2" * 32: 1}))
    assert code_of(pair.b) is CloseCode.FORK


def test_a_copy_that_gives_up_a_replica_loses_nothing_of_what_was_said() -> None:
    one, relay = disk(1), disk(2)
    write(one, 3)
    copy = one.clone()
    write(one, 2)
    write(copy, 2, thought(5))
    Pair(one, relay).settle()
    Pair(copy, relay).settle()
    copy.disown("1" * 32, "7" * 32, "77" * 16)
    pair = Pair(copy, relay).settle()
    assert pair.a.gone is None
    assert copy.vector() == relay.vector()
    assert relay.vector()["7" * 32] == 2
    assert relay.thoughts() == {thought(), thought(5)}


# Bad input


@pytest.mark.parametrize("check", [True, False])
def test_an_update_that_no_document_would_take_is_refused(check: bool) -> None:
    copy = disk(2)
    session = Session(copy, 0) if check else Session(copy, 0, check=lambda update: None)
    side = Side(copy, None)
    side.session = session
    hello = messages.Hello(1, 1, b"\xaa" * 16, b"x" * 16, b"y" * 16, messages.Role.WRITER, 1 << 20)
    tell(side, codec.encode(hello))
    tell(side, batch(1, entry(1, b"\x80\x80\x80\x80\x01\0\0")))
    assert code_of(side) is (CloseCode.BAD_UPDATE if check else None)
    assert copy.vector() == Vector({} if check else {ANNE: 1})


def test_a_sealed_update_is_nobodys_business() -> None:
    copy = disk(2)
    side = Side(copy, None)
    side.session = Session(copy, 0)
    hello = messages.Hello(1, 1, b"\xaa" * 16, b"x" * 16, b"y" * 16, messages.Role.WRITER, 1 << 20)
    tell(side, codec.encode(hello), batch(1, entry(1, b"\xff" * 40, sealed=1)))
    assert side.gone is None
    assert copy.by_name[ANNE, 1].sealed == 1


@given(st.integers(0, 1 << 32))
def test_mutated_frames_never_change_what_is_stored_unless_they_are_good(seed: int) -> None:
    rng = Random(seed)
    one, other = disk(1), disk(2)
    write(one, 20)
    one.compact(thought())
    write(one, 20)
    pair = Pair(one, other)
    good = rng.randrange(6)

    def mutate(frame: bytes) -> list[bytes]:
        nonlocal good
        good -= 1
        if good >= 0:
            return [frame]
        data = bytearray(frame)
        for _ in range(rng.choice((1, 2, 8))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return [bytes(data)]

    for _ in range(30):
        known = set(other.by_name)
        if not pair.step(mutate):
            break
        for side in (pair.a, pair.b):
            if side.session.state is State.CLOSED:
                assert side.session.close_code is not None
        # Every new entry was checked: its name follows what was there.
        for name in set(other.by_name) - known:
            assert name[1] <= other.reach()[name[0]]
    assert one.entries[-1].seq == 40


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_answered_by_a_close_with_a_reason(frame: bytes) -> None:
    pair = open_pair()
    pair.b.take(pair.b.session.receive(frame, 0))
    try:
        codec.decode(frame)
    except WireError:
        assert pair.b.gone is not None
        assert pair.b.gone.code is CloseCode.BAD_FRAME and pair.b.gone.reason
