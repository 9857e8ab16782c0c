"""What people write for a moment, and what scripts read."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aimem_tui.cli.times import iso, parse_since

NOW = int(datetime(2026, 3, 15, 12, 30, tzinfo=UTC).timestamp() * 1000)
HOUR, DAY = 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90min", "2026-03-15T11:00:00.000Z"),
        ("3h", "2026-03-15T09:30:00.000Z"),
        ("1 hour", "2026-03-15T11:30:00.000Z"),
        ("7d", "2026-03-08T12:30:00.000Z"),
        (" 2 Weeks ", "2026-03-01T12:30:00.000Z"),
        ("1mo", "2026-02-13T12:30:00.000Z"),
        ("1y", "2025-03-15T12:30:00.000Z"),
        ("today", "2026-03-15T00:00:00.000Z"),
        ("Yesterday", "2026-03-14T00:00:00.000Z"),
        ("2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01T10:00", "2026-03-01T10:00:00.000Z"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00.000Z"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"),
    ],
)
@pytest.mark.usefixtures("aimem")
def test_a_moment_is_understood(text: str, expected: str) -> None:
    assert iso(parse_since(text, NOW)) == expected


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7 moons", "-7d", "tomorrowish", "2026-13-01", "9" * 9 + "y", "\0"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_since(text, NOW)


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse_since(text, NOW), int)


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)))
def test_what_is_printed_for_scripts_is_understood(moment: datetime) -> None:
    exact = moment - timedelta(microseconds=moment.microsecond % 1000)
    milliseconds = (exact - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert datetime.fromisoformat(iso(milliseconds)) == exact


@given(st.integers())
@example(10**30)
@example(-(10**30))
def test_no_moment_is_too_far_away_to_print(at: int) -> None:
    assert iso(at).endswith("Z")
