"""Whoever watches a document hears of every change once, and undo touches only one's own."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from random import Random

import pycrdt
import pytest

from crdt.adapter import Change, EngineDoc, byte_length
from tests.crdt.histories import (
    PIECES,
    copy_of,
    doc_with,
    insert,
    spliced,
    view,
    write_something,
)

SEEDS = range(60)

# Watching


def test_watchers_of_updates_hear_of_own_writes_and_undo_and_of_nothing_else() -> None:
    mine, other = doc_with("one ", 1), EngineDoc(2)
    reported: list[bytes] = []
    mine.start_undo(lambda: 0, 500)
    mine.on_update(reported.append)
    mine.apply(doc_with("two ", 3).state())
    assert reported == []
    insert(mine, 0, "x")
    mine.set_meta({"key": 1})
    mine.append_meta("list", "entry")
    assert len(reported) == 3
    assert mine.undo()
    assert mine.redo()
    assert len(reported) == 5
    assert not mine.redo()
    assert len(reported) == 5
    other.apply(doc_with("one ", 1).state())
    other.apply(doc_with("two ", 3).state())
    for update in reported:
        other.apply(update)
    assert view(other) == view(mine)


def test_an_update_that_is_known_already_is_not_reported_and_changes_nothing() -> None:
    doc = doc_with("text")
    heard: list[object] = []
    doc.on_update(heard.append)
    doc.on_text(lambda changes, own: heard.append(changes))
    before = doc.state()
    doc.apply(doc.state())
    assert (heard, doc.state()) == ([], before)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_steps_told_to_watchers_make_the_new_text_of_the_old(seed: int) -> None:
    rng = Random(seed)
    mine, other = doc_with("".join(rng.choices(PIECES, k=30)), 1), EngineDoc(2)
    other.apply(mine.state())
    now = mine.text()
    clock = 0

    def follow(changes: Sequence[Change], own_undo: bool) -> None:
        nonlocal now
        now = spliced(now, changes)
        undone.append(own_undo)
        assert mine.text() == now

    undone: list[bool] = []
    mine.start_undo(lambda: clock, 500)
    mine.on_text(follow)
    for _ in range(25):
        clock += 1_000
        undone.clear()
        action = rng.choice(["write", "other", "undo", "redo"])
        if action == "write":
            write_something(mine, rng)
            assert undone == [], "a watcher is not told what the writer knows"
            now = mine.text()
        elif action == "other":
            write_something(other, rng)
            mine.apply(other.update_since(mine.state_vector()))
            assert not any(undone)
            other.apply(mine.update_since(other.state_vector()))
        else:
            mine.undo() if action == "undo" else mine.redo()
            assert all(undone)
        assert mine.text() == now
        assert mine.text_bytes() == byte_length(now)


def test_a_watcher_that_fails_is_heard_and_the_document_goes_on() -> None:
    doc = doc_with("text")

    def fail(_update: bytes) -> None:
        raise LookupError("the watcher's own trouble")

    stop = doc.on_update(fail)
    with pytest.raises(LookupError, match="own trouble"):
        insert(doc, 0, "a")
    stop()
    insert(doc, 0, "b")
    assert doc.text() == "batext"


def test_a_watcher_may_stop_watching_while_it_is_called() -> None:
    doc = doc_with("text")
    heard: list[bytes] = []

    def once(update: bytes) -> None:
        heard.append(update)
        stop()

    stop = doc.on_update(once)
    insert(doc, 0, "a")
    insert(doc, 0, "b")
    stop()
    assert len(heard) == 1


@pytest.mark.parametrize("end", ["stop", "close", "never watched"])
def test_a_document_that_nobody_watches_is_freed(end: str) -> None:
    doc = doc_with("text")
    if end != "never watched":
        stops = [doc.on_update(lambda update: None), doc.on_text(lambda changes, own: None)]
        insert(doc, 0, "a")
        for stop in stops if end == "stop" else [doc.close]:
            stop()
        del stops, stop
    alive = weakref.ref(doc)
    del doc
    gc.collect()
    assert alive() is None


# Undo


def test_without_an_origin_the_engine_would_undo_what_others_wrote() -> None:
    """Why undo is never started without naming whose edits it is for."""
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=1)
    text = doc.get("content", type=pycrdt.Text)
    manager = pycrdt.UndoManager(scopes=[text])
    doc.apply_update(doc_with("theirs", 2).state())
    assert manager.undo()
    assert str(text) == ""


def test_undo_takes_back_own_edits_only() -> None:
    mine = doc_with("one three", 1)
    mine.start_undo(lambda: 0, 500)
    insert(mine, 4, "two ")
    other = copy_of(mine, 2)
    insert(other, 5, "[b]")
    mine.apply(other.state())
    assert mine.text() == "one t[b]wo three"
    assert mine.undo()
    assert mine.text() == "one [b]three"
    assert not mine.undo()
    assert mine.redo()
    assert mine.text() == "one t[b]wo three"


def test_undo_does_not_bring_back_what_others_removed() -> None:
    mine = doc_with("keep", 1)
    mine.start_undo(lambda: 0, 500)
    insert(mine, 4, " mine")
    other = copy_of(mine, 2)
    other.splice([Change(0, other.text_bytes(), "")])
    mine.apply(other.state())
    mine.undo()
    assert mine.text() == ""


def test_the_clock_decides_what_is_undone_together() -> None:
    clock = 0
    doc = doc_with("")
    doc.start_undo(lambda: clock, 500)
    for number in range(6):
        clock += 100 if number % 3 else 1_000
        insert(doc, doc.text_bytes(), str(number))
    assert doc.undo_depth() == 2
    doc.undo()
    assert doc.text() == "012"
    doc.undo()
    assert doc.text() == ""


def test_there_is_nothing_to_undo_before_undo_was_started() -> None:
    doc = doc_with("")
    insert(doc, 0, "x")
    assert (doc.undo(), doc.redo(), doc.undo_depth()) == (False, False, 0)
