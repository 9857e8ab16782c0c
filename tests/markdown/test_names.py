"""What in a text is a name, told by its form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.markdown import names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("calls `session.resume()` twice", ["session.resume"]),
        ("since v2.14.3, see ENG-1234.", ["eng-1234", "v2.14.3"]),
        ("parse_line_end and mergeUpdate", ["mergeupdate", "parse_line_end"]),
        ("in src/main.rs:12, core::mem", ["core::mem", "src/main.rs:12"]),
        ("git push --force-with-lease", ["force-with-lease"]),
        ("self->next, a=>b", ["a=>b", "self->next"]),
        ("utf8 в модуле поиск_заметок", ["utf8", "поиск_заметок"]),
        ("Plain words, in a sentence. And more (of them).", []),
        ("it's 10 o'clock, a/b", ["a/b"]),
        ("x_ 1a", []),
        ("(foo)[bar.baz]{qux_1}", ["bar.baz", "qux_1"]),
        ("twice_here twice_here TWICE_here", ["twice_here"]),
    ],
)
def test_a_name_is_told_by_its_form(text: str, found: list[str]) -> None:
    assert names.in_text(text) == found


def test_only_a_part_of_a_text_is_looked_at() -> None:
    text = "one_name two_name three_name"
    assert names.in_text(text, 9, 17) == ["two_name"]


def test_what_is_very_long_counts_by_its_beginning() -> None:
    (name,) = names.in_text("x/" * 1_000 + "end")
    assert len(name) == names.LONGEST


def test_what_was_typed_loses_the_signs_around_it() -> None:
    assert names.in_words("session.resum(") == ["session.resum"]
    assert names.in_words(".14.3 ab --no-verify") == ["14.3", "no-verify"]
    assert names.in_words("foo(bar.b") == ["foo", "bar.b"]


@given(st.text() | st.text("ab_.-/1A 'é計", max_size=80))
def test_every_name_of_a_text_can_be_typed_and_stands_in_it(text: str) -> None:
    for name in names.in_text(text):
        assert name in text.lower() or len(text.lower()) != len(text)
        assert len(name) >= names.SHORTEST
        assert [each.lower() for each in names.in_words(name)] == [name]
