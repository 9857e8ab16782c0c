"""A fact is written once, where it belongs, by however many at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimem_tui.errors import BadInput
from aimem_tui.markdown import frontmatter
from aimem_tui.markdown.lines import split_lines
from aimem_tui.model import Filter, Kind
from aimem_tui.workspace.agents.remembering import LONGEST, What, remember
from aimem_tui.workspace.workspace import Workspace
from tests.cli.running import environment
from tests.workspaces import open_workspace

FACT = "Deploys run on Fridays at noon"

OTHER_PROCESS = """
import sys
from pathlib import Path
from aimem_tui.workspace.agents.remembering import remember
from aimem_tui.workspace.workspace import Workspace

with Workspace(Path(sys.argv[1]), name="test", author="bob") as workspace:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(8):
        remember(workspace, f"Fact number {number} of the project")
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        yield opened


def written(workspace: Workspace, fact: str) -> int:
    """In how many lines a fact stands as an entry."""
    return sum(
        line == f"- {fact}"
        for thought in workspace.thoughts()
        for line in split_lines(workspace.text(thought.id))
    )


class TestOnce:
    def test_a_fact_that_memory_says_is_not_written_again(self, workspace: Workspace) -> None:
        made = remember(workspace, FACT)
        assert made.what is What.MADE
        known = remember(workspace, "- deploys run on the Fridays at noon.")
        assert (known.what, known.line, known.text) == (What.KNOWN, made.line, FACT)
        assert known.thought.id == made.thought.id
        assert written(workspace, FACT) == 1

    def test_a_fact_that_changes_one_is_written_and_the_other_is_shown(
        self, workspace: Workspace
    ) -> None:
        remember(workspace, FACT)
        other = remember(workspace, "Deploys run on Mondays at noon")
        assert other.what is What.ADDED
        assert other.near is not None
        assert (other.near.path, other.near.text) == (other.thought.path, FACT)

    def test_facts_in_other_scripts_are_written_once_too(self, workspace: Workspace) -> None:
        for fact in ("我们在星期五部署", "Die Straße wird gesperrt", "Ça marche — très bien"):
            assert remember(workspace, fact).what is not What.KNOWN
            assert remember(workspace, fact).what is What.KNOWN

    @settings(max_examples=10)
    @given(
        st.lists(
            st.sampled_from([FACT, "deploys run on fridays at noon", "The port is 8080"]),
            min_size=2,
            max_size=6,
        )
    )
    def test_threads_that_remember_at_once_write_each_fact_once(
        self, tmp_path_factory: pytest.TempPathFactory, said: list[str]
    ) -> None:
        with open_workspace(tmp_path_factory.mktemp("w")) as workspace:
            together = Barrier(len(said))

            def tell(fact: str) -> What:
                together.wait()
                return remember(workspace.written_by(fact), fact).what

            with ThreadPoolExecutor(len(said)) as pool:
                done = list(pool.map(tell, said))
            different = {fact.casefold() for fact in said}
            assert len([what for what in done if what is not What.KNOWN]) == len(different)

    def test_processes_that_remember_at_once_write_each_fact_once(
        self, workspace: Workspace
    ) -> None:
        command = [sys.executable, "-c", OTHER_PROCESS, str(workspace.database.path)]
        running = [
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment(),
            )
            for _ in range(2)
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in running:
            process.communicate(timeout=120)
            assert process.returncode == 0
        workspace.catch_up()
        counts = [written(workspace, f"Fact number {n} of the project") for n in range(8)]
        assert counts == [1] * 8


