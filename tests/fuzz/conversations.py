"""Real conversations of two sessions, as the bytes that went over the wire.

They are what hostile frames are made from: a lie that is almost true gets furthest.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from crdt.session import Session
from crdt.session.replica import Limits
from crdt.wire.messages import Role
from tests.crdt.histories import settled
from tests.session.pairs import Pair, disk, thought
from tests.simulation.disk import Disk

THOUGHTS = 3
ANSWERER = Limits(batch_entries=8)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a dialler said, and the copy of the one to whom it said that."""

    answerer: Disk
    """As it was before."""
    frames: list[bytes]
    """What the dialler sent, the hello first."""


def record(rng: Random, histories: list[list[bytes]]) -> Conversation:
    """Let two copies talk about everything that a session can talk about."""
    one, other = disk(1), disk(2)
    for copy, updates in ((one, rng.choice(histories)), (other, rng.choice(histories))):
        for n, update in enumerate(updates):
            about = thought(n % THOUGHTS if copy is one else THOUGHTS + n % THOUGHTS)
            copy.append([copy.make(about, update, at=n)])
    if rng.random() < 0.5:
        one.compact(thought(0))
    before = other.clone()
    pair = Pair(one, other)
    pair.a.session = Session(one, 0, limits=Limits(batch_entries=rng.choice((1, 8, 1_000))))
    pair.b.session = Session(other, 0, limits=ANSWERER)
    dialler = pair.a.session
    dialler.connect(credential=b"secret")
    dialler.set_presence("ann", b'{"user": {"name": "Ann"}}')
    pair.settle()
    dialler.refresh(b"another")
    dialler.set_degraded(True, "The disk is full.")
    dialler.set_degraded(False)
    dialler.grant(Role.WRITER, expires=1 << 42)
    pair.tick(20_000)
    pair.settle()
    pair.grow(pair.a, 2)
    pair.settle()
    dialler.leave(100, "over")
    pair.settle()
    assert pair.a.gone is None and pair.b.gone is None
    return Conversation(before, pair.a.frames)


def histories() -> list[list[bytes]]:
    """Updates of several people to a thought, in an order in which a log may hold them."""
    return [settled(seed)[0].updates()[:30] for seed in range(6)]
