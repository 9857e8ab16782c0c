"""Three people at three editors, and one without, write into one thought at the same time."""

from __future__ import annotations

import random

import pytest
from textual.widgets.text_area import Location, Selection

from aimem_tui.widgets.editor import Caret, Editor
from aimem_tui.widgets.editor.highlight import Highlighter
from aimem_tui.widgets.editor.line_document import LineDocument
from aimem_tui.widgets.editor.wrapping import Wrapping
from crdt.adapter import Change
from crdt.graphemes import boundaries, is_boundary
from tests.widgets.editor.support import EditorApp, Team, nasty

BEGINNING = "---\r\ntitle: hello\r\n---\r\n# hello 日本 👍 world\nsecond line\n\n- [ ] last"

ACTIONS = (
    "cursor_left",
    "cursor_right",
    "cursor_up",
    "cursor_down",
    "cursor_word_left",
    "cursor_word_right",
    "cursor_line_start",
    "cursor_line_end",
    "cursor_page_up",
    "cursor_page_down",
    "cursor_left(True)",
    "cursor_right(True)",
    "cursor_up(True)",
    "cursor_down(True)",
    "cursor_word_right(True)",
    "select_line",
    "delete_left",
    "delete_right",
    "delete_word_left",
    "delete_word_right",
    "delete_to_start_of_line",
    "delete_line",
    "cut",
    "paste",
    "break_line",
    "indent",
    "outdent",
    "toggle_task",
    "move_lines_up",
    "move_lines_down",
    "undo",
    "undo",
    "redo",
)


def a_location(rng: random.Random, editor: Editor) -> Location:
    row = rng.randrange(editor.lines.line_count)
    return row, rng.choice(boundaries(editor.lines[row]))


def near(rng: random.Random, editor: Editor, location: Location) -> Location:
    row = min(location[0] + rng.randint(0, 1), editor.lines.line_count - 1)
    return row, rng.choice(boundaries(editor.lines[row]))


async def write_somehow(rng: random.Random, editor: Editor) -> None:
    """Do one thing that somebody at an editor may do."""
    kind = rng.random()
    place = a_location(rng, editor)
    if kind < 0.2:
        editor.replace(nasty(rng, 3), place, place, maintain_selection_offset=rng.random() < 0.5)
    elif kind < 0.35:
        editor.replace(nasty(rng, 2), place, near(rng, editor, place))
    elif kind < 0.45:
        editor.paste(nasty(rng, 5))
    elif kind < 0.5:
        editor.merge_text(editor.lines.text.replace(nasty(rng, 1) or "a", nasty(rng, 1)))
    elif kind < 0.6:
        editor.selection = Selection(place, near(rng, editor, place))
    elif kind < 0.65:
        top = editor.lines.byte_count
        editor.set_carets(
            Caret(f"n{at}", "N", at, rng.randint(0, top), rng.randint(0, top)) for at in range(3)
        )
    else:
        await editor.run_action(rng.choice(ACTIONS))


def write_without_editor(rng: random.Random, team: Team, member: int) -> None:
    """Change a document at its characters' bounds, wherever that is in a grapheme or line end."""
    document = team.documents[member]
    text = document.text
    start = rng.randint(0, len(text))
    stop = min(start + rng.choice((0, 0, 1, 3, 200)), len(text))
    before = len(text[:start].encode())
    deleted = len(text[start:stop].encode())
    inserted = nasty(rng, rng.choice((1, 3, 3, 60)))
    document.splice([Change(before, deleted, inserted.replace("\0", ""))])


def must_be_true(editor: Editor) -> None:
    """Everything that holds of an editor at any time."""
    document = editor.bound
    assert document is not None
    lines = editor.lines
    text = document.text
    assert lines.text == text
    fresh = LineDocument(text)
    assert lines.lines == fresh.lines
    assert [lines.get_line_end(row) for row in range(lines.line_count)] == [
        fresh.get_line_end(row) for row in range(fresh.line_count)
    ]
    assert lines.byte_count == len(text.encode())
    assert lines.newline == fresh.newline
    for row, column in editor.selection:
        assert 0 <= row < lines.line_count
        assert is_boundary(lines[row], column)
    wrapping = editor.wrapped_document
    wrapped = Wrapping(fresh, wrapping.width, wrapping.tab_width)
    assert wrapping.height == wrapped.height == editor.virtual_size.height
    assert wrapping.lines == wrapped.lines
    assert editor.caret_offset == wrapped.location_to_offset(editor.selection.end)
    highlighter = Highlighter(fresh)
    for row in range(lines.line_count):
        assert editor._highlighter.spans(row) == highlighter.spans(row)
    before = {y: list(strip) for y, strip in editor._painted.items()}
    editor._scene = None
    for y, strip in before.items():
        now = editor._paint(y)
        assert now.cell_length == editor.scrollable_content_region.width
        assert cells(strip) == cells(list(now)), f"row {y} on the screen is out of date"


def cells(segments: list) -> list:
    return [(letter, segment.style) for segment in segments for letter in segment.text]


async def fuzz(seed: int, steps: int) -> None:
    rng = random.Random(seed)
    team = Team(BEGINNING, 4)
    app = EditorApp(team.documents[:3])
    async with app.run_test(size=(rng.choice((30, 60)), 24)) as pilot:
        await pilot.pause()
        editors = list(app.query(Editor))
        for editor in editors:
            # Names go when their time is up; here they stay, so that time changes no row.
            editor.NAMED_FOR = 3600.0
        for step in range(steps):
            member = rng.randrange(4)
            if member == 3:
                write_without_editor(rng, team, 3)
            else:
                await write_somehow(rng, editors[member])
                must_be_true(editors[member])
            if rng.random() < 0.6:
                member = rng.randrange(4)
                team.deliver(member, rng.choice((1, 2, None)))
                if member < 3:
                    must_be_true(editors[member])
            if step % 20 == 0:
                await pilot.pause()
        team.deliver_all()
        assert len({document.text for document in team.documents}) == 1
        for editor in editors:
            must_be_true(editor)


@pytest.mark.parametrize("seed", range(4))
async def test_every_editor_shows_its_document_and_all_converge(seed: int) -> None:
    await fuzz(seed, 60)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(100, 120))
async def test_every_editor_shows_its_document_and_all_converge_for_long(seed: int) -> None:
    await fuzz(seed, 400)
