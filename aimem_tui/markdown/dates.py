"""Dates as people and programs write them into frontmatter and file names.

Read: ISO 8601 and what ``date`` prints, with or without seconds, fraction and zone; the same with
slashes or dots; ``September 1, 2025`` and ``1 Sep 2025``. Not read: day and month as two numbers
in an order that cannot be known. What has no zone is taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
_ZONE = r"(?:\s*(Z|[+-]\d{2}(?::?\d{2})?|[A-Za-z]{3,4})(?!\w))?"
_NUMERIC = re.compile(
    rf"(\d{{4}})(?:([-/.])(\d{{1,2}})\2(\d{{1,2}})|(\d{{2}})(\d{{2}}))(?!\d)(?:[Tt\s]\s*{_TIME}{_ZONE})?"
)
_MONTH_FIRST = re.compile(
    r"(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})(?!\d)"
)
_DAY_FIRST = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?P<month>[A-Za-z]{3,9})\.?,?\s+(?P<year>\d{4})(?!\d)"
)
_IN_NAME = re.compile(
    r"(\d{4})(?:-(\d{2})-(\d{2})|_(\d{2})_(\d{2})|(\d{2})(\d{2}))"
    r"(?:[T_-](\d{2})[-_:](\d{2})[-_:](\d{2})(?!\d)|[T_](\d{2})[-_:]?(\d{2})(?!\d))?(?!\d)"
)
_SEPARATORS = "-_. "
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONE_HOURS = {
    # RFC 5322, section 4.3, and the common ones elsewhere
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "JST": 9, "AEST": 10, "AEDT": 11,
}  # fmt: skip


def parse_date(written: str) -> int | None:
    """Milliseconds since the epoch of the date that ``written`` begins with; None without one."""
    written = written.strip()
    numeric = _NUMERIC.match(written)
    if numeric is not None:
        year, _, month, day, month_glued, day_glued, hour, minute, second, fraction, zone = (
            numeric.groups()
        )
        micros = int((fraction or "0").ljust(6, "0")[:6])
        return _milliseconds(
            [year, month or month_glued, day or day_glued, hour, minute, second],
            micros,
            _zone_minutes(zone),
        )
    named = _MONTH_FIRST.match(written) or _DAY_FIRST.match(written)
    if named is None or named["month"][:3].lower() not in _MONTHS:
        return None
    month = str(_MONTHS.index(named["month"][:3].lower()) + 1)
    return _milliseconds([named["year"], month, named["day"]])


def date_of_name(stem: str) -> int | None:
    """Milliseconds of the date a file name begins with, as in ``2025-09-01_09-37-55_topic``."""
    match = _IN_NAME.match(stem)
    return None if match is None else _milliseconds([g for g in match.groups() if g])


def without_date(stem: str) -> str:
    """A file name without the date it begins with; the name itself where nothing else is left."""
    match = _IN_NAME.match(stem)
    if match is None or date_of_name(stem) is None:
        return stem
    return stem[match.end() :].lstrip(_SEPARATORS) or stem


def _zone_minutes(zone: str | None) -> int:
    if not zone:
        return 0
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        return -minutes if zone[0] == "-" else minutes
    return _ZONE_HOURS.get(zone.upper(), 0) * 60


def _milliseconds(parts: list[str | None], micros: int = 0, zone_minutes: int = 0) -> int | None:
    numbers = [int(part) for part in parts if part]
    try:
        moment = datetime(*numbers, microsecond=0, tzinfo=UTC)  # type: ignore[arg-type,misc]
        moment += timedelta(microseconds=micros) - timedelta(minutes=zone_minutes)
    except (ValueError, OverflowError):
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
