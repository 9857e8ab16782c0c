"""What is seen: the text, everybody's carets, and nothing that moves without a reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from unicodedata import category

import pytest
from rich.color import Color
from rich.style import Style
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.theme import Theme
from textual.widgets.text_area import Selection

from aimem_tui.themes import THEMES
from aimem_tui.widgets.editor import PERSON_COLORS, Caret, Editor
from aimem_tui.widgets.editor.cells import measure
from aimem_tui.widgets.editor.painting import Looks
from crdt.adapter import Change
from crdt.graphemes import boundaries
from tests.widgets.editor.support import (
    PIECES,
    EditorApp,
    Team,
    editing,
    screen_text,
    thought,
)
from tests.widgets.terminal import dump

LONG = "".join(f"line {row}\n" for row in range(100))
MIXED = ("abc ", "日本", "é", "e\u0301", "👍", "👨\u200d👩\u200d👧", "\t", "word ", "x", "\u2028")


def styles(editor: Editor, y: int) -> list[Style]:
    """The style of each cell of a row."""
    found: list[Style] = []
    for segment in editor.render_line(y):
        found.extend([segment.style or Style()] * segment.cell_length)
    return found


def cells_with(editor: Editor, color: str) -> list[Offset]:
    """The cells on the editor's screen that have a background colour."""
    return [
        Offset(x, y)
        for y in range(editor.size.height)
        for x, style in enumerate(styles(editor, y))
        if style.bgcolor is not None and style.bgcolor.name == color.lower()
    ]


# The view stays


