"""Markdown inside a line, coloured as a reader of CommonMark would read it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.widgets.editor.inline import inline_spans
from tests.widgets.editor.support import nasty_text

MARKS = st.text("*_~`[]()<>!#\\\"' ahttps:/-.", max_size=80)


def found(line: str, look: str) -> list[str]:
    return [line[span.start : span.end] for span in inline_spans(line) if span.look == look]


@pytest.mark.parametrize(
    ("line", "look", "parts"),
    [
        ("a *b* c", "emphasis", ["*b*"]),
        ("a _b_ c", "emphasis", ["_b_"]),
        ("snake_case_name", "emphasis", []),
        ("2 * 3 * 4", "emphasis", []),
        ("a **b** c", "strong", ["**b**"]),
        ("**bold with *italic* in it**", "strong", ["**bold with *italic* in it**"]),
        ("**bold with *italic* in it**", "emphasis", ["*italic*"]),
        ("***both***", "strong", ["**both**"]),
        ("***both***", "emphasis", ["***both***"]),
        ("\\*not\\*", "emphasis", []),
        ("a ~~b~~ c", "strike", ["~~b~~"]),
        ("a `b *c* d` e", "code", ["`b *c* d`"]),
        ("a `b *c* d` e", "emphasis", []),
        ("``a ` b`` c", "code", ["``a ` b``"]),
        ("no `end", "code", []),
        ("[text](url) x", "link", ["[text](url)"]),
        ("[text](url) x", "url", ["](url)"]),
        ('[t](<a b> "title") x', "link", ['[t](<a b> "title")']),
        ("[a](b(c)d) x", "link", ["[a](b(c)d)"]),
        ("![alt](i.png)", "link", ["![alt](i.png)"]),
        ("[text][ref]", "link", ["[text][ref]"]),
        ("[not a link]", "link", []),
        ("see [[plans/x|X]]!", "wiki", ["[[plans/x|X]]"]),
        ("a note[^1]", "wiki", ["[^1]"]),
        ("https://a.b/c_d_e.", "url", ["https://a.b/c_d_e"]),
        ("(https://a.b/c(d))", "url", ["https://a.b/c(d)"]),
        ("*https://a.b*", "emphasis", ["*https://a.b*"]),
        ("<https://a.b>", "url", ["<https://a.b>"]),
        ("a #tag and #two/b-c", "tag", ["#tag", "#two/b-c"]),
        ("issue #12 and a#b and &#x27;", "tag", []),
        ("a <!-- b --> c", "comment", ["<!-- b -->"]),
        ("a <!-- b", "comment", []),
    ],
)
def test_a_line_is_read_like_commonmark(line: str, look: str, parts: list[str]) -> None:
    assert found(line, look) == parts


@given(MARKS | nasty_text)
def test_spans_lie_in_the_line_and_outer_ones_come_first(line: str) -> None:
    spans = inline_spans(line)
    for span in spans:
        assert 0 <= span.start < span.end <= len(line)
    assert spans == sorted(spans, key=lambda span: (span.start, -span.end))


@given(MARKS, st.integers(0, 20))
def test_what_comes_before_the_start_is_left_alone(line: str, start: int) -> None:
    assert all(span.start >= start for span in inline_spans(line, start))


HOSTILE = [
    "*",
    "**a ",
    "*a _b ",
    "a* ",
    "a*_b",
    "_a",
    "~~a ",
    "`",
    "`a``b",
    "[",
    "[a",
    "![a](",
    "](a ",
    '](a "',
    "](<a",
    "][",
    "[[a",
    "[^a",
    "(",
    ")",
    "https://a",
    "https://)",
    "<a:b",
    "<ab:",
    "<!--",
    "#a#",
    "#1",
    "\\",
    "](a(b)",
    "](a\t",
]


def read_all(size: int) -> None:
    for piece in HOSTILE:
        line = piece * (size // len(piece))
        assert inline_spans(line) is not None
        assert inline_spans("[a](" + line) is not None
        assert inline_spans("](a" + " " * (size // 2) + piece) is not None


def test_a_line_made_to_hurt_is_read() -> None:
    read_all(10_000)


@pytest.mark.heavy
def test_a_megabyte_made_to_hurt_is_read_in_time() -> None:
    # Linear work takes seconds here. Anything quadratic takes so long that the test run ends first.
    read_all(1_000_000)
