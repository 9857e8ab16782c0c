"""Two texts that say much the same become one, and nothing that only one of them says is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.markdown import frontmatter
from aimem_tui.organize.merging import merge

BLOCKS = (
    "# Title", "# Another title", "## Goal", "## Steps", "### Detail", "Setext\n======",
    "A paragraph of some words.", "A paragraph of some other words.", "Short.", "words",
    "Two lines\nof one paragraph.", "- an entry", "- an entry with more to say", "- [ ] a task",
    "- [x] a task", "1. first", "| a | b |\n| - | - |\n| 1 | 2 |", "```py\ncode()\n```",
    "```py\nother_code()\n\nlast()\n```", "~~~\nnever closed", "---", "> quoted", "été — 日本語",
)  # fmt: skip
HEADS = ("", "---\ntags: [a, b]\nstatus: draft\n---\n", "---\ntags:\n- b\n- c\nowner: ann\n---\n")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text of blocks that also stand in others."""
    gap = draw(st.sampled_from(("\n\n", "\n\n\n", "\n")))
    body = gap.join(draw(st.lists(st.sampled_from(BLOCKS), max_size=9)))
    text = draw(st.sampled_from(HEADS)) + body + draw(st.sampled_from(("\n", "", "\n\n")))
    return text.replace("\n", draw(st.sampled_from(("\n", "\r\n"))))


def plain(text: str) -> str:
    """A text as far as blanks do not count."""
    return " ".join(text.split())


@given(texts())
def test_a_text_merged_with_itself_stays_as_it_is(text: str) -> None:
    assert merge(text, text) == (text, 0, ())


@given(texts(), texts())
def test_merging_the_same_text_in_again_changes_nothing(kept: str, other: str) -> None:
    once = merge(kept, other)
    again = merge(once.text, other)
    assert (again.text, again.added) == (once.text, 0)


@given(texts(), texts())
def test_every_word_of_both_texts_is_there_or_named(kept: str, other: str) -> None:
    merged = merge(kept, other)
    said = f"{merged.text} {' '.join(merged.left_out)}"
    for word in {*kept.split(), *other.split()} - {"---", "======", "[x]", "[ ]", "1."}:
        assert word.strip("[],#->|") in said, word


@given(texts(), texts())
def test_no_line_of_the_kept_text_goes(kept: str, other: str) -> None:
    merged = plain(merge(kept, other).text)
    for line in kept.splitlines():
        if not line.startswith(("tags:", "- [ ]")):
            assert plain(line) in merged


@given(texts(), texts())
def test_one_kind_of_line_end_stays_one_kind(kept: str, other: str) -> None:
    if "\n" in kept.replace("\r\n", ""):
        assert "\r" not in merge(kept, other).text
    elif "\r\n" in kept:
        assert "\n" not in merge(kept, other).text.replace("\r\n", "")


@given(texts(), texts())
def test_tags_are_united(kept: str, other: str) -> None:
    wanted = {
        tag for text in (kept, other) for tag in frontmatter.tags_of(frontmatter.properties(text))
    }
    merged = frontmatter.properties(merge(kept, other).text)
    assert set(frontmatter.tags_of(merged)) == wanted


@pytest.mark.parametrize(
    ("kept", "other", "merged"),
    [
        ("# A\n\none\n\nthree\n", "# A\n\none\n\ntwo\n\nthree\n", "# A\n\none\n\ntwo\n\nthree\n"),
        ("- a\n- c\n", "- a\n- b\n- c\n", "- a\n- b\n- c\n"),
        ("- [ ] a\n", "* [x] a\n", "- [x] a\n"),
        (
            "Wait 30 seconds for it.\n",
            "Wait 60 seconds for it.\n",
            "Wait 30 seconds for it.\n\nWait 60 seconds for it.\n",
        ),
        ("It waits.\n", "First it waits. then ends.\n", "First it waits. then ends.\n"),
        ("## A\n\na\n\n## B\n\nb\n", "## B\n\nb\n\nmore\n\n## A\n\na\n\nalso\n",
         "## A\n\na\n\nalso\n\n## B\n\nb\n\nmore\n"),
        ("a\n", "a\n\n```\nx\n```\n", "a\n\n```\nx\n```\n"),
        ("no end", "no end\n\nbut more", "no end\n\nbut more\n"),
        ("", "all of it\n", "all of it\n"),
    ],
)  # fmt: skip
def test_what_only_the_other_says_stands_where_it_belongs(
    kept: str, other: str, merged: str
) -> None:
    assert merge(kept, other).text == merged


def test_a_new_section_comes_whole_and_parts_no_other() -> None:
    kept = "## A\n\na\n\n### Below\n\nb\n\n## C\n\nc\n"
    other = "## A\n\na\n\n## New\n\nn\n\nm\n\n## C\n\nc\n"
    assert merge(kept, other).text == (
        "## A\n\na\n\n### Below\n\nb\n\n## New\n\nn\n\nm\n\n## C\n\nc\n"
    )


def test_a_differing_title_and_property_are_named() -> None:
    merged = merge("---\nstatus: draft\n---\n# One\n", "---\nstatus: done\n---\n# Two\n")
    assert merged.text == "---\nstatus: draft\n---\n# One\n"
    assert merged.left_out == ("the title Two", "status: done")
