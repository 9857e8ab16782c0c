"""Two workspaces' files with a connection between them, in memory."""

from __future__ import annotations

from aimem_tui.store import durability, identity
from aimem_tui.store.receiving import Forked, Received, receive
from aimem_tui.store.replica import StoreReplica
from aimem_tui.workspace.workspace import Workspace
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire.messages import Role

LIMITS = Limits(batch_entries=3, batch_bytes=2_000, window_frames=4)
"""Small ones, so that little data makes many frames."""


class End:
    """A workspace's end of the connection; stores what comes as the sync client does."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.replica = StoreReplica(workspace.database)
        self.session = Session(self.replica, 0, limits=LIMITS)
        self.received: list[Received] = []
        self.forks: list[str] = []
        self.gone: ev.PeerGone | None = None

    def take(self, events: list[ev.Event]) -> None:
        for event in events:
            match event:
                case ev.HelloReceived():
                    self.session.admit(Role.WRITER)
                case ev.EntriesReceived() | ev.CheckpointsReceived() | ev.CaughtUp():
                    self._store(event)
                case ev.Acknowledged():
                    durability.note_acknowledged(
                        self.workspace.database,
                        self.session.peer_log,
                        event.seq,
                        replica=self.replica.replica,
                    )
                case ev.ForkDetected():
                    self.forks.append(event.replica)
                    identity.disown(self.workspace.database, event.replica)
                case ev.PeerGone():
                    self.gone = event
                case _:
                    pass

    def _store(self, event: ev.EntriesReceived | ev.CheckpointsReceived | ev.CaughtUp) -> None:
        if self.gone is not None:
            return
        try:
            self.received.append(
                receive(
                    self.workspace.database,
                    self.session.peer_log,
                    [event],
                    log_id=self.replica.log,
                )
            )
        except Forked as fork:
            self.take(self.session.fork(fork.replica, fork.seq))
            return
        self.session.stored(event.mark)
        self.session.log_grew()


class Joined:
    """A connection: the first end dials."""

    def __init__(self, one: Workspace, other: Workspace) -> None:
        self.one, self.other = End(one), End(other)
        self.one.session.connect()

    def settle(self, steps: int = 10_000) -> Joined:
        """Let both talk until neither has anything to say, or the connection breaks.

        Args:
            steps: when it does: each side says something at most so often.
        """
        for _ in range(steps):
            if not self._step():
                return self
        assert steps < 10_000, "the two talk for ever"
        return self

    def _step(self) -> bool:
        moved = False
        for end, peer in ((self.one, self.other), (self.other, self.one)):
            frames = [] if end.gone and not end.session.has_more() else end.session.pull(1, 0)
            for frame in frames:
                moved = True
                peer.take(peer.session.receive(frame, 0))
            if end.session.state is State.CLOSED:
                # An end may come to light while something else was done.
                end.take(end.session.tick(0))
            moved |= end.session.has_more() and end.session.state is State.OPEN
        return moved

    def grew(self) -> Joined:
        """Both look at their logs again, and talk."""
        for end in (self.one, self.other):
            end.session.log_grew()
        return self.settle()


def join(one: Workspace, other: Workspace) -> Joined:
    """Connect two workspaces and let them exchange what each lacks."""
    return Joined(one, other).settle()
