"""An editor and its document are one: what is typed is written, what is written is shown."""

from __future__ import annotations

import logging

import pytest
from textual.events import Paste
from textual.widgets.text_area import Selection

from aimem_tui.widgets.editor import Editor
from aimem_tui.widgets.editor.undo_clock import UndoClock
from crdt.adapter import Change
from crdt.document import ThoughtDocument
from tests.widgets.editor.support import EditorApp, Team, editing, screen_text, thought


def text(editor: Editor) -> str:
    """The text, which is the same on the screen and in the document."""
    assert editor.bound is not None
    assert editor.lines.text == editor.bound.text
    return editor.lines.text


async def type_in(editor: Editor, typed: str) -> None:
    """Type without the keyboard, which takes its time."""
    for letter in typed:
        if letter == "\n":
            editor.action_break_line()
        else:
            editor.replace(letter, *editor.selection, maintain_selection_offset=False)


class Listening(EditorApp):
    """Keeps what the editor tells."""

    def __init__(self, document: ThoughtDocument) -> None:
        super().__init__([document])
        self.heard: list[str] = []

    def on_editor_edited(self, message: Editor.Edited) -> None:
        assert message.control is message.editor
        self.heard.append("edited")

    def on_editor_remotely_edited(self, message: Editor.RemotelyEdited) -> None:
        assert message.control is message.editor
        self.heard.append("remotely edited")


# Writing


async def test_every_key_is_one_update_of_the_document() -> None:
    async with editing("ab") as (editor, pilot):
        updates: list[bytes] = []
        editor.bound.on_update(updates.append)
        await pilot.press("x", "日", "enter", "backspace", "delete")
        assert text(editor) == "x日b"
        assert len(updates) == 5


async def test_a_document_with_crlf_keeps_crlf() -> None:
    async with editing("a\r\nb\r\n- c\r\n") as (editor, pilot):
        editor.move_cursor((1, 1))
        await pilot.press("enter", "x")
        editor.move_cursor((3, 3))
        await pilot.press("enter", "y")
        editor.paste("1\n2\r3\r\n4")
        editor.insert("z\n", (0, 0))
        assert text(editor) == "z\r\na\r\nb\r\nx\r\n- c\r\n- y1\r\n2\r\n3\r\n4\r\n"
        editor.action_delete_left()
        editor.move_cursor((1, 0))
        editor.action_delete_left()
        assert text(editor) == "za\r\nb\r\nx\r\n- c\r\n- y1\r\n2\r\n3\r\n\r\n"


async def test_what_is_there_already_is_left_as_it_is() -> None:
    odd = "a\rb\r\nc\nd\u2028e\x0bf\x0cg\x85h\r"
    async with editing(odd) as (editor, _):
        editor.insert("x", (1, 0))
        assert text(editor) == odd.replace("c", "xc")
        assert editor.lines.line_count == 3


async def test_nul_and_halves_of_surrogate_pairs_do_not_come_in() -> None:
    async with editing("") as (editor, pilot):
        editor.paste("a\0b\ud83dc\0")
        assert text(editor) == "ab\ufffdc"
        editor.post_message(Paste("d\0"))
        await pilot.pause()
        assert text(editor) == "ab\ufffdcd"


async def test_the_editor_tells_who_has_edited() -> None:
    team = Team("ab", 2)
    app = Listening(team.documents[0])
    async with app.run_test() as pilot:
        editor = app.query_one(Editor)
        editor.insert("x")
        await pilot.pause()
        assert app.heard == ["edited"]
        team.deliver(1)
        team.documents[1].splice([Change(0, 0, "y")])
        team.deliver(0)
        await pilot.pause()
        assert app.heard == ["edited", "remotely edited"]
        editor.undo()
        await pilot.pause()
        assert app.heard == ["edited", "remotely edited", "edited"]
        editor.undo()
        editor.selection = Selection((0, 1), (0, 1))
        await pilot.pause()
        assert len(app.heard) == 3


