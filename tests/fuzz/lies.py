"""Frames that are not what they should be: in their bytes, in their order and in what they say.

- bytes: flipped, cut, put in, numbers and lengths made huge;
- order: frames left out, repeated, said too early or by another conversation;
- meaning: a message with its fields in place and one of them a lie, down to a Yjs update whose
  counts lie, and MessagePack that is deeper, longer or larger than it is.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from crdt.vector import Vector
from tests.crdt.hostile_updates import mutated

HUGE = (0, 1, 2, 127, 128, 255, 256, 65_535, 65_536, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1)
COSTLY_UPDATE = b"\x80\x80\x80\x80\x01\0\0"
"""Seven bytes that announce 2**28 clients."""
Frames = list[bytes]


def lie(frames: Frames, at: int, others: Frames, rng: Random) -> Frames:
    """What to send in place of the frame at ``at``.

    Args:
        others: of another conversation.
    """
    frame = frames[at]
    kind = rng.random()
    if kind < 0.2:
        return [mutated(frame, rng)]
    if kind < 0.35:
        return rng.choice(
            (
                [],
                [frame, frame],
                [frames[rng.randrange(len(frames))], frame],
                [others[rng.randrange(len(others))], frame],
                [frame] * 300,
            )
        )
    if kind < 0.9:
        return [msgspec.msgpack.encode(_untrue(msgspec.msgpack.decode(frame), rng))]
    return [rng.choice(_MONSTERS)(frame)]


def _untrue(message: list[Any], rng: Random) -> list[Any]:
    """The same message, one of its values a lie."""
    if rng.random() < 0.05:
        message[0] = rng.randrange(20)
        return message
    place: list[Any] = message
    while True:
        at = rng.randrange(1 if place is message else 0, len(place)) if len(place) > 1 else 0
        inner = place[at] if place else None
        if isinstance(inner, list) and inner and rng.random() < 0.8:
            place = inner
            continue
        break
    if not place:
        place.append(rng.choice(HUGE))
        return message
    kind = rng.random()
    if kind < 0.05:
        del place[at]
    elif kind < 0.1:
        place.insert(at, _false(place[at], rng))
    elif kind < 0.2 and isinstance(place[at], list):
        place[at] = place[at] * rng.choice((2, 100))
    else:
        place[at] = _false(place[at], rng)
    return message


def _false(value: Any, rng: Random) -> Any:
    kind = rng.random()
    if kind < 0.05:
        return rng.choice((None, True, -1, 1.5, "", b"", [], {}, {"a": 1}, "x\0y", [[]]))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = value + rng.choice((-2, -1, 1, 2, 100))
        return near if rng.random() < 0.5 else rng.choice(HUGE)
    if isinstance(value, str):
        return rng.choice((value + "\0", value * 1_000, "\U0001f44d" * 90, value[::-1] + "x", ""))
    if isinstance(value, bytes):
        return _false_bytes(value, rng)
    return rng.choice(HUGE)


def _false_bytes(value: bytes, rng: Random) -> bytes:
    if len(value) == 16:
        return rng.choice((value[:-1], value + b"x", rng.randbytes(16), bytes(16)))
    return rng.choice(
        (
            mutated(value, rng) if value else b"\0",
            COSTLY_UPDATE,
            value * 3,
            bytes(100_000),
            b"\xff" * 5_000,
            many_replicas(500, rng),
            Vector({rng.randbytes(16).hex(): (1 << 63) - 1}).to_bytes(),
        )
    )


def many_replicas(count: int, rng: Random) -> bytes:
    """A vector in its wire form."""
    return Vector({rng.randbytes(16).hex(): 1 + n for n in range(count)}).to_bytes()


def _deep(opening: bytes, ending: bytes) -> Callable[[bytes], bytes]:
    def build(frame: bytes) -> bytes:
        # As one more field of the message, where readers skip what they do not know.
        return bytes((frame[0] + 1,)) + frame[1:] + opening * 100_000 + ending

    return build


_MONSTERS: tuple[Callable[[bytes], bytes], ...] = (
    _deep(b"\x91", b"\x90"),
    _deep(b"\x81\x01", b"\x01"),
    _deep(b"\xdd\xff\xff\xff\xff", b""),
    lambda frame: frame[:2] + b"\xdd\xff\xff\xff\xff",
    lambda frame: frame[:2] + b"\xc6\xff\xff\xff\xff" + frame[2:],
    lambda frame: frame[:2] + b"\xdb\x7f\xff\xff\xff" + frame[2:],
    lambda frame: frame[:2] + b"\xdf\xff\xff\xff\xff" + frame[2:],
    lambda frame: b"\xdd\xff\xff\xff\xff" + frame[1:],
    lambda frame: b"\xde\xff\xff" * 1_000,
    lambda frame: frame + bytes(1 << 20),
    lambda frame: bytes(18 << 20),
    lambda frame: b"",
    lambda frame: b"\x93\x08\xd9\x80" + b"k" * 128 + b"\xc4\x01x",
)
