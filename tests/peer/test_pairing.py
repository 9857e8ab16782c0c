"""Two people who see the same code talk to each other's machine, and to nobody in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.sync.peer import pairing
from aimem_tui.sync.peer.pairing import (
    Answering,
    Ask,
    Asking,
    BothAgree,
    Compare,
    Confirm,
    Done,
    Event,
    Failed,
    Grant,
    Granted,
    Offer,
    Paired,
    Refuse,
    Reveal,
)
from crdt.wire.messages import Role

Change = Callable[[bytes], bytes]
MINE, OTHERS = b"L" * 32, b"M" * 32
WORKSPACE = "ab" * 16


def same(frame: bytes) -> bytes:
    return frame


@dataclass
class Meeting:
    """A dialler, a listener, and what lies between them."""

    seen_by_dialler: bytes = MINE
    to_listener: Change = same
    to_dialler: Change = same
    dialled: list[Event] = field(default_factory=list)
    listened: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dialler = Asking(self.seen_by_dialler, "Ann's laptop")
        self.listener = Answering(MINE, "Ben's desk")

    def carry(self) -> Meeting:
        for _ in range(10):
            moved = False
            for frame in self.dialler.pull():
                moved = True
                self.listened += self.listener.receive(self.to_listener(frame))
            for frame in self.listener.pull():
                moved = True
                self.dialled += self.dialler.receive(self.to_dialler(frame))
            if not moved:
                break
        return self

    @property
    def codes(self) -> tuple[str | None, str | None]:
        """What the two machines show."""
        shown = [
            next((event.code for event in events if isinstance(event, Compare)), None)
            for events in (self.dialled, self.listened)
        ]
        return shown[0], shown[1]

    def grant(self) -> None:
        self.listener.grant("t" * 43, WORKSPACE, "team", Role.WRITER, 5)


def test_without_anybody_in_between_both_show_the_same_six_digits() -> None:
    one, other = Meeting().carry().codes
    assert one is not None
    assert one == other
    assert len(one) == 6
    assert one.isdigit()


def test_each_meeting_has_a_code_of_its_own() -> None:
    assert len({Meeting().carry().codes[0] for _ in range(20)}) > 15


def test_both_learn_the_others_name_and_what_is_asked_for() -> None:
    meeting = Meeting().carry()
    (dialled,), (listened,) = meeting.dialled, meeting.listened
    assert isinstance(dialled, Compare)
    assert isinstance(listened, Compare)
    assert (dialled.name, listened.name) == ("Ben's desk", "Ann's laptop")
    assert listened.role is Role.WRITER


def test_when_both_agree_the_dialler_gets_a_token_and_the_workspace() -> None:
    meeting = Meeting().carry()
    assert meeting.dialler.confirm() == []
    meeting.carry()
    assert meeting.listener.confirm() == [BothAgree("Ann's laptop", Role.WRITER)]
    meeting.grant()
    meeting.carry()
    assert meeting.dialled[-1] == Granted("Ben's desk", "t" * 43, WORKSPACE, "team", Role.WRITER, 5)
    assert not meeting.dialler.is_over
    assert meeting.dialler.kept() == [Paired()]
    meeting.carry()
    assert meeting.listened[-1] == Paired()
    assert meeting.dialler.is_over
    assert meeting.listener.is_over


def test_it_does_not_matter_who_agrees_first() -> None:
    meeting = Meeting().carry()
    assert meeting.listener.confirm() == []
    meeting.dialler.confirm()
    meeting.carry()
    assert isinstance(meeting.listened[-1], BothAgree)


@pytest.mark.parametrize("who", ["dialler", "listener"])
def test_one_who_refuses_ends_it_on_both_sides(who: str) -> None:
    meeting = Meeting().carry()
    (meeting.listener if who == "dialler" else meeting.dialler).confirm()
    assert getattr(meeting, who).refuse("The codes differ.") == [Failed("The codes differ.")]
    meeting.carry()
    heard = meeting.listened if who == "dialler" else meeting.dialled
    assert heard[-1] == Failed("The codes differ.", by_other=True)
    assert meeting.dialler.is_over
    assert meeting.listener.is_over
    assert not any(isinstance(event, BothAgree | Granted) for event in heard)


@given(seen=st.binary(min_size=32, max_size=32).filter(lambda seen: seen != MINE))
def test_another_certificate_in_between_makes_two_codes(seen: bytes) -> None:
    one, other = Meeting(seen_by_dialler=seen).carry().codes
    assert one is not None
    assert other is not None
    assert one != other


@given(nonce=st.binary(min_size=32, max_size=32), honest_certificate=st.booleans())
def test_another_number_towards_the_dialler_makes_two_codes(
    nonce: bytes, honest_certificate: bool
) -> None:
    def swap(frame: bytes) -> bytes:
        message = msgspec.msgpack.decode(frame, type=Offer)
        return msgspec.msgpack.encode(Offer(nonce, message.name))

    meeting = Meeting(seen_by_dialler=MINE if honest_certificate else OTHERS, to_dialler=swap)
    one, other = meeting.carry().codes
    assert one is not None
    assert other is not None
    assert one != other


@given(nonce=st.binary(min_size=32, max_size=32), honest_certificate=st.booleans())
def test_another_number_towards_the_listener_makes_two_codes(
    nonce: bytes, honest_certificate: bool
) -> None:
    def swap(frame: bytes) -> bytes:
        message = msgspec.msgpack.decode(frame, type=Ask | Reveal)
        if isinstance(message, Ask):
            swapped = Ask(1, pairing.commitment(nonce), message.name, message.role)
            return msgspec.msgpack.encode(swapped)
        return msgspec.msgpack.encode(Reveal(nonce))

    meeting = Meeting(seen_by_dialler=MINE if honest_certificate else OTHERS, to_listener=swap)
    one, other = meeting.carry().codes
    assert one is not None
    assert other is not None
    assert one != other


@given(nonce=st.binary(min_size=32, max_size=32))
def test_a_number_that_was_not_committed_to_is_found_out(nonce: bytes) -> None:
    def swap(frame: bytes) -> bytes:
        if isinstance(msgspec.msgpack.decode(frame, type=Ask | Reveal), Ask):
            return frame
        return msgspec.msgpack.encode(Reveal(nonce))

    meeting = Meeting(to_listener=swap).carry()
    assert meeting.codes[1] is None
    assert isinstance(meeting.listened[-1], Failed)
    assert meeting.dialled[-1] == Failed(meeting.listened[-1].reason, by_other=True)


@given(name=st.text(max_size=20).filter(lambda name: name != "Ann's laptop"))
def test_another_name_or_right_makes_two_codes(name: str) -> None:
    def swap(frame: bytes) -> bytes:
        message = msgspec.msgpack.decode(frame, type=Ask | Reveal)
        if isinstance(message, Reveal):
            return frame
        return msgspec.msgpack.encode(Ask(1, message.commitment, name, message.role))

    one, other = Meeting(to_listener=swap).carry().codes
    assert one != other


@given(junk=st.binary(min_size=1, max_size=40))
def test_nothing_said_after_the_listeners_number_can_vary_the_code(junk: bytes) -> None:
    """Or somebody in between would try until his code fits."""

    def lengthen(frame: bytes) -> bytes:
        message = msgspec.msgpack.decode(frame, type=Ask | Reveal)
        if isinstance(message, Ask):
            return frame
        return msgspec.msgpack.encode([3, message.nonce, junk])

    one, other = Meeting(to_listener=lengthen).carry().codes
    assert one is not None
    assert one == other


def test_the_dialler_shows_its_number_only_after_it_has_the_listeners() -> None:
    dialler = Asking(MINE, "a")
    (ask,) = dialler.pull()
    committed = msgspec.msgpack.decode(ask, type=Ask).commitment
    assert dialler.pull() == []
    dialler.receive(msgspec.msgpack.encode(Offer(b"n" * 32, "b")))
    (reveal,) = dialler.pull()
    nonce = msgspec.msgpack.decode(reveal, type=Reveal).nonce
    assert nonce not in ask
    assert pairing.commitment(nonce) == committed


frames = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            msgspec.msgpack.encode(message)
            for message in (
                Ask(1, b"c" * 32, "x", Role.WRITER),
                Ask(9, b"c" * 32, "x", Role.WRITER),
                Offer(b"n" * 32, "x"),
                Reveal(b"n" * 32),
                Confirm(),
                Grant("t" * 43, b"w" * 16, "team", Role.WRITER, 0),
                Done(),
                Refuse("no"),
            )
        ]
    ),
)


@given(said=st.lists(frames, max_size=6), agrees=st.booleans())
def test_nobody_gets_a_token_out_of_turn(said: list[bytes], agrees: bool) -> None:
    """Whatever a stranger says: the listener gives nothing before its own person has agreed, and
    the dialler takes nothing before its own has."""
    listener = Answering(MINE, "b")
    events: list[Event] = []
    for frame in said:
        events += listener.receive(frame)
    assert not any(isinstance(event, BothAgree | Paired) for event in events)
    dialler = Asking(MINE, "a")
    events = []
    for frame in said:
        before = len(events)
        events += dialler.receive(frame)
        if agrees and any(isinstance(event, Compare) for event in events[before:]):
            dialler.confirm()
    if not agrees:
        assert not any(isinstance(event, Granted) for event in events)


def test_a_token_that_comes_before_the_person_has_agreed_is_not_taken() -> None:
    dialler = Asking(MINE, "a")
    (shown,) = dialler.receive(msgspec.msgpack.encode(Offer(b"n" * 32, "b")))
    assert isinstance(shown, Compare)
    grant = Grant("t" * 43, b"w" * 16, "team", Role.WRITER, 0)
    (event,) = dialler.receive(msgspec.msgpack.encode(grant))
    assert isinstance(event, Failed)


def test_a_frame_that_is_too_large_ends_it() -> None:
    listener = Answering(MINE, "b")
    assert isinstance(listener.receive(bytes(pairing.MAX_FRAME + 1))[0], Failed)
    assert listener.is_over


def test_another_version_is_refused_in_words() -> None:
    listener = Answering(MINE, "b")
    (event,) = listener.receive(msgspec.msgpack.encode(Ask(9, b"c" * 32, "x", Role.WRITER)))
    assert isinstance(event, Failed)
    assert "versions" in event.reason


def test_agreeing_before_there_is_a_code_is_a_mistake_of_the_caller() -> None:
    for side in (Asking(MINE, "a"), Answering(MINE, "b")):
        with pytest.raises(ValueError, match="pairing"):
            side.confirm()
