"""Frames of y-websocket: the encoding of lib0, the messages of y-protocols.

- A frame is one message, whole: stock clients read one from each frame and send one in each.
  Nothing may follow it.
- Every length is compared with the bytes that remain before anything is read or made; numbers have
  at most 53 bits. What is not a message raises :class:`~crdt.errors.WireError`.
- Updates and state vectors are passed through as bytes; :func:`check_state_vector` looks at the
  latter before an engine does, which would believe its count.

Sources: ``lib0/encoding.js`` (numbers, strings, byte arrays), ``y-protocols`` ``sync.js``,
``auth.js`` and ``awareness.js``, ``y-websocket.js`` (message numbers).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from crdt.errors import WireError

SYNC, AWARENESS, AUTH, QUERY_AWARENESS = 0, 1, 2, 3
STEP_1, STEP_2, UPDATE = 0, 1, 2
DENIED = 0

MAX_NUMBER = (1 << 53) - 1
MAX_STATES = 1_000
"""How many clients one awareness frame may speak of: a stock client passes on what it was told."""
MAX_STATE_BYTES = 4_096
"""How large what a client says of itself may be."""


@dataclass(frozen=True, slots=True)
class SyncStep1:
    """What the sender has; it wants what is missing from that."""

    state_vector: bytes


@dataclass(frozen=True, slots=True)
class SyncStep2:
    """The answer: what the receiver lacks."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """A change."""

    update: bytes


@dataclass(frozen=True, slots=True)
class ClientState:
    """What is said of one Yjs client."""

    client: int
    clock: int
    """Counts what the client has said of itself; what is not newer is ignored."""
    state: str
    """JSON; ``null`` where the client is gone."""


@dataclass(frozen=True, slots=True)
class Awareness:
    """Where people are."""

    states: tuple[ClientState, ...]


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    """The sender wants to know where people are."""


@dataclass(frozen=True, slots=True)
class PermissionDenied:
    """The receiver may not do what it tried. Only ever sent."""

    reason: str


Received: TypeAlias = SyncStep1 | SyncStep2 | Update | Awareness | QueryAwareness
Message: TypeAlias = Received | PermissionDenied


def encode(message: Message) -> bytes:
    """The frame that carries a message."""
    out = bytearray()
    match message:
        case SyncStep1():
            _put_numbers(out, SYNC, STEP_1)
            _put_bytes(out, message.state_vector)
        case SyncStep2():
            _put_numbers(out, SYNC, STEP_2)
            _put_bytes(out, message.update)
        case Update():
            _put_numbers(out, SYNC, UPDATE)
            _put_bytes(out, message.update)
        case Awareness():
            _put_numbers(out, AWARENESS)
            _put_bytes(out, _states(message.states))
        case QueryAwareness():
            _put_numbers(out, QUERY_AWARENESS)
        case PermissionDenied():
            _put_numbers(out, AUTH, DENIED)
            _put_bytes(out, message.reason.encode())
    return bytes(out)


def decode(frame: bytes) -> Received:
    """The message that a client's frame carries.

    Raises:
        WireError: if it is not exactly one message that a client may send.
    """
    reader = Reader(frame)
    message = _read(reader)
    reader.end()
    return message


def check_state_vector(state_vector: bytes) -> None:
    """Make sure that a state vector is well formed.

    Raises:
        WireError: if it is not.
    """
    reader = Reader(state_vector)
    for _ in range(reader.count(2)):
        reader.number()
        reader.number()
    reader.end()


def clocks(state_vector: bytes) -> dict[int, int]:
    """A state vector, as the engine writes it, as clocks by client."""
    reader = Reader(state_vector)
    return {reader.number(): reader.number() for _ in range(reader.count(2))}


def _read(reader: Reader) -> Received:
    kind = reader.number()
    if kind == SYNC:
        step = reader.number()
        if step == STEP_1:
            return SyncStep1(reader.bytes())
        if step == STEP_2:
            return SyncStep2(reader.bytes())
        if step == UPDATE:
            return Update(reader.bytes())
        raise WireError(f"a sync message of kind {step} is not known")
    if kind == AWARENESS:
        inside = Reader(reader.bytes())
        states = _read_states(inside)
        inside.end()
        return Awareness(states)
    if kind == QUERY_AWARENESS:
        return QueryAwareness()
    raise WireError(f"a message of kind {kind} is not known")


def _read_states(reader: Reader) -> tuple[ClientState, ...]:
    count = reader.count(3)
    if count > MAX_STATES:
        raise WireError("too many clients in one frame")
    states = []
    for _ in range(count):
        client, clock, state = reader.number(), reader.number(), reader.string()
        if len(state.encode()) > MAX_STATE_BYTES:
            raise WireError("what a client says of itself is too large")
        _check_state(state)
        states.append(ClientState(client, clock, state))
    return tuple(states)


def _check_state(state: str) -> None:
    try:
        value = json.loads(state, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise WireError("what a client says of itself is not JSON") from None
    if value is not None and not isinstance(value, dict):
        raise WireError("what a client says of itself is not an object")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _states(states: Iterable[ClientState]) -> bytes:
    listed = [*states]
    out = bytearray()
    _put_numbers(out, len(listed))
    for one in listed:
        _put_numbers(out, one.client, one.clock)
        _put_bytes(out, one.state.encode())
    return bytes(out)


def _put_numbers(out: bytearray, *numbers: int) -> None:
    for number in numbers:
        while number >= 0x80:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)


def _put_bytes(out: bytearray, data: bytes) -> None:
    _put_numbers(out, len(data))
    out += data


class Reader:
    """A place in bytes written by lib0, moved on by each method past what it returns."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        """An unsigned number: seven bits a byte, the lowest first, at most 53 bits."""
        value = shift = 0
        while True:
            if self._at >= len(self._data):
                raise WireError("a frame is cut short")
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 49:
                raise WireError("a number is too long")
        if value > MAX_NUMBER:
            raise WireError("a number is too large")
        return value

    def count(self, least: int) -> int:
        """A count of things that take at least ``least`` bytes each."""
        count = self.number()
        if count * least > len(self._data) - self._at:
            raise WireError("a count is larger than what is left")
        return count

    def bytes(self) -> bytes:
        """A length and so many bytes."""
        length = self.count(1)
        start = self._at
        self._at += length
        return self._data[start : self._at]

    def string(self) -> str:
        """A length in bytes and UTF-8."""
        try:
            return self.bytes().decode()
        except UnicodeDecodeError:
            raise WireError("a text is not UTF-8") from None

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self._at != len(self._data):
            raise WireError("something follows the message")
