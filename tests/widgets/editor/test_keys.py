"""The keyboard and the mouse."""

from __future__ import annotations

import pytest
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Input
from textual.widgets.text_area import Selection

from aimem_tui.widgets.editor import Editor
from aimem_tui.widgets.editor.keys import KEYS
from tests.widgets.editor.support import EditorApp, editing, thought

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("a A é", "aAé"),
        ("a space b", "a b"),
        ("a shift+space b", "a b"),
        ("a shift+enter b", "a\nb"),
        ("a b shift+backspace", "a"),
        ("a b home shift+delete", "b"),
        ("minus space a enter b", "- a\n- b"),
        ("minus space a enter enter b", "- a\nb"),
        ("a tab b", "a   b"),
        ("minus space a enter b tab", "- a\n  - b"),
        ("minus space a enter b tab shift+tab", "- a\n- b"),
        ("a enter b alt+up", "b\na"),
        ("a enter b up alt+down", "b\na"),
        ("a enter b alt+up alt+up", "b\na"),
        ("o n e space t w o ctrl+w", "one "),
        ("o n e space t w o ctrl+left alt+backspace", "two"),
        ("o n e space t w o home ctrl+delete", " two"),
        ("o n e space t w o ctrl+u", ""),
        ("a b ctrl+home c ctrl+end d", "cabd"),
        ("a enter b enter c up ctrl+shift+k", "a\nc"),
        ("a enter b ctrl+shift+k", "a"),
        ("a enter b up ctrl+x down ctrl+v", "ba\n"),
        ("a b shift+left ctrl+c right ctrl+v ctrl+v", "abbb"),
        ("a b c shift+left shift+left x", "ax"),
        ("a f7 b", "b"),
        ("a enter b f6 c", "a\nc"),
        ("a enter b shift+up tab", "    a\n    b"),
        ("a enter b shift+up tab shift+tab", "a\nb"),
        ("left_square_bracket", "["),
    ],
)
async def test_keys_do_what_they_say(keys: str, text: str) -> None:
    async with editing("") as (editor, pilot):
        await pilot.press(*keys.split())
        assert editor.bound.text == editor.lines.text == text


async def test_a_family_is_one_step_and_one_deletion() -> None:
    async with editing(f"a{FAMILY}e\u0301\r\nb") as (editor, pilot):
        stops = []
        for _ in range(5):
            await pilot.press("right")
            stops.append(editor.cursor_location)
        end = len(f"a{FAMILY}e\u0301")
        assert stops == [(0, 1), (0, 6), (0, end), (1, 0), (1, 1)]
        await pilot.press("left", "left", "backspace")
        assert editor.bound.text == f"a{FAMILY}\r\nb"
        await pilot.press("backspace")
        assert editor.bound.text == "a\r\nb"
        await pilot.press("delete")
        assert editor.bound.text == "ab"


async def test_enter_and_tab_in_code_are_plain() -> None:
    async with editing("```\n  - a\n```\n") as (editor, pilot):
        editor.move_cursor((1, 5))
        await pilot.press("enter", "b", "tab", "c")
        assert editor.bound.text == "```\n  - a\n  b c\n```\n"
        editor.move_cursor((1, 0))
        editor.action_toggle_task()
        assert editor.bound.text == "```\n  - a\n  b c\n```\n"


async def test_a_task_is_ticked_where_the_caret_is_and_the_caret_stays() -> None:
    async with editing("- [ ] one\ntwo\n") as (editor, _):
        updates: list[bytes] = []
        editor.bound.on_update(updates.append)
        editor.move_cursor((0, 8))
        editor.action_toggle_task()
        assert editor.bound.text == "- [x] one\ntwo\n"
        assert editor.cursor_location == (0, 8)
        editor.move_cursor((1, 1))
        editor.action_toggle_task()
        assert editor.bound.text == "- [x] one\n- [ ] two\n"
        assert editor.cursor_location == (1, 7)
        assert len(updates) == 2