class TestPlace:
    def test_a_new_memory_has_the_properties_of_one(self, workspace: Workspace) -> None:
        index = workspace.create("memory/MEMORY.md", "# Memory\n\n- [Old](old.md): old\n")
        made = remember(workspace, FACT, about="Deploy days", kind="reference")
        assert made.thought.path == "memory/deploy-days.md"
        assert made.thought.kind is Kind.MEMORY
        text = workspace.text(made.thought.id)
        assert frontmatter.properties(text) == {
            "name": "deploy-days",
            "description": FACT,
            "type": "reference",
        }
        assert split_lines(text)[made.line - 1] == f"- {FACT}"
        assert workspace.text(index.id) == (
            f"# Memory\n\n- [Old](old.md): old\n- [Deploy days](deploy-days.md): {FACT}\n"
        )

    def test_a_fact_goes_to_the_memory_of_its_topic(self, workspace: Workspace) -> None:
        remember(workspace, FACT, about="deploys")
        added = remember(workspace, "Ada watches over it", about="Deploys")
        assert (added.what, added.thought.path) == (What.ADDED, "memory/deploys.md")
        assert split_lines(workspace.text(added.thought.id))[added.line - 1] == (
            "- Ada watches over it"
        )
        near = remember(workspace, "The deploys on Fridays run for an hour")
        assert near.thought.path == "memory/deploys.md"
        far = remember(workspace, "Bob prefers tea")
        assert far.what is What.MADE

    def test_facts_of_one_type_do_not_go_among_those_of_another(self, workspace: Workspace) -> None:
        remember(workspace, FACT, about="deploys", kind="project")
        other = remember(workspace, "Say when deploys are due", about="deploys", kind="feedback")
        assert other.thought.path == "memory/deploys-feedback.md"
        again = remember(workspace, "Be brief about deploys", about="deploys", kind="feedback")
        assert again.thought.path == "memory/deploys-feedback.md"

    def test_instructions_and_indexes_are_read_and_not_written_to(
        self, workspace: Workspace
    ) -> None:
        workspace.create("CLAUDE.md", f"# Deploys\n\n- {FACT}\n")
        assert remember(workspace, FACT).what is What.KNOWN
        made = remember(workspace, "Deploys on Fridays are watched by Ada")
        assert made.thought.path.startswith("memory/")

    def test_a_fact_goes_where_it_is_told_to(self, workspace: Workspace) -> None:
        remember(workspace, FACT)
        note = workspace.create("notes/a.md", "# A\n\nprose\n")
        added = remember(workspace, FACT, path="notes/a")
        assert (added.what, added.line) == (What.ADDED, 5)
        assert workspace.text(note.id) == f"# A\n\nprose\n\n- {FACT}\n"
        assert remember(workspace, FACT, path="notes/a").what is What.KNOWN
        made = remember(workspace, FACT, path="notes/b")
        assert (made.what, made.thought.path) == (What.MADE, "notes/b.md")

    def test_a_folder_keeps_its_memory_to_itself(self, workspace: Workspace) -> None:
        remember(workspace, FACT)
        made = remember(workspace, FACT, folder="work/api")
        assert made.what is What.MADE
        assert made.thought.path.startswith("work/api/memory/")
        assert remember(workspace, FACT, folder="work/api").what is What.KNOWN
        assert workspace.count(Filter(path="work")) == 1

    def test_a_fact_of_several_lines_is_one_entry(self, workspace: Workspace) -> None:
        made = remember(workspace, "First line\n\nsecond line\n")
        assert "- First line\n  second line\n" in workspace.text(made.thought.id)
        assert remember(workspace, "First line second line").what is What.KNOWN

    def test_signs_that_mean_something_in_a_search_mean_nothing_here(
        self, workspace: Workspace
    ) -> None:
        for fact in ('Run "pytest -q" -x path:a', "kind:plan OR", "--- [ ] (", "NOT AND *"):
            assert remember(workspace, fact).what is not What.KNOWN
            assert remember(workspace, fact).what is What.KNOWN


def test_what_cannot_be_remembered_is_explained(workspace: Workspace) -> None:
    with pytest.raises(BadInput, match="The fact is empty"):
        remember(workspace, " - ")
    with pytest.raises(BadInput, match="At most 4,000"):
        remember(workspace, "x" * (LONGEST + 1))
    with pytest.raises(BadInput, match="There is no type called secret"):
        remember(workspace, FACT, kind="secret")
    assert workspace.count() == 0
