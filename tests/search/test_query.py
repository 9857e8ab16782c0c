"""What a person types is taken apart, and nothing in it has a power of its own."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.search.query import MAX_TERMS, STOP_WORDS, Query, parse


@pytest.fixture(scope="module")
def index() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE texts USING fts5 (body, tokenize = 'porter unicode61');"
        "INSERT INTO texts VALUES ('one two'), ('two three'), ('日本 👍 AND OR NOT')"
    )
    return connection


@pytest.mark.parametrize(
    ("text", "terms", "excluded"),
    [
        ("", (), ()),
        ("  \t ", (), ()),
        ("one two", ("one", "two"), ()),
        ('"one two" three', ("one two", "three"), ()),
        ("one -two", ("one",), ("two",)),
        ('one -"two three"', ("one",), ("two three",)),
        ('one "open end', ("one", "open end"), ()),
        ("well-known", ("well-known",), ()),
        ("the plan of it", ("plan",), ()),
        ("to be or the", ("to", "be", "or", "the"), ()),
        ("- -- * ( ) \" '", (), ()),
        ("c++ #tag a:b", ("c++", "#tag", "a:b"), ()),
        ('one"two"three', ("one", "two", "three"), ()),
    ],
)
def test_words_phrases_and_exclusions_are_told_apart(
    text: str, terms: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    assert parse(text) == Query(terms, excluded, False)


any_text = st.text(st.characters(), max_size=40) | st.text('ab"-*()^:+{}AND OR\t\0', max_size=40)


@given(any_text, st.booleans())
def test_any_text_makes_a_query_that_the_engine_understands(
    index: apsw.Connection, text: str, as_you_type: bool
) -> None:
    query = parse(text, as_you_type=as_you_type)
    for any_term in (False, True):
        match = query.match(any_term=any_term)
        assert bool(match) == bool(query.terms)
        if match:
            index.execute("SELECT * FROM texts WHERE texts MATCH ?", (match,)).fetchall()


@pytest.mark.parametrize("odd", ["\0", "\ud83d"])
def test_what_no_text_can_hold_divides_words_at_most(index: apsw.Connection, odd: str) -> None:
    for text in (f"one {odd} two", f'"one {odd}" two', f"{odd}one two{odd}"):
        index.execute("SELECT * FROM texts WHERE texts MATCH ?", (parse(text).match(),)).fetchall()
    assert parse(odd).match() == ""


def test_words_of_the_engines_own_language_are_words(index: apsw.Connection) -> None:
    def found(text: str) -> list[int]:
        return index.execute(
            "SELECT rowid FROM texts WHERE texts MATCH ?", (parse(text).match(),)
        ).fetchall()

    assert found("AND OR NOT") == [(3,)]
    assert found("one NOT two") == []
    assert found("body:one") == []


def test_the_last_word_is_open_only_while_it_is_typed() -> None:
    assert parse("one tw", as_you_type=True).match() == '"one" AND "tw"*'
    assert parse("one tw ", as_you_type=True).match() == '"one" AND "tw"'
    assert parse("one tw").match() == '"one" AND "tw"'
    assert parse('"one tw"', as_you_type=True).match() == '"one tw"'
    assert parse("one -tw", as_you_type=True).match() == '("one") NOT ("tw")'


@pytest.mark.parametrize("beginning", ["t", "th", "the", "x", "w", "wou"])
def test_behind_other_words_what_begins_nearly_every_text_is_not_looked_for_yet(
    beginning: str,
) -> None:
    assert parse(f"plan {beginning}", as_you_type=True) == Query(("plan",), (), False)


def test_a_common_word_counts_once_it_has_become_another_or_is_all_there_is() -> None:
    assert parse("plan theo", as_you_type=True).match() == '"plan" AND "theo"*'
    assert parse("plan the ", as_you_type=True).terms == ("plan",)
    assert parse("the", as_you_type=True).match() == '"the"*'
    assert parse("x", as_you_type=True).match() == '"x"*'
    assert parse("計画 会", as_you_type=True).match() == '"計画" AND "会"*'


def test_any_or_all_of_the_words_are_asked_for() -> None:
    query = parse("one two -three")
    assert query.match() == '("one" AND "two") NOT ("three")'
    assert query.match(any_term=True) == '("one" OR "two") NOT ("three")'
    assert parse("-three").match() == "", "there is nothing to look for"


def test_endless_queries_are_cut() -> None:
    query = parse(" ".join(f"w{number}" for number in range(1_000)))
    assert len(query.terms) == MAX_TERMS
    assert len(parse("-x " * 1_000).excluded) == MAX_TERMS


def test_common_words_are_written_as_they_are_compared() -> None:
    assert {word.casefold() for word in STOP_WORDS} == STOP_WORDS
    assert parse("The THE plan").terms == ("plan",)
