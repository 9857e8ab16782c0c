"""How aimem says times, sizes and counts to people."""

from __future__ import annotations

from datetime import datetime

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
    return datetime.fromtimestamp(at / 1000).strftime("%Y-%m-%d")


def clock_time(at: int, now: int) -> str:
    """The local time of a moment today, as ``10:42``; its date if it was another day."""
    moment = datetime.fromtimestamp(at / 1000)
    if moment.date() == datetime.fromtimestamp(now / 1000).date():
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
