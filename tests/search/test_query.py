"""What a person types is taken apart, and nothing in it has a power of its own."""

from __future__ import annotations

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.model import Filter
from aimem_tui.search import matching
from aimem_tui.search.query import MAX_TERMS, STOP_WORDS, Query, parse

DAY = 86_400_000


@pytest.fixture(scope="module")
def index() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE texts USING fts5 (title, body, tokenize = 'porter unicode61');"
        "INSERT INTO texts VALUES ('', 'one two'), ('', 'two three'), ('', '日本 👍 AND OR NOT')"
    )
    return connection


def found(index: apsw.Connection, text: str, **options) -> list[int]:
    match = matching.plan(index, "texts", parse(text, **options)).match
    if not match:
        return []
    rows = index.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (match,))
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("text", "terms", "phrases", "excluded"),
    [
        ("", (), (), ()),
        ("  \t ", (), (), ()),
        ("one two", ("one", "two"), (), ()),
        ("One ONE one", ("one",), (), ()),
        ('"one two" three', ("three",), ("one two",), ()),
        ('"one" three', ("three",), ("one",), ()),
        ("one -two", ("one",), (), ("two",)),
        ('one -"two three"', ("one",), (), ("two three",)),
        ('one "open end', ("one",), ("open end",), ()),
        ("well-known", ("well", "known"), (), ()),
        ("foo_bar", ("foo_bar", "foo", "bar"), (), ()),
        ("v1.2.3", ("v1.2.3", "v1", "2", "3"), (), ()),
        ("ENG-123", ("ENG-123", "eng", "123"), (), ()),
        ("the plan of it", ("plan",), (), ()),
        ("to be or the", ("to", "be", "or", "the"), (), ()),
        ("- -- * ( ) \" '", (), (), ()),
        ("c++ #tag a:b", ("c", "tag", "b"), (), ()),
        ('one"two"three', ("one", "three"), ("two",), ()),
        ("日本 計画書類", ("日本", "計画", "画書", "書類"), (), ()),
        ("don't", ("don", "t"), (), ()),
    ],
)
def test_words_phrases_and_exclusions_are_told_apart(
    text: str, terms: tuple[str, ...], phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    query = parse(text)
    assert (query.terms, query.phrases, query.excluded) == (terms, phrases, excluded)
    assert not query.open_ended


@pytest.mark.parametrize(
    ("text", "groups", "unwanted"),
    [
        ("kind:plan", ((Filter(kinds=("plan",)),),), ()),
        (
            "kind:plan kind:Research",
            ((Filter(kinds=("plan",)), Filter(kinds=("research",))),),
            (),
        ),
        ("tag:a tag:b", ((Filter(tags=("a",)),), (Filter(tags=("b",)),)), ()),
        ('author:"Ada L" since:2d', ((Filter(author="Ada L"),), (Filter(since=8 * DAY),)), ()),
        ("-tag:x -path:old/", (), (Filter(tags=("x",)), Filter(path="old/"))),
        ("STATUS:draft", ((Filter(status="draft"),),), ()),
        ("tag: kind:", (), ()),
    ],
)
def test_fields_become_filters(
    text: str, groups: tuple[tuple[Filter, ...], ...], unwanted: tuple[Filter, ...]
) -> None:
    query = parse(text, now=10 * DAY)
    assert (query.scope.groups, query.scope.unwanted) == (groups, unwanted)
    assert (query.said, query.text) == ((), "" if groups or unwanted else query.text)


def test_what_is_meant_is_the_words_without_fields_and_exclusions() -> None:
    query = parse('why do tokens expire kind:plan "session cookie" -old -tag:x http://a.b')
    assert query.text == "why do tokens expire session cookie http://a.b"


@pytest.mark.parametrize("text", ["kind:poem", "since:soon", "colour:blue"])
def test_what_is_no_field_is_said(text: str) -> None:
    query = parse(f"sky {text}")
    assert len(query.said) == 1
    assert query.terms[0] == "sky"
    assert len(query.terms) > 1


any_text = st.text(st.characters(), max_size=40) | st.text('ab"-*()^:+{}AND OR\t\0', max_size=40)


@given(any_text, st.booleans())
def test_any_text_makes_a_query_that_the_engine_understands(
    index: apsw.Connection, text: str, as_you_type: bool
) -> None:
    found(index, text, as_you_type=as_you_type)
    assert parse(text, as_you_type=as_you_type) == parse(text, as_you_type=as_you_type)


@pytest.mark.parametrize("odd", ["\0", "\ud83d"])
def test_what_no_text_can_hold_divides_words_at_most(index: apsw.Connection, odd: str) -> None:
    for text in (f"one {odd} two", f"{odd}one two{odd}"):
        assert found(index, text) == [1, 2]
    assert not parse(odd).has_words


def test_words_of_the_engines_own_language_are_words(index: apsw.Connection) -> None:
    assert found(index, "AND OR NOT") == [3]
    assert found(index, "one NOT nowhere") == [1, 3]
    assert found(index, "body:one") == [1]
    assert found(index, "tw*") == []


def test_the_last_word_is_open_only_while_it_is_typed(index: apsw.Connection) -> None:
    assert found(index, "tw", as_you_type=True) == [1, 2]
    for text in ("tw ", '"tw"', "thre -tw"):
        assert parse(text, as_you_type=True).open_ended is False
    assert found(index, "tw ", as_you_type=True) == []
    assert found(index, "tw") == []


@pytest.mark.parametrize("beginning", ["t", "th", "the", "x", "w", "wou"])
def test_behind_other_words_what_begins_nearly_every_text_is_not_looked_for_yet(
    beginning: str,
) -> None:
    query = parse(f"plan {beginning}", as_you_type=True)
    assert (query.terms, query.open_ended) == (("plan",), False)


def test_a_common_word_counts_once_it_has_become_another_or_is_all_there_is() -> None:
    assert parse("plan theo", as_you_type=True).terms == ("plan", "theo")
    assert parse("plan the ", as_you_type=True).terms == ("plan",)
    assert parse("the", as_you_type=True)[:4] == Query(("the",), (), (), True)[:4]
    assert parse("x", as_you_type=True).open_ended
    assert parse("計画 会", as_you_type=True).open_ended


def test_endless_queries_are_cut() -> None:
    assert len(parse(" ".join(f"w{number}" for number in range(1_000))).terms) == MAX_TERMS
    assert len(parse(" ".join(f"-x{number}" for number in range(1_000))).excluded) <= MAX_TERMS
    assert len(parse("計" * 1_000).terms) <= MAX_TERMS


def test_common_words_are_written_as_they_are_compared() -> None:
    assert {word.casefold() for word in STOP_WORDS} == STOP_WORDS
    assert parse("The THE plan").terms == ("plan",)
