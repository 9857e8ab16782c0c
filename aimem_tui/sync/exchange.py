"""All connections of one workspace in one event loop, dialled and answered ones alike.

- What one of them brings is stored by the inbox, and then goes out over the others, as what this
  machine writes does: each session follows the log of the file.
- The file is watched (``PRAGMA data_version``), so it does not matter which process has written.
- Who is there is kept per connection and gone with it, and is passed on to all others (``gossip``).
- A fork ends all connections: what they have read was of the copy as it was before. Then the
  replica is disowned, and only after that ``ready`` is set again for new ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aimem_tui.errors import StorageError
from aimem_tui.store.connection import Database
from aimem_tui.store.receiving import Received
from aimem_tui.store.replica import StoreReplica
from aimem_tui.sync import presence
from aimem_tui.sync.connection import Connection, Socket, monotonic_ms
from aimem_tui.sync.gossip import Gossip
from aimem_tui.sync.inbox import LONGEST_RETRY_S, RETRY_S, Box, Inbox
from aimem_tui.sync.link import CountedReplica, Link
from aimem_tui.sync.lists import Lists
from aimem_tui.sync.local_copy import LocalCopy
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.state import Person, Phase, SyncState
from aimem_tui.sync.visitors import Visitors
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.wire.messages import CloseCode, Role

BUSY_POLL_S = 0.02
IDLE_POLL_S = 0.1
"""How often the file is looked at while connections have something to do, and else."""
LIMITS = Limits(presence_keys=20_000, presence_per_s=5_000)
"""A relay passes on the presence of everybody."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whoever asked is let in."""

    role: Role
    expires: int = 0


@dataclass(frozen=True, slots=True)
class Denied:
    """Whoever asked is not let in."""

    code: CloseCode
    reason: str


Decide = Callable[[ev.HelloReceived], Awaitable["Admitted | Denied"]]


