"""When a text says a fact already, and when it only says something like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.workspace.agents import facts

words = st.lists(st.sampled_from(["deploys", "run", "not", "8080", "C++", "on", "é"]), min_size=1)


@pytest.mark.parametrize(
    "text",
    [
        "- Deploys run on Fridays at noon.\n",
        "---\nname: x\n---\n# A\n\nMore. **Deploys** run on the\nFridays at noon! Then rest.",
        "| x |\n> 1. [ ] deploys run on friday at noon\n",
        "- other\n- Deploys run\n  on Fridays at noon\n",
    ],
)
def test_articles_plurals_case_and_emphasis_do_not_count(text: str) -> None:
    assert facts.where_said(text, "Deploys run on Fridays at noon") is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Use tabs for indentation", "Do not use tabs for indentation"),
        ("Use tabs for indentation", "Avoid tabs for indentation"),
        ("Use tabs for indentation", "Use tabs for indentation in Go only"),
        ("The API port is 8080", "The API port is 8081"),
        ("The limit is 5", "The limit is -5"),
        ("Ada likes C++", "Ada likes C#"),
        ("Check that x != y", "Check that x = y"),
        ("Auth depends on billing", "Billing depends on auth"),
        ("Deploys run on Fridays", "Deploys run on Mondays"),
        ("Run it. Never on Fridays.", "Run it."),
        ("Use v1.2", "Use v12"),
    ],
)
def test_a_fact_that_differs_in_one_word_or_sign_is_another(one: str, other: str) -> None:
    assert facts.where_said(f"- {other}\n", one) is None


@given(st.lists(words, min_size=1, max_size=4), st.data())
def test_every_entry_of_a_list_is_said_where_it_stands(
    entries: list[list[str]], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(entries) - 1))
    text = "# Memory\n\n" + "".join(f"- {' '.join(each)}\n" for each in entries)
    said = facts.where_said(text, " ".join(entries[at]))
    assert said is not None
    assert said.line - 3 <= at


def test_a_fact_of_several_sentences_is_said_where_all_of_them_are() -> None:
    text = "- Deploys run on Fridays.\n- Ada watches them.\n"
    assert facts.where_said(text, "Deploys run on Fridays. Ada watches them.") is not None
    assert facts.where_said(text, "Deploys run on Fridays. Bob watches them.") is None


def test_what_is_nearest_shares_most_words() -> None:
    text = "- Deploys run on Fridays at noon\n- The port is 8080\n"
    near = facts.nearest(text, "Deploys run on Mondays at noon")
    assert near is not None
    assert near[1].line == 1
    assert facts.nearest(text, "Ada likes tea") is None
