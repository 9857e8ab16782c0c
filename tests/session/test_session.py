"""The session: two copies of a workspace agree over one connection."""

from __future__ import annotations

import subprocess
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.entry import Entry
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.replica import Limits, NotReady, Slice
from crdt.vector import Vector
from crdt.wire import codec, messages
from crdt.wire.messages import CloseCode, Role
from tests.session.pairs import Pair, disk, open_pair, thought, write


def names(log: list[Entry]) -> list[tuple[str, int]]:
    return [(entry.replica, entry.seq) for entry in log]


# Agreeing


@given(st.integers(0, 10_000))
def test_two_copies_have_the_same_once_they_have_talked(seed: int) -> None:
    rng = Random(seed)
    copies = [disk(n) for n in (1, 2, 3)]
    for _ in range(rng.randint(1, 6)):
        for copy in copies:
            write(copy, rng.choice((0, 1, 5, 40)), thought(rng.randrange(4)))
        one, other = rng.sample(copies, 2)
        limits = Limits(batch_entries=rng.choice((1, 7, 1000)), window_frames=rng.choice((1, 64)))
        pair = Pair(one, other, limits=limits, pull=rng.choice((1, 500, 1 << 20))).settle()
        assert one.vector() == other.vector()
        assert set(one.by_name) == set(other.by_name)
        assert not pair.a.of(ev.Resyncing) and not pair.b.of(ev.Resyncing)


def test_entries_arrive_in_the_order_of_the_senders_log() -> None:
    one, other = disk(1), disk(2)
    for n in range(6):
        source = disk(3 + n % 2)
        source.adopt(one.vector())
        one.append([source.make(thought(), b"\0\0", at=n)])
        write(one, 1)
    Pair(one, other, limits=Limits(batch_entries=5)).settle()
    assert names(other.entries) == names(one.entries)


def test_a_copy_that_has_to_fetch_what_it_sends_is_asked_again_once_it_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = disk(1), disk(2)
    pair = Pair(one, other).settle()
    asked, read = [0], one.read

    def fetching(*arguments: Any) -> Slice:
        asked[0] += 1
        if asked[0] % 2:
            raise NotReady
        return read(*arguments)

    monkeypatch.setattr(one, "read", fetching)
    write(one, 3)
    for _ in range(3):
        pair.a.session.log_grew()
        assert pair.a.session.has_more()
        pair.settle()
        assert not pair.a.session.has_more()
    assert other.vector() == one.vector()
    assert asked[0] == 3
    assert pair.a.session.sent == 3


def test_entries_made_while_connected_arrive_at_once_and_never_come_back() -> None:
    pair = open_pair()
    for _ in range(3):
        pair.grow(pair.a, 2)
        pair.grow(pair.b, 1)
        pair.settle()
    assert pair.a.disk.vector() == pair.b.disk.vector() == Vector({"1" * 32: 6, "2" * 32: 3})
    assert (pair.a.entries_sent(), pair.b.entries_sent()) == (6, 3)


def test_a_copy_that_comes_back_sends_and_receives_only_what_was_missed() -> None:
    one, other = disk(1), disk(2)
    write(one, 3_000)
    Pair(one, other).settle()
    write(one, 1_000)
    write(other, 10)
    reads = []
    read = one.read
    one.read = lambda *args: reads.append(args[0]) or read(*args)  # type: ignore[method-assign]
    pair = Pair(one, other).settle()
    assert (pair.a.entries_sent(), pair.b.entries_sent()) == (1_000, 10)
    assert reads[0].entry == 3_000, "the log was read from its start"
    assert len(b"".join(pair.a.frames)) < 20_000


def test_an_interrupted_catch_up_goes_on_where_it_was() -> None:
    one, other = disk(1), disk(2)
    write(one, 500)
    for n in range(40):
        write(one, 3, thought(9 + n))
        one.compact(thought(9 + n))
    limits = Limits(batch_entries=10, window_frames=2)
    sent = 0
    for _ in range(100):
        pair = Pair(one, other, limits=limits)
        for _ in range(6):
            pair.step()
        sent += pair.a.entries_sent()
        if other.vector() == one.vector():
            break
    else:
        pytest.fail("never caught up")
    # A batch that was under way when the connection broke comes again.
    assert 500 <= sent <= 1_100
    assert len(other.checkpoints) == 40


