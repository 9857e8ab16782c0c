"""The seam between a connection and what carries its frames.

A :class:`Channel` takes whole frames and says when it cannot take more; a :class:`Receiver` is told
of whole frames. Neither side waits: everything is a call, on the one event loop, so that an idle
connection costs a few small objects and a busy one no task per frame. ``websocket`` implements the
channel, ``connection`` the receiver; tests put other things in either place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Channel(Protocol):
    """Carries frames to one peer."""

    address: str
    """Where the peer is, for limits and logs."""
    writable: bool
    """Whether it takes frames just now. What is sent all the same waits in memory."""
    max_frame: int
    """The largest frame that is taken from the peer, in bytes."""

    def send(self, frames: Sequence[bytes]) -> None:
        """Send these, in this order."""
        ...

    def pause_reading(self) -> None:
        """Take nothing from the peer until ``resume_reading``."""
        ...

    def resume_reading(self) -> None:
        """Take frames from the peer again."""
        ...

    def close(self, code: int) -> None:
        """Send what is to be sent, say goodbye with a close code, and end."""
        ...

    def abort(self) -> None:
        """End at once."""
        ...


class Receiver(Protocol):
    """Is told what comes over a channel."""

    def received(self, frame: bytes) -> None:
        """A frame has come."""
        ...

    def too_large(self, size: int) -> None:
        """A frame of so many bytes begins, which is more than ``max_frame``."""
        ...

    def crowded_out(self) -> None:
        """Too much of frames that have not ended is held for all, and the most of it for this one.

        The channel closes as soon as this returns.
        """
        ...

    def writable_changed(self) -> None:
        """The channel takes frames again, or takes none just now."""
        ...

    def lost(self) -> None:
        """The channel has ended. Nothing follows."""
        ...
