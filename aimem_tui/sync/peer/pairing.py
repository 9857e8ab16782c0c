"""Pairing: two people compare six digits, and one machine gives the other a token.

A state machine without input or output: frames and decisions go in, frames and events come out.
It runs inside TLS, where the listener shows a certificate that nobody vouches for. What has to be
found out is whether the dialler sees the listener's certificate, or that of somebody in between.

1. The dialler commits to a random number: it sends only a digest of it (``Ask``).
2. The listener answers with a random number of its own (``Offer``).
3. The dialler shows its number (``Reveal``); the listener compares it with the digest.
4. Both compute a code from the certificate's fingerprint, as each of them sees it, and all that was
   said. Two people look whether the codes are the same, and both say so (``Confirm``).
5. The listener gives a token (``Grant``), and the dialler says that it is kept (``Done``).

Somebody in between has another certificate and so makes two different codes. To make them equal he
would have to choose a number after he knows both honest ones: towards the listener he is committed
before he sees its number, and towards the dialler he must show his before it shows its own. One
attempt in a million comes out by luck, and each attempt needs two people who say yes. Nothing of
``Reveal`` but the number itself goes into the code, or he could vary that until the code fits.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b
from hmac import compare_digest
from typing import Annotated, TypeAlias

import msgspec

from crdt.wire.messages import Id, Name, Number, Reason, Role

VERSION = 1
MAX_FRAME = 8_192
HURRY_S = 10.0
"""How long the two machines may take until there is a code, in seconds."""
PATIENCE_S = 120.0
"""How long two people have to compare the codes, in seconds."""

Digest32: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Secret: TypeAlias = Annotated[str, msgspec.Meta(min_length=16, max_length=256)]


class Ask(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """The dialler asks to be paired."""

    version: Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
    commitment: Digest32
    name: Name
    """What the dialler calls itself."""
    role: Role
    """What it would like to be."""


class Offer(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """The listener is willing."""

    nonce: Digest32
    name: Name
    """What the listener calls itself."""


class Reveal(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """The number that the dialler has committed to."""

    nonce: Digest32


class Confirm(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """The dialler's person says that the codes are the same."""


class Grant(msgspec.Struct, array_like=True, frozen=True, tag=5):
    """Both have said so: how to come in from now on, and where to."""

    token: Secret
    workspace: Id
    workspace_name: Name
    role: Role
    expires: Number
    """Ms since the Unix epoch; 0 for never."""


class Done(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """The token is kept."""


class Refuse(msgspec.Struct, array_like=True, frozen=True, tag=7):
    """It comes to nothing; the last message."""

    reason: Reason = ""


_Message: TypeAlias = Ask | Offer | Reveal | Confirm | Grant | Done | Refuse
_decoder: msgspec.msgpack.Decoder[_Message] = msgspec.msgpack.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class Compare:
    """Show ``code``, and ask whether the other machine shows the same."""

    code: str
    """Six digits."""
    name: str
    """What the other machine calls itself."""
    role: Role
    """What the dialler would like to be."""


@dataclass(frozen=True, slots=True)
class BothAgree:
    """At the listener: make a token and call :meth:`Answering.grant`."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Granted:
    """At the dialler: keep the token and call :meth:`Asking.kept`."""

    name: str
    token: str
    workspace: str
    workspace_name: str
    role: Role
    expires: int


@dataclass(frozen=True, slots=True)
class Paired:
    """All is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It has come to nothing."""

    reason: str
    by_other: bool = False


Event: TypeAlias = Compare | BothAgree | Granted | Paired | Failed


class _Step(Enum):
    ASKED = auto()
    """At the listener: waits for what the dialler asks."""
    OFFERED = auto()
    """At the dialler: waits for the listener's number."""
    REVEALED = auto()
    """At the listener: waits for the dialler's number."""
    COMPARING = auto()
    GRANTING = auto()
    OVER = auto()


class _Pairing(ABC):
    """What both sides have in common.

    Args:
        fingerprint: of the listener's certificate as this side sees it: SHA-256, 32 bytes.
        name: what this machine calls itself.
    """

    def __init__(self, fingerprint: bytes, name: str) -> None:
        self._fingerprint = fingerprint
        self._name = name[:256]
        self._nonce = secrets.token_bytes(32)
        self._out: deque[bytes] = deque()
        self._step = _Step.OVER
        self._other_name = ""
        self._role = Role.READER
        self._agreed = False
        """Whether the person here has said that the codes are the same."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come."""
        return self._step is _Step.OVER

    def pull(self) -> list[bytes]:
        """Frames to send, in this order."""
        frames = [*self._out]
        self._out.clear()
        return frames

    def receive(self, frame: bytes) -> list[Event]:
        """Take in one frame."""
        if self.is_over:
            return []
        if len(frame) > MAX_FRAME:
            return self.refuse("What came is too large.")
        try:
            message = _decoder.decode(frame)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError):
            return self.refuse("What came is not understood.")
        if isinstance(message, Refuse):
            self._step = _Step.OVER
            self._out.clear()
            return [Failed(message.reason, by_other=True)]
        events = self._take(message, frame)
        return self.refuse("Something came out of turn.") if events is None else events

    def refuse(self, reason: str) -> list[Event]:
        """End it, and tell the other side why."""
        if self.is_over:
            return []
        self._step = _Step.OVER
        self._out.clear()
        self._say(Refuse(reason[:1_000]))
        return [Failed(reason)]

    @abstractmethod
    def _take(self, message: _Message, frame: bytes) -> list[Event] | None:
        """What comes of a message; None where it is not its turn."""

    def _say(self, message: _Message) -> bytes:
        frame = msgspec.msgpack.encode(message)
        self._out.append(frame)
        return frame

    def _compare(self, ask: bytes, offer: bytes, nonce: bytes) -> Compare:
        self._step = _Step.COMPARING
        return Compare(code(self._fingerprint, ask, offer, nonce), self._other_name, self._role)

    def _must_compare(self) -> None:
        if self._step is not _Step.COMPARING or self._agreed:
            raise ValueError(f"the pairing is {self._step.name}")


