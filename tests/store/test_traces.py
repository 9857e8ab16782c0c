"""Real editing histories, replayed keystroke by keystroke, end in the text they ended in."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from aimem_tui.store import documents, log
from aimem_tui.store.log import Draft
from aimem_tui.workspace import doctor
from aimem_tui.workspace.workspace import Workspace
from crdt.adapter import Change, byte_length
from crdt.document import ThoughtDocument
from tests.shared_data import shared_data
from tests.workspaces import START, open_workspace


@dataclass(frozen=True)
class Transaction:
    """What one person did at once; positions are code points of the text as it is by then."""

    patches: list[tuple[int, int, str]]
    parents: list[int]
    agent: int


@dataclass(frozen=True)
class Trace:
    start: str
    end: str
    transactions: list[Transaction]


def trace(name: str) -> Trace:
    path = shared_data("editing-traces", *f"{name}.json.gz".split("/"))
    with gzip.open(path, "rt", encoding="utf-8") as file:
        raw = json.load(file)
    return Trace(
        raw.get("startContent", ""),
        raw["endContent"],
        [
            Transaction(
                [(start, deleted, inserted) for start, deleted, inserted in each["patches"]],
                each.get("parents", []),
                each.get("agent", 0),
            )
            for each in raw["txns"]
        ],
    )


def typed(text: str, transaction: Transaction) -> tuple[str, list[Change]]:
    """What a transaction makes of a text by plain Python, and the same as changes in bytes."""
    changes = []
    for start, deleted, inserted in transaction.patches:
        end = start + deleted
        changes.append(Change(byte_length(text[:start]), byte_length(text[start:end]), inserted))
        text = text[:start] + inserted + text[end:]
    return text, changes


def numbers(workspace: Workspace) -> list[int]:
    return [record.entry.seq for record in log.tail(workspace.database.read(), 0, 10**7)]


def assert_kept(folder: Path, thought: str, expected: str, stages: dict[int, str]) -> None:
    """The workspace, opened anew, reads ``expected``, and had each stage at its position."""
    with open_workspace(folder) as workspace:
        number = log.thought_number(workspace.database.read(), thought)
        for position, text in stages.items():
            updates = documents.updates_of(workspace.database.read(), number, position)
            assert ThoughtDocument.load(1, updates).text == text
        seqs = numbers(workspace)
        assert seqs == list(range(1, len(seqs) + 1))
        # This compacts what has many entries.
        workspace.catch_up()
        assert workspace.text(thought) == expected
        assert workspace.open_live(thought).document.text == expected
        assert workspace.past(thought)[-1].text == expected
        assert [finding for finding in doctor.examine(workspace) if not finding.ok] == []


def replay(folder: Path, history: Trace, limit: int | None) -> None:
    text = history.start
    stages: dict[int, str] = {}
    steps = history.transactions[:limit]
    with open_workspace(folder, durable=True) as workspace:
        thought = workspace.create("trace.md", history.start).id
        live = workspace.open_live(thought)
        for number, transaction in enumerate(steps, 1):
            text, changes = typed(text, transaction)
            live.document.splice(changes)
            if number % (len(steps) // 10) == 0:
                assert live.document.text == text
                assert workspace.writer.flush()
                stages[log.last_position(workspace.database.read())] = text
        assert live.document.text_bytes == byte_length(text)
        live.close()
    if limit is None:
        assert text == history.end
    assert_kept(folder, thought, text, stages)


@pytest.mark.parametrize(
    ("name", "limit"), [("sequential/sveltecomponent", 5_000), ("sequential/rustcode", 2_000)]
)
def test_the_beginning_of_a_history_is_typed_stored_and_read_back(
    tmp_path: Path, name: str, limit: int
) -> None:
    replay(tmp_path, trace(name), limit)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["sveltecomponent", "rustcode", "automerge-paper"])
def test_a_whole_history_ends_in_its_text(tmp_path: Path, name: str) -> None:
    replay(tmp_path, trace(f"sequential/{name}"), None)


class Agent:
    """One of several people, with a document of their own that lags behind the others'."""

    def __init__(self, workspace: Workspace, thought: str, agent: int) -> None:
        number = log.thought_number(workspace.database.read(), thought)
        updates = documents.updates_of(workspace.database.read(), number)
        # What two insert in the same place at once stands in the order of their ids, which has to
        # be that of the recording: later positions build on it.
        self.document = ThoughtDocument.load(1 + agent, updates)
        self.name = f"agent {agent}"
        self.held: set[int] = set()
        self.made: list[bytes] = []
        self.document.on_update(self.made.append)

    def catch_up(self, steps: list[Transaction], made: list[bytes], wanted: list[int]) -> None:
        """Take in what ``wanted`` transactions build on, and no more."""
        missing: set[int] = set()
        waiting = [*wanted]
        while waiting:
            number = waiting.pop()
            if number not in self.held and number not in missing:
                missing.add(number)
                waiting += steps[number].parents
        for number in sorted(missing):
            self.document.apply(made[number])
        self.held |= missing


def replay_together(folder: Path, history: Trace, limit: int | None) -> None:
    steps = history.transactions[:limit]
    made: list[bytes] = []
    with open_workspace(folder, durable=True) as workspace:
        thought = workspace.create("trace.md", history.start).id
        everybody = sorted({step.agent for step in steps})
        agents = {agent: Agent(workspace, thought, agent) for agent in everybody}
        for number, step in enumerate(steps):
            agent = agents[step.agent]
            agent.catch_up(steps, made, step.parents)
            _, changes = typed(agent.document.text, step)
            agent.document.splice(changes)
            agent.held.add(number)
            made.append(agent.made.pop())
            workspace.writer.submit(Draft(thought, made[-1], START + number, agent.name))
        for agent in agents.values():
            agent.catch_up(steps, made, [*range(len(steps))])
        texts = {agent.document.text for agent in agents.values()}
        assert len(texts) == 1
        (text,) = texts
        for agent in agents.values():
            agent.document.close()
    if limit is None:
        assert text == history.end
    assert_kept(folder, thought, text, {})


def test_the_beginning_of_a_shared_history_ends_alike_for_all(tmp_path: Path) -> None:
    replay_together(tmp_path, trace("concurrent/friendsforever"), 3_000)


@pytest.mark.heavy
def test_a_whole_shared_history_ends_in_its_text_for_all(tmp_path: Path) -> None:
    replay_together(tmp_path, trace("concurrent/friendsforever"), None)
