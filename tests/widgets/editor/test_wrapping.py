"""Lines in rows: nothing lost, nothing too wide, and the same whichever way it came about."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.geometry import Offset

from aimem_tui.widgets.editor.line_document import LineDocument
from aimem_tui.widgets.editor.wrapping import Wrapping
from tests.widgets.editor.support import nasty_text

widths = st.integers(1, 40)
prose = st.text("abc    -", max_size=200)
texts = nasty_text | prose


def wrapped(text: str, width: int) -> Wrapping:
    return Wrapping(LineDocument(text), width, 4)


def rows(text: str, width: int) -> list[str]:
    return [row for line in wrapped(text, width).lines for row in line]


@given(texts, widths)
@example("日日", 1)
@example("日 ", 1)
@example("word ", 5)
@example(" " * 20 + "word" * 9, 7)
def test_the_rows_of_a_line_are_the_line_and_fit(text: str, width: int) -> None:
    wrapping = wrapped(text, width)
    for number, line in enumerate(wrapping.document.lines):
        sections = wrapping.get_sections(number)
        assert "".join(sections) == line
        assert all(sections[:-1])
        cells = wrapping.cells(number)
        start = 0
        for section in sections:
            stop = start + len(section)
            assert start in cells.columns
            assert stop in cells.columns
            taken = cells.x_of(stop) - cells.x_of(start)
            hangs = section.endswith(" ")
            alone = cells.index_at(stop) - cells.index_at(start) == 1
            assert taken <= width + hangs or alone
            start = stop


@given(texts, widths)
def test_a_caret_has_a_place_on_screen_and_comes_back_from_it(text: str, width: int) -> None:
    wrapping = wrapped(text, width)
    seen = set()
    for line in range(wrapping.document.line_count):
        for column in wrapping.cells(line).columns:
            offset = wrapping.location_to_offset((line, column))
            assert offset not in seen
            seen.add(offset)
            assert 0 <= offset.y < wrapping.height
            assert wrapping.offset_to_location(offset) == (line, column)
            row = wrapping.row(offset.y)
            assert (row.line, row.section) == (line, offset.y - wrapping.first_row(line))
            assert wrapping.get_target_document_column(line, offset.x, row.section) == column
    assert wrapping.first_row(wrapping.document.line_count) == wrapping.height


@given(texts, widths)
def test_a_place_beside_the_text_is_the_nearest_in_it(text: str, width: int) -> None:
    wrapping = wrapped(text, width)
    lines = wrapping.document
    assert wrapping.offset_to_location(Offset(10**6, 10**6)) == lines.end
    assert wrapping.offset_to_location(Offset(-1, -1)) == (0, 0)
    for y in range(wrapping.height):
        row = wrapping.row(y)
        line, column = wrapping.offset_to_location(Offset(10**6, y))
        assert wrapping.location_to_offset((line, column)).y == y
        assert column == (row.stop if row.last else wrapping.cells(line).previous(row.stop))


@given(texts, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), nasty_text), max_size=6), widths)
def test_following_edits_is_wrapping_anew(
    text: str, edits: list[tuple[float, float, str]], width: int
) -> None:
    wrapping = wrapped(text, width)
    lines = wrapping.document
    for low, high, new in edits:
        ends = sorted(lines.location_of(round(x * lines.byte_count)) for x in (low, high))
        start, stop = map(lines.byte_of, ends)
        wrapping.splice(lines.replace_bytes(start, stop, new))
        fresh = Wrapping(lines, width, 4)
        assert wrapping.lines == fresh.lines
        assert wrapping.height == fresh.height
        assert [wrapping.row(y) for y in range(wrapping.height)] == [
            fresh.row(y) for y in range(fresh.height)
        ]
    wrapping.wrap(width + 1)
    assert wrapping.lines == Wrapping(lines, width + 1, 4).lines


@given(texts, st.floats(0, 1), st.floats(0, 1), nasty_text)
def test_an_edit_described_by_textual_is_followed_too(
    text: str, low: float, high: float, new: str
) -> None:
    wrapping = wrapped(text, 10)
    lines = wrapping.document
    start, end = sorted(lines.location_of(round(x * lines.byte_count)) for x in (low, high))
    if lines.byte_of(end) == lines.byte_count and "\r" in new + text:
        return
    before = lines.line_count
    result = lines.replace_range(start, end, new)
    if lines.line_count == before + result.end_location[0] - end[0]:
        wrapping.wrap_range(start, end, result.end_location)
        assert wrapping.lines == Wrapping(lines, 10, 4).lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one two three", ["one two ", "three"]),
        ("one two. three", ["one two. ", "three"]),
        ("onetwothreefour", ["onetwoth", "reefour"]),
        ("    onetwothreefour", ["    onet", "wothreef", "our"]),
        ("a onetwothreefour", ["a ", "onetwoth", "reefour"]),
        ("日本語の文章です", ["日本語の", "文章です"]),
        ("日本語だ。次", ["日本語", "だ。次"]),
        ("wide 日本語", ["wide 日", "本語"]),
        ("exactly8", ["exactly8"]),
        ("exactly8 ", ["exactly8 ", ""]),
        ("\tab cd", ["\tab ", "cd"]),
        ("", [""]),
    ],
)
def test_rows_break_where_a_reader_would(text: str, shown: list[str]) -> None:
    assert rows(text, 8) == shown


def test_width_0_does_not_wrap() -> None:
    wrapping = wrapped("a long line " * 50 + "\nb", 0)
    assert wrapping.height == 2
    assert not wrapping.wrapped
    assert wrapping.get_tab_widths(0) == []
    assert wrapped("\ta\t", 0).get_tab_widths(0) == [4, 3]


def test_asking_for_a_line_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no line 1"):
        wrapped("a", 5).get_offsets(1)
