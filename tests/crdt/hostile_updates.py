"""Feeds the engine mutated updates that pass the check, in a process that may use little memory.

Prints how many were tried, how many passed the check and how many the engine applied. A process
that runs out of memory in the engine dies at once, which is what the test looks for.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from random import Random

from crdt import adapter
from crdt.errors import CrdtError, WireError
from crdt.update_check import check_update
from tests.crdt.histories import settled

ROUNDS = 4_000
ROOM = 192 << 20
"""Bytes of address space beyond what is used at the start."""
NUMBERS = (
    b"\x80\x80\x80\x80\x01",
    b"\xff\xff\xff\xff\x07",
    b"\xff\xff\x03",
    b"\x7f",
    b"\0",
    b"\x01",
)


def mutated(update: bytes, rng: Random) -> bytes:
    data = bytearray(update)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(data))
        kind = rng.random()
        if kind < 0.4:
            data[at] = rng.randrange(256)
        elif kind < 0.6:
            data[at : at + 1] = rng.choice(NUMBERS)
        elif kind < 0.8:
            del data[at : at + rng.randint(1, 3)]
        else:
            data[at:at] = rng.choice(NUMBERS)
        if not data:
            return b"\0"
    return bytes(data)


def limit_memory() -> None:
    """Let this process use little more memory than it does now, where the system can do that."""
    usage = Path("/proc/self/statm")
    if usage.exists():
        import resource

        room = int(usage.read_text().split()[0]) * resource.getpagesize() + ROOM
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        resource.setrlimit(resource.RLIMIT_CPU, (120, 120))


def main() -> None:
    histories = [settled(seed)[0].updates() for seed in range(12)]
    limit_memory()
    rng = Random(1)
    passed = applied = 0
    for _ in range(ROUNDS):
        updates = rng.choice(histories)
        upto = rng.randrange(len(updates))
        bad = mutated(updates[upto] if rng.random() < 0.7 else adapter.merge(updates), rng)
        try:
            check_update(bad)
        except WireError:
            continue
        passed += 1
        with contextlib.suppress(CrdtError):
            doc = adapter.EngineDoc(1, updates[:upto])
            doc.apply(bad)
            applied += 1
            doc.state()
            adapter.merge([*updates[:upto], bad])
    print(ROUNDS, passed, applied)


if __name__ == "__main__":
    main()