class Asking(_Pairing):
    """The side that dials.

    Args:
        role: what it would like to be.
    """

    def __init__(self, fingerprint: bytes, name: str, role: Role = Role.WRITER) -> None:
        super().__init__(fingerprint, name)
        self._role = role
        self._ask = self._say(Ask(VERSION, commitment(self._nonce), self._name, role))
        self._step = _Step.OFFERED

    def confirm(self) -> list[Event]:
        """The person here says that the codes are the same."""
        self._must_compare()
        self._agreed = True
        self._say(Confirm())
        return []

    def kept(self) -> list[Event]:
        """The token is on disk."""
        if self._step is not _Step.GRANTING:
            raise ValueError(f"the pairing is {self._step.name}")
        self._step = _Step.OVER
        self._say(Done())
        return [Paired()]

    def _take(self, message: _Message, frame: bytes) -> list[Event] | None:
        match message:
            case Offer() if self._step is _Step.OFFERED:
                self._other_name = message.name
                self._say(Reveal(self._nonce))
                return [self._compare(self._ask, frame, self._nonce)]
            case Grant() if self._step is _Step.COMPARING and self._agreed:
                self._step = _Step.GRANTING
                granted = Granted(
                    self._other_name,
                    message.token,
                    message.workspace.hex(),
                    message.workspace_name,
                    message.role,
                    message.expires,
                )
                return [granted]
            case _:
                return None


class Answering(_Pairing):
    """The side that listens."""

    def __init__(self, fingerprint: bytes, name: str) -> None:
        super().__init__(fingerprint, name)
        self._step = _Step.ASKED
        self._ask = self._offer = b""
        self._commitment = b""
        self._other_agrees = False

    def confirm(self) -> list[Event]:
        """The person here says that the codes are the same."""
        self._must_compare()
        self._agreed = True
        return self._both()

    def grant(
        self, token: str, workspace: str, workspace_name: str, role: Role, expires: int
    ) -> list[Event]:
        """Give the token out."""
        if self._step is not _Step.GRANTING:
            raise ValueError(f"the pairing is {self._step.name}")
        self._say(Grant(token, bytes.fromhex(workspace), workspace_name[:256], role, expires))
        return []

    def _take(self, message: _Message, frame: bytes) -> list[Event] | None:
        match message:
            case Ask() if self._step is _Step.ASKED:
                if message.version != VERSION:
                    return self.refuse("The two versions of aimem cannot be paired.")
                self._ask, self._commitment = frame, message.commitment
                self._other_name, self._role = message.name, message.role
                self._offer = self._say(Offer(self._nonce, self._name))
                self._step = _Step.REVEALED
                return []
            case Reveal() if self._step is _Step.REVEALED:
                if not compare_digest(commitment(message.nonce), self._commitment):
                    return self.refuse("Somebody has changed what the other machine said.")
                return [self._compare(self._ask, self._offer, message.nonce)]
            case Confirm() if self._step is _Step.COMPARING and not self._other_agrees:
                self._other_agrees = True
                return self._both()
            case Done() if self._step is _Step.GRANTING:
                self._step = _Step.OVER
                return [Paired()]
            case _:
                return None

    def _both(self) -> list[Event]:
        if not (self._agreed and self._other_agrees):
            return []
        self._step = _Step.GRANTING
        return [BothAgree(self._other_name, self._role)]


def commitment(nonce: bytes) -> bytes:
    """What ties a side to its number before it shows it."""
    return blake2b(nonce, digest_size=32, person=b"aimem commit").digest()


def code(fingerprint: bytes, ask: bytes, offer: bytes, nonce: bytes) -> str:
    """The six digits that two people compare.

    Args:
        fingerprint: of the certificate as one side sees it.
        ask, offer: these two frames as they were sent or have come.
        nonce: the dialler's.
    """
    summary = blake2b(digest_size=8, person=b"aimem pairing")
    for part in (fingerprint, ask, offer, nonce):
        summary.update(len(part).to_bytes(4, "big"))
        summary.update(part)
    return f"{int.from_bytes(summary.digest(), 'big') % 1_000_000:06d}"