@pytest.mark.parametrize("seed", range(3))
async def test_what_others_write_moves_nothing_on_the_screen(seed: int) -> None:
    rng = random.Random(seed)
    team = Team(LONG, 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test(size=(30, 11)) as pilot:
        editor = app.query_one(Editor)
        for _ in range(12):
            caret = rng.randrange(20, 80)
            editor.move_cursor((caret, 2))
            seen = rng.random() < 0.5
            top = caret - 5 if seen else rng.choice((caret - 18, caret + 6))
            editor.scroll_to(y=top, animate=False, immediate=True)
            await pilot.pause()
            shown = screen_text(editor)
            number = int(editor.lines[caret].split()[1]) if seen else None
            document = team.documents[1]
            above = rng.randrange(0, 5 * top)
            document.splice([Change(above, 0, rng.choice(("x\n", "y\n\nz\n", "long " * 20)))])
            team.deliver(0)
            team.deliver(1)
            if number is not None:
                assert dump(editor)[5] == shown[5]
            assert screen_text(editor) == shown
            await pilot.pause()
            assert screen_text(editor) == shown
            document.replace_text(LONG)
            team.deliver(0)


async def test_a_caret_on_screen_keeps_its_row_when_others_write_just_above_it() -> None:
    team = Team(LONG, 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test(size=(30, 11)) as pilot:
        editor = app.query_one(Editor)
        editor.move_cursor((30, 0))
        editor.scroll_to(y=26, animate=False, immediate=True)
        await pilot.pause()
        at = editor.lines.byte_of((29, 0))
        team.documents[1].splice([Change(at, 0, "new\n")])
        team.deliver(0)
        assert dump(editor)[4] == "line 30"
        assert dump(editor)[2] == "new"


async def test_a_new_width_keeps_the_caret_where_it_is_on_screen() -> None:
    async with editing("some words that wrap " * 200, size=(60, 12)) as (editor, pilot):
        editor.move_cursor((0, 2000), center=True)
        await pilot.pause()
        before = editor.caret_offset.y - editor.scroll_offset.y
        await pilot.resize_terminal(31, 12)
        await pilot.pause()
        assert editor.wrapped_document.width == 29
        assert editor.caret_offset.y - editor.scroll_offset.y == before


async def test_the_scrollbar_and_the_view_follow_the_length_of_the_text() -> None:
    async with editing("a", size=(30, 11)) as (editor, pilot):
        assert not editor.show_vertical_scrollbar
        editor.paste("x\n" * 30)
        assert editor.show_vertical_scrollbar
        assert editor.vertical_scrollbar.window_virtual_size == 31
        assert editor.scroll_offset.y == 20
        await pilot.press("enter")
        assert editor.scroll_offset.y == 21
        editor.clear()
        assert not editor.show_vertical_scrollbar
        assert editor.scroll_offset.y == 0


async def test_a_hidden_editor_comes_back_with_what_was_at_its_top() -> None:
    team = Team(LONG, 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test(size=(30, 11)) as pilot:
        editor = app.query_one(Editor)
        editor.move_cursor((5, 0))
        editor.scroll_to(y=40, animate=False, immediate=True)
        await pilot.pause()
        shown = screen_text(editor)
        editor.display = False
        await pilot.pause()
        for _ in range(3):
            team.documents[1].splice([Change(0, 0, "new\n")])
            team.deliver(0)
            team.deliver(1)
        await pilot.pause()
        editor.display = True
        await pilot.pause()
        assert screen_text(editor) == shown
        editor.display = False
        await pilot.pause()
        editor.move_cursor((80, 0))
        editor.display = True
        await pilot.pause()
        assert "line 77" in screen_text(editor)


async def opened(app: EditorApp, pilot: Pilot[None], go: Callable[[Editor], None]) -> Editor:
    """An editor that is told where to go before it has a size."""
    editor = Editor()
    app.screen.mount(editor)
    editor.bind(thought(LONG))
    go(editor)
    await pilot.pause()
    return editor


async def test_an_editor_opens_where_it_was_told_before_it_had_a_size() -> None:
    app = EditorApp([])
    async with app.run_test(size=(30, 11)) as pilot:
        editor = await opened(app, pilot, lambda editor: editor.move_cursor((50, 0)))
        assert editor.cursor_location == (50, 0)
        assert "line 50" in screen_text(editor)
        editor.scroll_to(y=45, animate=False, immediate=True)
        state, shown = editor.view_state, screen_text(editor)
        assert shown[0] == "line 45"
        await editor.remove()
        editor = await opened(app, pilot, lambda editor: editor.restore_view_state(state))
        assert editor.cursor_location == (50, 0)
        assert screen_text(editor) == shown


# Other people


@pytest.mark.parametrize(("seed", "numbers"), [(1, False), (2, True)])
async def test_other_carets_are_drawn_exactly_where_they_are(seed: int, numbers: bool) -> None:
    rng = random.Random(seed)
    text = "\n".join("".join(rng.choices(MIXED, k=rng.randint(0, 40))) for _ in range(40))
    async with editing(text, size=(40, 20)) as (editor, pilot):
        editor.NAMED_FOR = 0.0
        editor.blur()
        editor.show_line_numbers = numbers
        await pilot.pause()
        lines, wrapping = editor.lines, editor.wrapped_document
        for _ in range(150):
            row = rng.randrange(lines.line_count)
            column = rng.choice(boundaries(lines[row]))
            byte = lines.byte_of((row, column))
            editor.set_carets([Caret("Ben", "B", 3, byte, byte)])
            x, y = wrapping.location_to_offset((row, column))
            editor.scroll_to(y=max(0, y - rng.randint(0, 19)), animate=False, immediate=True)
            cells = measure(lines[row], 4)
            at = cells.index_at(column)
            width = 1 if at == cells.count else cells.xs[at + 1] - cells.xs[at]
            left = editor.gutter_width + x
            assert cells_with(editor, PERSON_COLORS[3]) == [
                Offset(left + cell, y - editor.scroll_offset.y) for cell in range(width)
            ]


async def test_a_selection_of_somebody_is_tinted_and_legible() -> None:
    async with editing("one two three\nfour five", size=(40, 10)) as (editor, _):
        editor.NAMED_FOR = 0.0
        plain = styles(editor, 0)[1]
        editor.set_carets([Caret("Ben", "B", 0, head=18, anchor=4)])
        first, second = styles(editor, 0), styles(editor, 1)
        assert first[3] == plain
        assert len({style.bgcolor for style in first[4:14]}) == 1
        assert first[4].bgcolor not in (plain.bgcolor, None)
        assert first[4].color == plain.color
        assert second[3].bgcolor == first[4].bgcolor
        assert second[4].bgcolor.name == PERSON_COLORS[0].lower()
        assert second[5].bgcolor == plain.bgcolor


async def test_a_caret_that_moves_shows_its_name_and_then_only_itself() -> None:
    async with editing("first\nsecond line\nthird", size=(40, 10)) as (editor, pilot):
        editor.NAMED_FOR = 0.2
        editor.set_carets([Caret("Ben", "B", 1, 8, 8), Caret("日本", "J", 2, 24, 24)])
        await pilot.pause()
        assert screen_text(editor) == ["fiBen", "second line", "thirdJ日本"]
        while "Ben" in screen_text(editor)[0]:
            await pilot.pause(0.05)
        assert screen_text(editor) == ["first", "second line", "thirdJ"]
        editor.set_carets([Caret("Ben", "B", 1, 8, 8), Caret("日本", "J", 2, 3, 3)])
        await pilot.pause()
        assert screen_text(editor)[:2] == ["first", "sec日本line"]
        editor.set_carets([])
        assert screen_text(editor) == ["first", "second line", "third"]


async def test_a_long_name_stays_on_the_screen() -> None:
    async with editing("ab\n" + "x" * 38, size=(40, 10)) as (editor, pilot):
        for name in ("Ada " * 30, "日本語" * 20, "👨\u200d👩\u200d👧" * 30, "a\nb\x1b"):
            for byte in (0, 2, 20, 41):
                editor.set_carets([Caret(name, "A", 1, byte, byte)])
                await pilot.pause()
                for y in range(editor.size.height):
                    assert editor.render_line(y).cell_length == 39


async def test_carets_of_others_follow_what_is_typed() -> None:
    async with editing("one two", size=(40, 10)) as (editor, _):
        editor.NAMED_FOR = 0.0
        editor.set_carets([Caret("Ben", "B", 5, 4, 4)])
        editor.insert("日\n", (0, 0))
        assert cells_with(editor, PERSON_COLORS[5]) == [Offset(4, 1)]
        editor.undo()
        assert cells_with(editor, PERSON_COLORS[5]) == [Offset(4, 0)]


# The text itself


async def test_nothing_is_sent_that_a_terminal_would_obey() -> None:
    async with editing("".join(PIECES), size=(40, 40)) as (editor, _):
        shown = "".join(editor.render_line(y).text for y in range(40))
        assert not [letter for letter in shown if category(letter) in ("Cc", "Cs", "Zl", "Zp")]
        assert "␛[2J" in shown


async def test_a_selection_over_an_empty_line_is_seen() -> None:
    async with editing("a\n\nb", size=(20, 5)) as (editor, _):
        editor.selection = Selection((0, 0), (2, 1))
        selected = styles(editor, 0)[0].bgcolor
        assert selected != styles(editor, 0)[5].bgcolor
        assert [styles(editor, 1)[x].bgcolor == selected for x in (0, 1)] == [True, False]


async def test_colours_follow_the_theme() -> None:
    async with editing("# Title\n*x* plain `code`\n- [x] done", size=(30, 5)) as (editor, pilot):
        seen = set()
        for theme in ("textual-dark", "textual-light", "nord", "ansi-dark"):
            editor.app.theme = theme
            await pilot.pause()
            heading, plain = styles(editor, 0)[2], styles(editor, 1)[4]
            assert heading.bold
            assert styles(editor, 1)[1].italic
            assert heading.color != plain.color
            assert heading.bgcolor == plain.bgcolor
            editor.set_carets([Caret("Ben", "B", 0, 12, 9)])
            editor.selection = Selection((1, 4), (1, 8))
            await pilot.pause()
            assert styles(editor, 1)[5] != plain
            editor.selection = Selection((2, 0), (2, 0))
            editor.set_carets([])
            seen.add((str(heading), str(plain)))
        assert len(seen) == 4


def contrast(style: Style, ground: Style) -> float:
    """The contrast of a style's text as WCAG 2.2 defines it, on a ground if it has none."""

    def luminance(color: Color | None) -> float:
        assert color is not None
        parts = [part / 255 for part in color.get_truecolor()]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    shown = ground + style
    low, high = sorted((luminance(shown.color), luminance(shown.bgcolor)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_every_look_is_legible_in_the_apps_themes(theme: Theme) -> None:
    async with editing("text") as (editor, pilot):
        editor.app.register_theme(theme)
        editor.app.theme = theme.name
        await pilot.pause()
        looks = Looks.of(editor.rich_style, editor.get_component_rich_style)
        for name, style in {**looks.syntax, "selection": looks.selection}.items():
            assert contrast(style, looks.base) >= 4.5, name


async def test_the_partner_of_a_bracket_is_shown_and_looked_for_only_nearby() -> None:
    far = "(" + "x" * 100_000 + ")"
    async with editing(f"a (b [c] d)\n{far}", size=(30, 5)) as (editor, _):
        editor.move_cursor((0, 2))
        assert editor.render_line(0) is not None
        marked = [
            x
            for x, style in enumerate(styles(editor, 0)[:11])
            if x != 2 and style != styles(editor, 0)[0]
        ]
        assert 10 in marked
        editor.move_cursor((0, 3))
        assert styles(editor, 0)[10] == styles(editor, 0)[0]
        assert editor.find_matching_bracket("]", (0, 7)) == (0, 5)
        assert editor.find_matching_bracket("(", (1, 0)) is None
        assert editor.find_matching_bracket("x", (0, 0)) is None


async def test_line_numbers_and_a_placeholder_can_be_had() -> None:
    async with editing("a\nb " * 6, size=(20, 12)) as (editor, pilot):
        editor.show_line_numbers = True
        await pilot.pause()
        assert screen_text(editor)[:3] == ["1  a", "2  b a", "3  b a"]
        editor.show_line_numbers = False
        editor.placeholder = "Write here."
        editor.bind(thought(""))
        await pilot.pause()
        assert screen_text(editor) == [" Write here."]


async def test_without_wrapping_a_row_scrolls_sideways() -> None:
    async with editing("日本語 " * 30 + "\nshort", size=(20, 6)) as (editor, pilot):
        editor.soft_wrap = False
        await pilot.pause()
        editor.move_cursor((0, 60))
        await pilot.pause()
        assert editor.wrapped_document.height == 2
        assert editor.scroll_offset.x > 0
        for y in range(2):
            assert sum(segment.cell_length for segment in editor.render_line(y)) == 19
