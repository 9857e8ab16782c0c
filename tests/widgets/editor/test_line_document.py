"""The lines of a text are the text, exactly, whatever is done to it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aimem_tui.widgets.editor.line_document import LineDocument
from crdt.errors import CrdtError
from tests.widgets.editor.support import nasty_text

LINE = re.compile(r"(.*?)(\r\n|\n|\Z)", re.DOTALL)
ends = st.sampled_from(("\r", "\n", "\r\n", "a", "", "日"))


def model_lines(text: str) -> list[tuple[str, str]]:
    """The definition: a line ends at the first LF or CRLF, or with the text."""
    lines, at = [], 0
    while True:
        match = LINE.match(text, at)
        assert match is not None
        line, end = match.groups()
        lines.append((line, end))
        if not end:
            return lines
        at = match.end()


def lines_of(document: LineDocument) -> list[tuple[str, str]]:
    rows = range(document.line_count)
    return [(document[row], document.get_line_end(row)) for row in rows]


def must_be(document: LineDocument, text: str) -> None:
    assert document.text == text
    assert lines_of(document) == model_lines(text)
    assert document.byte_count == len(text.encode())
    assert document.end == (document.line_count - 1, len(document.lines[-1]))


@given(nasty_text)
@example("\r\r\n\r\n\n\r")
def test_a_text_goes_into_lines_and_comes_back(text: str) -> None:
    must_be(LineDocument(text), text)


class Edits(RuleBasedStateMachine):
    """Any edits of a document, in bytes and in locations, beside the same edits of a string."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.document = LineDocument("")

    def place(self, where: float) -> int:
        return round(where * len(self.text))

    @rule(low=st.floats(0, 1), high=st.floats(0, 1), new=ends | nasty_text)
    def replace_bytes(self, low: float, high: float, new: str) -> None:
        start, stop = sorted((self.place(low), self.place(high)))
        before = len(self.text[:start].encode())
        after = len(self.text[:stop].encode())
        count = self.document.line_count
        splice = self.document.replace_bytes(before, after, new)
        assert self.document.line_count == count - splice.removed + splice.added
        self.text = self.text[:start] + new + self.text[stop:]

    @rule(where=st.floats(0, 1), new=ends)
    def insert_between_characters(self, where: float, new: str) -> None:
        """Also between ``\\r`` and ``\\n``."""
        at = self.place(where)
        byte = len(self.text[:at].encode())
        self.document.replace_bytes(byte, byte, new)
        self.text = self.text[:at] + new + self.text[at:]

    @rule(where=st.floats(0, 1))
    def delete_one_character(self, where: float) -> None:
        """Also only the ``\\n`` of a ``\\r\\n``."""
        at = self.place(where)
        byte = len(self.text[:at].encode())
        size = len(self.text[at : at + 1].encode())
        self.document.replace_bytes(byte, byte + size, "")
        self.text = self.text[:at] + self.text[at + 1 :]

    @rule(low=st.floats(0, 1), high=st.floats(0, 1), new=nasty_text)
    def replace_range(self, low: float, high: float, new: str) -> None:
        lines = self.document
        start, end = sorted(
            lines.location_of(round(where * lines.byte_count)) for where in (low, high)
        )
        first, last = lines.byte_of(start), lines.byte_of(end)
        replaced = lines.get_text_range(start, end)
        result = lines.replace_range(end, start, new)
        raw = self.text.encode()
        assert result.replaced_text == replaced == raw[first:last].decode()
        self.text = (raw[:first] + new.encode() + raw[last:]).decode()
        assert result.end_location == lines.location_of(first + len(new.encode()))

    @invariant()
    def the_lines_are_the_text(self) -> None:
        must_be(self.document, self.text)


TestEdits = Edits.TestCase


@given(nasty_text)
def test_every_byte_has_a_location_and_every_location_a_byte(text: str) -> None:
    document = LineDocument(text)
    seen = 0
    for row, (line, end) in enumerate(model_lines(text)):
        for column in range(len(line) + 1):
            byte = seen + len(line[:column].encode())
            assert document.byte_of((row, column)) == byte
            assert document.location_of(byte) == (row, column)
        for byte in range(seen, seen + len(line.encode())):
            assert document.location_of(byte) <= document.location_of(byte + 1)
        if end == "\r\n":
            inside = seen + len(line.encode()) + 1
            assert document.location_of(inside) == (row, len(line))
        seen += len((line + end).encode())


@given(nasty_text, st.integers(-2, 50), st.integers(-2, 50))
def test_places_outside_of_the_text_are_moved_into_it(text: str, row: int, column: int) -> None:
    document = LineDocument(text)
    inside = document.clamp((row, column))
    assert document.clamp(inside) == inside
    assert document.location_of(document.byte_of((row, column))) == inside
    assert document.location_of(10**9) == document.end


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_newline_is_the_one_that_most_lines_have(line_end: str) -> None:
    document = LineDocument(line_end.join("abcde"))
    assert document.newline == line_end
    document.replace_bytes(0, 0, "\r\n" if line_end == "\n" else "\n")
    assert document.newline == line_end
    document.replace_bytes(0, document.byte_count, "a\r\nb\r\nc\n")
    assert document.newline == "\r\n"


def test_a_text_without_line_ends_gets_plain_ones() -> None:
    assert LineDocument("").newline == "\n"
    assert LineDocument("a\rb").newline == "\n"


@pytest.mark.parametrize(("start", "end"), [(1, 1), (0, 2), (2, 3), (-1, 0), (0, 9), (3, 2)])
def test_an_edit_that_cuts_a_character_or_leaves_the_text_is_refused(start: int, end: int) -> None:
    document = LineDocument("日a")
    with pytest.raises(ValueError):
        document.replace_bytes(start, end, "x")
    must_be(document, "日a")


def test_half_of_a_surrogate_pair_is_refused() -> None:
    document = LineDocument("ab")
    with pytest.raises(CrdtError):
        document.replace_bytes(1, 1, "\ud83d")
    must_be(document, "ab")
