"""The session: two copies of a workspace agree over one connection.

Everything that decides what may be sent when is in this file; its rules:

- It does no input or output, reads no clock and draws no lots: the driver passes frames and times
  (ms of a clock that never goes back) in, takes frames out, and stores what the events say.
- It does not know which side it is, except who speaks first: the one that is told to ``connect``.
- Frames go in by ``receive``, whole and in order, and come out by ``pull``, no more at a time than
  the transport takes; nothing is built before it is pulled, so a slow connection costs no memory.
- Greeting: hello, then the driver's ``admit`` and a welcome. From then on both sides are equal:
  each wants the other's stream, answers the other's want and acknowledges what it has stored.
- Acknowledged means stored: the driver says ``stored`` after its commit, not before.
- Whatever breaks a rule ends the session with an error that says so. What was reported up to then
  is good and may be stored; nothing of the offending frame is reported.

States: NEW -> (connect) GREETING -> (welcome) OPEN; NEW -> (hello) ASKED -> (admit) OPEN;
any -> CLOSED.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from crdt.errors import GapError, OrderError, WireError
from crdt.session import events, greeting
from crdt.session.events import Event
from crdt.session.incoming import Fork, Incoming, LostFrame
from crdt.session.liveness import Liveness
from crdt.session.outgoing import Outgoing, TooBig
from crdt.session.presence import PresenceIn, PresenceOut
from crdt.session.replica import Limits, Replica
from crdt.session.speaking import Speaker
from crdt.update_check import check_update
from crdt.vector import Vector
from crdt.wire import codec, messages
from crdt.wire.messages import PERMANENT, CloseCode, Message, Role


class State(Enum):
    """Where a session stands."""

    NEW = auto()
    GREETING = auto()
    """A hello was sent, the welcome has not come."""
    ASKED = auto()
    """A hello has come, the driver has not decided."""
    OPEN = auto()
    CLOSED = auto()


class Session:
    """One side of a connection.

    Args:
        replica: the copy this side stands for.
        now: the time at the start.
        agent: the program and its version.
        peer_role: what the peer may do here when this side dials; else ``admit`` says so.
        check: refuses bytes that no document would take, by raising :class:`WireError`.
    """

    def __init__(
        self,
        replica: Replica,
        now: int,
        *,
        limits: Limits | None = None,
        agent: str = "",
        peer_role: Role = Role.WRITER,
        check: Callable[[bytes], None] = check_update,
    ) -> None:
        self.state = State.NEW
        self.peer_log = ""
        """The id of the peer's log; the tokens of its stream are kept under it."""
        self.close_code: CloseCode | None = None
        """Why the session is closed; what the websocket is to be closed with."""
        self._replica = replica
        self._limits = limits or Limits()
        self._agent = agent
        self._peer_role = peer_role
        self._let_in = False
        """Whether the peer was dialled, or admitted."""
        self._is_namesake = False
        """Whether the peer goes by this copy's own id."""
        self._out = Outgoing(replica, self._limits)
        self._in = Incoming(replica, check)
        self._presence_out = PresenceOut(self._limits)
        self._presence_in = PresenceIn(self._limits)
        self._liveness = Liveness(self._limits, now)
        self._speaker = Speaker(self._out, self._presence_out, self._liveness)
        self._late: list[Event] = []

    # What the driver does

    def connect(self, *, role: Role = Role.WRITER, credential: bytes = b"") -> None:
        """Speak first."""
        self._must_be(State.NEW)
        self.state = State.GREETING
        self._let_in = True
        self._speaker.waiting.append(
            greeting.hello(self._replica, role, self._limits.max_frame, credential, self._agent)
        )

    def admit(self, role: Role, *, expires: int = 0, credential: bytes = b"") -> None:
        """Let the peer in, once its hello was reported.

        One that goes by this copy's own id is told so; the session is closed then.
        """
        self._must_be(State.ASKED)
        self._peer_role = role
        self._let_in = True
        if self._is_namesake:
            self._late = self.fork(self._replica.replica, 0)
            return
        self._speaker.waiting.append(
            greeting.welcome(
                self._replica, role, expires, self._limits.max_frame, credential, self._agent
            )
        )
        self._out.allowed = True
        self._open()

    def stored(self, mark: int) -> None:
        """Everything reported up to ``mark`` is on disk, or was refused as a duplicate."""
        self._speaker.acknowledge(self._in.stored(mark) or 0)

    def log_grew(self) -> None:
        """Entries or checkpoints were committed to the own log, wherever they came from."""
        self._out.log_grew()

    def set_presence(self, key: str, state: bytes) -> None:
        """Tell the peer where somebody is; an empty state takes it back."""
        self._presence_out.set(key, state)

    def refresh(self, credential: bytes) -> None:
        """Renew the credential while connected."""
        self._say(messages.Refresh(credential))

    def grant(self, role: Role, *, expires: int = 0) -> None:
        """Say what the peer may do from now on."""
        self._say(messages.Grant(role, expires))
        self._peer_role = role

    def leave(self, delay_ms: int, reason: str = "") -> None:
        """Tell the peer that this side will close soon, and when to come back."""
        self._say(messages.GoingAway(delay_ms, reason))

    def set_degraded(self, degraded: bool, reason: str = "") -> None:
        """Tell the peer whether nothing can be stored, and so acknowledged, just now."""
        self._say(messages.Status(degraded, reason))

    @property
    def sent(self) -> int:
        """Own entries up to this number have gone to the peer, or it has them already."""
        return self._out.sent_seq

    @property
    def peer_vector(self) -> Vector:
        """What the peer has, as far as it has said so, and what was sent to it."""
        return self._out.peer_vector

    @property
    def settled(self) -> bool:
        """Whether the peer has all that it may have from here: sent, and acknowledged."""
        return self.state is State.OPEN and self._out.settled

    def ask_again(self, reason: str, vector: Vector | None = None) -> list[Event]:
        """Want the peer's stream anew.

        Args:
            vector: what to claim to have; with an empty one everything comes again.
        """
        self._must_be(State.OPEN)
        if not self._in.may_ask_again():
            return self.close(CloseCode.GAP, reason)
        self._speaker.waiting.append(self._in.want(b"", vector))
        return [events.Resyncing(reason)]

    def fork(self, replica: str, seq: int) -> list[Event]:
        """The store holds another entry under this name than the peer sent: end the session."""
        error = messages.Error(
            CloseCode.FORK.value,
            f"Two entries are called {seq} of replica {replica[:8]}.",
            0,
            bytes.fromhex(replica),
            seq,
        )
        return [*self._believed(replica, seq), *self._end(error, CloseCode.FORK)]

    def close(self, code: CloseCode, reason: str = "", *, delay_ms: int = 0) -> list[Event]:
        """End the session; the error is still to be pulled."""
        return self._end(messages.Error(code.value, reason[:1_000], delay_ms), code)

    def lost(self) -> list[Event]:
        """The connection has broken."""
        return self._gone(CloseCode.LOST, "The connection broke.", 0, by_peer=True)

    def tick(self, now: int) -> list[Event]:
        """Let time pass: ask whether a silent peer is there, give up one that is not.

        Also reports an end that came while pulling or admitting; call it once more when the session
        is closed.
        """
        if self.state is State.CLOSED:
            late, self._late = self._late, []
            return late
        gone = self._liveness.tick(now, self._out.waiting_since)
        return self.close(CloseCode.SILENT, gone) if gone else []

    def next_tick(self) -> int | None:
        """When ``tick`` or, for presence, ``pull`` has something to do; None once closed."""
        if self.state is State.CLOSED:
            return None
        due, presence = self._liveness.next_tick(self._out.waiting_since), self._presence_out.due_at
        return due if presence is None or self.state is not State.OPEN else min(due, presence)

    def pull(self, max_bytes: int, now: int) -> list[bytes]:
        """Frames to send, in this order, of about ``max_bytes`` together; at least one if any.

        Call it whenever the transport can take more, and after every other call.
        """
        frames: list[bytes] = []
        size = 0
        while size < max_bytes:
            try:
                frame = self._speaker.next_frame(now)
            except TooBig as error:
                self._late = self.close(CloseCode.TOO_BIG, str(error))
                continue
            except Fork as fork:
                self._late = self.fork(fork.replica, fork.seq)
                continue
            if frame is None:
                break
            self._liveness.sent += 1
            frames.append(frame)
            size += len(frame)
        return frames

    def has_more(self) -> bool:
        """Whether to call ``pull`` again, even if it gave nothing: a log is read in parts."""
        return self._speaker.has_more()

    def receive(self, frame: bytes, now: int) -> list[Event]:
        """Take in one frame."""
        if self.state is State.CLOSED:
            return []
        self._liveness.heard(now)
        limits = self._limits
        most = limits.max_frame if self.state is State.OPEN else limits.max_greeting
        if len(frame) > most:
            return self.close(CloseCode.TOO_BIG, f"A frame of {len(frame)} bytes is too large.")
        try:
            message = codec.decode(frame)
        except WireError as error:
            return self.close(CloseCode.BAD_FRAME, str(error))
        try:
            return self._take(message, now)
        except GapError as error:
            return self.ask_again(str(error))
        except greeting.Refused as error:
            return self.close(error.code, str(error))
        except LostFrame as error:
            return self.close(CloseCode.LOST_FRAME, str(error))
        except OrderError as error:
            return self.close(CloseCode.BAD_ORDER, str(error))
        except WireError as error:
            return self.close(CloseCode.BAD_UPDATE, str(error))
        except Fork as fork:
            return self.fork(fork.replica, fork.seq)

    # What the peer does

    def _take(self, message: Message, now: int) -> list[Event]:
        match message:
            case messages.Error():
                return self._error(message)
            case messages.Hello() if self.state is State.NEW:
                return self._hello(message)
            case messages.Welcome() if self.state is State.GREETING:
                return self._welcome(message)
            case _ if self.state is not State.OPEN:
                raise OrderError("The greeting is not over.")
            case messages.Entries() | messages.Checkpoints() | messages.CaughtUp():
                return self._data(message)
            case messages.Ack():
                return self._acked(message, now)
            case messages.Want():
                return self._want(message)
            case messages.Presence():
                if not self._presence_in.take(message, now):
                    return self.close(CloseCode.TOO_FAST, "Too much presence.")
                return [events.PresenceChanged(message.key, message.state)]
            case messages.Ping():
                return self._ping(message)
            case messages.Pong():
                return []
            case messages.Refresh():
                if len(self._speaker.waiting) >= self._limits.queued_replies:
                    return self.close(CloseCode.TOO_FAST, "Too many credentials.")
                return [events.CredentialReceived(message.credential)]
            case messages.Grant():
                self._out.allowed = message.role is Role.WRITER
                return [events.RoleChanged(message.role, message.expires)]
            case messages.GoingAway():
                return [events.PeerLeaving(message.delay_ms, message.reason)]
            case messages.Status():
                self._liveness.peer_degraded = message.degraded
                return [events.StatusChanged(message.degraded, message.reason)]
            case _:
                raise OrderError("The greeting is over.")

    def _hello(self, message: messages.Hello) -> list[Event]:
        received = greeting.read_hello(message, self._replica)
        self.state = State.ASKED
        self._is_namesake = received.replica == self._replica.replica
        self.peer_log = message.log.hex()
        self._out.max_frame = message.max_frame
        return [received]

    def _welcome(self, message: messages.Welcome) -> list[Event]:
        welcomed = greeting.read_welcome(message)
        self.peer_log = message.log.hex()
        self._out.max_frame = message.max_frame
        self._out.allowed = message.role is Role.WRITER
        if self._peer_role is Role.READER:
            # Before the want, lest the answer to it be refused.
            self._speaker.waiting.append(messages.Grant(Role.READER, 0))
        self._open()
        return [welcomed]

    def _open(self) -> None:
        self.state = State.OPEN
        self._speaker.open = True
        self._liveness.opened()
        self._speaker.waiting.append(self._in.want(self._replica.resume_token(self.peer_log)))

    def _want(self, message: messages.Want) -> list[Event]:
        if message.run > self._limits.wants:
            return self.close(CloseCode.TOO_FAST, "The stream was wanted anew too often.")
        has = greeting.read_want(message, self._replica)
        return [events.Acknowledged(self._out.start(message, has))]

    def _data(
        self, message: messages.Entries | messages.Checkpoints | messages.CaughtUp
    ) -> list[Event]:
        if self._peer_role is not Role.WRITER:
            return self.close(CloseCode.READ_ONLY, "You may read this workspace, not change it.")
        reported: events.EntriesReceived | events.CheckpointsReceived | events.CaughtUp | None
        match message:
            case messages.Entries():
                reported = self._in.entries(message)
                if reported is not None:
                    self._out.peer_sent(reported.entries)
            case messages.Checkpoints():
                reported = self._in.checkpoints(message)
            case messages.CaughtUp():
                reported = self._in.caught_up(message)
                if reported is not None:
                    self._out.peer_has(reported.vector)
        return [] if reported is None else [reported, events.Progress(*self._in.progress)]

    def _ping(self, message: messages.Ping) -> list[Event]:
        received = self._liveness.received - 1
        if message.frames != received:
            raise LostFrame(f"{message.frames} frames were sent, {received} have come")
        if len(self._speaker.waiting) >= self._limits.queued_replies:
            return self.close(CloseCode.TOO_FAST, "Too many pings.")
        self._speaker.waiting.append(messages.Pong())
        return []

    def _acked(self, message: messages.Ack, now: int) -> list[Event]:
        seq = self._out.acked(message.mark, now)
        return [] if seq is None else [events.Acknowledged(seq)]

    def _error(self, message: messages.Error) -> list[Event]:
        try:
            code = CloseCode(message.code)
        except ValueError:
            code = CloseCode.INTERNAL
        told: list[Event] = []
        if code is CloseCode.FORK and len(message.replica) == 16:
            told += self._believed(message.replica.hex(), message.seq)
        return [*told, *self._gone(code, message.reason, message.delay_ms, by_peer=True)]

    def _believed(self, replica: str, seq: int) -> list[Event]:
        """A fork as an event, unless only a reader says so: it may lie, and gains nothing by it."""
        believed = self._let_in and self._peer_role is Role.WRITER
        return [events.ForkDetected(replica, seq)] if believed else []

    # The end

    def _end(self, error: messages.Error, code: CloseCode) -> list[Event]:
        if self.state is State.CLOSED:
            return []
        told = self._gone(code, error.reason, error.delay_ms, by_peer=False)
        self._speaker.waiting.append(error)
        return told

    def _gone(self, code: CloseCode, reason: str, delay_ms: int, *, by_peer: bool) -> list[Event]:
        if self.state is State.CLOSED:
            return []
        self.state = State.CLOSED
        self.close_code = code
        self._speaker.end()
        left: list[Event] = [events.PresenceChanged(key, b"") for key in self._presence_in.leave()]
        return [*left, events.PeerGone(code, reason, delay_ms, code in PERMANENT, by_peer)]

    def _say(self, message: Message) -> None:
        # That a session has ended a driver may learn a moment later.
        if self.state is not State.CLOSED:
            self._must_be(State.OPEN)
            self._speaker.waiting.append(message)

    def _must_be(self, state: State) -> None:
        if self.state is not state:
            raise ValueError(f"the session is {self.state.name}, not {state.name}")
