"""A checkpoint makes the thought that its entries made, what they could not yet place included."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

import pytest

from crdt import adapter, checkpoint
from crdt.adapter import Change, EngineDoc
from crdt.checkpoint import build_state, has_structs, is_gapless
from crdt.errors import CrdtError
from tests.crdt.histories import history, loaded, settled, view

SEEDS = range(60)


@dataclass(frozen=True)
class Hole:
    """A history's updates without one of the early ones, that one, and what all of them make."""

    updates: list[bytes]
    missing: bytes
    whole: object


@cache
def with_a_hole(seed: int) -> Hole:
    peer = settled(seed)[0]
    updates = peer.updates()
    missing = updates.pop(Random(seed).randrange(len(updates) // 3))
    return Hole(updates, missing, peer.view())


def test_a_checkpoint_stands_for_the_entries_it_was_built_from() -> None:
    for seed in SEEDS:
        updates = history(seed)[0].updates()
        state = build_state(updates)
        assert view(loaded([state])) == view(loaded(updates)), seed
        assert build_state([state]) == state, seed


def test_entries_after_a_checkpoint_go_on_where_it_ends() -> None:
    for seed in SEEDS:
        updates = history(seed)[0].updates()
        cut = Random(seed).randint(0, len(updates))
        state = build_state(updates[:cut])
        assert view(loaded([state, *updates[cut:]])) == view(loaded(updates)), seed
        assert view(loaded([build_state([state, *updates[cut:]])])) == view(loaded(updates)), seed


def test_what_waits_for_a_missing_update_outlives_the_checkpoint() -> None:
    for seed in SEEDS:
        hole = with_a_hole(seed)
        state = build_state(hole.updates)
        assert view(loaded([adapter.merge([state, hole.missing])])) == hole.whole, seed


def test_writing_a_document_out_the_plain_way_loses_what_waits() -> None:
    """Why the formula is not simply the state of a loaded document."""
    losses = 0
    for seed in SEEDS:
        hole = with_a_hole(seed)
        naive = loaded(hole.updates).state()
        losses += view(loaded([adapter.merge([naive, hole.missing])])) != hole.whole
    assert losses > len(SEEDS) / 2


def test_a_hole_is_noticed() -> None:
    holes = 0
    for seed in SEEDS:
        log = settled(seed)[0].log
        updates = [update for _, _, update in log]
        assert is_gapless(updates), seed
        for position, (client, _, update) in enumerate(log[:6]):
            later = [u for c, _, u in log[position + 1 :] if c == client and has_structs(u)]
            if has_structs(update) and later:
                holes += 1
                assert not is_gapless(updates[:position] + updates[position + 1 :]), seed
    assert holes > len(SEEDS)


def test_text_that_was_deleted_is_not_in_a_checkpoint() -> None:
    doc = EngineDoc(1)
    updates: list[bytes] = []
    doc.on_update(updates.append)
    doc.set_meta({"path": "a.md"}, content="keep SECRET keep")
    doc.splice([Change(5, 7, "")])
    assert b"SECRET" in b"".join(updates)
    state = build_state(updates)
    assert loaded([state]).text() == "keep keep"
    assert b"SECRET" not in state


def test_nothing_makes_an_empty_checkpoint() -> None:
    state = build_state([])
    assert view(loaded([state])) == ("", {})
    assert not has_structs(state)
    assert not has_structs(b"")
    assert is_gapless([])


def test_broken_bytes_make_no_checkpoint() -> None:
    good = history(1)[0].updates()
    for broken in ([b"\x05hello"], [*good, b"\x01"], [b""]):
        with pytest.raises(CrdtError):
            build_state(broken)


def test_a_checkpoint_that_reads_differently_is_never_given_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    updates = history(2)[0].updates()
    monkeypatch.setattr(checkpoint.adapter.EngineDoc, "state", lambda self: b"\x00\x00")
    monkeypatch.setattr(checkpoint, "has_structs", lambda update: False)
    with pytest.raises(CrdtError, match="does not make the thought"):
        build_state(updates)
