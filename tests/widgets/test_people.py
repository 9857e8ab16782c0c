"""People on the screen: a colour that stays, initials, and a line that fits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aimem_tui.sync.state import Person
from aimem_tui.widgets import people
from aimem_tui.widgets.people import PERSON_COLORS, Somebody, color_of, initials, somebody

somebodies = st.builds(
    lambda name, agent: somebody(Person("aa" * 16, name or "x", "", agent)),
    st.text(max_size=30),
    st.booleans(),
)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ada", "A"), ("ada lovelace", "AL"), ("Ada King Lovelace", "AL"), ("", "?"), ("李", "李")],
)
def test_initials_are_one_letter_or_two(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_a_persons_colour_is_the_same_everywhere() -> None:
    assert color_of("Ada") == color_of("ADA")
    assert len({color_of(name) for name in "abcdefghijklmnopqrst"}) == len(PERSON_COLORS)


@given(st.integers(0, 7))
def test_one_of_the_eight_colours_is_kept(which: int) -> None:
    assert color_of("anybody", PERSON_COLORS[which]) == which


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True) | st.text(max_size=9))
def test_any_colour_becomes_one_of_the_eight(wanted: str) -> None:
    assert 0 <= color_of("Ada", wanted) < len(PERSON_COLORS)


def test_an_agent_has_a_mark_wherever_it_is_shown() -> None:
    shown = somebody(Person("aa" * 16, "Claude", "", agent=True))
    assert (shown.name, shown.initials) == ("Claude*", "C*")


@given(st.lists(somebodies, max_size=12), st.integers(0, 60))
def test_the_line_fits_and_leaves_nobody_out_uncounted(
    crowd: Sequence[Somebody], room: int
) -> None:
    spans = people.line(crowd, room)
    assert sum(cell_len(span.text) for span in spans) <= room
    shown = sum(span.style.startswith(people.PREFIX) for span in spans)
    counted = [int(span.text.strip(" +")) for span in spans if span.style == "muted"]
    if room >= 4:
        assert shown + sum(counted) == len(crowd)
