"""Feeds sessions mutated and lying frames, in a process that may use little memory.

Prints how many conversations were disturbed, how many of them ended by a close with a reason, and
how many entries were stored all the same; each of these the engine applies.
"""

from __future__ import annotations

from random import Random

from crdt.adapter import EngineDoc
from crdt.errors import CrdtError
from crdt.session import Session
from crdt.update_check import check_update
from tests.crdt.histories import settled
from tests.crdt.hostile_updates import limit_memory, mutated
from tests.session.pairs import Pair, disk, thought

ROUNDS = 1_500


def main() -> None:
    histories = [settled(seed)[0].updates()[:30] for seed in range(6)]
    limit_memory()
    rng = Random(1)
    closed = stored = 0
    for _ in range(ROUNDS):
        one, other = disk(1), disk(2)
        for update in rng.choice(histories):
            one.append([one.make(thought(), update, at=1)])
        if rng.random() < 0.3:
            one.compact(thought())
        pair = Pair(one, other)
        for side in (pair.a, pair.b):
            side.session = Session(side.disk, 0, check=check_update)
        pair.a.session.connect()
        victim = rng.randrange(7)
        carried = -1

        def disturb(frame: bytes) -> list[bytes]:
            nonlocal carried
            carried += 1
            return [mutated(frame, rng)] if carried == victim else [frame]  # noqa: B023

        pair.settle(disturb)
        ends = [side.gone for side in (pair.a, pair.b) if side.gone is not None]
        assert all(end.reason for end in ends)
        closed += bool(ends)
        try:
            EngineDoc(1, other.updates_of(thought())).state()
            stored += len(other.entries)
        except CrdtError:
            continue
    print(ROUNDS, closed, stored)


if __name__ == "__main__":
    main()
