"""Bundles: what one copy of a workspace lacks, in a file that any carrier can bring.

- A bundle is what a session would have streamed, written down: the frames of one run in the order
  of the sender's log, after a header that says whose they are, what the receiver is taken to have
  (``base``) and what the sender has (``tips``). ``docs/bundle.md`` describes every byte.
- Whoever has a bundle knows what its sender has, so two people can hand bundles back and forth,
  each with only what the other lacks. One without frames is a request: it only says what is there.
- Writing reads one snapshot, a batch at a time, into a file beside the target, which is synced and
  renamed at the end: a bundle is there whole, or not at all.
- Reading checks everything before anything is stored: the digest over the whole file, every frame,
  its order, and each update, by the rules that hold for a session. Then it is read again and stored
  in groups; a crash between two of them leaves a part in causal order, and importing again goes on.
- Two versions of a replica are dealt with as in a session: the replica is disowned, and the work
  begun anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from aimem_tui.errors import BadInput, Refused
from aimem_tui.model import Progress
from aimem_tui.model.transfer import silent
from aimem_tui.sync.bundle_file import Bundle, Header, altered, write
from crdt.errors import GapError, WireError
from crdt.session import greeting
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.session.incoming import Fork, Incoming
from crdt.session.outgoing import Outgoing
from crdt.session.replica import Limits, Replica
from crdt.update_check import check_update
from crdt.vector import Vector
from crdt.wire import codec, messages

_GROUP_BYTES = 4 << 20
"""About how much is stored in one transaction."""
_MAX_FORKS = 8

StreamEvent: TypeAlias = EntriesReceived | CheckpointsReceived | CaughtUp
_Result = TypeVar("_Result")


class Copy(Protocol):
    """A copy of the workspace that bundles are made from and taken into."""

    @property
    def replica(self) -> Replica:
        """What it holds."""
        ...

    def snapshot(self) -> AbstractContextManager[object]:
        """What is read meanwhile is all of one moment."""
        ...

    def store(self, log: str, events: Sequence[StreamEvent]) -> int:
        """Store what came from another copy's log in one transaction; returns how much was new.

        Raises:
            Fork: if an entry is here under the same name with another content.
        """
        ...

    def holds(self, log: str, vector: Vector) -> None:
        """Note what the copy with another log has on disk."""
        ...

    def disown(self, replica: str) -> None:
        """Give up a replica of which two versions exist."""
        ...


@dataclass(frozen=True, slots=True)
class Exported:
    """What a bundle that was written holds."""

    entries: int
    checkpoints: int
    size: int
    """Bytes."""
    forks: int = 0
    """How many replicas of which two versions exist were given up on the way."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a bundle."""

    sender: str
    entries: int
    """In the bundle."""
    checkpoints: int
    """In the bundle."""
    new: int
    """How many of both were not here."""
    forks: int = 0


def export(
    copy: Copy,
    target: Path,
    *,
    at: int,
    sender: str = "",
    lacking: Sequence[Bundle] = (),
    request: bool = False,
    progress: Callable[[Progress], None] = silent,
) -> Exported:
    """Write a bundle; a file at ``target`` is replaced.

    Args:
        at: the time, ms since the Unix epoch.
        sender: who makes it, for people.
        lacking: bundles of the copies it is for; left out is what all of them have.
        request: leave everything out and only say what is here.
        progress: told between two batches; what it raises ends the work without a trace.

    Raises:
        Refused: if one of ``lacking`` is of another workspace.
        StorageError: if the file cannot be written.
    """
    for bundle in lacking:
        refuse_other_workspace(bundle, copy.replica.workspace)
        bundle.verify()

    def work() -> Exported:
        replica = copy.replica
        vector = replica.vector()
        base = vector if request else _base(replica, lacking)
        header = Header(
            bytes.fromhex(replica.workspace),
            bytes.fromhex(replica.replica),
            bytes.fromhex(replica.log),
            at,
            base.to_bytes(),
            [
                messages.Tip(bytes.fromhex(one), seq, replica.digest(one, seq))
                for one, seq in sorted(vector.items())
            ],
            sender[:256],
        )
        counted = _Counted("Writing", progress)
        size = write(target, header, _stream(replica, base, counted))
        return Exported(counted.entries, counted.checkpoints, size)

    def work_at_one_moment() -> Exported:
        with copy.snapshot():
            return work()

    exported, forks = _healed(copy, work_at_one_moment)
    for bundle in lacking:
        _note_held(bundle, copy)
    return replace(exported, forks=forks)


def check(
    bundle: Bundle, replica: Replica, progress: Callable[[Progress], None] = silent
) -> Imported:
    """Make sure that all of a bundle can be stored in a copy; changes nothing.

    Returns: what the bundle holds; that nothing of it is new is not known yet.

    Raises:
        Refused: if it is of another workspace, or continues from what is not here.
        BadInput: if it was altered or is cut short.
        Fork: if two versions of a replica exist.
    """
    refuse_other_workspace(bundle, replica.workspace)
    # Before any look at what it says: a fork costs this copy its name.
    bundle.verify()
    greeting.read_want(messages.Want(1, bundle.header.tips), replica)
    _refuse_gap(bundle, replica.vector())
    counted = _Counted("Checking", progress)
    last: StreamEvent | None = None
    for event in _events(bundle, replica, counted):
        if isinstance(last, CaughtUp):
            raise altered(bundle.path)
        last = event
    if not isinstance(last, CaughtUp) or last.vector != bundle.header.vector:
        raise altered(bundle.path)
    return Imported(bundle.header.sender, counted.entries, counted.checkpoints, 0)