def test_progress_is_told_until_the_end() -> None:
    one, other = disk(1), disk(2)
    write(one, 95)
    pair = Pair(one, other, limits=Limits(batch_entries=10)).settle()
    told = [event for event in pair.b.events if isinstance(event, ev.Progress)]
    assert told[0] == ev.Progress(10, 95)
    assert told[-1] == ev.Progress(95, 95)


def test_checkpoints_come_before_entries_and_their_holes_are_filled_at_the_end() -> None:
    one, other = disk(1), disk(2)
    for n in range(4):
        write(one, 1, thought(1))
        write(one, 1, thought(2 + n % 2))
    one.compact(thought(1))
    pair = Pair(one, other)
    pair.b.storing = False
    pair.settle()
    stored = [event for event in pair.b.events if hasattr(event, "mark")]
    assert [type(event) for event in stored] == [
        ev.CheckpointsReceived,
        ev.EntriesReceived,
        ev.CaughtUp,
    ]
    for event in stored[:2]:
        pair.b.store(event)
    assert other.vector() == Vector(), "a hole was taken for an entry"
    pair.b.store(stored[2])
    assert other.vector() == one.vector()


@given(st.integers(0, 10_000))
def test_compaction_in_the_middle_of_a_catch_up_loses_nothing(seed: int) -> None:
    rng = Random(seed)
    one, other = disk(1), disk(2)
    for _ in range(60):
        write(one, 1, thought(rng.randrange(3)))
    pair = Pair(one, other, limits=Limits(batch_entries=4, window_frames=1))
    while pair.step():
        if rng.random() < 0.2:
            one.compact(thought(rng.randrange(3)))
            pair.a.session.log_grew()
        if rng.random() < 0.1:
            pair.grow(pair.a, 1)
    assert other.vector() == one.vector()
    assert other.thoughts() == one.thoughts()
    assert not pair.b.of(ev.Resyncing)


# Acknowledged means stored


def test_nothing_is_acknowledged_before_it_is_stored() -> None:
    pair = open_pair()
    pair.b.storing = False
    pair.grow(pair.a, 3)
    pair.settle()
    assert pair.a.of(ev.Acknowledged) == [ev.Acknowledged(0)]
    (received,) = pair.b.of(ev.EntriesReceived)
    pair.b.store(received)
    pair.settle()
    assert pair.a.events[-1] == ev.Acknowledged(3)


def test_what_the_peer_has_already_counts_as_acknowledged() -> None:
    one, other = disk(1), disk(2)
    write(one, 3)
    Pair(one, other).settle()
    pair = Pair(one, other).settle()
    assert pair.a.of(ev.Acknowledged) == [ev.Acknowledged(3)]
    assert pair.a.entries_sent() == 0


def test_own_entries_in_a_checkpoint_are_acknowledged_with_the_end_of_the_log() -> None:
    one, other = disk(1), disk(2)
    write(one, 5)
    one.compact(thought())
    pair = Pair(one, other).settle()
    assert pair.a.of(ev.Acknowledged) == [ev.Acknowledged(0), ev.Acknowledged(5)]


def test_no_more_is_under_way_than_the_window_holds() -> None:
    one, other = disk(1), disk(2)
    write(one, 100)
    pair = Pair(one, other, limits=Limits(batch_entries=5, window_frames=3))
    pair.b.storing = False
    pair.settle()
    assert pair.a.entries_sent() == 15
    for event in pair.b.of(ev.EntriesReceived)[:2]:
        pair.b.store(event)
    pair.settle()
    assert pair.a.entries_sent() == 25


