"""The preview on screen: what it shows, where the reader stays, and what keys do."""

from __future__ import annotations

import random
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Button

from aimem_tui.widgets.icons import GLYPHS
from aimem_tui.widgets.preview import READING_WIDTH, MarkdownPreview
from tests.shared_data import shared_data
from tests.widgets.terminal import dump


class Page(App[None]):
    CSS = """
    MarkdownPreview { height: 1fr; }
    Button { height: 1; border: none; min-width: 4; }
    """
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, source: str = "", **options: Any) -> None:
        super().__init__()
        self.source = source
        self.preview = MarkdownPreview(icons=GLYPHS, **options)
        self.followed: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.preview
        yield Button("ok")

    def on_mount(self) -> None:
        self.preview.load(self.source)
        self.preview.focus()

    def on_markdown_preview_link_activated(self, message: MarkdownPreview.LinkActivated) -> None:
        self.followed.append(message.target)


def paragraphs(count: int) -> str:
    return "\n\n".join(f"paragraph {number} " + "words " * (number % 30) for number in range(count))


LINKS = "[one](1) and [two](2)\n\n" + "text\n\n" * 40 + "[three](3)\n\nend"


async def test_a_page_is_shown_from_its_top() -> None:
    source = dedent(
        """\
        ---
        title: Auth
        ---
        # Auth flow

        We replace the *session cookie*.

        - [x] tokens
        - [ ] rollout
        """
    )
    app = Page(source)
    async with app.run_test(size=(44, 12)):
        assert dump(app.preview) == [
            "  title  Auth",
            "",
            "  Auth flow",
            "  ━━━━━━━━━",
            "",
            "  We replace the session cookie.",
            "",
            "  ☑ tokens",
            "  ☐ rollout",
            "",
            "",
        ]


