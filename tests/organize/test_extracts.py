"""Titles and summaries are the text's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.markdown.describe import describe
from aimem_tui.markdown.scan import plain_text
from aimem_tui.organize import extracts
from aimem_tui.organize.tokens import words_of
from crdt.textdiff import apply
from tests.organize.notes import prose

BLOCKS = (
    "# Notes", "# How tokens expire", "## Summary", "Tokens expire after an hour. Then they go.",
    "We keep sessions in the cache because the disk is slow.", "- an entry\n- another entry",
    "```\ncode = 1\n```", "| a | b |\n| - | - |", "**Date**: 2025-01-01", "> quoted words here",
    "This works as follows:", "日本語の文です。もう一つの文です。",
    "e.g. this one. It has two parts.",
    "![image](a.png)", "x" * 400,
)  # fmt: skip
texts = st.lists(st.sampled_from(BLOCKS), max_size=8).map("\n\n".join)
heads = st.sampled_from(["", "---\ntags: [a]\n---\n", "---\ntitle: Notes\n---\n", "\ufeff"])


@given(texts)
def test_a_summary_is_made_of_the_texts_own_sentences(text: str) -> None:
    summary = extracts.summary_for("Notes", text)
    assert len(summary) <= extracts.SUMMARY_LENGTH
    plain = " ".join(plain_text(line) for line in text.splitlines())
    assert set(words_of(summary.rstrip("…"))) <= set(words_of(plain)) or summary.endswith("…")
    assert "code = 1" not in summary


@given(texts, heads, st.sampled_from(["a.md", "2025-01-01_x.md"]))
def test_a_title_that_is_accepted_is_the_title(text: str, head: str, path: str) -> None:
    whole = head + text
    title = extracts.title_for(path, whole)
    assert len(title) <= extracts.TITLE_LENGTH
    assert "\n" not in title
    if title and extracts.lacks_title(path, whole):
        after = apply(whole, extracts.titled(path, whole, title))
        assert describe(path, after).title == plain_text(title)
        # Nothing but the title has changed.
        before = {line.removeprefix("\ufeff") for line in whole.splitlines()}
        now = {line.removeprefix("\ufeff") for line in after.splitlines()}
        assert before - now <= {"# Notes", "title: Notes"}


@pytest.mark.parametrize(
    ("path", "text", "title"),
    [
        (
            "a.md",
            "We log in with tokens, which expire. Then more.\n",
            "We log in with tokens, which expire",
        ),
        ("a.md", "# Notes\n\n## How tokens expire\n", "How tokens expire"),
        ("a.md", "# Notes\n\n- [ ] rotate the signing keys\n", "Rotate the signing keys"),
        ("x/2025-01-02.md", "```\ncode\n```\n", ""),
        ("untitled.md", "# Untitled\n\nCache pages on disk.\n", "Cache pages on disk"),
    ],
)
def test_a_title_comes_from_the_first_thing_that_says_much(
    path: str, text: str, title: str
) -> None:
    assert extracts.lacks_title(path, text)
    assert extracts.title_for(path, text) == title


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", "# How tokens expire\n"),
        ("a.md", "---\ntitle: Tokens\n---\nText.\n"),
        ("how-tokens-expire.md", "Text without a heading.\n"),
    ],
)
def test_what_has_a_title_is_left_alone(path: str, text: str) -> None:
    assert not extracts.lacks_title(path, text)


def test_what_the_text_calls_its_summary_is_the_summary() -> None:
    text = (
        f"# A\n\n{prose('auth', 1)}\n## Summary\n\nTokens expire after an hour.\n\n## More\n\nx\n"
    )
    assert extracts.summary_for("A", text) == "Tokens expire after an hour."


def test_five_megabytes_are_read_in_bounded_time() -> None:
    text = "# Notes\n\n" + "tokens expire often, " * 250_000
    assert extracts.title_for("a.md", text)
    assert len(extracts.summary_for("Notes", text)) <= extracts.SUMMARY_LENGTH
