"""Painted rows: as wide as the screen, whole characters only, and small differences."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from aimem_tui.widgets.editor.cells import Cells, measure
from aimem_tui.widgets.editor.strips import Brush, changed_cells, overlay
from aimem_tui.widgets.editor.wrapping import Row
from tests.widgets.editor.support import nasty_text

BASE = Style(color="white")
RED = Style(color="red")
BOLD = Style(bold=True)

lines = nasty_text.map(lambda text: text.replace("\n", "").replace("\r", ""))
layers = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from((RED, BOLD))), max_size=5
)


def brush(line: str) -> tuple[Brush, Cells]:
    cells = measure(line, 4)
    return Brush(cells, Row(0, 0, 0, len(line), True), BASE), cells


def painted(line: str, width: int, looks: list[tuple[float, float, Style]]) -> Strip:
    row, _ = brush(line)
    for low, high, style in looks:
        start, end = sorted((round(low * len(line)), round(high * len(line))))
        row.lay(start, end, style)
    return row.strip(width)


def by_cell(strip: Strip) -> list[tuple[str, Style | None]]:
    """Each cell's grapheme and style; the second cell of a wide one holds nothing."""
    found: list[tuple[str, Style | None]] = []
    for segment in strip:
        cells = measure(segment.text, 4)
        for at in range(cells.count):
            wide = cells.xs[at + 1] - cells.xs[at]
            found.append((cells.drawn(at, at + 1), segment.style))
            found.extend([("", segment.style)] * (wide - 1))
    return found


@given(lines, layers)
@example("ab👨\u200d👩\u200d👧cd", [])
@example("日本👨\u200d👩\u200d👧👨\u200d👩\u200d👧", [])
def test_a_row_is_as_wide_as_asked_wherever_it_is_cut(
    line: str, looks: list[tuple[float, float, Style]]
) -> None:
    width = measure(line, 4).width + 5
    strip = painted(line, width, looks)
    assert strip.cell_length == width == sum(segment.cell_length for segment in strip)
    for at in range(1, width):
        left, right = strip.divide([at, width])
        assert sum(segment.cell_length for segment in left) == at
        assert sum(segment.cell_length for segment in right) == width - at


@given(lines, st.floats(0, 1), st.floats(0, 1))
def test_a_layer_covers_the_graphemes_it_touches(line: str, low: float, high: float) -> None:
    row, cells = brush(line)
    start, end = sorted(cells.columns[round(x * cells.count)] for x in (low, high))
    row.lay(start, end, RED)
    styles = [style for _, style in by_cell(row.strip(cells.width + 1))]
    x, stop = cells.x_of(start), cells.x_of(end)
    assert styles[x:stop] == [BASE + RED] * (stop - x)
    assert set(styles[:x] + styles[stop:]) == {BASE}


def test_a_caret_behind_the_text_has_a_cell_there() -> None:
    row, _ = brush("ab")
    row.mark(2, RED, "N")
    assert by_cell(row.strip(4)) == [
        ("a", BASE),
        ("b", BASE),
        ("N", BASE + RED),
        (" ", BASE),
    ]


@given(lines, layers, lines, layers)
def test_what_differs_is_all_that_has_to_be_sent(
    old: str,
    old_looks: list[tuple[float, float, Style]],
    new: str,
    new_looks: list[tuple[float, float, Style]],
) -> None:
    width = max(measure(old, 4).width, measure(new, 4).width) + 1
    before, after = painted(old, width, old_looks), painted(new, width, new_looks)
    changed = changed_cells(before, after)
    if changed is None:
        assert by_cell(before) == by_cell(after)
        return
    start, stop = changed
    assert 0 <= start < stop <= width
    screen = by_cell(before)
    middle = after.divide([start, stop, width])[1]
    screen[start:stop] = by_cell(middle)
    assert screen == by_cell(after)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("hello", "hello", None),
        ("hello", "hellos", (5, 6)),
        ("hello", "hallo", (1, 2)),
        ("hello", "helo", (3, 5)),
        ("日本", "日本x", (0, 5)),
    ],
)
def test_typing_a_letter_changes_few_cells(
    old: str, new: str, changed: tuple[int, int] | None
) -> None:
    assert changed_cells(painted(old, 20, []), painted(new, 20, [])) == changed


def test_a_changed_style_is_a_change() -> None:
    old = Strip([Segment("abcd", BASE)])
    new = Strip([Segment("ab", BASE), Segment("c", RED), Segment("d", BASE)])
    assert changed_cells(old, new) == (2, 3)
    assert changed_cells(new, old) == (2, 3)


def test_a_cut_row_is_the_same_row() -> None:
    whole = Strip([Segment("abcd", BASE), Segment("  ", BASE)])
    cut = Strip([Segment("a", BASE), Segment("bc", BASE), Segment("d  ", BASE)])
    assert changed_cells(whole, cut) is None


@given(lines, st.floats(0, 1), st.sampled_from(("Ada", "日本", "é")))
def test_a_name_lies_over_the_row_without_moving_it(line: str, where: float, name: str) -> None:
    strip = painted(line, measure(line, 4).width + 8, [])
    width = measure(name, 4).width
    x = round(where * (strip.cell_length - width))
    covered = overlay(strip, x, name, RED)
    before, there, after = covered.divide([x, x + width, strip.cell_length])
    assert by_cell(there) == by_cell(Strip([Segment(name, RED)]))
    for part, cells in ((before, x), (after, strip.cell_length - x - width)):
        assert sum(segment.cell_length for segment in part) == cells
    assert covered.cell_length == strip.cell_length