class Exchange:
    """Between ``async with`` and its end connections can be joined.

    Args:
        database: the workspace's file, open until the end.
        agent: the program and its version.
        on_change: called in the event loop when something may have changed.
        clock: ms since the Unix epoch.
    """

    def __init__(
        self,
        database: Database,
        *,
        agent: str,
        on_change: Callable[[], None],
        clock: Callable[[], int],
    ) -> None:
        self.links: list[Link] = []
        self.ready = asyncio.Event()
        """Set unless a replica is being disowned."""
        self.ready.set()
        self.notice = ""
        self.elsewhere = False
        self.people_elsewhere: tuple[Person, ...] = ()
        """Whom another process of this machine sees, where it is left to that."""
        self._copy = LocalCopy(database)
        self._agent = agent
        self._on_change = on_change
        self._clock = clock
        self._inbox = Inbox(
            database,
            self._copy.writing,
            on_stored=self._stored,
            on_trouble=self._trouble_changed,
        )
        self._presence: PresenceState | None = None
        self._look_soon = asyncio.Event()
        self._lists = Lists(self._copy, self.links, on_change)
        self._gossip = Gossip(
            self.links,
            lambda: self._copy.figures.ids.replica,
            Visitors(database.path.parent).seen,
        )
        self._disowning: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Exchange:
        for part in (
            self._inbox.run,
            self._follow,
            self._copy.note,
            self._lists.run,
            self._gossip.run,
        ):
            self._tasks.append(asyncio.create_task(part()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._copy.close()

    # What others call, in the event loop

    async def join(
        self, socket: Socket, link: Link, *, credential: bytes, role: Role = Role.WRITER
    ) -> ev.PeerGone:
        """Dialled: speak first, and go on until the session is over."""
        return await self._run(
            socket, link, None, lambda session: session.connect(role=role, credential=credential)
        )

    async def answer(self, socket: Socket, link: Link, decide: Decide) -> ev.PeerGone:
        """Dialled by somebody: let them in if ``decide`` says so, and go on until it is over.

        Args:
            link: in ``links`` for as long as this takes.
        """
        self.links.append(link)
        try:
            return await self._run(socket, link, decide, lambda session: None)
        finally:
            self.links.remove(link)
            self._on_change()

    def look(self) -> None:
        """Something was committed: have the sessions see it now."""
        self._look_soon.set()

    def set_presence(self, state: PresenceState | None) -> None:
        """Tell the others where the person at this machine is; None: nowhere."""
        self._presence = state
        for connection in self._open_connections():
            self._send_presence(connection)

    def close_connections(self, code: CloseCode = CloseCode.NORMAL, reason: str = "") -> None:
        """End every session."""
        for link in self.links:
            if link.connection is not None:
                link.connection.close(code, reason)

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        return self._copy.figures.ids.workspace

    @property
    def idle(self) -> bool:
        """Whether all that came is stored and shown."""
        return self._lists.up_to_date and not any(
            link.box is not None and not link.box.empty.is_set() for link in self.links
        )

    def state(self) -> SyncState:
        """How things stand."""
        standing = self._copy.figures.standing
        heard = [person for link in self.links for person in link.people.values()]
        sessions = [connection.session for connection in self._open_connections()]
        # What is said just now is noted in the file a little later.
        said = [
            link.acknowledged
            for link in self.links
            if link.connection is not None and link.is_about(standing.replica)
        ]
        durable = max([standing.durable_seq, *said])
        return SyncState(
            links=tuple(link.state(self._inbox.trouble) for link in self.links),
            own_seq=standing.own_seq,
            sent_seq=max([durable, *(session.sent for session in sessions)]),
            durable_seq=durable,
            oldest_undurable_ms=standing.oldest_undurable if durable < standing.own_seq else 0,
            people=presence.people([*self.people_elsewhere, *heard], standing.replica),
            notice=self.notice,
            elsewhere=self.elsewhere,
        )

    # One connection

    async def _run(
        self,
        socket: Socket,
        link: Link,
        decide: Decide | None,
        begin: Callable[[Session], None],
    ) -> ev.PeerGone:
        await self.ready.wait()
        replica = StoreReplica(self._copy.database)
        session = Session(
            CountedReplica(replica, link), monotonic_ms(), limits=LIMITS, agent=self._agent
        )
        deciding: list[asyncio.Task[None]] = []

        def on_event(event: ev.Event) -> None:
            if isinstance(event, ev.HelloReceived) and decide is not None:
                deciding.append(asyncio.create_task(self._decide(connection, decide, event)))
            else:
                self._take(link, connection, box, event)

        connection = Connection(socket, session, on_event)
        box = Box(connection, replica.replica, replica.log)
        link.opened(connection, box)
        begin(session)
        try:
            return await connection.run()
        finally:
            for task in deciding:
                task.cancel()
            link.closed()
            self._gossip.moved()
            self._on_change()

    async def _decide(
        self, connection: Connection, decide: Decide, hello: ev.HelloReceived
    ) -> None:
        verdict = await decide(hello)
        if connection.session.state is not State.ASKED:
            return
        match verdict:
            case Admitted(role, expires):
                connection.session.admit(role, expires=expires)
                self._greeted(connection)
            case Denied(code, reason):
                connection.close(code, reason)
        connection.wake()

    def _take(self, link: Link, connection: Connection, box: Box, event: ev.Event) -> None:
        match event:
            case ev.EntriesReceived() | ev.CheckpointsReceived() | ev.CaughtUp():
                self._inbox.put(box, event)
                return
            case ev.Welcomed():
                link.read_only = event.role is Role.READER
                link.expires = event.expires
                link.problem = ""
                self._greeted(connection)
                self._note_log(link, connection.session.peer_log)
            case ev.RoleChanged():
                link.read_only = event.role is Role.READER
                link.expires = event.expires
            case ev.Progress():
                link.to_come = max(0, event.total - event.done)
            case ev.Acknowledged():
                link.acknowledged = event.seq
                self._copy.acknowledged(connection.session.peer_log, box.replica, event.seq)
            case ev.PresenceChanged():
                link.heard(event.key, event.state)
                self._gossip.moved()
            case ev.StatusChanged():
                link.trouble_there = (
                    f"{link.name} cannot save just now. {event.reason}".strip()
                    if event.degraded
                    else ""
                )
            case ev.PeerLeaving():
                link.delay_ms = event.delay_ms
            case ev.Resyncing():
                link.was_complete = False
            case ev.ForkDetected():
                self._forked(event.replica)
            case _:
                pass
        if connection.is_open:
            link.last_seen = self._clock()
            link.phase = Phase.IN_STEP if link.was_complete else Phase.CATCHING_UP
        self._on_change()

    def _note_log(self, link: Link, peer_log: str) -> None:
        """A remote with another log id than before has lost what it said under the old one."""
        gone, link.peer_log = link.peer_log, peer_log
        if gone and gone != peer_log:
            self._tasks.append(asyncio.create_task(self._forget(gone)))

    async def _forget(self, peer_log: str) -> None:
        with suppress(StorageError):
            await self._copy.forget_peer(peer_log)

    def _greeted(self, connection: Connection) -> None:
        if self._inbox.trouble:
            connection.session.set_degraded(True, self._inbox.trouble[:1_000])
        self._send_presence(connection)
        self._gossip.moved()

    def _send_presence(self, connection: Connection) -> None:
        replica = self._copy.figures.ids.replica
        state = b"" if self._presence is None else self._presence.to_bytes(replica)
        connection.session.set_presence(replica, state)
        connection.wake()

    def _open_connections(self) -> Sequence[Connection]:
        connections = (link.connection for link in self.links)
        return [one for one in connections if one is not None and one.is_open]

    # Storing

    def _stored(self, box: Box, received: Received) -> None:
        for link in self.links:
            if link.box is box:
                link.received += received.entries + received.checkpoints
        if received.thoughts:
            self._lists.arrived()
        self.look()

    def _trouble_changed(self, trouble: str) -> None:
        for connection in self._open_connections():
            connection.session.set_degraded(bool(trouble), trouble[:1_000])
            connection.wake()
        self._on_change()

    # Following the file

    async def _follow(self) -> None:
        seen = -1
        while True:
            with suppress(StorageError):
                version = self._copy.version()
                if version != seen:
                    self._see()
                    seen = version
            busy = self._judge()
            with suppress(TimeoutError):
                async with asyncio.timeout(BUSY_POLL_S if busy else IDLE_POLL_S):
                    await self._look_soon.wait()
            if self._look_soon.is_set():
                self._look_soon.clear()

    def _see(self) -> None:
        """The file has changed: have the sessions look at the log again."""
        if self._copy.read_again():
            # By another process, as this one ends its sessions first.
            self.close_connections(CloseCode.GOING_AWAY, "This copy has taken another id.")
        for connection in self._open_connections():
            connection.session.log_grew()
            connection.wake()
        self._on_change()

    def _judge(self) -> bool:
        """Note which connections have come to the end; whether any has not."""
        busy = False
        figures = self._copy.figures
        for link in self.links:
            if link.connection is None or not link.connection.is_open:
                continue
            complete = link.has_everything(figures)
            busy = busy or not complete
            if complete:
                link.to_come = 0
                link.attempts = 0
            if complete != link.complete:
                link.complete = complete
                link.was_complete = link.was_complete or complete
                link.phase = Phase.IN_STEP if link.was_complete else Phase.CATCHING_UP
                self._on_change()
        return busy

    # Forks

    def _forked(self, replica: str) -> None:
        if replica in self._disowning:
            return
        self._disowning.add(replica)
        self.ready.clear()
        self._tasks.append(asyncio.create_task(self._disown(replica)))

    async def _disown(self, replica: str) -> None:
        own = replica == self._copy.figures.ids.replica
        for link in self.links:
            if link.box is not None:
                link.box.shut_down()
        self.close_connections(CloseCode.GOING_AWAY, "Two copies have used one name.")
        self.notice = await self._give_up(replica, own=own)
        self._disowning.discard(replica)
        with suppress(StorageError):
            self._see()
        if not self._disowning:
            self.ready.set()
        self._on_change()

    async def _give_up(self, replica: str, *, own: bool) -> str:
        """Have the store disown a replica; returns what to tell the person."""
        wait_s = RETRY_S
        while True:
            try:
                await self._copy.disown(replica)
            except StorageError as error:
                self.notice = f"Synchronising waits. {error}"
                self._on_change()
                await asyncio.sleep(wait_s)
                wait_s = min(LONGEST_RETRY_S, 2 * wait_s)
            except Exception:
                logger.exception("a replica could not be disowned")
                return "Two copies of the workspace have one name, and aimem could not part them."
            else:
                break
        if own:
            return (
                "This copy of the workspace was in use somewhere else, too. It goes on under a name"
                " of its own, and nothing is lost."
            )
        return "Two copies of the workspace had one name. What both have written is kept."