async def test_lines_move_with_their_selection() -> None:
    async with editing("a\nbb\ncc\nd") as (editor, _):
        editor.selection = Selection((1, 1), (2, 2))
        editor.action_move_lines_down()
        assert editor.bound.text == "a\nd\nbb\ncc"
        assert editor.selection == Selection((2, 1), (3, 2))
        for _ in range(3):
            editor.action_move_lines_up()
        assert editor.bound.text == "bb\ncc\na\nd"
        assert editor.selection == Selection((0, 1), (1, 2))
        editor.undo()
        assert editor.bound.text == "a\nbb\ncc\nd"


class Neighbours(EditorApp):
    """An editor between other things, in an app that has keys of its own."""

    BINDINGS = [Binding(key, f"note('{key}')", key) for key in ("ctrl+e", "ctrl+k", "ctrl+t")] + [
        Binding("escape", "note('escape')", "escape")
    ]

    def __init__(self) -> None:
        super().__init__([thought("a\nb")])
        self.noted: list[str] = []

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Input()

    def action_note(self, key: str) -> None:
        self.noted.append(key)


async def test_the_apps_keys_reach_the_app() -> None:
    app = Neighbours()
    async with app.run_test() as pilot:
        keys = ["ctrl+e", "ctrl+k", "ctrl+t", "escape"]
        await pilot.press(*keys)
        assert app.noted == keys
        assert app.documents[0].text == "a\nb"
        assert app.query_one(Editor).has_focus


def test_every_key_has_an_action_a_name_and_one_meaning() -> None:
    identities = [binding.id for binding in KEYS]
    assert len(set(identities)) == len(KEYS)
    pressed = [key for binding in KEYS for key in binding.key.split(",")]
    assert len(set(pressed)) == len(pressed)
    for binding in KEYS:
        assert hasattr(Editor, f"action_{binding.action.removesuffix('(True)')}")
        assert binding.description


async def test_the_mouse_finds_whole_characters() -> None:
    async with editing(f"日本 {FAMILY}x\n\tend", size=(40, 10)) as (editor, pilot):
        for x, column in ((0, 0), (1, 0), (2, 1), (3, 1), (5, 3), (6, 3), (7, 8), (20, 9)):
            await pilot.click(Editor, offset=(x, 0))
            assert editor.selection == Selection.cursor((0, column))
        await pilot.click(Editor, offset=(4, 1))
        assert editor.cursor_location == (1, 1)
        await pilot.click(Editor, offset=(3, 1))
        assert editor.cursor_location == (1, 0)
        await pilot.click(Editor, offset=(3, 8))
        assert editor.cursor_location[0] == 1


async def test_a_second_click_selects_the_word_and_a_third_the_line() -> None:
    async with editing("one two three", size=(40, 10)) as (editor, pilot):
        await pilot.click(Editor, offset=(5, 0), times=2)
        assert editor.selected_text == "two"
        await pilot.click(Editor, offset=(5, 0), times=3)
        assert editor.selected_text == "one two three"


async def test_a_text_dragged_over_is_selected() -> None:
    async with editing(f"a{FAMILY}b\ncd", size=(40, 10)) as (editor, pilot):
        await pilot.mouse_down(Editor, offset=(2, 0))
        await pilot.hover(Editor, offset=(1, 1))
        await pilot.mouse_up(Editor, offset=(1, 1))
        assert editor.selected_text == f"{FAMILY}b\nc"


async def test_copying_gives_the_exact_text() -> None:
    async with editing("a\r\nb\rc\r\nd") as (editor, pilot):
        editor.selection = Selection((0, 0), (2, 1))
        await pilot.press("ctrl+c")
        assert editor.app.clipboard == "a\r\nb\rc\r\nd"
        assert editor.selected_text == "a\r\nb\rc\r\nd"
