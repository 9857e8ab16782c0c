"""Chunks cover their text, stay within bounds, and stay the same where the text does."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.markdown import chunks
from aimem_tui.markdown.chunks import SIZE, Chunk, chunk, embedded, estimate

LINES = st.sampled_from(
    [
        "# Heading", "## Another heading", "Setext", "---", "===", "", "", "```python", "```",
        "~~~", "A sentence. Another one! And a third?", "- an entry", "1. first", "> quoted",
        "word " * 60, "x" * 900, "同步文档在机器之间进行。" * 30, "    indented", "| a | b |",
        "\u2028 odd \x0c line", "<!-- comment", "-->", "tags: [a, b]", "\ufeff",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=400),
    st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=60).map(
        lambda parts: "".join(line + end for line, end in parts)
    ),
)
PARAGRAPHS = [f"Paragraph {n} tells of {n * 7919 % 1000} things and more. " * 3 for n in range(200)]


def passages(found: tuple[Chunk, ...], text: str) -> list[str]:
    return [text[each.start : each.end] for each in found]


@given(TEXTS, st.booleans(), st.integers(20, 400), st.integers(0, 60))
def test_chunks_cover_the_whole_text_in_order(
    text: str, markdown: bool, size: int, overlap: int
) -> None:
    found = chunk("Title", text, markdown=markdown, size=size, overlap=overlap)
    assert found[0].start == 0
    assert found[-1].end == len(text)
    assert [each.ordinal for each in found] == list(range(len(found)))
    for one, other in pairwise(found):
        assert one.start < other.start <= one.end < other.end


@given(TEXTS)
def test_a_chunks_line_is_the_one_it_begins_in(text: str) -> None:
    for each in chunk("Title", text):
        above = text[: each.start].replace("\r\n", "\n").replace("\r", "\n")
        assert each.line == above.count("\n")


@given(TEXTS, st.integers(40, 400))
def test_no_chunk_is_much_longer_than_asked(text: str, size: int) -> None:
    for each in chunk("Title", text, markdown=False, size=size, overlap=20):
        assert estimate(text[each.start : each.end]) <= size + 20 + size // 4


@given(TEXTS)
def test_the_same_text_gives_the_same_chunks_and_strings(text: str) -> None:
    first = chunk("Title", text)
    assert first == chunk("Title", text)
    strings = [embedded("Title", each, text) for each in first]
    assert all(string.startswith("Title") for string in strings)


def test_an_edit_at_the_top_leaves_the_chunks_further_down_as_they_were() -> None:
    before = "\n\n".join(PARAGRAPHS)
    after = "\n\n".join(["Something new at the top.", *PARAGRAPHS])
    old = passages(chunk("t", before), before)
    new = passages(chunk("t", after), after)
    assert len(set(new) - set(old)) <= 5
    assert len(old) > 30


def test_an_edit_in_a_section_leaves_the_other_sections_as_they_were() -> None:
    sections = [f"## Part {n}\n\n" + "\n\n".join(PARAGRAPHS[n : n + 8]) for n in range(0, 160, 8)]
    before = "\n\n".join(sections)
    sections[5] = sections[5].replace("Paragraph 41", "Paragraph forty-one")
    after = "\n\n".join(sections)
    old, new = passages(chunk("t", before), before), passages(chunk("t", after), after)
    assert 1 <= len(set(new) - set(old)) <= 2


def test_chunks_know_the_headings_they_stand_below() -> None:
    body = "Words of a long section. " * 60
    text = f"# Top\n\nShort.\n\n## Inner\n\n{body}\n\n### Deep\n\n{body}\n\n## Next\n\n{body}"
    found = {each.headings for each in chunk("t", text)}
    assert found == {("Top",), ("Top", "Inner"), ("Top", "Inner", "Deep"), ("Top", "Next")}


def test_a_heading_is_never_alone() -> None:
    body = "Words of a long section. " * 40
    text = f"# Top\n\n## Inner\n\n{body}"
    for each in chunk("t", text):
        assert "Words" in text[each.start : each.end]
        assert each.headings == ("Top", "Inner")


def test_short_sections_share_a_chunk() -> None:
    text = "".join(f"## Part {n}\n\nA few words.\n\n" for n in range(6))
    assert len(chunk("t", text)) < 3


def test_code_stays_whole() -> None:
    code = "```python\n" + "".join(f"value_{n} = make(n)\n\n" for n in range(32)) + "```\n"
    prose = "Some words about it. " * 30
    text = f"# Top\n\n{prose}\n\n{code}\n{prose}"
    assert estimate(code) > SIZE
    assert any(code in text[each.start : each.end] for each in chunk("t", text))


def test_code_that_is_too_long_is_cut_between_lines() -> None:
    code = "```\n" + "some = value + other\n" * 300 + "```\n"
    found = chunk("t", code, overlap=0)
    assert len(found) > 3
    assert all(code[: each.start].endswith("\n") for each in found[1:])


def test_a_long_section_overlaps_by_whole_sentences() -> None:
    text = " ".join(f"This is the sentence with the number {n} in it." for n in range(200))
    found = chunk("t", text)
    overlaps = [text[other.start : one.end] for one, other in pairwise(found)]
    assert all(overlap.startswith("This is") for overlap in overlaps)
    assert all(estimate(overlap) <= 40 for overlap in overlaps)


def test_frontmatter_counts_where_it_is_prose() -> None:
    text = "---\nid: 018f-aa\nsummary: How the engine keeps its state\ntags: [sync]\n---\n\nBody.\n"
    (only,) = chunk("Title", text)
    said = embedded("Title", only, text)
    assert "How the engine keeps its state" in said
    assert "sync" in said
    assert "018f" not in said


def test_what_is_embedded_is_the_text_as_it_reads() -> None:
    text = "# Top\n\n## How\n\nSee [the page](https://example.org/a/b?c=d), **now**.\n\n---\n"
    (only,) = chunk("Title", text)
    assert embedded("Title", only, text) == "Title\nTop > How\nSee [the page], now."


@pytest.mark.parametrize(
    "unit",
    ["word ", "a", "some line of text\n", "同步文档", "# h\n", "> > ", "ab.\r\n", "- ", "|", "](",
     "```\n\n", ". ", "\n", "\r", "**", "---\n", "#", "<!-- ", "x = 1\n\n", "$a$ "],
)  # fmt: skip
def test_work_is_in_proportion_to_the_text_whatever_it_is(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0

    def counted(text: str) -> int:
        nonlocal looked_at
        looked_at += len(text) + 1
        return estimate(text)

    monkeypatch.setattr(chunks, "estimate", counted)
    text = (unit * (200_000 // len(unit) + 1))[:200_000]
    chunk("t", text)
    assert looked_at < 60 * len(text)
