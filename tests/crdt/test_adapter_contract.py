"""What the engine does, as far as the rest relies on it; checked anew before another is pinned."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pycrdt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import adapter
from crdt.adapter import Change, EngineDoc, byte_length
from crdt.errors import CrdtError, EngineMismatch
from tests.crdt.histories import (
    copy_of,
    doc_with,
    history,
    insert,
    loaded,
    settled,
    spliced,
    texts,
    view,
)

SEEDS = range(60)


# The engine


def test_any_other_engine_than_the_proved_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter.check_engine()
    monkeypatch.setattr(adapter, "ENGINE_VERSION", "0.0.0")
    with pytest.raises(EngineMismatch, match=r"needs 0\.0\.0"):
        adapter.check_engine()


def test_an_engine_that_counts_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pycrdt.Text, "__len__", lambda self: 1)
    with pytest.raises(EngineMismatch, match="UTF-8"):
        adapter.check_engine()


@pytest.mark.parametrize("client_id", [1, 2**31, 2**32 - 1])
def test_client_ids_of_32_bits_survive_the_wire(client_id: int) -> None:
    doc = doc_with("text", client_id)
    assert doc.client_id == client_id
    other = EngineDoc(5, [doc.state()])
    assert other.state_vector() == doc.state_vector()


# Text


@given(texts)
def test_offsets_are_bytes_of_utf8(text: str) -> None:
    doc = doc_with(text)
    assert doc.text() == text
    assert doc.text_bytes() == byte_length(text) == len(text.encode())


@given(texts, st.data())
def test_a_splice_does_what_it_would_do_to_bytes(text: str, data: st.DataObject) -> None:
    doc = doc_with(text)
    changes: list[Change] = []
    now = text
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(now)))
        end = data.draw(st.integers(start, len(now)))
        changes.append(
            Change(byte_length(now[:start]), byte_length(now[start:end]), data.draw(texts))
        )
        now = spliced(text, changes)
    reported: list[bytes] = []
    doc.on_update(reported.append)
    doc.splice(changes)
    assert doc.text() == now
    assert doc.text_bytes() == byte_length(now)
    assert len(reported) <= 1, "one splice is one transaction"
    assert copy_of(doc, 2).text() == now


@pytest.mark.parametrize(
    "change", [Change(-1, 0, "x"), Change(5, 0, "x"), Change(2, 3, ""), Change(3, -1, "x")]
)
def test_an_offset_outside_the_text_is_refused_and_changes_nothing(change: Change) -> None:
    doc = doc_with("éta")
    reported: list[bytes] = []
    doc.on_update(reported.append)
    with pytest.raises(CrdtError, match="outside"):
        doc.splice([change])
    assert (doc.text(), reported) == ("éta", [])
    insert(doc, 0, "!")
    assert doc.text() == "!éta"


def test_the_second_of_two_changes_is_checked_before_the_first_is_made() -> None:
    doc = doc_with("abc")
    with pytest.raises(CrdtError):
        doc.splice([Change(0, 3, ""), Change(1, 0, "x")])
    assert doc.text() == "abc"


def test_half_a_surrogate_pair_is_refused_and_changes_nothing() -> None:
    doc = doc_with("abc")
    with pytest.raises(CrdtError, match="surrogate"):
        insert(doc, 1, "\ud83d")
    with pytest.raises(CrdtError, match="surrogate"):
        byte_length("\udc4d")
    insert(doc, 3, "d")
    assert doc.text() == "abcd"


@pytest.mark.parametrize(("start", "deleted"), [(0, 1), (0, 3), (1, 1), (3, 2), (8, 1), (2, 1)])
def test_a_cut_through_a_character_spoils_this_copy_and_nothing_else(
    start: int, deleted: int
) -> None:
    """The engine panics, or removes the whole rest without a word."""
    doc = doc_with("é日👍abc")
    reported: list[bytes] = []
    doc.on_update(reported.append)
    with pytest.raises(CrdtError):
        doc.splice([Change(start, deleted, "")])
    assert reported == [], "what went wrong must not reach the log"
    with pytest.raises(CrdtError, match="anew"):
        insert(doc, 0, "x")
    with pytest.raises(CrdtError, match="anew"):
        doc.apply(doc_with("other", 2).state())


def test_content_that_is_not_all_text_is_refused_when_it_is_read() -> None:
    foreign: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=7)
    text = foreign.get("content", type=pycrdt.Text)
    text.insert(0, "ab")
    text.insert_embed(1, {"image": 1})
    with pytest.raises(CrdtError, match="not text"):
        loaded([foreign.get_update()]).text()


def test_formatting_from_elsewhere_does_not_change_what_is_read() -> None:
    foreign: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=7)
    text = foreign.get("content", type=pycrdt.Text)
    text.insert(0, "bold é")
    text.format(0, 4, {"b": True})
    doc = loaded([foreign.get_update()])
    insert(doc, 5, "& ")
    assert doc.text() == "bold & é"


# Broken bytes


@given(st.sampled_from(SEEDS), st.data())
def test_broken_bytes_are_refused_or_harmless(seed: int, data: st.DataObject) -> None:
    update = bytearray(loaded(history(seed)[0].updates()).state())
    for _ in range(data.draw(st.integers(0, 3))):
        # Single bits: whole random bytes could claim counts that cost gigabytes to believe.
        position = data.draw(st.integers(0, len(update) - 1))
        update[position] ^= 1 << data.draw(st.integers(0, 6))
    broken = bytes(update[: data.draw(st.integers(0, len(update)))])
    doc = doc_with("mine", 9)
    before = view(doc)
    try:
        doc.apply(broken)
    except CrdtError:
        pass
    else:
        return
    try:
        assert view(doc) == before
        insert(doc, 4, "!")
    except CrdtError as error:
        assert "anew" in str(error)


@pytest.mark.parametrize("broken", [b"", b"\x01", b"\x00", b"\x05hello", b"\x01\x01\x01\x00\x04"])
def test_bytes_that_are_no_update_change_nothing(broken: bytes) -> None:
    doc = doc_with("mine")
    with pytest.raises(CrdtError):
        doc.apply(broken)
    with pytest.raises(CrdtError):
        EngineDoc(3, [broken])
    with pytest.raises(CrdtError):
        adapter.merge([doc.state(), broken])
    with pytest.raises(CrdtError):
        adapter.diff(broken, adapter.EMPTY_STATE_VECTOR)
    insert(doc, 4, "!")
    assert doc.text() == "mine!"


def test_a_broken_state_vector_is_refused() -> None:
    doc = doc_with("mine")
    with pytest.raises(CrdtError):
        doc.update_since(b"\x01")
    assert doc.text() == "mine"


# Order


def test_the_engine_loses_updates_that_come_before_what_they_depend_on() -> None:
    """Why a log is a causal order and every stream follows it."""
    author = EngineDoc(1)
    updates: list[bytes] = []
    author.on_update(updates.append)
    for key, value in [("k", "1"), ("j", "2"), ("k", "3")]:
        author.set_meta({key: value})
    receiver = EngineDoc(2)
    for index in (1, 2, 0):
        receiver.apply(updates[index])
    assert author.meta() == {"k": "3", "j": "2"}
    assert receiver.meta() == {"j": "2"}


def test_the_order_of_any_log_makes_the_same_document() -> None:
    for seed in SEEDS:
        peers = settled(seed)
        views = [peer.view() for peer in peers]
        assert all(one == other for one, other in pairwise(views)), seed
        for peer in peers:
            assert view(loaded(peer.updates())) == views[0], seed


@pytest.mark.parametrize("seed", range(40))
def test_a_document_loaded_at_once_is_the_one_that_took_in_one_update_after_the_other(
    seed: int,
) -> None:
    updates = settled(seed)[0].updates()
    updates += updates[: len(updates) // 2]
    at_once, one_by_one = EngineDoc(1, updates), EngineDoc(1)
    for update in updates:
        one_by_one.apply(update)
    for made in (at_once, EngineDoc(1, [at_once.state()])):
        assert made.text() == one_by_one.text()
        assert made.meta() == one_by_one.meta()
        assert made.state_vector() == one_by_one.state_vector()


def test_what_is_half_way_streamed_is_what_the_sender_had_by_then() -> None:
    for seed in SEEDS:
        sender = history(seed)[0]
        receiver = EngineDoc(50)
        for position, update in enumerate(sender.updates()):
            receiver.apply(update)
            assert view(receiver) == view(loaded(sender.updates()[: position + 1])), seed


def test_equal_state_vectors_do_not_mean_equal_documents() -> None:
    mine = doc_with("some text", 1)
    other = copy_of(mine, 2)
    mine.splice([Change(0, 5, "")])
    assert other.state_vector() == mine.state_vector()
    assert other.text() != mine.text()
    other.apply(mine.update_since(other.state_vector()))
    assert other.text() == "text"


# Merging


def test_merging_needs_no_order() -> None:
    for seed in SEEDS:
        peer = settled(seed)[0]
        updates = peer.updates()
        Random(seed).shuffle(updates)
        assert view(loaded([adapter.merge(updates)])) == peer.view(), seed


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 130, 600])
def test_the_tree_of_merges_gives_what_one_flat_merge_gives(count: int) -> None:
    updates = settled(count, steps=count * 2)[0].updates()[:count]
    merged = adapter.merge(updates)
    flat = pycrdt.merge_updates(*updates) if updates else b"\x00\x00"
    assert merged == flat
    assert view(loaded([merged])) == view(loaded(updates))


def test_a_difference_completes_a_copy_that_is_behind() -> None:
    for seed in SEEDS:
        updates = settled(seed)[0].updates()
        behind = loaded(updates[: len(updates) // 2])
        whole = adapter.merge(updates)
        behind.apply(adapter.diff(whole, behind.state_vector()))
        assert view(behind) == view(loaded(updates)), seed


# Properties


def test_numbers_lists_and_maps_come_back_and_none_removes() -> None:
    doc = EngineDoc(1)
    given_values = {
        "at": 1_761_234_567_890,
        "list": ["a", "b"],
        "map": {"at": 5, "by": "x"},
        "on": True,
    }
    doc.set_meta(given_values)
    assert loaded([doc.state()]).meta() == given_values
    doc.append_meta("list", "c")
    doc.append_meta("fresh", "d")
    doc.set_meta({"at": None, "never": None})
    assert loaded([doc.state()]).meta() == {
        "list": ["a", "b", "c"],
        "map": {"at": 5, "by": "x"},
        "on": True,
        "fresh": ["d"],
    }
