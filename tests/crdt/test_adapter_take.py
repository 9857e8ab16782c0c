"""What a document takes from an update: exactly what was new, and could find its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.adapter import EngineDoc
from crdt.checkpoint import is_gapless
from crdt.errors import CrdtError
from tests.crdt.histories import copy_of, doc_with, insert, settled, view


@given(st.integers(0, 10_000))
def test_what_was_taken_makes_the_same_document_elsewhere(seed: int) -> None:
    updates = settled(seed)[0].updates()
    doc, taken = EngineDoc(1), []
    for update in updates:
        # What was deleted by two at once is no news the second time.
        taken += [news for news in [doc.take(update)] if news]
        assert doc.take(update) == b""
    assert view(EngineDoc(2, taken)) == view(doc) == view(EngineDoc(3, updates))
    for upto in range(1, len(taken) + 1):
        assert is_gapless(taken[:upto])


def test_of_a_whole_state_only_what_is_new_is_taken() -> None:
    doc = doc_with("x" * 1_000)
    other = copy_of(doc, 2)
    insert(other, 0, "y")
    news = doc.take(other.state())
    assert len(news) < 40
    assert doc.text() == other.text()


def test_what_cannot_find_its_place_is_not_taken() -> None:
    other = EngineDoc(2)
    insert(other, 0, "a")
    known = other.state_vector()
    insert(other, 1, "b")
    doc = EngineDoc(1)
    assert doc.take(other.update_since(known)) == b""
    assert doc.text() == ""


def test_bytes_that_are_no_update_are_refused_and_change_nothing() -> None:
    doc = doc_with("x")
    with pytest.raises(CrdtError):
        doc.take(b"\x01\x02")
    insert(doc, 0, "still ")
    assert doc.text() == "still x"


def test_nobody_who_watches_hears_of_what_was_taken() -> None:
    doc, heard = doc_with("x"), []
    doc.on_update(heard.append)
    other = copy_of(doc, 2)
    insert(other, 0, "y")
    doc.take(other.state())
    assert heard == []
    insert(doc, 0, "z")
    assert len(heard) == 1
