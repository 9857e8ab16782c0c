"""Agents read in parts: of a thought, of what changed, of the tasks that are open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import BadInput, NotFound
from aimem_tui.markdown.lines import lines_between
from aimem_tui.model import Filter
from aimem_tui.store import compaction
from aimem_tui.workspace.agents import reading
from aimem_tui.workspace.workspace import Workspace
from tests.agents.plans import plans
from tests.markdown.pieces import markdown
from tests.workspaces import START, Clock, open_workspace

DAY = 86_400_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Iterator[Workspace]:
    with open_workspace(tmp_path, clock=clock) as opened:
        yield opened


class TestRead:
    @given(text=markdown(), budget=st.integers(1, 60))
    def test_reading_on_from_where_it_was_cut_gives_the_whole_text(
        self, tmp_path_factory: pytest.TempPathFactory, text: str, budget: int
    ) -> None:
        with open_workspace(tmp_path_factory.mktemp("w")) as workspace:
            thought = workspace.create("a.md", text)
            whole, line = "", 1
            while True:
                part = reading.read(workspace, thought, first=line, budget=budget)
                assert len(part.text) <= budget
                rest = "".join(
                    each.text + text[each.start + len(each.text) : each.end]
                    for each in list(lines_between(text, 0, len(text)))[line - 1 :][:1]
                )
                whole += rest if part.left_out else part.text
                if part.left_out:
                    assert rest.startswith(part.text)
                    assert len(part.text) + part.left_out == len(rest)
                if part.next_line is None:
                    break
                assert part.next_line == part.last_line + 1
                line = part.next_line
            assert whole == text
            assert part.lines == len(list(lines_between(text, 0, len(text))))

    def test_a_section_and_lines_are_read_as_they_stand(self, workspace: Workspace) -> None:
        thought = workspace.create("a.md", "# A\n\n## B\n\nwords\n\n# C\n")
        section = reading.read(workspace, thought, section="a > b")
        assert (section.text, section.section) == ("## B\n\nwords\n\n", "A > B")
        assert (section.first_line, section.last_line, section.next_line) == (3, 6, None)
        lines = reading.read(workspace, thought, first=5, last=6)
        assert (lines.text, lines.first_line, lines.last_line) == ("words\n\n", 5, 6)
        assert reading.read(workspace, thought, last=1).text == "# A\n"
        assert section.sections == lines.sections == ()

    def test_what_was_cut_brings_the_outline_along(self, workspace: Workspace) -> None:
        thought = workspace.create("a.md", "# A\n\nwords\n\n# C\n")
        cut = reading.read(workspace, thought, budget=6)
        assert [each.title for each in cut.sections] == ["A", "C"]
        assert cut.next_line == 3
        script = workspace.create("a.sh", "# no heading\ntrue\n")
        assert reading.read(workspace, script, budget=14).sections == ()

    def test_what_is_not_there_is_explained(self, workspace: Workspace) -> None:
        thought = workspace.create("a.md", "# A\n")
        with pytest.raises(BadInput, match="There is no line 2"):
            reading.read(workspace, thought, first=2)
        with pytest.raises(NotFound, match="There is no section called B"):
            reading.read(workspace, thought, section="B")
        with pytest.raises(BadInput, match="Ask for one of them"):
            reading.read(workspace, thought, section="A", first=1)
        empty = workspace.create("empty.md", "")
        assert reading.read(workspace, empty).text == ""


class TestRecent:
    def test_the_newest_come_first_with_all_who_edited_them(
        self, workspace: Workspace, clock: Clock
    ) -> None:
        old = workspace.create("old.md", "x\n")
        workspace.create("still.md", "x\n")
        clock.now = START + 10 * DAY
        workspace.written_by("bob").append(old.id, "y")
        workspace.written_by("cyd via Claude Code").append(old.id, "z")
        clock.now += DAY
        new = workspace.create("new.md", "x\n")
        workspace.trash(workspace.create("gone.md", "x\n").id)
        found = reading.recent(workspace, since=START + 9 * DAY)
        assert [(each.thought.path, each.made, each.authors) for each in found.changes] == [
            ("new.md", True, ("ann",)),
            ("old.md", False, ("cyd via Claude Code", "bob")),
        ]
        assert not found.more
        assert new.id == found.changes[0].thought.id
        everything = reading.recent(workspace, limit=2)
        assert [each.authors for each in everything.changes] == [
            ("ann",),
            ("cyd via Claude Code", "bob", "ann"),
        ]
        assert everything.more

    def test_who_edited_is_known_after_compaction_too(self, workspace: Workspace) -> None:
        thought = workspace.create("a.md", "x\n")
        workspace.written_by("bob").append(thought.id, "y")
        with workspace.database.write() as connection:
            compaction.compact(connection, 1)
        assert sorted(reading.recent(workspace).changes[0].authors) == ["ann", "bob"]

    def test_a_folder_can_be_asked_for(self, workspace: Workspace) -> None:
        workspace.create("a/x.md", "x")
        workspace.create("b/x.md", "x")
        found = reading.recent(workspace, path="a")
        assert [each.thought.path for each in found.changes] == ["a/x.md"]
        assert reading.recent(workspace, path="c").changes == ()


class TestOpenTasks:
    def test_they_are_listed_by_thought_the_one_edited_last_first(
        self, workspace: Workspace
    ) -> None:
        plan = workspace.create("plans/a.md", "# P\n- [ ] one\n- [x] two\n## Later\n- [ ] three\n")
        workspace.create("notes/b.md", "- [ ] four\n")
        workspace.create("notes/c.md", "- [x] five\n")
        workspace.create("notes/d.sh", "- [ ] no task\n")
        found = reading.open_tasks(workspace)
        assert [
            (each.thought.path, [(task.line, task.text, task.section) for task in each.tasks])
            for each in found.thoughts
        ] == [
            ("notes/b.md", [(1, "four", "")]),
            ("plans/a.md", [(2, "one", "P"), (5, "three", "Later")]),
        ]
        everything = reading.open_tasks(workspace, Filter(path="plans"), with_done=True)
        assert [task.text for task in everything.thoughts[0].tasks] == ["one", "two", "three"]
        assert reading.tasks_of(workspace, [plan]).thoughts[0].thought == plan

    @given(limit=st.integers(1, 8))
    def test_so_many_as_are_wanted_are_given_and_whether_there_are_more_is_said(
        self, tmp_path_factory: pytest.TempPathFactory, limit: int
    ) -> None:
        with open_workspace(tmp_path_factory.mktemp("w")) as workspace:
            for name in "abc":
                workspace.create(f"{name}.md", "- [ ] one\n- [ ] two\n")
            found = reading.open_tasks(workspace, limit=limit)
            assert sum(len(each.tasks) for each in found.thoughts) == min(limit, 6)
            assert found.more == (limit < 6)


class TestCost:
    def test_queries_are_few_and_follow_the_index_of_edits(self, workspace: Workspace) -> None:
        for number in range(40):
            workspace.create(f"plans/{number}.md", f"# {number}\n- [ ] do it\n")
        with plans(workspace) as asked:
            reading.recent(workspace, since=START, limit=5)
            reading.open_tasks(workspace, limit=5)
        assert len(asked.plans) == 4, asked.plans.keys()
        for query, steps in asked.plans.items():
            assert not [step for step in steps if step.startswith(("SCAN t", "SCAN log"))], steps
            if "ORDER BY t.updated_at" in query:
                assert any("thoughts_by_update" in step for step in steps), steps
                assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step], steps
