"""What reaches a terminal is harmless and fits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.cli import styling
from aimem_tui.cli.styling import Span

ANY = st.text(st.characters(), max_size=40)
HIDING = ["\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\x9b", "\x7f"]


@given(ANY)
def test_a_safe_line_holds_nothing_that_a_terminal_acts_on(text: str) -> None:
    shown = styling.safe(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)
    assert not any(mark in shown for mark in HIDING)
    assert styling.safe(shown) == shown


@given(ANY)
def test_a_safe_text_keeps_lines_and_tabs_and_nothing_else(text: str) -> None:
    shown = styling.safe_text(text)
    controls = {char for char in shown if unicodedata.category(char) == "Cc"}
    assert controls <= {"\n", "\t"}
    assert shown.count("\n") == text.count("\n")


def test_words_of_any_script_and_emoji_stay_as_they_are() -> None:
    text = "été 設計 मेमोरी 👩‍👩‍👧 e\u0301"
    assert styling.safe(text) == text


@given(st.lists(ANY), ANY)
def test_only_a_style_puts_escapes_into_a_line(plain: list[str], styled: str) -> None:
    line = styling.render([*plain, Span(styled, "bold")], coloured=True)
    assert line.count("\x1b") == (2 if styled else 0)
    assert "\x1b" not in styling.render([*plain, Span(styled, "red")], coloured=False)


@given(st.text("ab/設e\u0301🙂", max_size=30), st.integers(1, 20), st.booleans())
def test_a_clipped_text_fits_and_keeps_its_end_or_beginning(
    text: str, width: int, keep_end: bool
) -> None:
    clipped = styling.clip(text, width, keep_end=keep_end)
    assert styling.cells(clipped) <= width
    if clipped != text:
        kept = clipped.replace("…", "")
        assert text.endswith(kept) if keep_end else text.startswith(kept)


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("設計", 4), ("e\u0301", 1), ("🙂", 2)])
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str, width: int) -> None:
    assert styling.cells(text) == width
