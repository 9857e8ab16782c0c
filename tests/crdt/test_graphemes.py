"""Grapheme boundaries: where a caret may stop and an edit may cut."""

from __future__ import annotations

import subprocess
import sys
from bisect import bisect_left, bisect_right
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.graphemes import boundaries, graphemes, is_boundary, next_boundary, previous_boundary

# Pieces that join, or do not, depending on what stands before and after them.
PIECES = (
    *"ab \t\0",
    "\r",
    "\n",
    "\u2028",
    "é",
    "e\u0301",
    "\u0301",
    "\ufe0f",
    "\u200d",
    "\u200c",
    "👩",
    "👨‍👩‍👧",
    "👍🏽",
    "❤",
    "Ⓜ",
    "1️⃣",
    "🇩",
    "🇪",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\u1100",
    "\u1161",
    "\u11a8",
    "각",
    "क",
    "\u094d",
    "क्षि",
    "ก\u0e33",
    "\u0600",
    "\u0d4e",
    "日",
    "\udc80",
)
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("ab", ["a", "b"]),
        ("a\r\n\n\rb", ["a", "\r\n", "\n", "\r", "b"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("\u0301", ["\u0301"]),
        ("\n\u0301", ["\n", "\u0301"]),
        ("👨‍👩‍👧👍🏽", ["👨‍👩‍👧", "👍🏽"]),
        ("a\u200d👩", ["a\u200d", "👩"]),
        ("🇩🇪🇫🇷🇯", ["🇩🇪", "🇫🇷", "🇯"]),
        ("🇩🇪\u0301🇫🇷", ["🇩🇪\u0301", "🇫🇷"]),
        ("1️⃣2", ["1️⃣", "2"]),
        ("\u1100\u1161\u11a8각", ["\u1100\u1161\u11a8", "각"]),
        ("क्षिक", ["क्षि", "क"]),
        ("\u0600a", ["\u0600a"]),
        ("日本", ["日", "本"]),
        ("a\u2028b", ["a", "\u2028", "b"]),
    ],
)
def test_what_a_reader_takes_for_one_character_is_one_grapheme(
    text: str, expected: list[str]
) -> None:
    assert graphemes(text) == expected


@given(texts)
def test_graphemes_joined_are_the_text_and_boundaries_are_their_ends(text: str) -> None:
    assert "".join(graphemes(text)) == text
    found = boundaries(text)
    assert (found[0], found[-1]) == (0, len(text))
    assert [text[start:end] for start, end in pairwise(found)] == graphemes(text)


@given(texts)
def test_a_lookup_anywhere_agrees_with_reading_from_the_start(text: str) -> None:
    found = boundaries(text)
    for index in range(len(text) + 1):
        assert is_boundary(text, index) == (index in found)
        after = bisect_right(found, index)
        assert next_boundary(text, index) == (found[after] if after < len(found) else len(text))
        before = bisect_left(found, index)
        assert previous_boundary(text, index) == (found[before - 1] if before else 0)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_the_short_way_for_ascii_ends_where_the_long_one_does(text: str) -> None:
    assert [*boundaries(text), len(text) + 1] == boundaries(text + "é")


def test_a_long_row_of_flags_is_read_in_pairs() -> None:
    row = "🇩🇪" * 100_000
    assert graphemes(row) == ["🇩🇪"] * 100_000
    assert graphemes(row + "🇫")[-2:] == ["🇩🇪", "🇫"]


@pytest.mark.parametrize("lookup", [is_boundary, next_boundary, previous_boundary])
@pytest.mark.parametrize("index", [-1, 4])
def test_an_index_outside_of_the_text_is_refused(lookup, index: int) -> None:
    with pytest.raises(IndexError, match="outside"):
        lookup("abc", index)


def test_ascii_text_needs_no_unicode_tables() -> None:
    program = (
        "import sys; from crdt.graphemes import *;"
        "assert boundaries('a\\r\\nb') == [0, 1, 3, 4];"
        "assert not is_boundary('a\\r\\nb', 2) and next_boundary('a\\r\\nb', 1) == 3;"
        "assert previous_boundary('a\\r\\nb', 3) == 1 and 'regex' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