async def test_text_is_held_to_a_reading_width_in_the_middle_of_a_wide_screen() -> None:
    app = Page("word " * 300)
    async with app.run_test(size=(190, 12)):
        line = dump(app.preview)[1]
        margin = len(line) - len(line.lstrip())
        assert len(line.strip()) <= READING_WIDTH
        assert abs(margin - (190 - READING_WIDTH) // 2) <= 1


async def test_an_empty_page_says_so() -> None:
    app = Page("", empty="Nothing is written yet.")
    async with app.run_test(size=(40, 5)):
        assert dump(app.preview)[1].strip() == "Nothing is written yet."


async def test_lines_and_pages_move_by_just_that_much() -> None:
    app = Page(paragraphs(200))
    async with app.run_test(size=(50, 21)) as pilot:
        seen = dump(app.preview)
        await pilot.press("down")
        assert dump(app.preview)[:-1] == seen[1:]
        await pilot.press("pagedown")
        await pilot.press("pageup")
        assert dump(app.preview)[:-1] == seen[1:]
        await pilot.press("up")
        assert dump(app.preview) == seen


async def test_the_whole_page_can_be_read_upwards_from_its_end() -> None:
    app = Page(paragraphs(120))
    async with app.run_test(size=(50, 21)) as pilot:
        await pilot.press("end")
        assert dump(app.preview)[-1].strip()
        upwards = dump(app.preview)
        for _ in range(30):
            app.preview.scroll_relative(y=-1)
            await pilot.pause()
            assert dump(app.preview)[1:] == upwards[: len(dump(app.preview)) - 1]
            upwards = [dump(app.preview)[0], *upwards]
        await pilot.press("home")
        assert dump(app.preview)[0] == "  paragraph 0"


async def test_scrolling_through_shows_every_line_once() -> None:
    app = Page(paragraphs(30))
    async with app.run_test(size=(50, 200)) as pilot:
        whole = "\n".join(dump(app.preview)).rstrip()
        await pilot.resize_terminal(50, 16)
        lines = dump(app.preview)
        while app.preview.scroll_y < app.preview.max_scroll_y:
            app.preview.scroll_relative(y=1)
            await pilot.pause()
            lines.append(dump(app.preview)[-1])
        assert whole.startswith("\n".join(lines)[: len(whole)])
        assert "\n".join(lines).strip().startswith(whole[:2000].strip())


async def test_the_end_shows_the_last_lines() -> None:
    source = paragraphs(30)
    app = Page(source)
    async with app.run_test(size=(50, 200)) as pilot:
        whole = "\n".join(dump(app.preview)).rstrip().split("\n")
        await pilot.resize_terminal(50, 16)
        app.preview.load(source)
        await pilot.press("end")
        assert dump(app.preview) == whole[-15:]
        assert app.preview.line_at(14) == source.count("\n")
        assert app.preview.line_at() < source.count("\n")


async def test_an_edit_shows_a_moment_later_and_the_text_in_view_stands_still() -> None:
    app = Page(paragraphs(200))
    async with app.run_test(size=(50, 21)) as pilot:
        app.preview.scroll_to_line(200, row=0)
        await pilot.pause()
        before = dump(app.preview)
        source = "# New\n\n" + "many words " * 200 + "\n\n" + app.source
        app.preview.set_source(source)
        assert dump(app.preview) == before
        app.preview.settle()
        await pilot.pause()
        assert dump(app.preview) == before
        app.preview.set_source(source.replace("paragraph 100 ", "PARAGRAPH 100 "))
        app.preview.settle()
        await pilot.pause()
        changed = [
            pair for pair in zip(before, dump(app.preview), strict=True) if len(set(pair)) > 1
        ]
        assert [new.split()[0] for _, new in changed] == ["PARAGRAPH"]


async def test_edits_are_taken_up_by_themselves() -> None:
    app = Page("old")
    async with app.run_test(size=(50, 5)) as pilot:
        app.preview.set_source("new", version=1)
        app.preview.set_source("newer", version=2)
        app.preview.set_source("passed over", version=2)
        while "old" in dump(app.preview)[0]:
            await pilot.pause(0.02)
        assert dump(app.preview)[0] == "  newer"


async def test_another_thought_is_shown_at_once_from_its_top() -> None:
    app = Page(paragraphs(100))
    async with app.run_test(size=(50, 9)) as pilot:
        await pilot.press("end")
        app.preview.set_source("too late")
        app.preview.load("# Other")
        app.preview.settle()
        await pilot.pause()
        assert dump(app.preview)[:2] == ["  Other", "  ━━━━━"]


async def test_a_new_width_keeps_the_text_at_the_top() -> None:
    app = Page(paragraphs(200))
    async with app.run_test(size=(70, 21)) as pilot:
        app.preview.scroll_to_line(100, row=0)
        await pilot.pause()
        assert dump(app.preview)[0].startswith("  paragraph 50")
        for width in (40, 120, 25):
            await pilot.resize_terminal(width, 21)
            assert dump(app.preview)[0].strip().startswith("paragraph 50")


async def test_the_preview_follows_the_editor_and_tells_where_it_is() -> None:
    app = Page(paragraphs(200))
    async with app.run_test(size=(50, 21)) as pilot:
        top = dump(app.preview)
        app.preview.scroll_to_line(3)
        assert dump(app.preview) == top
        app.preview.scroll_to_line(300)
        await pilot.pause()
        assert app.preview.line_at(5) == 300
        app.preview.scroll_to_line(300, row=0)
        assert app.preview.line_at() == 300


async def test_headings_are_gone_to() -> None:
    source = (
        "# One\n\n" + "text\n\n" * 30 + "## The plan, of `all`!\n\n" + "text\n\n" * 30 + "# Two"
    )
    app = Page(source + "\n\n" + "text\n\n" * 30)
    async with app.run_test(size=(50, 11)) as pilot:
        assert [heading.text for heading in app.preview.headings][::2] == ["One", "Two"]
        await pilot.press("right_square_bracket")
        assert dump(app.preview)[0] == "  The plan, of all!"
        await pilot.press("right_square_bracket")
        assert dump(app.preview)[0] == "  Two"
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert dump(app.preview)[0] == "  One"
        assert app.preview.go_to_heading("#the-plan-of-all")
        assert dump(app.preview)[0] == "  The plan, of all!"
        assert not app.preview.go_to_heading("#nowhere")


async def test_tab_walks_the_links_and_enter_follows() -> None:
    app = Page(LINKS)
    async with app.run_test(size=(50, 11)) as pilot:
        await pilot.press("tab", "enter", "tab", "enter")
        assert app.followed == ["1", "2"]
        await pilot.press("tab", "enter")
        assert app.followed == ["1", "2", "3"]
        assert any(line.strip() == "three" for line in dump(app.preview))
        await pilot.press("shift+tab", "enter")
        assert app.followed[-1] == "2"
        await pilot.press("tab", "tab")
        assert isinstance(app.focused, Button)


async def test_a_click_follows_a_link() -> None:
    app = Page(LINKS)
    async with app.run_test(size=(50, 11)) as pilot:
        await pilot.click(app.preview, offset=(11, 0))
        assert app.followed == ["2"]
        await pilot.click(app.preview, offset=(7, 0))
        assert app.followed == ["2"]


async def test_a_link_within_the_page_goes_there() -> None:
    app = Page("[down](#below)\n\n" + "text\n\n" * 40 + "# Below\n\n" + "text\n\n" * 40)
    async with app.run_test(size=(50, 11)) as pilot:
        await pilot.press("tab", "enter")
        assert dump(app.preview)[0] == "  Below"
        assert app.followed == []


async def test_the_link_under_the_cursor_looks_different_without_colours_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Page("[one](1)")
    async with app.run_test(size=(50, 11)) as pilot:
        await pilot.press("tab")
        styles = {seg.text: seg.style for seg in app.preview.render_line(0) if seg.style}
        assert styles["one"].reverse


async def test_selected_text_is_copied_as_it_is_drawn() -> None:
    app = Page("# Title\n\nSome *marked* text that is so long that it wraps at the edge.\n\n- item")
    async with app.run_test(size=(50, 11)):
        selection = Selection(Offset(7, 3), Offset(6, 6))
        assert app.preview.get_selection(selection) == (
            "marked text that is so long that it\nwraps at the edge.\n\n• it",
            "\n",
        )
        everything = app.preview.get_selection(Selection(None, None))
        assert everything is not None
        assert everything[0].splitlines()[0] == "Title"


async def test_what_is_selected_is_marked() -> None:
    app = Page("# Title\n\nSome 日本 text")
    async with app.run_test(size=(50, 11)) as pilot:
        plain = [app.preview.render_line(y).text for y in range(5)]
        for start, end, wanted in (
            (Offset(2, 3), Offset(8, 3), "Some 日"),
            (Offset(0, 3), Offset(2, 3), "  "),
            (Offset(6, 0), Offset(6, 3), "e ━━━━━ Some"),
            (None, None, "".join(plain)),
        ):
            app.screen.selections = {app.preview: Selection(start, end)}
            await pilot.pause()
            ground = app.screen.get_component_rich_style("screen--selection").bgcolor
            lines = [app.preview.render_line(y) for y in range(5)]
            assert [line.text for line in lines] == plain
            chosen = [
                s.text for line in lines for s in line if s.style and s.style.bgcolor == ground
            ]
            assert " ".join("".join(chosen).split()) == " ".join(wanted.split())


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "nord"])
async def test_every_theme_can_draw_everything(theme: str) -> None:
    source = (
        "# h\n\n> q `c` [l](t)\n\n```py\nx = 1 # c\n```\n\n- [x] d\n\n---\n\n| a |\n|---|\n| b |\n"
    )
    app = Page(source)
    async with app.run_test(size=(50, 24)) as pilot:
        app.theme = theme
        await pilot.pause()
        styles = {segment.style for y in range(20) for segment in app.preview.render_line(y)}
        assert len(styles) > 5


