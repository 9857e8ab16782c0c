"""How whole lines look, and that it stays right while the text is edited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.widgets.editor.highlight import (
    COMMENT,
    FRONTMATTER,
    PROSE,
    Highlighter,
    line_spans,
    next_state,
)
from aimem_tui.widgets.editor.line_document import LineDocument
from aimem_tui.widgets.editor.painting import SYNTAX
from tests.widgets.editor.support import nasty_text

BLOCKS = st.lists(
    st.sampled_from(
        (
            "---",
            "```",
            "````py",
            "~~~",
            "<!-- a",
            "b -->",
            "- x",
            "text",
            "",
            "> ```",
            "# h",
            "a: b",
        )
    ),
    max_size=20,
).map("\n".join)


def found(line: str, look: str, state: str = PROSE) -> list[str]:
    return [line[span.start : span.end] for span in line_spans(line, state) if span.look == look]


@pytest.mark.parametrize(
    ("line", "look", "parts"),
    [
        ("# Title", "heading", ["# Title"]),
        ("###### six", "heading", ["###### six"]),
        ("####### seven", "heading", []),
        ("#tag", "heading", []),
        ("#tag", "tag", ["#tag"]),
        ("# Title with `code`", "code", ["`code`"]),
        ("- item", "bullet", ["-"]),
        ("  12. item", "bullet", ["12."]),
        ("-not an item", "bullet", []),
        ("- [ ] open", "open", ["[ ]"]),
        ("* [x] done", "done", ["[x]"]),
        ("* [x] done", "finished", [" done"]),
        ("1. [X] done", "done", ["[X]"]),
        ("[x] no task", "done", []),
        ("> quote *it*", "quote", ["> quote *it*"]),
        ("> quote *it*", "emphasis", ["*it*"]),
        ("> - item", "bullet", ["-"]),
        ("---", "marker", ["---"]),
        ("* * *", "marker", ["* * *"]),
        ("====", "marker", ["===="]),
        ("| a | b |", "marker", ["|", "|", "|"]),
        ("| a \\| b |", "marker", ["|", "|", "\\"]),
        ("|---|:-:|", "marker", ["|---|:-:|"]),
        ("a | b", "marker", []),
        ("```python", "marker", ["```python"]),
        ("```a`b```", "marker", []),
        ("<!-- to be", "comment", ["<!-- to be"]),
        ("<!-- all --> text", "comment", ["<!-- all -->"]),
    ],
)
def test_a_line_of_prose_shows_what_it_is(line: str, look: str, parts: list[str]) -> None:
    assert found(line, look) == parts


@pytest.mark.parametrize(
    ("line", "look", "parts"),
    [
        ("title: A: b", "key", ["title"]),
        ("title: A: b", "marker", [":"]),
        ("  - name: x", "key", ["name"]),
        ("url: http://x", "key", ["url"]),
        ("just text", "key", []),
        ("a: b # why", "comment", [" # why"]),
        ("---", "marker", ["---"]),
        ("*a*: b", "emphasis", []),
    ],
)
def test_frontmatter_shows_keys(line: str, look: str, parts: list[str]) -> None:
    assert found(line, look, FRONTMATTER) == parts


def test_code_is_left_alone_to_its_end() -> None:
    assert found("# *no* heading", "code", "```") == ["# *no* heading"]
    assert found("# *no* heading", "heading", "```") == []
    assert found("```", "marker", "```") == ["```"]
    assert found("~~~", "code", "```") == ["~~~"]


def test_a_comment_ends_where_it_ends() -> None:
    assert found("b --> *c*", "comment", COMMENT) == ["b -->"]
    assert found("b --> *c*", "emphasis", COMMENT) == ["*c*"]
    assert found("*b*", "emphasis", COMMENT) == []


@pytest.mark.parametrize(
    ("line", "before", "after"),
    [
        ("text", PROSE, PROSE),
        ("```py", PROSE, "```"),
        ("   ~~~~", PROSE, "~~~~"),
        ("- ```", PROSE, "```"),
        ("```a`", PROSE, PROSE),
        ("text", "```", "```"),
        ("``", "```", "```"),
        ("````  ", "```", PROSE),
        ("```", "````", "````"),
        ("``` x", "```", "```"),
        ("<!-- a", PROSE, COMMENT),
        ("<!-- a -->", PROSE, PROSE),
        ("a <!-- b", PROSE, PROSE),
        ("a -->", COMMENT, PROSE),
        ("---", FRONTMATTER, PROSE),
        ("a: b", FRONTMATTER, FRONTMATTER),
    ],
)
def test_a_line_tells_what_the_next_begins_in(line: str, before: str, after: str) -> None:
    assert next_state(line, before) == after


@pytest.mark.parametrize("beginning", ["---", "\ufeff---", "---  "])
def test_frontmatter_is_only_at_the_top_and_ends(beginning: str) -> None:
    highlighter = Highlighter(LineDocument(f"{beginning}\na: b\n---\nc: d"))
    assert [highlighter.state(row) for row in range(4)][1:] == [FRONTMATTER, FRONTMATTER, PROSE]
    assert Highlighter(LineDocument(f"{beginning}\na: b")).state(1) == PROSE
    assert Highlighter(LineDocument("x\n---\na: b\n---")).state(2) == PROSE


@given(BLOCKS | nasty_text)
def test_every_span_lies_in_its_line_and_has_a_look(text: str) -> None:
    lines = LineDocument(text)
    highlighter = Highlighter(lines)
    for row, line in enumerate(lines.lines):
        for span in highlighter.spans(row):
            assert 0 <= span.start <= span.end <= len(line)
            assert span.look in SYNTAX


edit = st.tuples(st.floats(0, 1), st.floats(0, 1), BLOCKS, st.floats(0, 1))


@given(BLOCKS, st.lists(edit, max_size=6))
def test_following_edits_is_looking_anew(
    text: str, edits: list[tuple[float, float, str, float]]
) -> None:
    lines = LineDocument(text)
    highlighter = Highlighter(lines)
    for low, high, new, looked in edits:
        row = round(looked * (lines.line_count - 1))
        before = [highlighter.spans(at) for at in range(row + 1)]
        start, stop = sorted(round(x * lines.byte_count) for x in (low, high))
        splice = lines.replace_bytes(start, stop, new)
        restyled = highlighter.splice(splice)
        fresh = Highlighter(lines)
        for at in range(min(row + 1, splice.first if restyled is None else restyled)):
            assert fresh.spans(at) == before[at]
        for at in range(splice.first + splice.removed, row + 1 if restyled is None else 0):
            assert fresh.spans(at + splice.added - splice.removed) == before[at]
        at = round(looked * (lines.line_count - 1))
        assert highlighter.spans(at) == fresh.spans(at)
    for at in range(lines.line_count):
        assert highlighter.spans(at) == Highlighter(lines).spans(at)


def test_an_edit_in_a_long_text_asks_for_few_lines() -> None:
    lines = LineDocument("text\n" * 50_000)
    highlighter = Highlighter(lines)
    highlighter.state(49_000)
    asked = 0
    after = highlighter._after

    def counted(row: int, state: str) -> str:
        nonlocal asked
        asked += 1
        return after(row, state)

    highlighter._after = counted
    for byte in (10, 100_000, 240_000):
        highlighter.splice(lines.replace_bytes(byte, byte, "x\ny"))
        highlighter.state(49_000)
    assert asked < 20


def test_only_the_beginning_of_a_line_of_data_is_looked_at() -> None:
    spans = line_spans("*a* " * 100_000, PROSE)
    assert 0 < max(span.end for span in spans) <= 8_000


@pytest.mark.parametrize("piece", ["- ", "> ", "|-", "| ", "`", "~", "- `", "--- ", "1. ", "a: "])
@pytest.mark.parametrize("state", [PROSE, FRONTMATTER, COMMENT, "```"])
def test_a_line_made_to_hurt_is_looked_at(piece: str, state: str) -> None:
    line = piece * (20_000 // len(piece)) + "x"
    assert line_spans(line, state) is not None
    assert next_state(line, state) is not None
