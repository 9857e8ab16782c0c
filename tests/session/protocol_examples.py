"""The conversation that docs/protocol.md shows, frame by frame.

    python -m tests.session.protocol_examples

prints it; a test compares the page with it.
"""

from __future__ import annotations

from crdt.document import ThoughtDocument
from crdt.session import Session
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire import codec
from crdt.wire.messages import Role
from tests.simulation.disk import Disk

WORKSPACE = "aa" * 16
THOUGHT = "0199" + "00" * 14


def conversation() -> list[str]:
    """A dialler with one thought meets an empty answerer."""
    ours = Disk(WORKSPACE, "11" * 16, "1a" * 16)
    theirs = Disk(WORKSPACE, "22" * 16, "2a" * 16)
    _, update = ThoughtDocument.create(1, path="a.md", text="Hi\n", at=5, by="Ann")
    ours.append([ours.make(THOUGHT, update, at=1_700_000_000_000)])
    limits = Limits(max_frame=1 << 20)
    dialler = Session(ours, 0, limits=limits, agent="aimem")
    answerer = Session(theirs, 0, limits=limits, agent="relay")
    dialler.connect(credential=b"let me in")
    answerer.set_presence("ben", b"{}")
    lines: list[str] = []
    for _ in range(4):
        for who, one, other, disk in (
            ("dialler", dialler, answerer, theirs),
            ("answerer", answerer, dialler, ours),
        ):
            for frame in one.pull(1 << 20, 0):
                name = type(codec.decode(frame)).__name__
                lines += [f"{who}: {name}", *_hex(frame), ""]
                for event in other.receive(frame, 0):
                    _store(event, other, disk)
    return lines


def _store(event: ev.Event, session: Session, disk: Disk) -> None:
    match event:
        case ev.HelloReceived():
            session.admit(Role.WRITER)
        case ev.EntriesReceived():
            disk.append(event.entries)
            session.stored(event.mark)


def _hex(frame: bytes) -> list[str]:
    digits = frame.hex(" ")
    return [f"    {digits[at : at + 96].strip()}" for at in range(0, len(digits), 96)]


if __name__ == "__main__":
    print("\n".join(conversation()))
