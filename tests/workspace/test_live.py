"""An open thought: what is typed reaches the store, what others write reaches the one who types."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from aimem_tui.store import log
from aimem_tui.store.compaction import compact
from aimem_tui.store.log import Draft, Record
from aimem_tui.workspace.live import LiveThought
from aimem_tui.workspace.workspace import Workspace
from crdt.adapter import Change, byte_length
from crdt.errors import CrdtError
from tests.crdt.histories import PIECES, spliced
from tests.workspaces import START, Clock, open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        yield opened


@pytest.fixture
def other(workspace: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    """The same file, opened once more, as another process has it."""
    with open_workspace(tmp_path, author="ben") as opened:
        yield opened


def news(workspace: Workspace, after: int = 0) -> list[Record]:
    assert workspace.writer.flush()
    return log.since(workspace.database.read(), after)


def stored(workspace: Workspace, thought: str) -> str:
    workspace.settle()
    workspace.catch_up()
    return workspace.text(thought)


def test_what_is_typed_is_stored_under_its_author_and_time(tmp_path: Path) -> None:
    clock = Clock(step=0)
    with open_workspace(tmp_path, clock=clock) as workspace:
        thought = workspace.create("a.md", "one\n")
        live = workspace.open_live(thought.id)
        clock.now += 5_000
        live.document.splice([Change(4, 0, "two 日本\n")])
        record = news(workspace)[-1]
        assert (record.entry.author, record.entry.at) == ("ann", clock.now)
        live.document.replace_text("ONE\ntwo 日本\n")
        live.close()
    with open_workspace(tmp_path) as workspace:
        assert stored(workspace, thought.id) == "ONE\ntwo 日本\n"


def test_an_open_thought_takes_in_what_is_new_for_it_and_nothing_else(
    workspace: Workspace, other: Workspace
) -> None:
    mine, elsewhere = workspace.create("a.md", "a\n"), workspace.create("b.md", "b\n")
    live = workspace.open_live(mine.id)
    assert not live.receive(news(workspace)), "it holds these already"
    other.append(elsewhere.id, "not for me")
    assert not live.receive(news(workspace))
    other.append(mine.id, "for me")
    records = news(workspace)
    assert live.receive(records)
    assert not live.receive(records)
    assert live.document.text == "a\nfor me\n"
    live.close()


def test_the_echo_of_own_edits_changes_nothing_and_is_told_to_nobody(workspace: Workspace) -> None:
    live = workspace.open_live(workspace.create("a.md", "").id)
    heard: list[object] = []
    live.document.on_text(lambda changes, own: heard.append(changes))
    for letter in "typed":
        live.document.splice([Change(live.document.text_bytes, 0, letter)])
    position = log.last_position(workspace.database.read())
    before = live.document.state()
    live.receive(news(workspace))
    assert (live.document.text, heard) == ("typed", [])
    assert live.document.state() == before
    live.receive(news(workspace, position))
    assert [r.entry.author for r in news(workspace)] == ["ann"] * len(news(workspace))
    live.close()


def test_undo_takes_back_ones_own_typing_and_keeps_what_others_wrote(
    workspace: Workspace, other: Workspace
) -> None:
    thought = workspace.create("a.md", "start\n")
    live = workspace.open_live(thought.id)
    live.document.start_undo(lambda: 0)
    live.document.splice([Change(6, 0, "mine\n")])
    workspace.settle()
    other.append(thought.id, "theirs")
    live.receive(news(workspace))
    assert live.document.text == "start\nmine\ntheirs\n"
    assert live.document.undo()
    assert live.document.text == "start\ntheirs\n"
    assert stored(workspace, thought.id) == "start\ntheirs\n"
    live.close()


def test_a_closed_thought_submits_nothing_more_and_is_freed(workspace: Workspace) -> None:
    live = workspace.open_live(workspace.create("a.md", "").id)
    live.document.splice([Change(0, 0, "kept")])
    live.close()
    live.document.splice([Change(0, 0, "lost")])
    assert stored(workspace, live.thought) == "kept"
    alive = weakref.ref(live.document)
    del live
    gc.collect()
    assert alive() is None


def test_a_thought_opened_again_at_once_has_what_was_just_typed(workspace: Workspace) -> None:
    thought = workspace.create("a.md", "")
    for number in range(5):
        live = workspace.open_live(thought.id)
        assert live.document.text == "x" * number
        live.document.splice([Change(0, 0, "x")])
        live.close()


def test_entries_that_were_compacted_before_the_window_heard_of_them_reach_it(
    workspace: Workspace, other: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_tui.store.compaction.ENTRIES_BEFORE_COMPACTION", 2)
    thought = workspace.create("a.md", "start\n")
    live = workspace.open_live(thought.id)
    live.document.splice([Change(0, 0, "typed\n")])
    for number in range(7):
        other.append(thought.id, f"line {number}")
    assert live.receive(news(workspace))
    assert live.document.text == stored(workspace, thought.id)
    assert "line 6" in live.document.text
    assert not live.receive(news(workspace))
    live.close()


def test_a_broken_entry_is_refused_and_the_typing_is_not_lost(workspace: Workspace) -> None:
    live = workspace.open_live(workspace.create("a.md", "").id)
    live.document.splice([Change(0, 0, "typed")])
    workspace.settle()
    with workspace.database.write() as connection:
        log.append(connection, [Draft(live.thought, b"\x05broken", START, "mallory")])
    with pytest.raises(CrdtError):
        live.receive(news(workspace))
    assert live.document.text == "typed"
    live.document.splice([Change(0, 0, "still ")])
    assert news(workspace)[-1].entry.author == "ann"
    live.close()


@pytest.mark.parametrize("seed", range(12))
def test_windows_and_commands_on_one_thought_end_alike(
    workspace: Workspace, other: Workspace, seed: int
) -> None:
    """Two windows in two processes, and commands, in any order; news come when they come."""
    rng = Random(seed)
    thought = workspace.create("a.md", "".join(rng.choices(PIECES, k=20)))
    windows: list[tuple[Workspace, LiveThought]] = [
        (where, where.open_live(thought.id)) for where in (workspace, other)
    ]
    follow = {id(live): live.document.text for _, live in windows}

    def watch(live: LiveThought) -> None:
        live.document.start_undo(lambda: rng.randrange(10**6))

        def heard(changes: list[Change], _own: bool) -> None:
            follow[id(live)] = spliced(follow[id(live)], changes)

        live.document.on_text(heard)

    for _, live in windows:
        watch(live)
    for _ in range(60):
        where, live = rng.choice(windows)
        action = rng.choice(
            ["type", "type", "type", "command", "news", "undo", "replace", "compact"]
        )
        text = live.document.text
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice([0, 0, 1, 4]))
        new = "".join(rng.choices(PIECES, k=rng.randint(0, 3)))
        if action == "type":
            change = Change(byte_length(text[:start]), byte_length(text[start:end]), new)
            live.document.splice([change])
            follow[id(live)] = live.document.text
        elif action == "replace":
            live.document.replace_text(text[:start] + new + text[end:])
            follow[id(live)] = live.document.text
        elif action == "undo":
            rng.choice([live.document.undo, live.document.redo])()
        elif action == "command":
            where.append(thought.id, new)
        elif action == "compact":
            with where.database.write() as connection:
                compact(connection, log.thought_number(connection, thought.id))
        else:
            live.receive(log.since(where.database.read(), 0))
        assert live.document.text == follow[id(live)]
    for where, _ in windows:
        assert where.writer.flush()
    for where, live in windows:
        live.receive(log.since(where.database.read(), 0))
        assert live.document.text == follow[id(live)]
    texts = {live.document.text for _, live in windows} | {stored(workspace, thought.id)}
    assert len(texts) == 1
    for _, live in windows:
        live.close()
