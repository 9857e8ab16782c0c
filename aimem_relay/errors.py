"""What can go wrong with a relay as it is set up; said to whoever runs it."""

from __future__ import annotations


class RelayError(Exception):
    """The relay cannot do as asked: what happened, why, and what to do next, in one message."""
