"""A checkpoint takes the place of entries, and nobody notices."""

from __future__ import annotations

import pytest

from aimem_tui.store import compaction, documents, log, projector
from aimem_tui.store.compaction import compact, is_due
from aimem_tui.workspace.workspace import Workspace
from crdt import checkpoint
from crdt.errors import CrdtError
from crdt.vector import Vector


def log_size(workspace: Workspace) -> int:
    return int(workspace.database.read().execute("SELECT count(*) FROM log").get)


def visible(workspace: Workspace) -> list[object]:
    """All that people see of the thoughts, their histories with every text included."""
    thoughts = list(workspace.thoughts())
    return [
        thoughts,
        [workspace.text(thought.id) for thought in thoughts],
        [workspace.past(thought.id) for thought in thoughts],
        workspace.status().thoughts,
    ]


def number_of(workspace: Workspace, thought: str) -> int:
    return log.thought_number(workspace.database.read(), thought)


@pytest.fixture
def written(workspace: Workspace) -> Workspace:
    for path in ("a.md", "b.md"):
        thought = workspace.create(path, f"# {path}\n日本\n")
        for turn in range(4):
            workspace.append(thought.id, f"line {turn}")
        workspace.move(thought.id, f"moved/{path}")
        workspace.restore_revision(thought.id, 1)
        workspace.append(thought.id, "after")
    return workspace


def test_compaction_changes_nothing_that_is_seen(written: Workspace) -> None:
    before = visible(written)
    position = log.last_position(written.database.read())
    vector = log.vector(written.database.read())
    for _ in range(2):
        with written.database.write() as connection:
            for thought in written.thoughts():
                compact(connection, number_of(written, thought.id))
        assert visible(written) == before
        assert log_size(written) == 0
        assert log.last_position(written.database.read()) == position + 2, "one for each checkpoint"
        assert log.vector(written.database.read()) == vector
    projector.drop(written.database)
    projector.project_stale(written.database)
    assert visible(written) == before


def test_only_the_entries_of_the_thought_are_trimmed(written: Workspace) -> None:
    first, second = written.thoughts()
    before = log_size(written)
    with written.database.write() as connection:
        compact(connection, number_of(written, first.id))
    assert log_size(written) == before / 2
    assert written.text(second.id) == written.open_live(second.id).document.text


def test_a_checkpoint_says_which_entries_it_covers(written: Workspace) -> None:
    first, second = written.thoughts()
    replica = log.own_replica(written.database.read())
    last = [
        max(r.entry.seq for r in log.entries_of(written.database.read(), number_of(written, t.id)))
        for t in (first, second)
    ]

    def covered(thought: str) -> Vector:
        raw = written.database.read().execute(
            "SELECT vector FROM checkpoints WHERE thought = ?", (number_of(written, thought),)
        )
        return Vector.from_bytes(raw.get)

    with written.database.write() as connection:
        for thought in (first, second):
            compact(connection, number_of(written, thought.id))
    assert [covered(t.id) for t in (first, second)] == [Vector({replica: seq}) for seq in last]
    written.append(first.id, "more")
    newest = log.vector(written.database.read())[replica]
    with written.database.write() as connection:
        compact(connection, number_of(written, first.id))
    assert covered(first.id) == Vector({replica: newest})


def test_a_compacted_thought_is_edited_as_before(written: Workspace) -> None:
    thought = next(iter(written.thoughts()))
    handout = written.hand_out(thought.id)
    live = written.open_live(thought.id)
    with written.database.write() as connection:
        compact(connection, number_of(written, thought.id))
    written.append(thought.id, "meanwhile")
    live.document.replace_text("LIVE\n" + live.document.text)
    written.take_back(handout, handout.text.replace("日本", "日本 changed"))
    assert written.writer.flush()
    written.catch_up()
    text = written.text(thought.id)
    assert text.startswith("LIVE\n")
    assert "日本 changed" in text
    assert text.endswith("meanwhile\n")
    live.close()


def test_a_thought_with_many_entries_is_compacted_by_itself(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "ENTRIES_BEFORE_COMPACTION", 5)
    thought = workspace.create("a.md", "")
    for turn in range(20):
        workspace.append(thought.id, str(turn))
        assert log_size(workspace) <= 5
        assert not is_due(workspace.database.read(), number_of(workspace, thought.id))
    assert workspace.text(thought.id) == "".join(f"{turn}\n" for turn in range(20))
    assert len(workspace.history(thought.id)) == 1


def test_compacting_what_is_compacted_or_empty_does_nothing(written: Workspace) -> None:
    number = number_of(written, next(iter(written.thoughts())).id)
    rows = "SELECT * FROM checkpoints"
    with written.database.write() as connection:
        compact(connection, number)
        before = connection.execute(rows).fetchall()
        compact(connection, number)
        compact(connection, 999)
        assert connection.execute(rows).fetchall() == before


def test_a_checkpoint_that_would_read_differently_leaves_everything_as_it_is(
    written: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, size = visible(written), log_size(written)

    def refuse(updates: list[bytes]) -> bytes:
        raise CrdtError("a checkpoint does not make the thought it was built from")

    monkeypatch.setattr(compaction, "build_state", refuse)
    thought = next(iter(written.thoughts()))
    with pytest.raises(CrdtError), written.database.write() as connection:
        compact(connection, number_of(written, thought.id))
    assert (visible(written), log_size(written)) == (before, size)
    monkeypatch.setattr(compaction, "ENTRIES_BEFORE_COMPACTION", 0)
    written.append(thought.id, "still written")
    assert written.text(thought.id).endswith("still written\n")
    assert log_size(written) == size + 1
    assert written.past(thought.id)[: len(before[2][0]) - 1] == before[2][0][:-1]


def test_a_checkpoint_is_shorter_than_what_it_stands_for(written: Workspace) -> None:
    thought = next(iter(written.thoughts()))
    number = number_of(written, thought.id)
    updates = documents.updates_of(written.database.read(), number)
    with written.database.write() as connection:
        compact(connection, number)
    (state,) = documents.updates_of(written.database.read(), number)
    assert state == checkpoint.build_state(updates)
    assert len(state) < sum(map(len, updates))
