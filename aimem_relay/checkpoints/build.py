"""Builds the state of one thought, as a program: ``python -m aimem_relay.checkpoints.build``.

Updates come from strangers, and the engine that merges them may take much memory or time, or die of
them. So this runs in a process of its own, within the memory that its argument allows, and whoever
started it kills it when it takes too long. Updates go in by standard input, MessagePack; the state
comes out by standard output. Exit code 0: done; 3: they make no state.
"""

from __future__ import annotations

import sys

import msgspec

NO_STATE = 3
"""The exit code where the updates make no state."""


def main(memory: int) -> int:
    """Build one.

    Args:
        memory: bytes of address space that may be used.
    """
    _limit(memory)
    updates = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[bytes])
    from crdt.checkpoint import build_state
    from crdt.errors import CrdtError

    try:
        state = build_state(updates)
    except (CrdtError, MemoryError):
        return NO_STATE
    sys.stdout.buffer.write(state)
    sys.stdout.buffer.flush()
    return 0


def _limit(memory: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
