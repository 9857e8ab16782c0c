"""Markdown cut into blocks: no cut goes through what belongs together."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from aimem_tui.model import Heading
from aimem_tui.widgets.blocks import LIST_LINES, MOST_CHARACTERS, MOST_LINES, BlockKind
from aimem_tui.widgets.outline import Outline, split
from tests.shared_data import shared_data

LINES = st.sampled_from(
    [
        "",
        "",
        "  ",
        "text",
        "more text | with a bar",
        "    indented",
        "\ttabbed",
        "  two in",
        "# Heading",
        "#no heading",
        "===",
        "---",
        "--",
        "***",
        "- item",
        "* item",
        "  - inner",
        "- ",
        "1. first",
        "2) second",
        "10. tenth",
        "> quote",
        ">",
        "> - list",
        "```",
        "```py",
        "````",
        "~~~",
        "| a | b |",
        "|---|:-:|",
        "a | b",
        "-|-",
        "<div>",
        "</div>",
        "<!-- note",
        "-->",
        "<pre>",
        "</pre>",
        "<https://example.org> link",
        "[ref]: https://example.org",
        "[text][ref]",
    ]
)
SOURCES = st.lists(LINES, max_size=30).map("\n".join)


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def covered(outline: Outline) -> None:
    """Blocks follow one another, and only empty lines are left out."""
    lines = outline.source.split("\n")
    end = 0
    for placed in outline.blocks:
        assert placed.line >= end
        assert all(not line.strip() for line in lines[end : placed.line])
        end = placed.line + placed.lines
    assert all(not line.strip() for line in lines[end:])


def test_a_text_is_cut_into_its_blocks() -> None:
    source = (
        "---\ntitle: x\n---\n# One\n\ntext\nmore\n- a\n- b\n\n```py\n\ncode\n```\n"
        "> q\nlazy\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<div>\n\n***\nTwo\n===\n"
    )
    kinds = [placed.block.kind.value for placed in split(source).blocks]
    assert kinds == [
        "frontmatter",
        "heading",
        "paragraph",
        "list",
        "code",
        "quote",
        "table",
        "html",
        "rule",
        "heading",
    ]


def test_headings_come_with_their_lines() -> None:
    source = "# One #\n\n```\n# no\n```\n## C# and F#\n\nThree\n---\n#\n"
    assert split(source).headings == (
        Heading(1, "One", 0),
        Heading(2, "C# and F#", 5),
        Heading(2, "Three", 7),
        Heading(1, "", 9),
    )


@given(SOURCES)
def test_no_cut_goes_through_what_the_parser_takes_for_one_thing(source: str) -> None:
    outline = split(source)
    covered(outline)
    starts = {placed.line for placed in outline.blocks}
    front = [p for p in outline.blocks if p.block.kind is BlockKind.FRONTMATTER]
    skipped = front[0].lines if front else 0
    body = "\n" * skipped + "\n".join(outline.source.split("\n")[skipped:])
    for token in parser().parse(body):
        if token.level == 0 and token.map and token.nesting >= 0 and token.type != "inline":
            inside = set(range(token.map[0] + 1, token.map[1])) & starts
            assert not inside, f"{token.type} {token.map} is cut at {inside}"


@given(
    SOURCES,
    st.integers(0, 400),
    st.integers(0, 20),
    st.one_of(SOURCES.map(lambda text: text[:20]), LINES),
)
@example("a\n\nb", 4, 0, "\n# c")
@example("x\n# b", 0, 1, "")
@example("\n# b", 0, 0, "x")
def test_cutting_again_after_an_edit_gives_what_cutting_anew_gives(
    source: str, at: int, removed: int, inserted: str
) -> None:
    at %= len(source) + 1
    edited = source[:at] + inserted + source[at + removed :]
    assert split(edited, split(source)) == split(edited)


def test_cutting_again_holds_for_a_real_text_edited_all_over() -> None:
    path = shared_data("thoughts", "actingweb", "latest", "thoughts")
    texts = [file.read_text("utf-8") for file in sorted(path.rglob("*.md"))[:6]]
    source = "\n".join(texts)[:120_000]
    draw = random.Random(5)
    outline = split(source)
    snippets = ["x", "\n", "\n\n", "```\n", "- a\n", "|", "---\n", "    ", "# ", "<!--", "-->"]
    for _ in range(120):
        at = draw.randrange(len(source))
        source = source[:at] + draw.choice(snippets) + source[at + draw.randrange(4) :]
        outline = split(source, outline)
        assert outline == split(source)


@given(st.text())
def test_any_text_can_be_cut(source: str) -> None:
    covered(split(source))


def test_real_thoughts_are_cut_where_the_parser_cuts() -> None:
    files = sorted(shared_data("thoughts").rglob("*.md"))[::12]
    for file in files:
        outline = split(file.read_text("utf-8", errors="replace"))
        covered(outline)
        cuts = [
            placed.line
            for placed in outline.blocks
            if not placed.block.continued and placed.block.kind is not BlockKind.FRONTMATTER
        ]
        front = outline.blocks[0] if outline.blocks else None
        skipped = front.lines if front and front.block.kind is BlockKind.FRONTMATTER else 0
        body = "\n" * skipped + "\n".join(outline.source.split("\n")[skipped:])
        starts = set(cuts)
        for token in parser().parse(body):
            if token.level == 0 and token.map and token.nesting >= 0 and token.type != "inline":
                assert not starts & set(range(token.map[0] + 1, token.map[1])), file


def test_big_things_are_cut_into_bounded_pieces() -> None:
    sources = [
        ">" * 50_000,
        "> x\n" * 5_000,
        "- item\n" * 5_000,
        "word " * 50_000,
        "```\n" + "code\n" * 5_000 + "```\n",
        "a | b\n-|-\n" + "1 | 2\n" * 5_000,
        "<!--" + "x\n" * 5_000,
        "# " + "x" * 50_000,
        "x" * 50_000 + "\n===",
        "\n".join(" " * depth + "- deep" for depth in range(300)),
    ]
    for source in sources:
        outline = split(source)
        covered(outline)
        for placed in outline.blocks:
            assert len(placed.block.text) <= MOST_CHARACTERS + 200
            assert placed.block.text.count("\n") <= MOST_LINES + 2


def test_a_long_list_is_cut_between_items_and_goes_on_counting() -> None:
    source = "\n".join(f"{number}. item\n   more" for number in range(5, 105))
    blocks = split(source).blocks
    assert len(blocks) == 5
    assert [placed.block.ordinal for placed in blocks] == [5, 25, 45, 65, 85]
    assert all(placed.lines == LIST_LINES for placed in blocks)
    assert [placed.block.continued for placed in blocks] == [False, True, True, True, True]


def test_each_footnote_is_a_paragraph_of_its_own() -> None:
    blocks = [placed.block.text for placed in split("text\n[^1]: one\n[^2]: two\n").blocks]
    assert blocks == ["text", "[^1]: one", "[^2]: two"]


def test_pieces_of_a_table_share_their_widths() -> None:
    source = "name | value\n--|--\n" + "a | b\n" * 300 + "longest name | x\n"
    blocks = [placed.block for placed in split(source).blocks]
    assert len(blocks) == 2
    assert {block.widths for block in blocks} == {(12, 5)}
    assert all(block.text.startswith("name | value\n--|--\n") for block in blocks)


def test_line_ends_of_other_systems_make_no_difference() -> None:
    source = "# A\n\ntext\n\n```\ncode\n```\n"
    assert split(source.replace("\n", "\r\n")) == split(source)


def test_blocks_after_an_edit_are_the_very_same() -> None:
    source = "\n\n".join(f"paragraph {number}" for number in range(100))
    before = split(source)
    after = split(source.replace("paragraph 50", "paragraph fifty"), before)
    changed = [
        number
        for number, (old, new) in enumerate(zip(before.blocks, after.blocks, strict=True))
        if old is not new and old != new
    ]
    assert changed == [50]
    assert all(one.line < other.line for one, other in pairwise(after.blocks))