def test_a_slow_transport_is_given_no_more_than_it_takes() -> None:
    one = disk(1)
    write(one, 200, large=100)
    pair = Pair(one, disk(2), limits=Limits(batch_bytes=1_000))
    pair.step()
    frames = pair.a.session.pull(2_500, 0)
    assert len(b"".join(frames)) < 4_000
    assert pair.a.session.has_more()


def test_a_record_that_the_peer_cannot_take_ends_the_session_with_that_reason() -> None:
    one, other = disk(1), disk(2)
    write(one, 1, large=5_000)
    pair = Pair(one, other, limits=Limits(max_frame=4_000, max_greeting=4_000)).settle()
    pair.tick(1)
    assert pair.a.gone is not None and pair.a.gone.code is CloseCode.TOO_BIG
    assert pair.b.gone is not None and pair.b.gone.code is CloseCode.TOO_BIG


# Who may what


def test_a_reader_receives_and_keeps_its_own() -> None:
    one, other = disk(1), disk(2)
    write(one, 2)
    write(other, 2)
    pair = Pair(one, other, role=Role.READER).settle()
    welcomed = pair.a.of(ev.Welcomed)[0]
    assert isinstance(welcomed, ev.Welcomed) and welcomed.role is Role.READER
    assert pair.a.entries_sent() == 0
    assert one.vector()["2" * 32] == 2
    pair.b.session.grant(Role.WRITER)
    pair.settle()
    assert other.vector() == one.vector()


def test_entries_of_a_reader_are_refused_with_a_reason() -> None:
    pair = open_pair(role=Role.READER)
    pair.a.session._out.allowed = True
    pair.grow(pair.a, 1)
    pair.settle()
    assert pair.a.gone is not None and pair.a.gone.code is CloseCode.READ_ONLY
    assert "read" in pair.a.gone.reason and pair.a.gone.by_peer
    # They may have been under way when the role changed.
    assert not pair.a.gone.permanent
    assert pair.b.disk.vector() == Vector()


def test_an_answerer_who_may_only_read_learns_it_before_it_is_asked_for_anything() -> None:
    one, other = disk(1), disk(2)
    write(one, 2)
    write(other, 2)
    pair = Pair(one, other)
    pair.a.session = Session(one, 0, peer_role=Role.READER)
    pair.a.session.connect()
    pair.settle()
    assert pair.a.gone is None and pair.b.gone is None
    assert pair.b.of(ev.RoleChanged) == [ev.RoleChanged(Role.READER, 0)]
    assert "2" * 32 not in one.vector() and other.vector()["1" * 32] == 2


def test_a_credential_is_checked_by_the_driver_and_can_be_renewed() -> None:
    pair = open_pair()
    hello = pair.b.of(ev.HelloReceived)[0]
    assert isinstance(hello, ev.HelloReceived) and hello.credential == b"secret"
    pair.a.session.refresh(b"newer")
    pair.settle()
    assert pair.b.events[-1] == ev.CredentialReceived(b"newer")
    pair.b.session.grant(Role.WRITER, expires=99)
    pair.settle()
    assert pair.a.events[-1] == ev.RoleChanged(Role.WRITER, 99)


def test_a_peer_that_is_not_let_in_learns_why_and_nothing_else() -> None:
    one, other = disk(1), disk(2)
    write(other, 3)
    dialler, answerer = Session(one, 0), Session(other, 0)
    dialler.connect()
    assert answerer.receive(dialler.pull(1, 0)[0], 0)
    answerer.close(CloseCode.UNAUTHORIZED, "The token has expired.")
    (frame,) = answerer.pull(1 << 20, 0)
    assert dialler.receive(frame, 0) == [
        ev.PeerGone(CloseCode.UNAUTHORIZED, "The token has expired.", 0, True, True)
    ]


def test_another_workspace_is_refused() -> None:
    pair = Pair(disk(1), disk(2, workspace="b" * 32)).settle()
    assert pair.a.gone is not None and pair.a.gone.code is CloseCode.NO_WORKSPACE


