"""What can go wrong in a document, an entry or a vector."""

from __future__ import annotations


class CrdtError(Exception):
    """A document, an update or a vector cannot be used as asked.

    Raised instead of the engine's panics; the message says what was wrong with the input.
    """


class GapError(CrdtError):
    """Something arrived before what it depends on."""


class EngineMismatch(CrdtError):
    """The installed engine is not the one this version of aimem was proved with."""


class WireError(CrdtError):
    """A frame or an update is not what the protocol allows."""


class OrderError(WireError):
    """Frames or entries came in an order that no log has."""
