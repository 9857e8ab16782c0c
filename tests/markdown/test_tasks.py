"""The tasks of a text, the one that is meant, and ticking it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import AimemError, Ambiguous, BadInput, NotFound
from aimem_tui.markdown.describe import describe
from aimem_tui.markdown.tasks import pick, tasks, tick
from crdt.document import ThoughtDocument
from crdt.textdiff import apply
from tests.markdown.pieces import markdown

PLAN = """# Plan

- [ ] write tests
- [x] write code

## Later

- [ ] write docs
1. [ ] run tests
"""


@given(markdown())
def test_the_tasks_are_those_of_the_thought(text: str) -> None:
    described = describe("a.md", text).tasks
    found = tasks(text)
    assert [(each.line - 1, each.text, each.done) for each in found] == [
        (each.line, each.text, each.done) for each in described
    ]
    assert all(bool(text[each.at : each.end].strip()) is each.done for each in found)


@given(markdown(least=1), st.booleans(), st.data())
def test_ticking_changes_one_character_and_twice_is_once(
    text: str, done: bool, data: st.DataObject
) -> None:
    there = tasks(text)
    if not there:
        return
    task = data.draw(st.sampled_from(there))
    edits = tick(text, task.text, line=task.line, done=done)
    ticked = apply(text, edits)
    changed = [at for at in range(len(text)) if text[at] != ticked[at]]
    assert len(ticked) == len(text)
    assert len(changed) == (task.done is not done)
    assert [each.done for each in tasks(ticked)] == [
        done if each.line == task.line else each.done for each in there
    ]
    assert tick(ticked, task.text, line=task.line, done=done) == []


@given(markdown(least=1), markdown(), st.data())
def test_a_task_whose_line_has_moved_is_found_by_its_words(
    text: str, above: str, data: st.DataObject
) -> None:
    there = tasks(text)
    if not there or text.startswith(("\ufeff", "---")) or above.startswith("---"):
        return
    task = data.draw(st.sampled_from(there))
    moved = f"{above}\n\n{text}"
    try:
        found = pick(moved, task.text, line=task.line)
    except AimemError:
        same = [each for each in tasks(moved) if each.text == task.text and not each.done]
        assert len(same) != 1
    else:
        assert task.text.casefold() in found.text.casefold()


@pytest.mark.parametrize(
    ("which", "line"),
    [
        ("write docs", 8),
        ("DOCS", 8),
        ("8", 8),
        ("line 8", 8),
        ("8: write docs", 8),
        ("3: write docs", 8),
        ("- [ ] write docs", 8),
        ("write code", 4),
        ("run", 9),
    ],
)
def test_a_task_is_meant_by_its_words_or_its_line(which: str, line: int) -> None:
    assert pick(PLAN, which).line == line


def test_of_equal_tasks_the_one_is_meant_that_is_not_as_it_shall_be() -> None:
    text = "- [x] call\n- [ ] call\n"
    assert apply(text, tick(text, "call")) == "- [x] call\n- [x] call\n"
    assert apply(text, tick(text, "call", done=False)) == "- [ ] call\n- [ ] call\n"


def test_a_task_knows_the_heading_it_stands_below() -> None:
    assert [each.section for each in tasks(PLAN)] == ["Plan", "Plan", "Later", "Later"]


def test_what_could_be_meant_is_said() -> None:
    with pytest.raises(Ambiguous) as caught:
        pick(PLAN, "tests")
    assert caught.value.why == "3: write tests; 9: run tests."
    with pytest.raises(NotFound) as missing:
        pick(PLAN, "sing")
    assert missing.value.hint == "Those open: 3: write tests; 8: write docs; 9: run tests."
    with pytest.raises(NotFound, match="There is no task in line 1"):
        pick(PLAN, "1")
    with pytest.raises(NotFound, match="None is open"):
        pick("words", "sing")
    with pytest.raises(BadInput):
        pick(PLAN, " ")


def test_words_that_are_a_number_are_words_where_a_task_has_them() -> None:
    assert pick("- [ ] 2\n- [ ] other\n", "2").line == 1


@pytest.mark.parametrize(
    ("first", "second", "done"),
    [((True,), (True,), True), ((True, False), (True,), True), ((False,), (False,), False)],
)
def test_two_who_tick_one_box_at_the_same_time_leave_one_task(
    first: tuple[bool, ...], second: tuple[bool, ...], done: bool
) -> None:
    text = PLAN if first[0] else PLAN.replace("[ ] write tests", "[x] write tests")
    mine = ThoughtDocument.create(1, path="plan.md", text=text, at=1, by="Ada")[0]
    yours = ThoughtDocument.load(2, [mine.state()])
    for document, ticks in ((mine, first), (yours, second)):
        for tick_it in ticks:
            document.apply_splices(tick(document.text, "write tests", done=tick_it))
    merged = ThoughtDocument.load(3, [mine.state(), yours.state()])
    (task,) = (each for each in tasks(merged.text) if each.text == "write tests")
    assert task.done is done
    once_more = apply(merged.text, tick(merged.text, "write tests", done=not done))
    assert ("- [ ] write tests" if done else "- [x] write tests") in once_more
