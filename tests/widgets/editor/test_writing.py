"""What Enter, Tab and the other keys do to markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.widgets.editor.line_document import LineDocument
from aimem_tui.widgets.editor.writing import (
    Replacement,
    break_line,
    delete_lines,
    indent,
    is_item,
    move_lines,
    outdent,
    toggle_task,
)
from tests.widgets.editor.support import nasty_text


def done(text: str, *replacements: Replacement) -> str:
    lines = LineDocument(text)
    for one in reversed(replacements):
        lines.replace_range(one.start, one.end, one.text)
    return lines.text


def enter(text: str, *, prose: bool = True) -> str:
    """Press Enter at the bar; the bar comes back where the caret is then."""
    before, after = text.split("|")
    lines = LineDocument(before + after)
    caret = lines.location_of(len(before.encode()))
    broken = break_line(lines, caret, prose=prose)
    result = done(lines.text, broken)
    at = lines.byte_of(broken.start) + len(broken.text.encode())
    return result[:at] + "|" + result[at:]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ab|cd", "ab\n|cd"),
        ("  ab|", "  ab\n  |"),
        (" | ab", " \n | ab"),
        ("- a|", "- a\n- |"),
        ("- a|b", "- a\n- |b"),
        ("- a| b", "- a\n- |b"),
        ("-   a|", "-   a\n-   |"),
        ("* [x] a|", "* [x] a\n* [ ] |"),
        ("  - [ ] a|", "  - [ ] a\n  - [ ] |"),
        ("9. a|", "9. a\n10. |"),
        ("1) a|\n2) b", "1) a\n2) |\n2) b"),
        ("> a|", "> a\n> |"),
        ("> - a|", "> - a\n> - |"),
        ("|- a", "\n|- a"),
        ("- |a", "- \n- |a"),
        ("-| a", "-\n| a"),
        ("- a\n- |", "- a\n|"),
        ("- a\n  - |", "- a\n|"),
        ("- [ ] |", "|"),
        ("1. |", "|"),
        ("> |", "|"),
        ("> - |", "> |"),
        ("a\r\n- b|", "a\r\n- b\r\n- |"),
        ("- a|\r\nb\r\n", "- a\r\n- |\r\nb\r\n"),
        ("-|", "|"),
        ("**bold**|", "**bold**\n|"),
    ],
)
def test_enter_goes_on_with_what_the_line_has_begun(before: str, after: str) -> None:
    assert enter(before) == after


@pytest.mark.parametrize(
    ("before", "after"), [("- a|", "- a\n|"), ("  - a|", "  - a\n  |"), ("- |", "- \n|")]
)
def test_enter_in_code_keeps_only_the_indentation(before: str, after: str) -> None:
    assert enter(before, prose=False) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- [ ] a", "- [x] a"),
        ("- [x] a", "- [ ] a"),
        ("- [X] a", "- [ ] a"),
        ("- [-] a", "- [x] a"),
        ("  3. [ ] a", "  3. [x] a"),
        ("> - [ ] a", "> - [x] a"),
        ("- a", "- [ ] a"),
        ("1. a", "1. [ ] a"),
        ("a", "- [ ] a"),
        ("  a", "  - [ ] a"),
        ("> a", "> - [ ] a"),
        ("", "- [ ] "),
        ("-", "- [ ] "),
        ("- [ ]", "- [x]"),
        ("- [link](x)", "- [ ] [link](x)"),
    ],
)
def test_a_task_is_ticked_by_one_small_edit(before: str, after: str) -> None:
    toggled = toggle_task(before, 0)
    assert toggled is not None
    assert done(before, toggled) == after
    assert len(toggled.text) <= 6


def test_a_heading_does_not_become_a_task() -> None:
    assert toggle_task("## a", 0) is None


@pytest.mark.parametrize(
    ("before", "rows", "after"),
    [
        ("a\nb", range(1, 2), "a\n    b"),
        ("a\n\nb", range(0, 3), "    a\n\n    b"),
        ("- a\n- b", range(1, 2), "- a\n  - b"),
        ("1. a\n2. b", range(1, 2), "1. a\n   2. b"),
        ("10. a\n11. b", range(1, 2), "10. a\n    11. b"),
        ("- a\n  1. b\n- c", range(2, 3), "- a\n  1. b\n  - c"),
        ("- a\n- b\n- c", range(1, 3), "- a\n  - b\n  - c"),
        ("- a\n\n- b", range(2, 3), "- a\n\n  - b"),
        ("> - a\n> - b", range(1, 2), "> - a\n>   - b"),
        ("- a", range(0, 1), "  - a"),
        ("10. a\n\ntext\n\n- b", range(4, 5), "10. a\n\ntext\n\n  - b"),
    ],
)
def test_tab_moves_an_item_under_the_one_above(before: str, rows: range, after: str) -> None:
    assert done(before, *indent(LineDocument(before), rows, 4)) == after


@pytest.mark.parametrize(
    ("before", "rows", "after"),
    [
        ("    a", range(0, 1), "a"),
        ("  a", range(0, 1), "a"),
        ("a", range(0, 1), "a"),
        ("\ta\n\tb", range(0, 2), "a\nb"),
        ("      a", range(0, 1), "  a"),
        ("- a\n  - b", range(1, 2), "- a\n- b"),
        ("1. a\n   - b\n     - c", range(2, 3), "1. a\n   - b\n   - c"),
        ("- a\n  - b\n  - c", range(1, 3), "- a\n- b\n- c"),
        ("> - a\n>   - b", range(1, 2), "> - a\n> - b"),
    ],
)
def test_shift_tab_moves_an_item_beside_the_one_it_is_in(
    before: str, rows: range, after: str
) -> None:
    assert done(before, *outdent(LineDocument(before), rows, 4)) == after


@given(nasty_text, st.data())
def test_lines_that_move_keep_everything_but_their_order(text: str, data: st.DataObject) -> None:
    lines = LineDocument(text)
    count = lines.line_count
    first = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(first + 1, count))
    rows = range(first, stop)
    down = data.draw(st.booleans())
    moves = move_lines(lines, rows, down=down)
    other = stop if down else first - 1
    if not 0 <= other < count:
        assert moves == []
        return
    texts = lines.lines
    block = texts[first:stop]
    if down:
        wanted = [*texts[:first], texts[other], *block, *texts[other + 1 :]]
    else:
        wanted = [*texts[:other], *block, texts[other], *texts[stop:]]
    moved = LineDocument(done(text, *moves))
    if "\r" not in "".join(texts):
        assert moved.lines == wanted
    assert len(moved.text) == len(text)
    assert sum(len(one.text) for one in moves) <= len(texts[other]) + 2


@given(nasty_text, st.data())
def test_deleted_lines_are_gone_and_others_stay(text: str, data: st.DataObject) -> None:
    lines = LineDocument(text)
    first = data.draw(st.integers(0, lines.line_count - 1))
    stop = data.draw(st.integers(first + 1, lines.line_count))
    rest = lines.lines[:first] + lines.lines[stop:]
    left = LineDocument(done(text, delete_lines(lines, range(first, stop))))
    if "\r" not in "".join(lines.lines):
        assert left.lines == (rest or [""])


@pytest.mark.parametrize(
    ("line", "item"), [("- a", True), ("1. a", True), ("> * a", True), ("-a", False), ("a", False)]
)
def test_items_are_told_from_other_lines(line: str, item: bool) -> None:
    assert is_item(line) is item
