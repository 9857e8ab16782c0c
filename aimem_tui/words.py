"""How aimem says times, sizes and counts to people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000


def when(at: int, now: int) -> str:
    """A moment in words: relative up to a day, then a date.

    Args:
        at, now: milliseconds since the Unix epoch.
    """
    past = now - at
    if past < _MINUTE:
        return "just now"
    if past < _HOUR:
        return f"{past // _MINUTE} min ago"
    if past < _DAY:
        return f"{past // _HOUR} h ago"
    return day(at)


def day(at: int) -> str:
    """The local date of a moment, as ``2025-09-01``."""
    return _local(at).strftime("%Y-%m-%d")


def clock_time(at: int, now: int) -> str:
    """The local time of a moment today, as ``10:42``; its date if it was another day."""
    moment = _local(at)
    if moment.date() == _local(now).date():
        return moment.strftime("%H:%M")
    return moment.strftime("%Y-%m-%d")


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 thought``, ``1,204 thoughts``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """A number of bytes: ``640 B``, ``12 kB``, ``3.4 MB``."""
    if number < 1_000:
        return f"{number} B"
    if number < 1_000_000:
        return f"{number / 1_000:.0f} kB"
    if number < 1_000_000_000:
        return f"{number / 1_000_000:.1f} MB"
    return f"{number / 1_000_000_000:.1f} GB"


def _local(at: int) -> datetime:
    """A moment in local time. A broken clock elsewhere may say anything, so it is held in range."""
    try:
        return (_EPOCH + timedelta(milliseconds=at)).astimezone()
    except (OverflowError, ValueError, OSError):
        return _FIRST if at < 0 else _LAST
