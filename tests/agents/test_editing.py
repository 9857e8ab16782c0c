"""Agents edit by words, and are told where their edit is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import NotFound
from aimem_tui.markdown import edits, sections
from aimem_tui.workspace.agents import editing
from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        yield opened


def test_an_edit_is_written_for_its_author_and_says_its_lines(workspace: Workspace) -> None:
    thought = workspace.create("a.md", "# A\n\none\ntwo\n\n# B\n")
    agent = workspace.written_by("ann via Claude Code")
    done = editing.edit(
        agent, thought.id, lambda text: edits.replace_exact(text, "two", "three\nfour")
    )
    assert (done.changed, done.first_line, done.last_line) == (True, 4, 5)
    assert done.thought.updated_by == "ann via Claude Code"
    same = editing.edit(agent, thought.id, lambda text: edits.replace_exact(text, "one", "one"))
    assert (same.changed, same.first_line, same.last_line) == (False, 0, 0)
    assert workspace.history(thought.id)[-1].author == "ann via Claude Code"


@given(
    before=st.lists(st.sampled_from(["a", "", "é"]), max_size=4),
    new=st.lists(st.sampled_from(["x", "yy", ""]), min_size=1, max_size=4),
)
def test_the_lines_that_are_said_hold_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], new: list[str]
) -> None:
    with open_workspace(tmp_path_factory.mktemp("w")) as workspace:
        thought = workspace.create("t.md", "\n".join([*before, "old", "end\n"]))
        words = "\n".join(["NEW", *new, "NEWER"])
        done = editing.edit(
            workspace, thought.id, lambda text: edits.replace_exact(text, "old", words)
        )
        text = workspace.text(thought.id)
        assert sections.lines(text, done.first_line, done.last_line) == f"{words}\n"


def test_a_task_is_ticked_and_opened_again(workspace: Workspace) -> None:
    thought = workspace.create("a.md", "- [ ] one\n- [ ] two\n")
    ticked = editing.tick(workspace, thought.id, "two")
    assert (ticked.changed, ticked.task.line, ticked.task.done) == (True, 2, True)
    assert ticked.thought.tasks_done == 1
    again = editing.tick(workspace, thought.id, "two", line=2)
    assert (again.changed, again.task.done) == (False, True)
    opened = editing.tick(workspace, thought.id, "two", done=False)
    assert (opened.changed, opened.task.done) == (True, False)
    assert workspace.text(thought.id) == "- [ ] one\n- [ ] two\n"


def test_an_edit_that_cannot_be_made_changes_nothing(workspace: Workspace) -> None:
    thought = workspace.create("a.md", "- [ ] one\n")
    with pytest.raises(NotFound):
        editing.tick(workspace, thought.id, "three")
    with pytest.raises(NotFound):
        editing.edit(workspace, thought.id, lambda text: edits.replace_exact(text, "x", "y"))
    assert len(workspace.history(thought.id)) == 1
