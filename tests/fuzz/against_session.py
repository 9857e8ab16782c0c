"""Tells sessions lies, in a process that may use little memory and time.

    python -m tests.fuzz.against_session ROUNDS [FIRST SEED]

A copy has two sessions, one to the liar and one to a neighbour. Prints how many conversations there
were, how many ended by a close with a reason, and how many entries were stored all the same.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from random import Random

from aimem_relay.presence import public_key
from crdt.adapter import EngineDoc
from crdt.errors import CrdtError, WireError
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire import codec, messages
from crdt.wire.messages import CloseCode, Role
from tests.crdt.hostile_updates import limit_memory
from tests.fuzz.conversations import ANSWERER, Conversation, histories, record
from tests.fuzz.lies import lie
from tests.session.pairs import Side, disk, thought
from tests.simulation.disk import Disk

_CROWD = Limits(presence_keys=20_000, presence_per_s=5_000)


class Fault(AssertionError):
    """A lie had an effect."""


class Victim:
    """A copy with a session for the liar and one for the neighbour, as a relay has them."""

    def __init__(self, copy: Disk) -> None:
        self.disk = copy
        self.liar = Side(copy, None)
        self.liar.session = Session(copy, 0, limits=ANSWERER)
        self.to_neighbour = Side(copy, None)
        self.to_neighbour.session = Session(copy, 0)
        self.neighbour = Side(disk(3), None)
        self.neighbour.session = Session(self.neighbour.disk, 0, limits=_CROWD)
        self.neighbour.session.connect()

    def content(self) -> tuple[object, ...]:
        """All that is stored."""
        copy = self.disk
        records = tuple(entry.digest() for entry in copy.entries)
        checkpoints = tuple((one.thought, one.vector) for _, one in copy.checkpoints)
        return records, checkpoints, copy.vector(), tuple(copy.tokens.items())

    def hear(self, frame: bytes) -> None:
        """Take in a frame of the liar, and see that it did what it may do and no more."""
        side, before = self.liar, self.content()
        was_closed = side.session.state is State.CLOSED
        told = side.session.receive(frame, 0)
        kinds = [type(event) for event in told]
        if was_closed and told:
            raise Fault("a closed session has said something")
        stores = any(hasattr(event, "mark") for event in told)
        if ev.PeerGone in kinds:
            gone = next(event for event in told if isinstance(event, ev.PeerGone))
            if stores:
                raise Fault("something of the frame that ended the session is to be stored")
            if not gone.by_peer and not gone.reason:
                raise Fault("the session ended without a reason")
        side.take(told)
        if not stores and self.content() != before:
            raise Fault("something was stored that nobody has sent")
        for event in told:
            if isinstance(event, ev.CredentialReceived):
                side.session.grant(Role.WRITER)
            if isinstance(event, ev.PresenceChanged):
                key = public_key("1", event.key)
                self.to_neighbour.session.set_presence(key, event.state)
        self.to_neighbour.session.log_grew()

    def answer(self) -> None:
        """Send what the session has to say; the liar does not listen."""
        frames = self.liar.session.pull(1 << 20, 0)
        if frames and self.liar.gone is not None:
            last = codec.decode(frames[-1])
            if not isinstance(last, messages.Error) or not last.reason:
                raise Fault("the liar was not told why")

    def exchange(self) -> None:
        """Let the neighbour and the copy talk until they have nothing to say."""
        for _ in range(1_000):
            moved = False
            pair = (self.to_neighbour, self.neighbour)
            for one, other in (pair, pair[::-1]):
                for frame in one.session.pull(1 << 20, 0):
                    moved = True
                    other.take(other.session.receive(frame, 0))
                moved |= one.session.has_more()
            if not moved:
                return
        raise Fault("the neighbour is kept busy for ever")

    def check_neighbour(self) -> None:
        """The neighbour writes something, and it is stored and acknowledged."""
        made = self.neighbour.disk.make(thought(9), b"\0\0", at=1)
        self.neighbour.disk.append([made])
        self.neighbour.session.log_grew()
        self.exchange()
        gone = self.neighbour.gone or self.to_neighbour.gone
        if gone is not None:
            raise Fault(f"the neighbour has lost its connection: {gone}")
        if self.disk.by_name.get((made.replica, made.seq)) != made:
            raise Fault("what the neighbour wrote is not stored")
        acknowledged = self.neighbour.of(ev.Acknowledged)[-1]
        if acknowledged != ev.Acknowledged(made.seq):
            raise Fault(f"the neighbour was not told that it is stored: {acknowledged}")
        if self.neighbour.disk.vector() != self.disk.vector():
            raise Fault("the neighbour has not received what is stored")


def check_truth(conversation: Conversation) -> None:
    """Without a lie the conversation goes as it went."""
    victim = Victim(conversation.answerer.clone())
    for frame in conversation.frames:
        victim.hear(frame)
        victim.answer()
    if victim.liar.gone is not None:
        raise Fault(f"the truth was not believed: {victim.liar.gone}")
    victim.check_neighbour()


def one_round(conversation: Conversation, others: list[bytes], rng: Random) -> Victim:
    victim = Victim(conversation.answerer.clone())
    victim.exchange()
    frames = conversation.frames
    first = rng.randrange(len(frames))
    for at, frame in enumerate(frames):
        lies = at == first or (at > first and rng.random() < 0.1)
        for said in lie(frames, at, others, rng) if lies else [frame]:
            victim.hear(said)
            if at < first or rng.random() < 0.9:
                victim.answer()
    victim.check_neighbour()
    for about in sorted(victim.disk.thoughts()):
        # What passed may mean nothing to the engine, but costs it no memory.
        with contextlib.suppress(CrdtError):
            EngineDoc(1, victim.disk.updates_of(about)).state()
    return victim


def main() -> None:
    rounds = int(sys.argv[1])
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    made = histories()
    conversations = [record(Random(n), made) for n in range(12)]
    for conversation in conversations:
        check_truth(conversation)
    limit_memory()
    reasons: Counter[CloseCode] = Counter()
    stored = 0
    for seed in range(first, first + rounds):
        rng = Random(seed)
        conversation, other = rng.choice(conversations), rng.choice(conversations)
        try:
            victim = one_round(conversation, other.frames, rng)
        except (Fault, WireError) as fault:
            raise Fault(f"seed {seed}: {fault}") from fault
        except Exception as error:
            raise Fault(f"seed {seed}: {type(error).__name__}") from error
        if victim.liar.gone is not None:
            reasons[victim.liar.gone.code] += 1
        stored += len(victim.disk.entries) - len(conversation.answerer.entries)
    print(rounds, sum(reasons.values()), stored)
    print(*(f"{code.name}:{count}" for code, count in reasons.most_common()))


if __name__ == "__main__":
    main()
