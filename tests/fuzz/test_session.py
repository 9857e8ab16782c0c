"""Whatever somebody says, it is answered by a reason, and changes nothing for anybody else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crdt.entry import Checkpoint, Entry
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.vector import Vector
from crdt.wire import codec, messages
from crdt.wire.messages import MAX_REPLICAS, CloseCode, Role
from tests.session.pairs import Pair, Side, disk, open_pair, thought, write

QUICK, MANY = 600, 40_000
SHARE = 4_000


def run(module: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.fuzz.{module}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_lies_are_answered_and_nobody_else_notices() -> None:
    told, reasons = run("against_session", str(QUICK)).splitlines()
    rounds, closed, stored = map(int, told.split())
    assert rounds > closed > rounds // 2
    assert stored > rounds
    assert len(reasons.split()) > 5


@pytest.mark.heavy
@pytest.mark.parametrize("first", range(QUICK, QUICK + MANY, SHARE))
def test_many_lies_are_answered_and_nobody_else_notices(first: int) -> None:
    run("against_session", str(SHARE), str(first))


@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
def test_a_frame_that_would_cost_half_a_gigabyte_is_refused_before_it_does() -> None:
    assert int(run("costly_frame", "engine")) > 400 << 20
    assert int(run("costly_frame", "session")) < 8 << 20


# Lies that took more than a lot to find


def close_code(side: Side) -> CloseCode | None:
    return side.gone.code if side.gone else None


def tell(side: Side, message: messages.Message) -> list[ev.Event]:
    before = len(side.events)
    side.take(side.session.receive(codec.encode(message), 0))
    return side.events[before:]


def entries(*some: Entry, mark: int = 1) -> messages.Entries:
    return codec.pack_entries(some, run=1, mark=mark, left=0, token=b"t")


def test_no_more_replicas_are_taken_than_anybody_can_ask_for() -> None:
    pair = open_pair()
    crowd = Vector({f"{n:032x}": 1 for n in range(1, MAX_REPLICAS + 1)})
    state = Checkpoint(thought(), b"\0\0", crowd)
    told = tell(pair.b, codec.pack_checkpoints([state], run=1, mark=1, left=0, token=b"t"))
    assert isinstance(told[0], ev.CheckpointsReceived)
    told = tell(pair.b, entries(Entry("e" * 32, 1, thought(), b"\0\0", 1, "Eve"), mark=2))
    assert close_code(pair.b) is CloseCode.BAD_UPDATE
    assert "e" * 32 not in pair.b.disk.reach()
    # Who asks this copy for what it has can still do so.
    pair.b.disk.adopt(crowd)
    asking = Pair(pair.b.disk, disk(4)).settle()
    assert asking.a.gone is None and asking.b.gone is None
    assert asking.b.disk.vector() == crowd


@pytest.mark.parametrize("where", ["author", "note"])
def test_a_text_that_not_every_ledger_keeps_is_refused(where: str) -> None:
    pair = open_pair()
    entry = Entry("e" * 32, 1, thought(), b"\0\0", 1, "Eve")
    tell(pair.b, entries(entry._replace(**{where: "Ev\0e"})))
    assert close_code(pair.b) is CloseCode.BAD_UPDATE
    assert pair.b.disk.entries == []


def test_who_was_not_let_in_cannot_make_a_copy_give_itself_up() -> None:
    copy = disk(2)
    for answer in (Role.READER, Role.WRITER, None):
        side = Side(copy, None)
        side.session = Session(copy, 0)
        hello = messages.Hello(
            1, 1, b"\xaa" * 16, bytes.fromhex(copy.replica), b"y" * 16, Role.WRITER, 1 << 20
        )
        told = side.session.receive(codec.encode(hello), 0)
        assert [type(event) for event in told] == [ev.HelloReceived]
        if answer is None:
            told = side.session.close(CloseCode.UNAUTHORIZED, "The token has expired.")
        else:
            side.session.admit(answer)
            told = side.session.tick(0)
            (error,) = map(codec.decode, side.session.pull(1 << 20, 0))
            assert isinstance(error, messages.Error) and error.code == CloseCode.FORK.value
        forked = any(isinstance(event, ev.ForkDetected) for event in told)
        assert forked == (answer is Role.WRITER)
        assert side.session.state is State.CLOSED


@pytest.mark.parametrize("by", ["error", "tip", "count"])
def test_a_reader_cannot_make_a_copy_give_itself_up(by: str) -> None:
    pair = open_pair(role=Role.READER)
    write(pair.b.disk, 3)
    own = bytes.fromhex(pair.b.disk.replica)
    lies = {
        "error": messages.Error(CloseCode.FORK.value, "a lie", 0, own, 2),
        "tip": messages.Want(2, [messages.Tip(own, 3, b"12345678")]),
        "count": messages.Want(2, [messages.Tip(own, 30)]),
    }
    told = tell(pair.b, lies[by])
    assert [type(event) for event in told] == [ev.PeerGone]
    assert close_code(pair.b) is CloseCode.FORK


def test_credentials_cannot_be_renewed_faster_than_they_are_answered() -> None:
    pair = open_pair()
    for _ in range(1_000):
        for event in tell(pair.b, messages.Refresh(b"again")):
            if isinstance(event, ev.CredentialReceived):
                pair.b.session.grant(Role.WRITER)
    assert close_code(pair.b) is CloseCode.TOO_FAST
