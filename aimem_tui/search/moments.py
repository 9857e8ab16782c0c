"""Moments as people write them when they look for something: ``7d``, ``yesterday``, a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

_AMOUNT = re.compile(r"(\d{1,9})\s*([a-z]+)")
_MS = {
    "min": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "mo": 30 * 86_400_000,
    "y": 365 * 86_400_000,
}
_NAMES = {
    name: unit
    for unit, names in {
        "min": "min mins minute minutes",
        "h": "h hour hours",
        "d": "d day days",
        "w": "w week weeks",
        "mo": "mo month months",
        "y": "y year years",
    }.items()
    for name in names.split()
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def parse_since(text: str, now: int) -> int:
    """The moment that a person means, in milliseconds since the Unix epoch.

    Understood are amounts back from now (``90min``, ``3h``, ``7d``, ``2w``, ``3mo`` of 30 days,
    ``1y`` of 365), ``today`` and ``yesterday`` (from local midnight), and ISO 8601 dates and times,
    local unless they say otherwise.

    Raises:
        ValueError: if it is none of these, or lies outside the years 1 to 9999.
    """
    wanted = text.strip().casefold()
    amount = _AMOUNT.fullmatch(wanted)
    try:
        if amount and amount[2] in _NAMES:
            since = now - int(amount[1]) * _MS[_NAMES[amount[2]]]
            if _EPOCH + timedelta(milliseconds=since) > _EARLIEST:
                return since
        if wanted in ("today", "yesterday"):
            day = datetime.fromtimestamp(now / 1000).date() - timedelta(wanted == "yesterday")
            return _milliseconds(datetime.combine(day, time()))
        return _milliseconds(datetime.fromisoformat(text.strip()))
    except OverflowError as error:
        raise ValueError("out of range") from error


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