async def test_a_read_only_editor_takes_nothing() -> None:
    async with editing("- [ ] a\nb") as (editor, pilot):
        editor.read_only = True
        await pilot.press("x", "enter", "tab", "backspace", "delete", "ctrl+x", "alt+down")
        for action in ("toggle_task", "delete_line", "paste", "cut", "delete_word_right", "undo"):
            await editor.run_action(action)
        editor.paste("x")
        assert not editor.merge_text("x")
        assert text(editor) == "- [ ] a\nb"


async def test_a_merged_text_touches_only_what_differs() -> None:
    async with editing("one two three\nfour\n") as (editor, _):
        editor.move_cursor((1, 2))
        updates: list[bytes] = []
        editor.bound.on_update(updates.append)
        assert editor.merge_text("one 2 three\nzero\nfour\n")
        assert text(editor) == "one 2 three\nzero\nfour\n"
        assert editor.cursor_location == (2, 2)
        assert len(updates) == 1
        assert not editor.merge_text("one 2 three\nzero\nfour\n")
        editor.undo()
        assert text(editor) == "one two three\nfour\n"
        editor.text = "other"
        assert text(editor) == "other"


# Binding


async def test_an_editor_without_a_document_shows_and_takes_nothing() -> None:
    async with editing("ab") as (editor, pilot):
        document = editor.bound
        editor.unbind()
        await pilot.press("x", "enter", "ctrl+z", "tab", "alt+up")
        assert editor.bound is None
        assert editor.lines.text == ""
        assert document.text == "ab"
        document.splice([Change(0, 0, "y")])
        document.undo()
        await pilot.pause()
        assert editor.lines.text == ""


async def test_the_reader_comes_back_to_where_they_were() -> None:
    long = "".join(f"line {row} é\n" for row in range(200))
    first, second = thought(long), thought("short")
    app = EditorApp([first])
    async with app.run_test(size=(40, 10)) as pilot:
        editor = app.query_one(Editor)
        editor.selection = Selection((100, 2), (102, 3))
        editor.scroll_to(y=99, animate=False, immediate=True)
        await pilot.pause()
        state, shown = editor.view_state, screen_text(editor)
        editor.bind(second)
        await pilot.pause()
        assert screen_text(editor) == ["short"]
        assert editor.cursor_location == (0, 0)
        second.splice([Change(0, 0, "x")])
        first.splice([Change(0, 0, "new\n")])
        editor.bind(first)
        editor.restore_view_state(state)
        await pilot.pause()
        first.splice([Change(0, 4, "")])
        editor.bind(first)
        editor.restore_view_state(state)
        await pilot.pause()
        assert editor.selection == Selection((100, 2), (102, 3))
        assert screen_text(editor) == shown


async def test_a_place_past_the_end_of_a_shortened_text_is_its_end() -> None:
    async with editing("a long text\n" * 50, size=(40, 10)) as (editor, pilot):
        editor.move_cursor(editor.lines.end)
        state = editor.view_state
        editor.bind(thought("short 日"))
        editor.restore_view_state(state)
        await pilot.pause()
        assert editor.cursor_location == (0, 7)
        assert screen_text(editor) == ["short 日"]


async def test_what_is_written_past_the_editor_is_noticed() -> None:
    async with editing("- [ ] a\nb\n") as (editor, pilot):
        editor.move_cursor((1, 1))
        editor.bound.splice([Change(3, 1, "x")])
        await pilot.pause()
        assert text(editor) == "- [x] a\nb\n"
        editor.bound.replace_text("new\n- [x] a\nb\n")
        await pilot.pause()
        assert text(editor) == "new\n- [x] a\nb\n"
        assert editor.cursor_location == (2, 1)
        assert screen_text(editor) == ["new", "- [x] a", "b"]