@pytest.mark.parametrize(("low", "high"), [(2, 9), (0, 0)])
def test_another_protocol_is_refused(low: int, high: int) -> None:
    session = Session(disk(1), 0)
    hello = messages.Hello(low, high, b"\xaa" * 16, b"x" * 16, b"y" * 16, Role.WRITER, 1 << 20)
    (gone,) = session.receive(codec.encode(hello), 0)
    assert isinstance(gone, ev.PeerGone) and gone.code is CloseCode.BAD_VERSION


# Beside the streams


def test_presence_is_told_paced_and_ends_with_the_connection() -> None:
    pair = open_pair()
    for n in range(20):
        pair.a.session.set_presence("ann", b"%d" % n)
    pair.settle()
    assert pair.b.of(ev.PresenceChanged) == [ev.PresenceChanged("ann", b"19")]
    pair.a.session.set_presence("ann", b"20")
    pair.settle()
    assert len(pair.b.of(ev.PresenceChanged)) == 1, "sent again too soon"
    assert pair.a.session.next_tick() == 50
    pair.tick(50)
    pair.settle()
    assert pair.b.events[-1] == ev.PresenceChanged("ann", b"20")
    pair.b.take(pair.b.session.lost())
    assert pair.b.events[-2] == ev.PresenceChanged("ann", b"")
    assert isinstance(pair.b.events[-1], ev.PeerGone)


def test_a_crowd_neither_holds_up_entries_nor_counts_as_replies() -> None:
    pair = open_pair(Limits(presence_keys=1_000, presence_per_s=1_000, queued_replies=4))
    for n in range(500):
        pair.b.session.set_presence(f"n{n}", b"x")
    pair.grow(pair.b, 5)
    carried = [codec.decode(frame) for frame in pair.b.session.pull(200, pair.now)]
    assert {messages.Entries, messages.Presence} <= {type(message) for message in carried}
    told = pair.b.session.receive(codec.encode(messages.Ping(2)), pair.now)
    assert told == [] and pair.b.session.state is State.OPEN


def test_a_sending_of_presence_goes_on_where_the_transport_stopped_it() -> None:
    pair = Pair(disk(1), disk(2), pull=1).settle()
    for n in range(9):
        pair.b.session.set_presence(f"n{n}", b"old")
    pair.step()
    assert pair.b.session.has_more() and pair.b.session.next_tick() == 15_000
    pair.b.session.set_presence("n0", b"new")
    pair.b.session.set_presence("n8", b"new")
    pair.settle()
    pair.tick(50)
    pair.settle()
    told = [event for event in pair.a.events if isinstance(event, ev.PresenceChanged)]
    assert [event.key for event in told] == [*(f"n{n}" for n in range(9)), "n0"]
    assert {event.key: event.state for event in told} == {
        f"n{n}": b"new" if n in (0, 8) else b"old" for n in range(9)
    }


def test_a_flood_of_presence_ends_the_session() -> None:
    pair = open_pair(Limits(presence_per_s=5))
    frame = codec.encode(messages.Presence("ann", b"x"))
    for _ in range(60):
        pair.b.take(pair.b.session.receive(frame, pair.now))
    assert pair.b.gone is not None and pair.b.gone.code is CloseCode.TOO_FAST


def test_a_flood_that_ends_by_taking_presence_back_leaves_no_ghost() -> None:
    pair = open_pair(Limits(presence_per_s=5))
    for n in range(51):
        state = b"" if n == 50 else b"x"
        pair.b.take(pair.b.session.receive(codec.encode(messages.Presence("ann", state)), pair.now))
    assert pair.b.events[-2] == ev.PresenceChanged("ann", b"")
    assert pair.b.gone is not None and pair.b.gone.code is CloseCode.TOO_FAST


@pytest.mark.parametrize("keys", [1, 3])
def test_no_more_people_are_announced_than_may_be(keys: int) -> None:
    pair = open_pair(Limits(presence_keys=keys))
    for n in range(keys + 1):
        pair.b.take(
            pair.b.session.receive(codec.encode(messages.Presence(f"n{n}", b"x")), pair.now)
        )
    assert pair.b.gone is not None and pair.b.gone.code is CloseCode.TOO_FAST
    told = [event for event in pair.b.events if isinstance(event, ev.PresenceChanged)]
    assert {event.key for event in told} == {f"n{n}" for n in range(keys)}
    assert [event.state for event in told[keys:]] == [b""] * keys


