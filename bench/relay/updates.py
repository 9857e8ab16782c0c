"""Updates made by hand: valid Yjs (encoding version 1), cheap enough for a driver to make by the
hundred thousand, and with the time of sending inside.

Each appends one string to the root text ``content``, after the writer's string before it. The
string is :data:`MARK`, which no other bytes are likely to be, the sender's clock in ns as 16
hexadecimal digits, and ``w`` with the number of the writer as 6 digits; whoever gets the update,
merged with others or not, finds them again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

MARK = b"~@bench@~"
_NUMBER = len(MARK) + 17
LENGTH = _NUMBER + 6
"""Characters, and bytes, of one string."""


def varuint(value: int) -> bytes:
    """lib0's unsigned integer: 7 bits a byte, low ones first."""
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)
    return bytes(out)


class Writer:
    """Makes the updates of one Yjs client.

    Args:
        number: tells it from the others of the run; below a million.
        client: its Yjs client id.
    """

    def __init__(self, number: int, client: int) -> None:
        self.number = number
        self._client = varuint(client)
        self._clock = 0
        self.sign = b"w%06d" % number
        """What all its updates contain, and no others."""

    def update(self) -> bytes:
        """The next update, stamped with the time."""
        clock, client = self._clock, self._client
        # A string is 0x84 with an origin at its left; without one it is 0x04 and names its parent.
        origin = b"\x84" + client + varuint(max(0, clock - 1))
        place = origin if clock else b"\x04\x01\x07content"
        self._clock += LENGTH
        return (
            b"\x01\x01"
            + client
            + varuint(clock)
            + place
            + varuint(LENGTH)
            + MARK
            + b"%016x" % time.perf_counter_ns()
            + self.sign
            + b"\x00"
        )


def found(payload: bytes) -> Iterator[tuple[int, int]]:
    """The sender's clock (ns) and the writer's number of each update in a frame."""
    at = payload.find(MARK)
    while at >= 0:
        clock = payload[at + len(MARK) : at + len(MARK) + 16]
        yield int(clock, 16), int(payload[at + _NUMBER : at + LENGTH])
        at = payload.find(MARK, at + LENGTH)
