"""An answer is shown only if it stands on the passages that were really sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.assist import answers
from aimem_tui.assist.prompts import Passage
from tests.assist.thoughts import passage

ONE = passage(1, "# Auth\n\n**Refresh tokens** live\n30 days; see https://example.org/auth.")
TWO = passage(2, "We chose “rotating” tokens in spring.", "decisions/tokens.md")
SENT = (ONE, TWO)


def said(text: str, *citations: tuple[int, str], known: bool = True) -> dict[str, Any]:
    return {
        "known": known,
        "answer": text,
        "citations": [{"passage": number, "quote": quote} for number, quote in citations],
    }


def cited(checked: answers.Checked) -> tuple[int, ...]:
    return tuple(citation.passage.number for citation in checked.citations)


def test_an_answer_whose_citations_hold_is_shown_with_them_in_its_order() -> None:
    checked = answers.check(
        said(
            "They rotate [2] and live 30 days [1].",
            (1, "Refresh tokens live 30 days"),
            (2, 'We chose "rotating" tokens'),
        ),
        SENT,
    )
    assert checked.problem == ""
    assert checked.known
    assert cited(checked) == (2, 1)


def test_a_citation_says_in_which_line_of_the_thought_its_words_stand() -> None:
    later = Passage(1, ONE.thought, 40, ONE.text)
    for quote, line in (("Refresh tokens live 30 days", 42), ("30 days; see", 43)):
        checked = answers.check(said("Thirty [1].", (1, quote)), (later,))
        assert [(each.line, each.quote) for each in checked.citations] == [(line, quote)]


def test_case_white_space_and_markdowns_signs_do_not_count_in_a_quote() -> None:
    assert answers.holds("refresh   TOKENS live 30 days", ONE.text)
    assert answers.holds("…live\n30 days;", ONE.text)


def test_numbers_may_stand_together() -> None:
    text = "So it is [1, 2]."
    checked = answers.check(said(text, (1, "live 30 days"), (2, "tokens in spring")), SENT)
    assert cited(checked) == (1, 2)


def test_an_answer_without_numbers_gets_those_of_its_citations() -> None:
    checked = answers.check(said("Thirty days.", (1, "tokens live 30 days")), SENT)
    assert checked.text == "Thirty days. [1]"
    assert cited(checked) == (1,)


def test_a_citation_that_does_not_hold_counts_for_nothing_beside_one_that_does() -> None:
    quotes = ((1, "tokens live 30 days"), (2, "made of cheese"))
    checked = answers.check(said("Thirty days [1].", *quotes), SENT)
    assert cited(checked) == (1,)


@pytest.mark.parametrize(
    "value",
    [
        said("Thirty days [1].", (1, "tokens live 300 days")),
        said("Thirty days [1].", (2, "tokens live 30 days")),
        said("Thirty days [1].", (3, "tokens live 30 days")),
        said("Thirty days [1] and more [2].", (1, "tokens live 30 days")),
        said("Thirty days [7].", (1, "tokens live 30 days")),
        said("Thirty days [1].", (1, "days")),
        said("Thirty days [1].", (1, "")),
        said("Thirty days."),
        said("Thirty days [1]."),
    ],
)
def test_an_answer_with_a_statement_that_nothing_holds_is_not_shown(value: dict[str, Any]) -> None:
    checked = answers.check(value, SENT)
    assert checked.problem
    assert checked.text == ""
    assert cited(checked) == ()


def test_an_address_that_no_passage_has_is_not_shown() -> None:
    quote = (1, "tokens live 30 days")
    for address in ("https://evil.example/?q=1", "www.evil.example", "HTTP://evil.example"):
        assert answers.check(said(f"See {address} [1].", quote), SENT).problem
    assert not answers.check(said("See https://example.org/auth. [1]", quote), SENT).problem


def test_not_known_is_not_known_whatever_else_is_said() -> None:
    checked = answers.check(said("But I think [1].", (1, "live 30 days"), known=False), SENT)
    assert not checked.known
    assert checked.problem == ""
    assert checked.text == ""


def test_known_and_empty_is_not_shown() -> None:
    assert answers.check(said(" \n "), SENT).problem


@given(
    st.text(max_size=80),
    st.lists(st.tuples(st.integers(1, 99), st.text(max_size=40)), max_size=4),
    st.booleans(),
)
def test_whatever_a_model_says_only_what_was_sent_is_cited(
    text: str, citations: list[tuple[int, str]], known: bool
) -> None:
    checked = answers.check(said(text, *citations, known=known), SENT)
    assert set(cited(checked)) <= {1, 2}
    assert bool(checked.text) == bool(checked.citations)
    checked.text.encode()
