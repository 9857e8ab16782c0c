"""Text as cells: widths add up whatever the text, and nothing a terminal would obey is left."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len, split_graphemes
from rich.segment import Segment

from aimem_tui.widgets.cells import (
    chop_ranges,
    cut,
    fit,
    fit_spans,
    line_ranges,
    one_cell,
    printable,
    slices,
    wrap,
)
from aimem_tui.widgets.rows import Span

NASTY = st.text(
    st.sampled_from("ab -日本👍👩\u200d\ufe0f☑#1é\u0301\t\x1b\u202e\u00ad\u2028🇩🇪\U0001f3fd")
    | st.characters(),
    max_size=60,
)
WIDTHS = st.integers(1, 30)


@given(NASTY)
@example("a\u200db")
@example("\u200d")
@example("\u200da")
@example("a \u200d b")
@example("☑\ufe0f\u200d☑")
def test_what_is_printable_is_measured_alike_by_all_and_can_be_cut_anywhere(text: str) -> None:
    shown = printable(text)
    spans, cells = split_graphemes(shown)
    assert cell_len(shown) == cells == sum(size for _, _, size in spans)
    for letter in shown:
        assert unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp"), repr(letter)
        assert letter not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    if cells:
        for at in range(cells):
            Segment(shown).split_cells(at)


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("plain", "日本語", "👩‍👩‍👧 ☑️ 1️⃣ 🇩🇪", "é", "क्षत्रिय"):
        assert printable(text) == text


def test_control_characters_become_visible() -> None:
    assert printable("a\tb\x1b[31m\x00\x7f\x9b") == "a   b␛[31m␀␡\ufffd"


def test_every_character_taken_for_one_cell_fills_one() -> None:
    for code in range(0x20, 0x3000):
        if one_cell(chr(code)) and not chr(code).isascii():
            assert cell_len(chr(code)) == 1, hex(code)


@given(NASTY.map(printable), WIDTHS)
def test_a_cut_text_fits_and_no_longer_one_would(text: str, width: int) -> None:
    shown = cut(text, width)
    assert text.startswith(shown)
    assert cell_len(shown) <= width
    if shown != text:
        ends = [end for _, end, _ in split_graphemes(text)[0]]
        longer = next(end for end in ends if end > len(shown))
        assert cell_len(text[:longer]) > width


@given(NASTY, WIDTHS)
def test_a_fitted_text_fits_and_says_so_when_it_was_cut(text: str, width: int) -> None:
    shown = fit(text, width)
    assert cell_len(shown) <= width
    if cell_len(printable(text)) <= width:
        assert shown == printable(text) or not cell_len(shown)
    else:
        assert shown.endswith("…")


@given(st.lists(NASTY, max_size=4), WIDTHS)
def test_fitted_spans_fill_what_they_say(texts: list[str], width: int) -> None:
    spans, used = fit_spans([Span(text, str(n)) for n, text in enumerate(texts)], width)
    assert used == sum(cell_len(span.text) for span in spans) <= width
    assert all(cell_len(span.text) for span in spans)


@given(NASTY.map(printable), WIDTHS)
@example("日本語 a 日本", 3)
@example("a" * 50, 7)
@example("  a  b  ", 2)
def test_lines_fit_and_lose_nothing_but_spaces_at_breaks(text: str, width: int) -> None:
    ranges = line_ranges(text, width)
    assert ranges
    end = 0
    for start, stop in ranges:
        assert not text[end:start].strip(" ")
        assert start <= stop
        assert cell_len(text[start:stop]) <= max(width, 2)
        end = stop
    assert not text[end:].strip(" ")


def test_words_stay_whole_where_a_line_can_hold_them() -> None:
    text = "the quick brown-fox jumps — überall"
    lines = [text[start:stop] for start, stop in line_ranges(text, 10)]
    assert lines == ["the quick", "brown-fox", "jumps —", "überall"]


def test_wide_text_breaks_between_characters() -> None:
    text = "日本語のテキスト"
    assert [text[start:stop] for start, stop in line_ranges(text, 7)] == [
        "日本語",
        "のテキ",
        "スト",
    ]


@given(NASTY.map(printable), WIDTHS)
def test_chopped_lines_lose_nothing_at_all(text: str, width: int) -> None:
    ranges = chop_ranges(text, width)
    assert "".join(text[start:stop] for start, stop in ranges) == text
    assert all(cell_len(text[start:stop]) <= max(width, 2) for start, stop in ranges)


@given(st.lists(NASTY.map(printable), max_size=6), WIDTHS)
def test_slices_of_spans_are_slices_of_their_text(texts: list[str], width: int) -> None:
    spans = [Span(text, str(number)) for number, text in enumerate(texts)]
    joined = "".join(texts)
    for ranges in (line_ranges(joined, width), chop_ranges(joined, width)):
        lines = slices(spans, ranges)
        assert ["".join(span.text for span in line) for line in lines] == [
            joined[start:stop] for start, stop in ranges
        ]


def test_a_word_in_two_styles_is_not_broken_between_them() -> None:
    lines = wrap([Span("one two"), Span("three", "strong"), Span(" four")], 9)
    assert lines == [
        (Span("one"),),
        (Span("two"), Span("three", "strong")),
        (Span("four"),),
    ]


def test_a_line_without_end_is_broken_quickly() -> None:
    assert len(line_ranges("word " * 200_000, 80)) == 12_500
    assert len(line_ranges("x" * 1_000_000, 80)) == 12_500