async def test_a_megabyte_is_walked_through() -> None:
    files = sorted(shared_data("thoughts").rglob("*.md"))
    source = "\n\n".join(file.read_text("utf-8", errors="replace") for file in files[:150])
    app = Page(source[:1_000_000])
    async with app.run_test(size=(100, 30)) as pilot:
        for key in ("pagedown", "end", "pageup", "up", "home", "down"):
            await pilot.press(key)
            assert any(line.strip() for line in dump(app.preview))
        draw = random.Random(1)
        for _ in range(10):
            line = draw.randrange(source.count("\n", 0, 1_000_000))
            app.preview.scroll_to_line(line, row=0)
            await pilot.pause()
            assert app.preview.line_at() <= line + 1


@settings(max_examples=15)
@given(st.text(max_size=200), st.text(max_size=200), st.integers(4, 60))
def test_any_text_is_shown_and_edited_to_any_other(one: str, other: str, width: int) -> None:
    async def check() -> None:
        app = Page(one)
        async with app.run_test(size=(width, 8)) as pilot:
            for source in (other, one + other, other + "\n\n" + one):
                app.preview.set_source(source)
                app.preview.settle()
                await pilot.pause()
                assert all(
                    app.preview.render_line(y).cell_length
                    == app.preview.scrollable_content_region.width
                    for y in range(7)
                )

    import asyncio

    asyncio.run(check())
