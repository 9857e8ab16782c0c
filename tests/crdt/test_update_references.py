"""Whether an update can find its place in a document is known before the document sees it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_relay.gateway.protocol import clocks
from crdt.adapter import Change, EngineDoc, merge
from crdt.checkpoint import is_gapless
from crdt.errors import WireError
from crdt.update_check import holds_only_text, waits_for_something
from tests.crdt.histories import copy_of, insert, settled, view, write_something

seeds = st.integers(0, 10_000)


def waits(update: bytes, doc: EngineDoc) -> bool:
    return waits_for_something(update, clocks(doc.state_vector()))


@given(seeds)
def test_in_the_order_of_a_log_nothing_waits(seed: int) -> None:
    peer, doc = settled(seed)[0], EngineDoc(1)
    for update in peer.updates():
        assert not waits(update, doc)
        doc.apply(update)
    assert not waits(peer.doc.state(), EngineDoc(1))
    assert not waits(merge(peer.updates()), EngineDoc(1))


@given(seeds)
def test_in_any_other_order_what_does_not_wait_leaves_no_hole(seed: int) -> None:
    rng = Random(seed)
    updates = settled(seed)[0].updates()
    doc, held = EngineDoc(1), [b"\0\0"]
    for update in rng.sample(updates, len(updates)):
        if waits(update, doc):
            # Without deletions, of which a hole says nothing, the engine sees the same.
            assert update[-1:] != b"\0" or not is_gapless([*held, update])
            continue
        doc.apply(update)
        held.append(update)
        assert is_gapless(held)
        assert view(EngineDoc(2, [doc.state()])) == view(doc)


@given(seeds)
def test_what_somebody_lacks_never_waits_there(seed: int) -> None:
    rng = Random(seed)
    peer = settled(seed)[0]
    upto = rng.randint(0, len(peer.log))
    behind = EngineDoc(1, peer.updates()[:upto])
    assert not waits(peer.doc.update_since(behind.state_vector()), behind)


@given(seeds)
def test_an_edit_of_what_is_not_there_waits(seed: int) -> None:
    rng = Random(seed)
    doc = copy_of(settled(seed)[0].doc, 1)
    other = copy_of(doc, 2)
    insert(other, 0, "xyz")
    made: list[bytes] = []
    other.on_update(made.append)
    write_something(other, rng)
    insert(other, 1, "w")
    assert waits(made[-1], doc)
    doc.apply(other.state())
    assert not waits(made[-1], doc)


def test_a_deletion_of_what_is_not_there_waits() -> None:
    deletion = b"\x00\x01\x58\x01\x00\x0a"
    assert waits_for_something(deletion, {})
    assert waits_for_something(deletion, {0x58: 9})
    assert not waits_for_something(deletion, {0x58: 10})


def test_what_leaves_something_out_waits_for_that() -> None:
    # One character, then a hole of two, then another character behind the first one.
    update = b"\x01\x03\x07\x00\x04\x01\x07content\x01a\x0a\x02\x84\x07\x00\x01b\x00"
    assert waits_for_something(update, {7: 2})
    assert not waits_for_something(update, {7: 3})


def test_what_is_typed_is_told_from_everything_else() -> None:
    doc, made = EngineDoc(1), []
    doc.on_update(made.append)
    insert(doc, 0, "é👍")
    doc.splice([Change(0, 2, "")])
    doc.set_meta({"path": "a.md"})
    assert [holds_only_text(update) for update in made] == [True, True, False]
    # An image where the text begins, as a rich text editor puts it.
    assert not holds_only_text(b'\x01\x01\x63\x00\x05\x01\x07content\x07{"i":1}\x00')


@pytest.mark.parametrize("broken", [b"", b"\x01", b"\x01\x01\x07\x00\x84\x07"])
def test_what_is_no_update_is_refused(broken: bytes) -> None:
    with pytest.raises(WireError):
        waits_for_something(broken, {})
    with pytest.raises(WireError):
        holds_only_text(broken)