def take_in(bundle: Bundle, copy: Copy, progress: Callable[[Progress], None] = silent) -> Imported:
    """Check all of a bundle, then store what is not here yet.

    Args:
        progress: told between two frames; what it raises ends the work, what was stored stays.

    Raises:
        Refused: if it is of another workspace, or continues from what is not here.
        BadInput: if it was altered or is cut short; nothing was stored.
    """

    def store() -> Imported:
        replica = copy.replica
        counted = check(bundle, replica, progress)
        log = bundle.header.log.hex()
        new = 0
        group: list[StreamEvent] = []
        size = 0
        for event in _events(bundle, replica, _Counted("Taking in", progress)):
            if not event.token:
                event = replace(event, token=replica.resume_token(log))
            group.append(event)
            size += _size(event)
            if size > _GROUP_BYTES:
                new += copy.store(log, group)
                group, size = [], 0
        new += copy.store(log, group)
        return replace(counted, new=new)

    imported, forks = _healed(copy, store)
    _note_held(bundle, copy)
    return replace(imported, forks=forks)


def refuse_other_workspace(bundle: Bundle, workspace: str) -> None:
    """Make sure that a bundle is of a workspace.

    Raises:
        Refused: if it is of another one.
    """
    if bundle.header.workspace.hex() != workspace:
        raise Refused(f"{bundle.path} is of another workspace.")


class _Counted:
    """Counts what goes by, and tells of it."""

    def __init__(self, step: str, progress: Callable[[Progress], None]) -> None:
        self.entries = 0
        self.checkpoints = 0
        self._step = step
        self._progress = progress

    def count(self, message: messages.Message) -> None:
        left = 0
        if isinstance(message, messages.Entries):
            self.entries += len(message.entries)
            left = message.left
        elif isinstance(message, messages.Checkpoints):
            self.checkpoints += len(message.checkpoints)
            left = message.left
        done = self.entries + self.checkpoints
        self._progress(Progress(self._step, done, done + left))


def _stream(replica: Replica, base: Vector, counted: _Counted) -> Iterator[bytes]:
    """The frames of one run, each acknowledged at once, with a last one that says it is the end."""
    out = Outgoing(replica, Limits())
    out.allowed = True
    out.start(messages.Want(1, []), base)
    mark, token = 0, b""
    while out.ready:
        frame = out.next_frame(0)
        if frame is None:
            continue
        mark += 1
        out.acked(mark, 0)
        message = codec.decode(frame)
        counted.count(message)
        yield frame
        if isinstance(message, messages.CaughtUp):
            return
        assert isinstance(message, messages.Entries | messages.Checkpoints)
        token = message.token
    yield codec.encode(messages.CaughtUp(1, mark + 1, token, replica.vector().to_bytes()))


def _events(bundle: Bundle, replica: Replica, counted: _Counted) -> Iterator[StreamEvent]:
    """What a bundle brings, checked as a session checks it; the last only if the digest is right.

    Raises:
        BadInput: if a check fails.
        Fork: if two versions of a replica exist.
    """
    incoming = Incoming(replica, check_update)
    incoming.want(b"")
    event: StreamEvent | None = None
    try:
        for frame in bundle.frames():
            if event is not None:
                yield event
            message = codec.decode(frame)
            match message:
                case messages.Entries():
                    event = incoming.entries(message)
                case messages.Checkpoints():
                    event = incoming.checkpoints(message)
                case messages.CaughtUp():
                    event = incoming.caught_up(message)
                case _:
                    event = None
            if event is None:
                raise WireError("a frame does not belong here")
            counted.count(message)
    except (GapError, WireError) as error:
        raise BadInput(
            f"{bundle.path} cannot be used.",
            why=f"What it holds is not right: {error}.",
            hint="Have it made again.",
        ) from error
    if event is not None:
        yield event


def _base(replica: Replica, lacking: Sequence[Bundle]) -> Vector:
    """What all of the copies that a bundle is for have, as far as this copy has it, too.

    Raises:
        Fork: if one of them has another version of what is here.
    """
    mine = replica.vector()
    has = [greeting.read_want(messages.Want(1, bundle.header.tips), replica) for bundle in lacking]
    if not has:
        return Vector()
    return Vector({one: min(seq, *(other[one] for other in has)) for one, seq in mine.items()})


def _refuse_gap(bundle: Bundle, here: Vector) -> None:
    if here.covers(Vector.from_bytes(bundle.header.base)):
        return
    if bundle.is_request:
        raise Refused(
            f"{bundle.path} brings nothing.",
            why="It only says what its sender has.",
            hint=f"To answer it: aimem bundle export ANSWER --for {bundle.path}.",
        )
    raise Refused(
        f"{bundle.path} goes on from something that is not here.",
        why="It was made for a copy that has more.",
        hint="Send a request (aimem bundle export FILE --request) to have one made for this copy.",
    )


def _note_held(bundle: Bundle, copy: Copy) -> None:
    """What the sender has is on disk there; unless it is this copy itself."""
    header, own = bundle.header, copy.replica
    if header.replica.hex() != own.replica and header.log.hex() != own.log:
        copy.holds(header.log.hex(), header.vector)


def _healed(copy: Copy, work: Callable[[], _Result]) -> tuple[_Result, int]:
    """Work, and give up replicas of which two versions exist until it can be done."""
    for forks in range(_MAX_FORKS):
        try:
            return work(), forks
        except Fork as fork:
            copy.disown(fork.replica)
    raise Refused(
        "The two copies cannot be brought together.",
        why="Several copies go by one name.",
        hint="Was the workspace's file copied? Run: aimem doctor.",
    )


def _size(event: StreamEvent) -> int:
    match event:
        case EntriesReceived():
            return sum(codec.cost_of_entry(entry) for entry in event.entries)
        case CheckpointsReceived():
            return sum(codec.cost_of_checkpoint(one) for one in event.checkpoints)
        case CaughtUp():
            return 0
