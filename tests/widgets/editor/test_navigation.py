"""The caret moves by what a reader takes for a character, a word and a row."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets.text_area import Location

from aimem_tui.widgets.editor.line_document import LineDocument
from aimem_tui.widgets.editor.navigation import Navigator
from aimem_tui.widgets.editor.wrapping import Wrapping
from crdt.graphemes import is_boundary
from tests.widgets.editor.support import nasty_text

FAMILY = "👨\u200d👩\u200d👧"


def navigator(text: str, width: int = 20) -> Navigator:
    return Navigator(Wrapping(LineDocument(text), width, 4))


def all_locations(text: str) -> list[Location]:
    lines = LineDocument(text)
    return [
        (row, column)
        for row, line in enumerate(lines.lines)
        for column in range(len(line) + 1)
        if is_boundary(line, column)
    ]


@given(nasty_text)
def test_left_and_right_visit_every_place_between_graphemes_once(text: str) -> None:
    moves = navigator(text)
    places = all_locations(text)
    for before, after in pairwise(places):
        assert moves.get_location_right(before) == after
        assert moves.get_location_left(after) == before
    assert moves.get_location_left(places[0]) == places[0]
    assert moves.get_location_right(places[-1]) == places[-1]


@given(nasty_text, st.integers(1, 30))
def test_no_move_ends_inside_a_grapheme(text: str, width: int) -> None:
    moves = navigator(text, width)
    places = set(all_locations(text))
    for place in places:
        ways = (
            moves.word_left(place),
            moves.word_right(place),
            *moves.word_at(place),
            moves.get_location_above(place),
            moves.get_location_below(place),
            moves.get_location_home(place),
            moves.get_location_home(place, smart_home=True),
            moves.get_location_end(place),
            moves.get_location_at_y_offset(place, 3),
            moves.get_location_at_y_offset(place, -3),
        )
        assert places.issuperset(ways)
        assert moves.word_left(place) < place or place == (0, 0)
        assert moves.word_right(place) > place or place == max(places)


@given(nasty_text, st.integers(-2, 30), st.integers(-2, 60))
def test_any_place_snaps_to_one_between_graphemes(text: str, row: int, column: int) -> None:
    moves = navigator(text)
    snapped = moves.snap((row, column))
    assert snapped in all_locations(text)
    assert snapped >= LineDocument(text).clamp((row, column))
    assert moves.clamp_reachable(snapped) == snapped


@given(nasty_text, st.integers(1, 30))
def test_down_and_up_walk_through_all_rows(text: str, width: int) -> None:
    wrapping = Wrapping(LineDocument(text), width, 4)
    moves = Navigator(wrapping)
    place: Location = (0, 0)
    for y in range(wrapping.height):
        assert wrapping.location_to_offset(place).y == y
        place = moves.get_location_below(place)
    assert place == wrapping.document.end
    for y in range(wrapping.height - 1, -1, -1):
        assert wrapping.location_to_offset(place).y == y
        place = moves.get_location_above(place)
    assert place == (0, 0)


def test_up_and_down_keep_to_their_cell() -> None:
    moves = navigator("a long row\nab\n\na日本語 row")
    path = [(0, 5)]
    for _ in range(3):
        path.append(moves.get_location_below(path[-1]))
    assert path == [(0, 5), (1, 2), (2, 0), (3, 3)]
    assert moves.get_location_above(moves.get_location_above((3, 3))) == (1, 2)
    assert moves.get_location_below((1, 2)) == (2, 0)


def test_a_sideways_step_gives_up_and_down_another_cell() -> None:
    moves = navigator("a long row\nab\nanother row")
    short = moves.get_location_below((0, 7))
    aside = moves.get_location_left(short)
    assert moves.get_location_below(aside) == (2, 1)


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("one two", [3, 7]),
        ("don't _stop_", [3, 4, 5, 12]),
        ("a.b (c)", [1, 2, 3, 5, 6, 7]),
        ("cafe\u0301 x", [5, 7]),
        (f"{FAMILY}{FAMILY} x", [10, 12]),
        ("日本語 です", [3, 6]),
        ("  - [ ] task", [3, 5, 7, 12]),
    ],
)
def test_words_end_where_a_reader_ends_them(text: str, stops: list[int]) -> None:
    moves = navigator(text, 80)
    found, place = [], (0, 0)
    while place[1] < len(text):
        place = moves.word_right(place)
        found.append(place[1])
    assert found == stops


def test_words_to_the_left_begin_where_they_begin() -> None:
    moves = navigator("one, two  three\nfour", 80)
    found, place = [], (1, 4)
    while place != (0, 0):
        place = moves.word_left(place)
        found.append(place)
    assert found == [(1, 0), (0, 15), (0, 10), (0, 5), (0, 3), (0, 0)]


def test_home_goes_to_the_text_of_the_row_and_then_to_its_start() -> None:
    moves = navigator("    indented\nplain", 80)
    assert moves.get_location_home((0, 9), smart_home=True) == (0, 4)
    assert moves.get_location_home((0, 4), smart_home=True) == (0, 0)
    assert moves.get_location_home((0, 0), smart_home=True) == (0, 4)
    assert moves.get_location_home((0, 9)) == (0, 0)
    assert moves.get_location_home((1, 3), smart_home=True) == (1, 0)


def test_home_and_end_stay_in_the_row() -> None:
    moves = navigator("one two three four", 9)
    assert moves.get_location_home((0, 10), smart_home=True) == (0, 8)
    assert moves.get_location_end((0, 2)) == (0, 7)
    assert moves.get_location_end((0, 10)) == (0, 13)
    assert moves.get_location_end((0, 15)) == (0, 18)


def test_the_word_at_a_place_is_found() -> None:
    moves = navigator("one  two!", 80)
    assert moves.word_at((0, 1)) == ((0, 0), (0, 3))
    assert moves.word_at((0, 4)) == ((0, 3), (0, 5))
    assert moves.word_at((0, 9)) == ((0, 8), (0, 9))
    assert navigator("").word_at((0, 0)) == ((0, 0), (0, 0))
