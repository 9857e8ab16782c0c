"""No edit is lost and none is doubled: one agent after the other against a model, many at once in
processes of their own, and some of them killed in the middle of it.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from aimem_tui.errors import AimemError
from aimem_tui.mcp.access import Access
from aimem_tui.mcp.desk import Call
from aimem_tui.mcp.tools import TOOLS
from aimem_tui.workspace.workspace import Workspace
from tests.mcp.clients import opened
from tests.mcp.raw import Raw, raw
from tests.workspaces import open_workspace

START = "# Log\n\n## Done\n\n- begin\n\n## Open\n\n- end\n"
AGENTS = ("Ada via Claude Code", "Ben via Cursor", "Cleo via Codex")


class Agents(RuleBasedStateMachine):
    """Agents that edit one thought, one after the other, some of them twice, against its lines."""

    markers = Bundle("markers")

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.workspace: Workspace = open_workspace(Path(self._folder.name))
        self.thought = self.workspace.create("log.md", START).id
        self.path = "log.md"
        self.lines = START.split("\n")
        self.number = 0

    def teardown(self) -> None:
        self.workspace.close()
        self._folder.cleanup()

    @initialize(target=markers)
    def begin(self) -> str:
        return "- begin"

    def call(self, agent: int, twice: bool, tool: str, **arguments: object) -> None:
        for _ in range(1 + twice):
            author = AGENTS[agent]
            call = Call(self.workspace, Access(), author, "")
            before = self.workspace.text(self.thought)
            TOOLS[tool].does(call, TOOLS[tool].given({"thought": self.thought} | arguments))
            if self.workspace.text(self.thought) != before:
                assert self.workspace.by_id(self.thought).updated_by == author

    def new(self) -> str:
        self.number += 1
        return f"- marker number {self.number:04}"

    @rule(target=markers, agent=st.integers(0, 2), twice=st.booleans())
    def append_to_section(self, agent: int, twice: bool) -> str:
        marker = self.new()
        self.call(agent, twice, "append_to_thought", section="Done", content=marker)
        end = self.lines.index("## Open")
        while not self.lines[end - 1]:
            end -= 1
        is_list = self.lines[end - 1].startswith("- ")
        self.lines[end:end] = [marker] if is_list else ["", marker]
        return marker

    @rule(target=markers, marker=markers, agent=st.integers(0, 2), twice=st.booleans())
    def insert_after(self, marker: str, agent: int, twice: bool) -> str:
        new = self.new()
        if marker in self.lines:
            self.call(agent, twice, "edit_thought", after=marker, content=new)
            self.lines.insert(self.lines.index(marker) + 1, new)
        return new

    @rule(target=markers, marker=markers, agent=st.integers(0, 2), twice=st.booleans())
    def insert_before(self, marker: str, agent: int, twice: bool) -> str:
        new = self.new()
        if marker in self.lines:
            self.call(agent, twice, "edit_thought", before=marker, content=new)
            self.lines.insert(self.lines.index(marker), new)
        return new

    @rule(target=markers, marker=markers, agent=st.integers(0, 2), twice=st.booleans())
    def replace(self, marker: str, agent: int, twice: bool) -> str:
        new = self.new()
        if marker in self.lines:
            self.call(agent, twice, "edit_thought", old_text=marker, new_text=new)
            self.lines[self.lines.index(marker)] = new
        return new

    @rule(target=markers, marker=markers, agent=st.integers(0, 2), twice=st.booleans())
    def extend(self, marker: str, agent: int, twice: bool) -> str:
        """The new passage holds the old one: what a doubled edit would spoil."""
        new = f"{marker} and {self.new()[2:]}"
        if marker in self.lines:
            self.call(agent, twice, "edit_thought", old_text=marker, new_text=new)
            self.lines[self.lines.index(marker)] = new
        return new

    @rule(marker=markers, agent=st.integers(0, 2))
    def remove(self, marker: str, agent: int) -> None:
        if marker in self.lines and marker != "- begin":
            self.call(agent, False, "edit_thought", old_text=f"{marker}\n", new_text="")
            self.lines.remove(marker)

    @rule(marker=markers, agent=st.integers(0, 2))
    def ask_for_what_is_not_there(self, marker: str, agent: int) -> None:
        if not any(marker in line for line in self.lines):
            try:
                self.call(agent, False, "edit_thought", old_text=marker, new_text="x")
            except AimemError:
                return
            raise AssertionError("an edit of what is not there was taken")

    @rule(agent=st.integers(0, 2), twice=st.booleans(), number=st.integers(0, 3))
    def move(self, agent: int, twice: bool, number: int) -> None:
        self.path = f"folder/{number}.md"
        self.call(agent, twice, "move_thought", to=self.path)

    @invariant()
    def the_thought_is_what_the_model_says(self) -> None:
        assert self.workspace.text(self.thought) == "\n".join(self.lines)
        assert self.workspace.by_id(self.thought).path == self.path
        assert self.workspace.count() == 1


TestAgents = Agents.TestCase


CLIENTS = 10
WAYS = ("kill", "leave")


def test_ten_processes_lose_and_double_nothing_though_three_die() -> None:
    """What was acknowledged is there once; what was not is there once after it was tried again."""
    _compete_at_home(1539691, [(0, 0, "kill"), (1, 2, "leave"), (7, 3, "kill")])


@pytest.mark.heavy
@given(
    seed=st.integers(0, 2**32),
    deaths=st.lists(
        st.tuples(st.integers(0, CLIENTS - 1), st.integers(0, 4), st.sampled_from(WAYS)),
        max_size=4,
        unique_by=lambda death: death[0],
    ),
)
# Each run is dozens of processes: what is found is said as it was found.
@settings(max_examples=8, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_ten_processes_lose_and_double_nothing_whoever_dies(
    seed: int, deaths: list[tuple[int, int, str]]
) -> None:
    _compete_at_home(seed, deaths)


def _compete_at_home(seed: int, deaths: list[tuple[int, int, str]]) -> None:
    with TemporaryDirectory() as home:
        before = os.environ["AIMEM_HOME"]
        os.environ["AIMEM_HOME"] = home
        try:
            _compete(random.Random(seed), deaths)
        finally:
            os.environ["AIMEM_HOME"] = before


def _compete(chance: random.Random, deaths: list[tuple[int, int, str]]) -> None:
    with opened() as workspace:
        workspace.create("log.md", START)
        workspace.create("other.md", START)
    plans = {number: _plan(chance, number) for number in range(CLIENTS)}
    dying = {number: (turn, way) for number, turn, way in deaths}
    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(lambda number: _live(plans[number], dying.get(number)), plans))
    with opened() as workspace:
        texts = {path: workspace.text(workspace.get(path).id) for path in ("log.md", "other.md")}
    for number, plan in plans.items():
        for tool, arguments in plan:
            path, content = arguments["thought"], arguments["content"]
            assert texts[path].split("\n").count(content) == 1, (number, tool, arguments)
    for path, text in texts.items():
        calls = [arguments for plan in plans.values() for _, arguments in plan]
        added = sum(arguments["thought"] == path for arguments in calls)
        lines = [line for line in text.split("\n") if line.startswith("- of ")]
        assert len(lines) == added
        assert [line for line in START.split("\n") if line] == [
            line for line in text.split("\n") if line and not line.startswith("- of ")
        ]


def _plan(chance: random.Random, number: int) -> list[tuple[str, dict[str, Any]]]:
    ways: list[tuple[str, dict[str, Any]]] = [
        ("append_to_thought", {"section": "Done"}),
        ("append_to_thought", {"section": "Open"}),
        ("edit_thought", {"after": "- begin"}),
        ("edit_thought", {"before": "- end"}),
        ("edit_thought", {"section": "Open", "mode": "append"}),
    ]
    plan = []
    for turn in range(5):
        tool, place = chance.choice(ways)
        content = f"- of {number:02} turn {turn} {chance.randrange(10**6):06}"
        thought = chance.choice(["log.md", "other.md"])
        plan.append((tool, {"thought": thought, "content": content, **place}))
    return plan


def _live(plan: list[tuple[str, dict[str, Any]]], death: tuple[int, str] | None) -> None:
    """Do what was planned; die in the middle of one call, come back, and try that one again."""
    turn = 0
    while turn < len(plan):
        with raw() as client:
            while turn < len(plan):
                tool, arguments = plan[turn]
                number = client.call(tool, **arguments)
                if death is not None and turn == death[0]:
                    _die(client, death[1])
                    death = None
                    break
                answer = client.answer(number)
                assert not answer["result"].get("isError"), answer
                turn += 1


def _die(client: Raw, way: str) -> None:
    if way == "kill":
        client.process.kill()
    assert client.process.stdin is not None and client.process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        client.process.stdin.close()
    client.process.stdout.close()
    try:
        client.process.wait(60)
    except subprocess.TimeoutExpired:
        client.process.kill()
