"""Times on the command line: what people write, and what scripts read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aimem_tui.search.moments import parse_since

__all__ = ["iso", "iso_or_none", "parse_since"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def iso(at: int) -> str:
    """A moment as ISO 8601 in UTC with milliseconds: ``2026-11-02T09:15:00.000Z``."""
    try:
        moment = _EPOCH + timedelta(milliseconds=at)
    except OverflowError:
        moment = _LATEST if at > 0 else _EARLIEST
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at: int | None) -> str | None:
    """:func:`iso` of a moment that may be missing."""
    return None if at is None else iso(at)
