"""How a connection speaks to each server: the driver's bytes in and out, nothing else.

A dialect greets, wraps updates and answers what has to be answered. It does so with as little work
as possible: what is measured are the servers.
"""

from __future__ import annotations

import os
from typing import Protocol

from bench.relay.updates import varuint
from crdt.entry import Entry
from crdt.wire import codec
from crdt.wire.messages import Ack, Hello, Pong, Role, Want

_EMPTY_STEP2 = b"\x00\x01\x02\x00\x00"
_STEP1 = b"\x00\x00\x01\x00"
_ACK_EVERY = 16


class Dialect(Protocol):
    """One connection's way to speak."""

    def path(self) -> str:
        """The path of the URL."""
        ...

    def greeting(self) -> list[bytes]:
        """What is sent first."""
        ...

    def wrap(self, updates: list[bytes]) -> list[bytes]:
        """The frames that carry what was made in one turn of the event loop."""
        ...

    def answer(self, frame: bytes) -> bytes | None:
        """What a received frame asks for. May set :attr:`ready`."""
        ...

    ready: bool
    """Whether the greeting is over and updates can be sent."""

    greeting_may_repeat: bool
    """Whether the server takes the greeting a second time."""


class YWebsocket:
    """y-websocket's protocol, which pycrdt-websocket speaks, too."""

    greeting_may_repeat = True

    def __init__(self, room: str) -> None:
        self._room = room
        self.ready = False

    def path(self) -> str:
        return f"/{self._room}"

    def greeting(self) -> list[bytes]:
        return [_STEP1]

    def wrap(self, updates: list[bytes]) -> list[bytes]:
        # Stock clients send each update in a frame of its own.
        return [b"\x00\x02" + varuint(len(update)) + update for update in updates]

    def answer(self, frame: bytes) -> bytes | None:
        if frame[:2] == b"\x00\x01":
            self.ready = True
        elif frame[:2] == b"\x00\x00":
            return _EMPTY_STEP2
        return None


class Hocuspocus:
    """The protocol of hocuspocus: each frame names the document."""

    greeting_may_repeat = True

    def __init__(self, room: str) -> None:
        self._name = varuint(len(room)) + room.encode()
        self.ready = False

    def path(self) -> str:
        return "/"

    def greeting(self) -> list[bytes]:
        # A token is always sent, even where none is asked for.
        return [self._name + b"\x02\x00\x04none", self._name + _STEP1]

    def wrap(self, updates: list[bytes]) -> list[bytes]:
        head = self._name + b"\x00\x02"
        return [head + varuint(len(update)) + update for update in updates]

    def answer(self, frame: bytes) -> bytes | None:
        body = frame[len(self._name) :]
        if body[:2] in (b"\x00\x01", b"\x04\x01"):
            self.ready = True
        elif body[:2] == b"\x00\x00":
            return self._name + _EMPTY_STEP2
        return None


class Aimem:
    """The protocol of ``docs/protocol.md``.

    Args:
        workspace: its id.
        credential: what opens it.
    """

    greeting_may_repeat = False

    def __init__(self, workspace: str, credential: bytes) -> None:
        self._workspace = workspace
        self._credential = credential
        self._replica = os.urandom(16).hex()
        self._log = os.urandom(16)
        self._thought = workspace
        self._seq = self._mark = 0
        self._unacked = 0
        self._welcomed = False
        self.ready = False

    def path(self) -> str:
        return f"/sync/{self._workspace}"

    def greeting(self) -> list[bytes]:
        hello = Hello(
            1,
            1,
            bytes.fromhex(self._workspace),
            bytes.fromhex(self._replica),
            self._log,
            Role.WRITER,
            17 << 20,
            self._credential,
            "bench",
        )
        return [codec.encode(hello)]

    def wrap(self, updates: list[bytes]) -> list[bytes]:
        # A session sends what there is to send when it is pulled, in one frame.
        first = self._seq + 1
        self._seq += len(updates)
        self._mark += 1
        entries = [
            Entry(self._replica, seq, self._thought, update, 1_700_000_000_000, "bench")
            for seq, update in enumerate(updates, first)
        ]
        return [
            codec.encode(
                codec.pack_entries(
                    entries, run=1, mark=self._mark, left=0, token=self._token(self._seq)
                )
            )
        ]

    def _token(self, position: int) -> bytes:
        """As long as those of a session, and another one for each frame, so that it is stored."""
        return self._log + bytes(8) + position.to_bytes(8, "big")

    def answer(self, frame: bytes) -> bytes | None:
        number = frame[1]
        if number == 4 or number == 5 or number == 6:
            # An acknowledgement is cumulative; a window of 64 frames leaves room to be lazy.
            self._unacked += 1
            if self._unacked < _ACK_EVERY and number == 4:
                return None
            self._unacked = 0
            return codec.encode(Ack(_unsigned(frame, _after(frame, 2))))
        if number == 2:
            self._welcomed = True
            return codec.encode(Want(1, [], b""))
        if number == 3:
            self.ready = self._welcomed
        elif number == 9:
            return codec.encode(Pong())
        elif number == 15:
            raise ConnectionError(repr(codec.decode(frame)))
        return None


def _after(frame: bytes, at: int) -> int:
    """Where the MessagePack integer at ``at`` ends."""
    first = frame[at]
    return at + 1 + {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}.get(first, 0)


def _unsigned(frame: bytes, at: int) -> int:
    first = frame[at]
    if first <= 0x7F:
        return first
    return int.from_bytes(frame[at + 1 : _after(frame, at)], "big")
