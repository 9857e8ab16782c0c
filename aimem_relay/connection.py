"""One connection: a session driven over a channel.

- Everything here is a call on the event loop; there are tasks only for what has to wait for
  somebody: letting in, another credential, a part of the log that only the ledger has.
- Frames are pulled from the session when the channel takes them, and not before: what a slow peer
  does not take is not encoded. One that takes nothing for long is dropped, and resumes later.
- What is received is handed to the committer and acknowledged when it is on disk. What waits there
  is bounded for each connection: beyond that nothing more is read from it.
- While the workspace is full, or the ledger stores nothing, the peer is told so and nothing is
  acknowledged; the connection stays.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from aimem_relay import logging as log
from aimem_relay.access import Denied, Grant, wall_ms
from aimem_relay.admission import Pace, Refusal
from aimem_relay.channel import Channel
from aimem_relay.committer import Overloaded
from aimem_relay.ledger.port import Forked, Job, LedgerDown, Outcome, Stored
from aimem_relay.room import Room, RoomReplica
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.wire.messages import CloseCode, Role

if TYPE_CHECKING:
    from aimem_relay.relay import Relay

PULL_BYTES = 64 << 10
"""About how much is pulled from the session at a time."""
FETCH_AGAIN_S = 1.0
"""How long to wait before a part of the log is asked for again."""
READER_FRAME = 4 << 20
"""The largest frame of one that may only read: it says what it has, which takes 2.5 MB at most."""
PARTING_S = 2.0
"""How long one that is sent away waits for what it has sent to be acknowledged."""

FAULTS = frozenset(
    {
        CloseCode.TOO_BIG,
        CloseCode.BAD_FRAME,
        CloseCode.BAD_VERSION,
        CloseCode.FORK,
        CloseCode.BAD_ORDER,
        CloseCode.GAP,
        CloseCode.LOST_FRAME,
        CloseCode.BAD_UPDATE,
        CloseCode.READ_ONLY,
        CloseCode.TOO_FAST,
    }
)
"""The codes that say what was wrong with a frame."""


class Connection:
    """Drives one session (``aimem_relay.channel.Receiver``).

    Args:
        number: never used again by this pod.
        workspace: the id in the path that was asked for.
    """

    __slots__ = (
        "_credential",
        "_ended",
        "_entries",
        "_expires",
        "_fetching",
        "_frames",
        "_greeting",
        "_left_out",
        "_parting_ms",
        "_reading",
        "_replica",
        "_stuck_at",
        "_uncommitted",
        "_wished",
        "channel",
        "due",
        "name",
        "number",
        "relay",
        "room",
        "session",
        "workspace",
    )

    def __init__(self, relay: Relay, number: int, channel: Channel, workspace: str) -> None:
        now = relay.now()
        self.relay = relay
        self.number = number
        self.name = f"{relay.pod}.{number}"
        """Its number for all pods."""
        self.channel = channel
        self.workspace = workspace
        self.room: Room | None = None
        """Where it is, once it is let in."""
        self.due = 0
        """When it is to be looked after next, ms."""
        self._replica = RoomReplica(workspace, self._fetch)
        self.session = Session(self._replica, now, limits=relay.limits, agent=relay.agent)
        self._credential = b""
        self._wished = Role.READER
        self._expires = 0
        self._uncommitted = 0
        self._reading = True
        self._left_out = False
        self._parting_ms: int | None = None
        self._stuck_at: int | None = None
        self._fetching = False
        self._greeting = True
        self._ended = False
        self._entries = Pace(relay.config.entries_per_s, now)
        self._frames = Pace(relay.config.frames_per_s, now)

    # Receiver

    def received(self, frame: bytes) -> None:
        """See :class:`aimem_relay.channel.Receiver`."""
        now, session = self.relay.now(), self.session
        if not self._frames.take(1, now):
            self._end_for_now(CloseCode.TOO_FAST, "Too many frames.")
            return
        self._handle(session.receive(frame, now), len(frame))
        if session.close_code is not None or session.has_more():
            self.relay.pump_soon(self)

    def too_large(self, size: int) -> None:
        """See :class:`aimem_relay.channel.Receiver`."""
        self.end(CloseCode.TOO_BIG, f"A frame of {size} bytes is too large.")
        # Now: the channel closes as soon as this returns.
        self.pump()

    def crowded_out(self) -> None:
        """See :class:`aimem_relay.channel.Receiver`."""
        self.relay.metrics.crowded_out.inc()
        self._end_for_now(CloseCode.TRY_LATER, "Too much has begun to come and has not ended.")
        self.pump()

    def writable_changed(self) -> None:
        """See :class:`aimem_relay.channel.Receiver`."""
        if self.channel.writable:
            self._stuck_at = None
            self.relay.pump_soon(self)
        else:
            self._stuck_at = now = self.relay.now()
            self.relay.look_after(self, now + int(self.relay.config.slow_s * 1_000))

    def lost(self) -> None:
        """See :class:`aimem_relay.channel.Receiver`."""
        self._handle(self.session.lost())
        self._leave()

    # What the relay asks for

    def pump(self) -> None:
        """Send what there is to send, as far as the channel takes it."""
        session, channel = self.session, self.channel
        if self._ended:
            return
        if session.state is State.CLOSED:
            self._finish()
            return
        if not channel.writable:
            return
        frames = session.pull(PULL_BYTES, self.relay.now())
        if frames:
            self.relay.frames_sent += len(frames)
            channel.send(frames)
        # A record that does not fit ends the session while it is pulled.
        if session.close_code is not None or (session.has_more() and channel.writable):
            self.relay.pump_soon(self)

    def tick(self, now: int) -> int | None:
        """Let time pass; returns when to be called again."""
        if self._ended:
            return None
        stuck = self._stuck_at
        if stuck is not None and now - stuck >= self.relay.config.slow_s * 1_000:
            self.relay.metrics.slow.inc()
            self._end_for_now(CloseCode.TRY_LATER, "You were too slow to take what there is.")
            return None
        if self._expires and wall_ms() >= self._expires:
            self._expires = 0
            self.relay.spawn(self._check(self._credential))
        self._handle(self.session.tick(now))
        self.relay.pump_soon(self)
        due = self.session.next_tick()
        if due is None:
            return None
        if stuck is not None:
            due = min(due, stuck + int(self.relay.config.slow_s * 1_000))
        if self._expires:
            due = min(due, now + max(0, self._expires - wall_ms()))
        return due

    def refuse(self, refusal: Refusal) -> None:
        """There is no place: ask the peer to come back later."""
        self.relay.metrics.turned_away.labels(refusal.cause).inc()
        self.end(CloseCode.TRY_LATER, refusal.reason, refusal.delay_ms)

    def end(self, code: CloseCode, reason: str, delay_ms: int = 0) -> None:
        """End the session, and say why and when to come back."""
        self._handle(self.session.close(code, reason, delay_ms=delay_ms))
        self.relay.pump_soon(self)

    def _end_for_now(self, code: CloseCode, reason: str) -> None:
        """End the session, and ask the peer to come back at a random time."""
        self.end(code, reason, self.relay.admission.delay_ms())

    def set_degraded(self, reason: str) -> None:
        """Tell the peer why nothing can be stored; with an empty text, that it can."""
        if self.session.state is State.OPEN:
            self.session.set_degraded(bool(reason), reason)
            self.relay.pump_soon(self)

    def space_found(self) -> None:
        """The workspace is not full any more."""
        if self._left_out:
            # What was not kept has to come again.
            self._end_for_now(CloseCode.TRY_LATER, "There is space again.")
        else:
            self.set_degraded("")

    def going_away(self, delay_ms: int) -> None:
        """Tell the peer that the relay stops."""
        if self.session.state is State.OPEN:
            self.session.leave(delay_ms, "The relay is restarting.")
            self.relay.pump_soon(self)

    def send_away(self, delay_ms: int) -> None:
        """The relay stops: end the session once what has come is stored and acknowledged.

        Nothing more is read meanwhile, and it is not waited for long.
        """
        self._parting_ms = delay_ms
        if self._uncommitted:
            self.channel.pause_reading()
            asyncio.get_running_loop().call_later(PARTING_S, self._part)
        else:
            self._part()

    def _part(self) -> None:
        delay_ms, self._parting_ms = self._parting_ms, None
        if delay_ms is not None:
            # An acknowledgement that waits goes first.
            self.pump()
            self.end(CloseCode.GOING_AWAY, "The relay is restarting.", delay_ms)

    # Events

    def _handle(self, events: list[ev.Event], size: int = 0) -> None:
        for event in events:
            match event:
                case ev.EntriesReceived() | ev.CheckpointsReceived() | ev.CaughtUp():
                    self._store(event, size)
                case ev.HelloReceived():
                    self.relay.spawn(self._let_in(event))
                case ev.PresenceChanged():
                    if self.room is not None:
                        self.relay.people.announce(
                            self.room, self.name, event.key, event.state, self.number
                        )
                case ev.CredentialReceived():
                    self.relay.spawn(self._check(event.credential))
                case ev.Resyncing():
                    self.relay.metrics.resyncs.inc()
                case ev.PeerGone():
                    self._gone(event)
                case _:
                    pass

    def _gone(self, event: ev.PeerGone) -> None:
        self.relay.metrics.closed.labels(event.code.name.lower()).inc()
        if event.by_peer:
            return
        if event.code in FAULTS:
            self.relay.metrics.refused.labels(event.code.name.lower()).inc()
        level = logging.WARNING if event.code in FAULTS else logging.INFO
        log.event(
            "connection closed",
            level,
            connection=self.name,
            workspace=self.workspace,
            address=self.channel.address,
            code=event.code.name,
        )

    # Letting in

    async def _let_in(self, hello: ev.HelloReceived) -> None:
        relay = self.relay
        try:
            decision = await relay.gate.check(self.workspace, hello.credential)
            if isinstance(decision, Denied):
                self.end(decision.code, decision.reason)
                return
            refusal = relay.admission.join(self.workspace)
            if refusal is not None:
                self.refuse(refusal)
                return
            try:
                joined = await self._join(hello, decision)
            except BaseException:
                relay.admission.quit(self.workspace)
                raise
            if not joined:
                relay.admission.quit(self.workspace)
        except LedgerDown:
            self._end_for_now(CloseCode.TRY_LATER, "The relay cannot reach its ledger.")
        except Exception:
            self._end_for_now(CloseCode.INTERNAL, "The relay has failed.")
            raise

    async def _join(self, hello: ev.HelloReceived, grant: Grant) -> bool:
        """Enter the room of the workspace; False where the session has ended meanwhile."""
        relay, session = self.relay, self.session
        room = await relay.enter(self.workspace)
        token = await relay.ledger.token(self.workspace, session.peer_log)
        if session.state is not State.ASKED:
            return False
        self._replica.enter(room, token)
        if hello.replica == room.copy.replica:
            self._handle(session.fork(hello.replica, 0))
            relay.pump_soon(self)
            return False
        self._wished, self._credential = hello.role, hello.credential
        self._expires = grant.expires
        role = grant.as_wished(hello.role)
        session.admit(role, expires=grant.expires)
        self._take_frames_of(role)
        self._greeted()
        self.room = room
        room.join(self)
        relay.joined(self, room)
        relay.pump_soon(self)
        return True

    async def _check(self, credential: bytes) -> None:
        """Look at the peer's credential again, or at another one."""
        decision = await self.relay.gate.check(self.workspace, credential)
        if self.session.state is not State.OPEN:
            return
        if isinstance(decision, Denied):
            self.end(decision.code, decision.reason)
            return
        self._credential, self._expires = credential, decision.expires
        role = decision.as_wished(self._wished)
        self.session.grant(role, expires=decision.expires)
        self._take_frames_of(role)
        self.relay.look_after(self, self.relay.now())
        self.relay.pump_soon(self)

    def _take_frames_of(self, role: Role) -> None:
        """Set how large frames may be; never lower, as there may be some on their way."""
        most = self.relay.config.max_frame
        if role is not Role.WRITER:
            most = min(most, READER_FRAME)
        self.channel.max_frame = max(self.channel.max_frame, most)

    # Storing

    def _store(
        self, event: ev.EntriesReceived | ev.CheckpointsReceived | ev.CaughtUp, size: int
    ) -> None:
        relay, room = self.relay, self.room
        if room is None:
            return
        count = 0
        match event:
            case ev.EntriesReceived():
                count = len(event.entries)
            case ev.CheckpointsReceived():
                count = len(event.checkpoints)
        if not self._entries.take(count, relay.now()):
            self._end_for_now(CloseCode.TOO_FAST, "Too many entries.")
            return
        if self._left_out or (room.full and count):
            # Not kept and not acknowledged; it comes again once there is space.
            self._left_out = True
            return
        job = Job(self.workspace, event, self.number, self.session.peer_log)
        self._uncommitted += size
        relay.uncommitted += size
        try:
            relay.committer.hand_over(
                job, partial(self._stored, event.mark, size, count, relay.clock())
            )
        except Overloaded:
            self._uncommitted -= size
            relay.uncommitted -= size
            self._end_for_now(CloseCode.TRY_LATER, "The relay has too much to store.")
            return
        if self._reading and self._uncommitted > relay.config.uncommitted_bytes:
            self._reading = False
            self.channel.pause_reading()

    def _stored(
        self, mark: int, size: int, count: int, since: float, outcome: Outcome | Exception | None
    ) -> None:
        relay = self.relay
        self._uncommitted -= size
        relay.uncommitted -= size
        parting = self._parting_ms is not None
        low = relay.config.uncommitted_bytes // 2
        if not self._reading and not parting and self._uncommitted <= low:
            self._reading = True
            self.channel.resume_reading()
        match outcome:
            case None:
                return
            case Exception():
                log.failure("a frame could not be stored", outcome, connection=self.name)
                self._end_for_now(CloseCode.INTERNAL, "The relay could not store this.")
            case Stored():
                relay.metrics.commit_seconds.add(relay.clock() - since)
                relay.acknowledged += count
                self.session.stored(mark)
                relay.pump_soon(self)
            case Forked(replica, seq):
                self._handle(self.session.fork(replica, seq))
                relay.pump_soon(self)
        if parting and not self._uncommitted:
            self._part()

    # Fetching

    def _fetch(self) -> None:
        if not self._fetching:
            self._fetching = True
            self.relay.spawn(self._bring())

    async def _bring(self) -> None:
        """Bring what the session wants to read and only the ledger has."""
        relay, replica = self.relay, self._replica
        try:
            while (wanted := replica.wanted) is not None and not self._ended:
                after, known, most, most_bytes = wanted
                try:
                    async with relay.fetches:
                        found = await relay.ledger.read(
                            self.workspace, after, known, most, most_bytes
                        )
                except LedgerDown:
                    await asyncio.sleep(FETCH_AGAIN_S)
                    continue
                relay.metrics.fetches.inc()
                if replica.fetched(after, found):
                    break
        finally:
            self._fetching = False
        self.session.log_grew()
        relay.pump_soon(self)

    # The end

    def _finish(self) -> None:
        """Send the last words and close."""
        session = self.session
        self._handle(session.tick(self.relay.now()))
        frames = session.pull(PULL_BYTES, self.relay.now())
        if frames:
            self.channel.send(frames)
        code = session.close_code or CloseCode.NORMAL
        if code is CloseCode.LOST:
            self.channel.abort()
        else:
            self.channel.close(code.value)
        self._leave()

    def _greeted(self) -> None:
        if self._greeting:
            self._greeting = False
            self.relay.admission.greeted()

    def _leave(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._greeted()
        self.relay.left(self)
