"""Blocks below each other: places hold while guessed heights are corrected."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.widgets.drawing import Drawer
from aimem_tui.widgets.icons import GLYPHS
from aimem_tui.widgets.outline import Outline, split
from aimem_tui.widgets.preview_layout import Layout, Spot
from tests.shared_data import shared_data

BLOCKS = st.lists(
    st.sampled_from(
        [
            "# Title",
            "short",
            "a paragraph that is long enough to be wrapped into several lines " * 3,
            "- one\n- two\n\n  three",
            "```\ncode\n\ncode\n```",
            "| a | b |\n|---|---|\n| 1 | a cell that is long enough to be broken into lines |",
            "> quote",
            "[ref]: https://example.org",
            "---",
            "<!-- note -->",
        ]
    ),
    min_size=1,
    max_size=25,
).map("\n\n".join)


def layout(outline: Outline, width: int = 40) -> Layout:
    drawer = Drawer(GLYPHS, outline.definitions)
    page = Layout(drawer.draw)
    page.resize(width)
    page.show(outline.blocks)
    return page


def draw_all(page: Layout) -> list[str]:
    """Every line of the page, with the empty ones above each block."""
    lines: list[str] = []
    for index in range(len(page.blocks)):
        drawn = page.drawing(index).lines
        if drawn:
            lines += [""] * page.gap(index)
            lines += ["".join(span.text for span in line.spans) for line in drawn]
    return lines


@given(BLOCKS, st.integers(10, 100))
def test_the_height_is_the_sum_of_the_blocks(source: str, width: int) -> None:
    page = layout(split(source), width)
    lines = draw_all(page)
    assert page.height == len(lines) == sum(page.size(n) for n in range(len(page.blocks)))
    assert [page.locate(line) for line in range(page.height)] == [
        Spot(index, line) for index in range(len(page.blocks)) for line in range(page.size(index))
    ]


@given(BLOCKS, st.data())
def test_walking_is_exact_however_little_was_drawn_before(source: str, data: st.DataObject) -> None:
    whole = layout(split(source))
    height = len(draw_all(whole))
    if not height:
        return
    start = data.draw(st.integers(0, height - 1))
    by = data.draw(st.integers(-height - 3, height + 3))
    page = layout(split(source))
    assert page.walk(whole.locate(start), by) == whole.locate(max(0, min(start + by, height - 1)))


@given(BLOCKS)
def test_every_line_of_the_source_is_found_and_found_back(source: str) -> None:
    page = layout(split(source))
    draw_all(page)
    previous = -1
    for line in range(source.count("\n") + 1):
        spot = page.spot_of_source(line)
        # Lines above the first one drawn of a block, as a fence's opening, lead to that one.
        first = page.source_of(Spot(spot.block, 0))
        assert page.source_of(spot) <= max(line, first)
        if page.size(spot.block):
            assert page.line_of(spot) >= previous
            previous = page.line_of(spot)
        assert page.spot_of_source(page.source_of(spot)) == spot


@given(BLOCKS, BLOCKS, st.data())
def test_an_edited_page_equals_a_new_one(source: str, other: str, data: st.DataObject) -> None:
    outline = split(source)
    page = layout(outline)
    draw_all(page)
    start = data.draw(st.integers(0, len(source)))
    end = data.draw(st.integers(start, len(source)))
    edited = source[:start] + other[:40] + source[end:]
    after = split(edited, outline)
    if after.definitions != outline.definitions:
        return
    page.show(after.blocks)
    assert draw_all(page) == draw_all(layout(split(edited)))
    assert page.height == layout_height(edited)


def layout_height(source: str) -> int:
    page = layout(split(source))
    return len(draw_all(page))


def test_an_edit_draws_one_block() -> None:
    drawn: list[str] = []
    outline = split("\n\n".join(f"paragraph {number}" for number in range(200)))
    drawer = Drawer(GLYPHS)

    def draw(block, width):
        drawn.append(block.text)
        return drawer.draw(block, width)

    page = Layout(draw)
    page.resize(40)
    page.show(outline.blocks)
    draw_all(page)
    drawn.clear()
    page.show(split(outline.source.replace("paragraph 7\n", "paragraph seven\n"), outline).blocks)
    draw_all(page)
    assert drawn == ["paragraph seven"]


def test_looking_at_the_end_of_a_long_text_draws_what_is_seen() -> None:
    drawn: list[str] = []
    drawer = Drawer(GLYPHS)

    def draw(block, width):
        drawn.append(block.text)
        return drawer.draw(block, width)

    page = Layout(draw)
    page.resize(40)
    page.show(split("\n\n".join(f"paragraph {number}" for number in range(20_000))).blocks)
    page.walk(page.end(), -30)
    page.walk(page.locate(page.height // 2), 30)
    assert len(drawn) < 60


def test_a_real_text_is_walked_through_without_a_jump() -> None:
    files = sorted(shared_data("thoughts").rglob("*.md"), key=lambda file: file.stat().st_size)
    source = files[-1].read_text("utf-8", errors="replace")[:60_000]
    whole = layout(split(source))
    height = len(draw_all(whole))
    page = layout(split(source))
    draw = random.Random(3)
    line, spot = 0, Spot(0, 0)
    for _ in range(300):
        by = draw.choice([1, 1, 30, -1, -30, 200, -100])
        line = max(0, min(line + by, height - 1))
        spot = page.walk(spot, by)
        assert whole.line_of(spot) == line
