"""Identifiers: UUIDv7 for thoughts, random UUIDs for replicas, 32-bit client ids for documents.

Nothing here reads a clock or draws random numbers: the caller passes both, so that a simulated
run is reproducible.
"""

from __future__ import annotations

import re

_HEX_ID = re.compile(r"[0-9a-f]{32}")


def uuid7(at: int, random: bytes) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) as 32 hexadecimal digits; sorts by time.

    Args:
        at: milliseconds since the Unix epoch, below 2**48.
        random: 10 random bytes.

    Raises:
        ValueError: if ``at`` or ``random`` is out of range.
    """
    if not 0 <= at < 1 << 48:
        raise ValueError(f"time {at} does not fit into 48 bits")
    if len(random) != 10:
        raise ValueError("uuid7 needs 10 random bytes")
    raw = bytearray(at.to_bytes(6, "big") + random)
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return raw.hex()


def time_of(uuid: str) -> int:
    """The milliseconds since the Unix epoch that a UUIDv7 carries."""
    return int(uuid[:12], 16)


def is_id(text: str) -> bool:
    """Whether ``text`` has the form of an id: 32 lower-case hexadecimal digits."""
    return _HEX_ID.fullmatch(text) is not None


def client_id(random: bytes) -> int:
    """A Yjs client id from 4 random bytes, never 0.

    Yjs draws 32-bit ids; wider ones are legal on the wire and not safe with every engine.
    """
    if len(random) != 4:
        raise ValueError("client_id needs 4 random bytes")
    return int.from_bytes(random, "big") or 1