def test_a_stream_that_is_wanted_again_and_again_ends_the_session() -> None:
    pair = open_pair(Limits(wants=5))
    for run in range(2, 8):
        pair.b.take(pair.b.session.receive(codec.encode(messages.Want(run, [])), pair.now))
    assert pair.b.gone is not None and pair.b.gone.code is CloseCode.TOO_FAST


def test_nothing_is_said_to_a_peer_that_is_not_let_in() -> None:
    session = Session(disk(1), 0)
    for say in (session.set_degraded, session.leave, session.refresh):
        with pytest.raises(ValueError, match="not OPEN"):
            say(b"")  # type: ignore[operator]
    session.set_presence("ann", b"x")
    assert session.pull(1 << 20, 0) == []


def test_nothing_more_is_said_once_the_session_has_ended() -> None:
    pair = open_pair()
    pair.a.take(pair.a.session.close(CloseCode.NORMAL, "done"))
    pair.a.session.set_degraded(True, "The disk is full.")
    pair.a.session.grant(Role.READER)
    said = [type(codec.decode(frame)) for frame in pair.a.session.pull(1 << 20, 0)]
    assert said == [messages.Error]


def test_a_flood_of_pings_ends_the_session() -> None:
    pair = open_pair()
    for n in range(300):
        pair.b.take(pair.b.session.receive(codec.encode(messages.Ping(n + 2)), pair.now))
    assert pair.b.gone is not None and pair.b.gone.code is CloseCode.TOO_FAST


def test_a_quiet_connection_is_kept_and_a_dead_one_given_up() -> None:
    pair = open_pair()
    for _ in range(20):
        pair.tick(10_000)
        pair.settle()
    assert pair.a.gone is None and pair.b.gone is None
    for _ in range(4):
        pair.tick(10_000)
    assert pair.a.gone is not None and pair.a.gone.code is CloseCode.SILENT
    assert not pair.a.gone.permanent


def test_who_does_not_acknowledge_is_given_up_unless_it_says_why() -> None:
    pair = open_pair()
    pair.b.storing = False
    pair.grow(pair.a, 1)
    pair.b.session.set_degraded(True, "The disk is full.")
    for _ in range(10):
        pair.settle()
        pair.tick(10_000)
    assert pair.a.gone is None
    pair.b.session.set_degraded(False)
    pair.settle()
    pair.tick(pair.a.session.next_tick() - pair.now)
    assert pair.a.gone is not None and "acknowledged" in pair.a.gone.reason


def test_who_does_not_greet_is_not_waited_for() -> None:
    session = Session(disk(1), 0)
    assert session.tick(9_999) == []
    (gone,) = session.tick(session.next_tick() or 0)
    assert isinstance(gone, ev.PeerGone) and gone.code is CloseCode.SILENT


def test_going_away_and_trouble_with_storing_are_told() -> None:
    pair = open_pair()
    pair.b.session.set_degraded(True, "The disk is full.")
    pair.b.session.set_degraded(False)
    pair.b.session.leave(700, "restart")
    pair.settle()
    assert pair.a.events[-3:] == [
        ev.StatusChanged(True, "The disk is full."),
        ev.StatusChanged(False, ""),
        ev.PeerLeaving(700, "restart"),
    ]
    pair.b.take(pair.b.session.close(CloseCode.TRY_LATER, "busy", delay_ms=900))
    pair.settle()
    assert pair.a.gone == ev.PeerGone(CloseCode.TRY_LATER, "busy", 900, False, True)
    assert pair.a.session.state is State.CLOSED
    assert pair.a.session.pull(1 << 20, 0) == []


def test_a_relay_speaks_the_protocol_without_loading_the_document_engine() -> None:
    code = "import sys, crdt.session; sys.exit('pycrdt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
