"""What seven bytes cost the engine, and what they cost a session that refuses them.

    python -m tests.fuzz.costly_frame engine|session

Prints by how many bytes the process has grown at most.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

from crdt.adapter import EngineDoc
from crdt.entry import Entry
from crdt.errors import CrdtError
from crdt.session import Session, State
from crdt.wire import codec, messages
from crdt.wire.messages import CloseCode, Role
from tests.fuzz.lies import COSTLY_UPDATE
from tests.session.pairs import disk, thought

_STATUS = Path("/proc/self/status")


def largest() -> int:
    """The most memory that this process has held so far, in bytes."""
    if _STATUS.exists():
        # What getrusage says includes what the parent held when it started this process.
        (line,) = [one for one in _STATUS.read_text().splitlines() if one.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def engine() -> None:
    with contextlib.suppress(CrdtError):
        EngineDoc(1).apply(COSTLY_UPDATE)


def session() -> None:
    copy = disk(2)
    asked = Session(copy, 0)
    hello = messages.Hello(1, 1, b"\xaa" * 16, b"x" * 16, b"y" * 16, Role.WRITER, 1 << 20)
    asked.receive(codec.encode(hello), 0)
    asked.admit(Role.WRITER)
    entry = Entry("9" * 32, 1, thought(), COSTLY_UPDATE, 1, "Anne")
    asked.receive(codec.encode(codec.pack_entries([entry], run=1, mark=1, left=0, token=b"t")), 0)
    assert asked.state is State.CLOSED and asked.close_code is CloseCode.BAD_UPDATE
    assert not copy.entries


def main() -> None:
    EngineDoc(1).apply(b"\0\0")
    before = largest()
    {"engine": engine, "session": session}[sys.argv[1]]()
    print(largest() - before)


if __name__ == "__main__":
    main()