async def test_a_key_right_after_that_goes_to_its_place(caplog: pytest.LogCaptureFixture) -> None:
    async with editing("- [ ] a\nb\n") as (editor, _):
        editor.move_cursor((1, 1))
        editor.bound.splice([Change(0, 0, "new\n")])
        editor.paste("x")
        assert text(editor) == "new\n- [ ] a\nbx\n"
        assert not caplog.records


async def test_two_editors_of_one_document_show_the_same() -> None:
    document = thought("ab\n")
    app = EditorApp([document, document])
    async with app.run_test() as pilot:
        one, other = app.query(Editor)
        other.move_cursor((0, 2))
        one.insert("x", (0, 0))
        await pilot.pause()
        assert text(other) == text(one) == "xab\n"
        assert other.cursor_location == (0, 3)
        other.undo()
        await pilot.pause()
        assert text(other) == text(one) == "ab\n"


async def test_a_length_that_differs_stops_the_edit_and_is_put_right(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with editing("abc\ndef") as (editor, _):
        editor.move_cursor((1, 2))
        editor.lines.replace_bytes(0, 1, "")
        with caplog.at_level(logging.ERROR):
            editor.insert("x")
        assert "shown anew" in caplog.text
        assert text(editor) == "abc\ndef"
        assert editor.cursor_location == (1, 2)
        editor.insert("x")
        assert text(editor) == "abc\ndexf"


async def test_a_change_that_cannot_be_shown_is_put_right(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team("abc", 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test() as pilot:
        editor = app.query_one(Editor)
        team.documents[1].splice([Change(0, 1, "x")])
        with monkeypatch.context() as broken:
            broken.setattr(editor, "apply_changes", None)
            team.deliver(0)
        await pilot.pause()
        assert "could not be shown" in caplog.text
        assert text(editor) == "xbc"
        assert screen_text(editor) == ["xbc"]


async def test_with_debugging_another_text_of_the_same_length_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIMEM_DEBUG", "1")
    async with editing("abc") as (editor, _):
        editor.insert("x")
        editor.lines.replace_bytes(0, 1, "y")
        with pytest.raises(AssertionError, match="another text"):
            editor.insert("x")


# Others


@pytest.mark.parametrize(
    ("change", "selected"),
    [
        (Change(0, 0, "日\n"), "two"),
        (Change(4, 0, "x"), "two"),
        (Change(7, 0, "x"), "two"),
        (Change(5, 0, "x\r\n"), "tx\r\nwo"),
        (Change(3, 2, ""), "wo"),
        (Change(5, 8, "y"), "t"),
        (Change(0, 13, ""), ""),
    ],
)
async def test_what_others_write_leaves_the_selection_on_its_text(
    change: Change, selected: str
) -> None:
    team = Team("one two three", 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test():
        editor = app.query_one(Editor)
        for selection in (Selection((0, 4), (0, 7)), Selection((0, 7), (0, 4))):
            editor.selection = selection
            document = team.documents[1]
            document.splice([change])
            team.deliver(0)
            assert editor.selected_text == selected
            document.replace_text("one two three")
            team.deliver(0)
            assert text(editor) == "one two three"


async def test_a_caret_that_somebodys_accent_joins_stays_behind_the_letter() -> None:
    team = Team("cafe!", 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test():
        editor = app.query_one(Editor)
        editor.move_cursor((0, 4))
        team.documents[1].splice([Change(4, 0, "\u0301")])
        team.deliver(0)
        assert editor.cursor_location == (0, 5)
        editor.insert("s")
        assert text(editor) == "cafe\u0301s!"


async def test_a_thousand_changes_at_once_are_shown_and_the_caret_stays() -> None:
    team = Team("word " * 2000 + "\n" + "caret here\n" + "word " * 2000, 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test(size=(60, 20)) as pilot:
        editor = app.query_one(Editor)
        editor.move_cursor((1, 5), center=True)
        await pilot.pause()
        shown = screen_text(editor)
        caret = editor.caret_offset.y - editor.scroll_offset.y
        document = team.documents[1]
        document.splice([Change(5 * at, 0, "日") for at in range(999, -1, -1)])
        document.splice([Change(document.text_bytes, 0, "the end")])
        team.deliver(0)
        await pilot.pause()
        assert text(editor).startswith("日word 日word ")
        assert editor.cursor_location == (1, 5)
        assert editor.caret_offset.y - editor.scroll_offset.y == caret
        at = caret - 1
        assert screen_text(editor)[at:] == shown[at:]


# Undo


async def test_undo_keeps_what_others_wrote_inside_ones_own_text() -> None:
    team = Team("one three", 2)
    app = EditorApp(team.documents[:1])
    async with app.run_test():
        editor = app.query_one(Editor)
        editor.move_cursor((0, 4))
        editor.paste("two ")
        team.deliver(1)
        team.documents[1].splice([Change(6, 0, "[b]")])
        team.deliver(0)
        assert text(editor) == "one tw[b]o three"
        editor.move_cursor((0, 0))
        editor.undo()
        assert text(editor) == "one [b]three"
        editor.redo()
        assert sorted(text(editor)) == sorted("one tw[b]o three")


async def test_undo_and_redo_take_the_caret_to_where_they_happen() -> None:
    async with editing("a\n" * 100 + "end", size=(40, 10)) as (editor, pilot):
        editor.move_cursor((100, 3))
        editor.paste(" of it")
        editor.move_cursor((0, 0))
        await pilot.pause()
        assert editor.scroll_offset.y == 0
        editor.undo()
        await pilot.pause()
        assert editor.cursor_location == (100, 3)
        assert "end" in screen_text(editor)
        editor.move_cursor((0, 0))
        editor.redo()
        assert editor.cursor_location == (100, 9)


STEPS = [
    (["a", "b", "c"], ["", "abc"]),
    (["a", "left", "b"], ["", "a", "ba"]),
    (["a", "PASTE", "b"], ["", "a", "a12", "a12b"]),
    (["a", "enter", "b"], ["", "a", "a\n", "a\nb"]),
    (["a", "b", "backspace"], ["", "ab", "a"]),
    (["a", "BLUR", "b"], ["", "a", "ab"]),
    (["a", "ctrl+z", "b"], ["", "b"]),
    (["a", "b", "shift+left", "c"], ["", "ab", "ac"]),
    (["a", "tab", "b"], ["", "a   b"]),
    (["a", "TICK", "TICK"], ["", "a", "- [ ] a", "- [x] a"]),
    (["-", " ", "a", "tab", "b"], ["", "- a", "  - a", "  - ab"]),
]


@pytest.mark.parametrize(("keys", "steps"), STEPS)
async def test_undo_goes_back_step_by_step(
    keys: list[str], steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock stands still, so that only leaps begin steps, however slow the machine is.
    monkeypatch.setattr(UndoClock, "__call__", lambda clock: 1_000_000 + clock._leaps)
    async with editing("") as (editor, pilot):
        for key in keys:
            if key == "PASTE":
                editor.paste("12")
            elif key == "TICK":
                editor.action_toggle_task()
            elif key == "BLUR":
                editor.blur()
                editor.focus()
                await pilot.pause()
            else:
                await pilot.press(key)
        seen = [text(editor)]
        while editor.bound.undo_depth():
            await pilot.press("ctrl+z")
            seen.append(text(editor))
        assert seen[::-1] == steps
        for step in steps[1:]:
            await pilot.press("ctrl+y")
            assert text(editor) == step


async def test_undo_is_still_there_after_another_thought_was_shown() -> None:
    async with editing("a") as (editor, _):
        document = editor.bound
        editor.insert("x")
        editor.bind(thought("other"))
        editor.insert("y")
        editor.bind(document)
        editor.undo()
        assert text(editor) == "a"


async def test_undo_with_nothing_to_undo_does_nothing() -> None:
    async with editing("a") as (editor, _):
        editor.undo()
        editor.redo()
        assert text(editor) == "a"
