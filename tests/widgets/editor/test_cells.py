"""What stands where in a line: graphemes, their cells, and what is drawn for them."""

from __future__ import annotations

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aimem_tui.widgets.editor.cells import NOTHING_TO_SEE, drawn, measure
from crdt.graphemes import boundaries, graphemes
from tests.widgets.editor.support import nasty_text

any_line = (nasty_text | st.text(max_size=30)).map(
    lambda text: text.replace("\n", "").replace("\r\n", "")
)


@given(any_line, st.sampled_from((2, 4, 8)))
def test_a_line_is_measured_as_it_is_drawn(line: str, tab: int) -> None:
    cells = measure(line, tab)
    assert list(cells.columns) == boundaries(line)
    assert cells.count == len(graphemes(line))
    assert cell_len(cells.drawn(0, cells.count)) == cells.width
    for at in range(cells.count):
        width = cells.xs[at + 1] - cells.xs[at]
        assert width >= 1
        assert cell_len(cells.drawn(at, at + 1)) == width


@given(any_line)
def test_nothing_is_drawn_that_a_terminal_would_obey(line: str) -> None:
    cells = measure(line, 4)
    shown = cells.drawn(0, cells.count)
    assert not [letter for letter in shown if category(letter) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@given(any_line)
def test_columns_and_cells_lead_to_each_other(line: str) -> None:
    cells = measure(line, 4)
    for at, column in enumerate(cells.columns):
        assert cells.index_at(column) == at
        assert cells.snap(column) == column
        assert cells.index_of_x(cells.x_of(column)) == at
        assert cells.next(column) == cells.columns[min(at + 1, cells.count)]
        assert cells.previous(column) == cells.columns[max(at - 1, 0)]
    for column in range(len(line) + 1):
        assert cells.snap(column) in cells.columns
        assert column <= cells.snap(column) <= cells.next(cells.previous(column))


@pytest.mark.parametrize(
    ("line", "stops"),
    [("a\tb", [0, 1, 4, 5]), ("日\tb", [0, 2, 4, 5]), ("\t\t", [0, 4, 8]), ("abcd\tb", None)],
)
def test_tabs_reach_to_the_next_stop(line: str, stops: list[int] | None) -> None:
    assert list(measure(line, 4).xs) == (stops or [0, 1, 2, 3, 4, 8, 9])


@pytest.mark.parametrize("prose", ["plain", "naïve Straße", "Привет", "“quoted” – …"])
def test_prose_of_one_cell_letters_is_measured_by_counting(prose: str) -> None:
    cells = measure(prose, 4)
    assert cells.plain
    assert cells.width == len(prose) == cell_len(prose)


@pytest.mark.parametrize(
    ("grapheme", "shown"),
    [("\x1b", "␛"), ("\x00", "␀"), ("\u200b", NOTHING_TO_SEE), ("\u0301", "\u25cc\u0301")],
)
def test_what_has_no_shape_is_given_one(grapheme: str, shown: str) -> None:
    assert drawn(grapheme) == shown
