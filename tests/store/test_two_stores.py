"""Two files of a workspace, joined by sessions, come to say the same, whatever happened to each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aimem_tui.errors import Refused
from aimem_tui.model import Filter, ImportOptions
from aimem_tui.store import compaction, documents, durability, identity, log
from aimem_tui.workspace import doctor
from aimem_tui.workspace.creation import create_workspace
from aimem_tui.workspace.workspace import Workspace
from tests.store.joined import Joined, join
from tests.workspaces import START, Clock, open_workspace


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "one", author="ann") as opened:
        yield opened


@pytest.fixture
def other(one: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    """An empty copy of the same workspace."""
    create_workspace(tmp_path / "other" / "workspace.db", one.identity())
    with open_workspace(tmp_path / "other", author="ben", clock=Clock(START + 500_000)) as opened:
        yield opened


def shown(workspace: Workspace) -> list[object]:
    """What people see of a workspace, apart from the history of edits."""
    workspace.catch_up()
    found = [*workspace.thoughts(), *workspace.thoughts(Filter(trashed=True))]
    return [(thought, workspace.text(thought.id)) for thought in found]


def same(one: Workspace, other: Workspace) -> None:
    assert shown(one) == shown(other)
    assert log.vector(one.database.read()) == log.vector(other.database.read())
    for workspace in (one, other):
        assert [finding for finding in doctor.examine(workspace) if not finding.ok] == []


def compact_all(workspace: Workspace) -> None:
    with workspace.database.write() as connection:
        for (number,) in connection.execute("SELECT n FROM thought_ids").fetchall():
            compaction.compact(connection, number)


def rows(workspace: Workspace, table: str) -> int:
    return int(workspace.database.read().execute(f"SELECT count(*) FROM {table}").get)


def write_much(workspace: Workspace, folder: str) -> None:
    for name in "abcd":
        thought = workspace.create(f"{folder}/{name}.md", f"# {name}\n日本\n")
        for turn in range(3):
            workspace.append(thought.id, f"line {turn} of {workspace.author}")
    workspace.trash(workspace.get(f"{folder}/d.md").id)
    workspace.move(workspace.get(f"{folder}/c.md").id, f"{folder}/moved.md")


def test_an_empty_copy_gets_everything_and_both_go_on(one: Workspace, other: Workspace) -> None:
    write_much(one, "x")
    joined = join(one, other)
    same(one, other)
    other.append(other.get("x/a.md").id, "from ben")
    one.append(one.get("x/a.md").id, "from ann")
    one.create("y/new.md", "new")
    joined.grew()
    same(one, other)
    assert one.text(one.get("x/a.md").id).count("from") == 2
    assert joined.one.gone is joined.other.gone is None


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("second", [0, 1])
def test_compaction_on_either_side_loses_nothing(
    one: Workspace, other: Workspace, first: int, second: int
) -> None:
    both = one, other
    write_much(one, "x")
    compact_all(one)
    join(one, other)
    same(one, other)
    for round_ in range(3):
        write_much(one, f"one{round_}")
        write_much(other, f"other{round_}")
        for workspace in both:
            workspace.append(workspace.get("x/a.md").id, f"{round_} by {workspace.author}")
        compact_all(both[first])
        joined = join(one, other)
        same(one, other)
        one.append(one.get("x/a.md").id, "live")
        compact_all(both[second])
        joined.grew()
        same(one, other)


def test_a_checkpoint_made_while_connected_reaches_who_had_all_checkpoints(
    one: Workspace, other: Workspace
) -> None:
    joined = join(one, other)
    thought = one.create("a.md", "start\n")
    for turn in range(5):
        one.append(thought.id, str(turn))
    compact_all(one)
    one.append(thought.id, "after")
    joined.grew()
    same(one, other)
    assert rows(other, "checkpoints") == 1


def test_an_open_thought_hears_of_received_entries_and_checkpoints(
    one: Workspace, other: Workspace
) -> None:
    thought = one.create("a.md", "start\n")
    joined = join(one, other)
    live = other.open_live(thought.id)
    position = log.last_position(other.database.read())
    one.append(thought.id, "as an entry")
    joined.grew()
    records = log.since(other.database.read(), position)
    assert [record.entry.author for record in records] == ["ann"]
    assert live.receive(records)
    position = log.last_position(other.database.read())
    one.append(thought.id, "as a checkpoint")
    compact_all(one)
    joined.grew()
    records = log.since(other.database.read(), position)
    assert live.receive(records)
    assert live.document.text == one.text(thought.id)
    assert not live.receive(records), "what is known is not news"
    live.close()


def test_received_edits_are_revisions_with_their_author_and_time(
    one: Workspace, other: Workspace
) -> None:
    thought = one.create("a.md", "start\n")
    one.append(thought.id, "by ann")
    join(one, other)
    other.append(thought.id, "by ben")
    join(one, other)
    for workspace in (one, other):
        workspace.catch_up()
        past = workspace.past(thought.id)
        assert [each.revision.author for each in past] == ["ann", "ben"]
        assert [each.text for each in past] == ["start\nby ann\n", "start\nby ann\nby ben\n"]
        assert past[0].revision.started_at < START + 500_000 < past[1].revision.started_at
        assert workspace.by_id(thought.id).updated_by == "ben"


def test_a_received_checkpoint_is_a_revision_of_who_wrote_last_in_it(
    one: Workspace, other: Workspace
) -> None:
    thought = one.create("a.md", "start\n")
    one.append(thought.id, "more")
    compact_all(one)
    join(one, other)
    other.append(thought.id, "by ben")
    expected = [("ann", "start\nmore\n"), ("ben", "start\nmore\nby ben\n")]
    for _ in range(2):
        past = other.past(thought.id)
        assert [(each.revision.author, each.text) for each in past] == expected
        assert past[0].revision.ended_at == one.history(thought.id)[0].ended_at
        assert [each.author for each in other.activity(thought.id)] == ["ben", "ann"]
        compact_all(other)


def test_several_checkpoints_of_a_thought_become_one(one: Workspace, other: Workspace) -> None:
    thought = one.create("a.md", "start\n")
    joined = join(one, other)
    for turn in range(4):
        one.append(thought.id, f"line {turn}")
        compact_all(one)
        joined.grew()
    assert rows(other, "checkpoints") == 4
    one.append(thought.id, "last")
    joined.grew()
    same(one, other)
    stated = [state for (state,) in other.database.read().execute("SELECT state FROM checkpoints")]
    assert documents.updates_of(other.database.read(), 1)[:4] == stated, "what entries stand on"
    past = other.past(thought.id)
    compact_all(other)
    assert (rows(other, "checkpoints"), rows(other, "log")) == (1, 0)
    assert other.past(thought.id) == past
    same(one, other)


def test_a_thought_with_many_checkpoints_is_compacted_by_itself(
    one: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "CHECKPOINTS_BEFORE_COMPACTION", 2)
    thought = one.create("a.md", "start\n")
    joined = join(one, other)
    for turn in range(7):
        one.append(thought.id, f"line {turn}")
        compact_all(one)
        joined.grew()
        other.catch_up()
        assert rows(other, "checkpoints") <= 2
    same(one, other)


def test_a_purge_removes_the_text_wherever_it_came_to(one: Workspace, other: Workspace) -> None:
    thought = one.create("a.md", "Rosebud\n")
    joined = join(one, other)
    for turn in range(3):
        one.append(thought.id, f"Rosebud {turn}")
        compact_all(one)
        joined.grew()
    other.catch_up()
    other.append(thought.id, "Rosebud again")
    joined.grew()
    one.trash(thought.id)
    one.purge(thought.id)
    joined.grew()
    same(one, other)
    for workspace in (one, other):
        assert workspace.count(Filter(trashed=True)) == 0
        assert rows(workspace, "kept_revisions") == 0
        on_disk = b"".join(
            file.read_bytes() for file in workspace.database.path.parent.glob("workspace.db*")
        )
        assert b"rosebud" not in on_disk.lower()


def test_what_another_copy_has_on_disk_counts_as_durable(one: Workspace, other: Workspace) -> None:
    def standing(workspace: Workspace) -> tuple[int, int, bool]:
        found = workspace.standing()
        assert found.workspace == one.identity()
        return found.own_seq, found.durable_seq, bool(found.oldest_undurable)

    assert standing(one) == (0, 0, False)
    thought = one.create("a.md", "start\n")
    made = one.standing().oldest_undurable
    assert START <= made <= one.clock()
    one.append(thought.id, "more")
    assert one.standing().oldest_undurable == made
    assert standing(one) == (2, 0, True)
    joined = join(one, other)
    assert standing(one) == (2, 2, False)
    one.append(thought.id, "alone")
    assert standing(one) == (3, 2, True)
    assert one.standing().oldest_undurable > made
    compact_all(one)
    assert standing(one) == (3, 2, True)
    joined.grew()
    assert standing(one) == (3, 3, False)
    peer_log = identity.of(other.database.read()).log
    durability.note_acknowledged(one.database, peer_log, 1)
    assert standing(one) == (3, 1, True), "the other has lost something"
    durability.note_acknowledged(one.database, peer_log, 3, replica="e" * 32)
    assert standing(one) == (3, 1, True), "that was said of another replica"
    durability.note_acknowledged(one.database, "d" * 32, 2)
    assert standing(one) == (3, 2, True), "one copy is enough"
    durability.forget_peer(one.database, "d" * 32)
    assert standing(one) == (3, 1, True)


def test_an_import_of_old_files_waits_since_the_import(one: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "notes" / "old.md"
    file.parent.mkdir()
    file.write_text("old")
    os.utime(file, (1_000, 1_000))
    one.import_folder(file.parent, ImportOptions(author="ann"))
    assert one.get("old.md").updated_at == 1_000_000
    assert one.standing().oldest_undurable > START


def test_a_copy_is_sound_wherever_the_connection_breaks(one: Workspace, tmp_path: Path) -> None:
    for folder in "xy":
        write_much(one, folder)
        if folder == "x":
            with one.database.write() as connection:
                for number in (2, 4):
                    compaction.compact(connection, number)
    arrived = set()
    for steps in range(1, 12):
        folder = tmp_path / str(steps)
        create_workspace(folder / "workspace.db", one.identity())
        with open_workspace(folder) as other:
            joined = Joined(one, other).settle(steps)
            arrived.add(sum(received.entries for received in joined.other.received))
            other.catch_up()
            assert [finding for finding in doctor.examine(other) if not finding.ok] == []
            join(one, other)
            same(one, other)
    assert len(arrived) > 3, "it broke at different places"


def test_a_connection_goes_on_where_the_last_one_stopped(one: Workspace, other: Workspace) -> None:
    write_much(one, "x")
    join(one, other)
    one.create("late.md", "")
    again = join(one, other)
    assert sum(received.entries for received in again.other.received) == 1
    assert sum(received.events for received in again.other.received) == 1


def test_received_thoughts_wait_for_their_projection_once(one: Workspace, other: Workspace) -> None:
    write_much(one, "x")
    joined = join(one, other)
    assert {t for r in joined.other.received for t in r.thoughts} == {
        thought.id for thought, _ in shown(one)
    }
    assert other.status().waiting == 4
    assert other.catch_up() == 4
    assert join(one, other).other.received == []
    assert other.status().waiting == 0


def test_a_workspace_is_made_with_a_given_id_once(tmp_path: Path) -> None:
    file = tmp_path / "new" / "workspace.db"
    create_workspace(file, "ab" * 16)
    with open_workspace(tmp_path / "new") as workspace:
        assert workspace.identity() == "ab" * 16
        assert workspace.count() == 0
    with pytest.raises(Refused):
        create_workspace(file, "cd" * 16)
    with pytest.raises(ValueError):
        create_workspace(tmp_path / "bad.db", "not an id")
    assert not (tmp_path / "bad.db").exists()
