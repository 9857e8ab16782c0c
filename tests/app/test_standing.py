"""The words of the top line: what they say, and that they never say too much."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.screens.standing import CALM_MS, SENDING_MS, Standing, to_tell
from aimem_tui.store.writer import WriterState
from aimem_tui.sync.state import LinkState, Phase, SyncState

NOW = 1_761_000_000_000
HOUR = 3_600_000
REST = WriterState(0, "")
RELAY = LinkState("relay", "ws://relay", Phase.IN_STEP, acknowledged=9)
OFF = replace(RELAY, phase=Phase.OFFLINE)


def state(*links: LinkState, own: int = 9, sent: int = 9, durable: int = 9) -> SyncState:
    oldest = NOW - 3 * HOUR if durable < own else 0
    return SyncState(links, own, sent, durable, oldest)


@pytest.mark.parametrize(
    ("sync", "said", "brief"),
    [
        (state(), "Saved here · 2 h ago", "Saved here"),
        (state(RELAY), "Durable on relay · 2 h ago", "Durable"),
        (state(RELAY, own=0, sent=0, durable=0), "In step · 2 h ago", "In step"),
        (state(RELAY, own=10), "Sending, 1 edit waiting · oldest 3 h ago", "Sending, 1 waiting"),
        (state(RELAY, own=10, sent=10), "Sent · oldest 3 h ago", "Sent"),
        (state(OFF), "Offline, nothing waiting · 2 h ago", "Offline"),
        (
            state(OFF, own=12),
            "Offline, 3 edits waiting · oldest 3 h ago",
            "Offline, 3 waiting",
        ),
        (
            state(replace(RELAY, phase=Phase.REFUSED), own=10),
            "Refused by relay, 1 edit waiting · oldest 3 h ago",
            "Refused, 1 waiting",
        ),
        (
            state(replace(RELAY, phase=Phase.CONNECTING), own=10),
            "Connecting, 1 edit waiting · oldest 3 h ago",
            "Connecting, 1 waiting",
        ),
        (
            state(replace(RELAY, phase=Phase.DEGRADED), own=10),
            "1 edit waiting, the other side cannot save just now · oldest 3 h ago",
            "Only here, 1 waiting",
        ),
        (
            state(replace(RELAY, read_only=True), own=10),
            "1 edit only here, you may read but not write there · oldest 3 h ago",
            "Only here, 1 waiting",
        ),
        (replace(state(), elsewhere=True), "Durable elsewhere · 2 h ago", "Durable"),
        (
            replace(state(own=10), elsewhere=True),
            "Saved here, 1 edit waiting · oldest 3 h ago",
            "Saved here, 1 waiting",
        ),
    ],
)
def test_each_state_has_its_words(sync: SyncState, said: str, brief: str) -> None:
    standing = Standing(sync)
    standing.in_words(REST, NOW - 2 * HOUR, NOW)
    words = standing.in_words(REST, NOW - 2 * HOUR, NOW + CALM_MS)
    assert (words.said, words.brief) == (said, brief)
    assert not words.trouble


def test_what_cannot_be_saved_here_comes_before_all_else() -> None:
    words = Standing(state(RELAY)).in_words(WriterState(3, "The disk is full."), None, NOW)
    assert words.said == "The disk is full."
    assert words.trouble


def test_a_defect_that_ends_syncing_is_said_and_nothing_is_called_durable() -> None:
    words = Standing(None, stopped=True).in_words(REST, NOW, NOW)
    assert words.said == "Saved here, syncing has ended"
    assert words.trouble


def test_while_one_types_it_is_being_sent_and_does_not_flicker() -> None:
    standing = Standing(state(RELAY))
    said = []
    for key in range(40):
        now = NOW + 100 * key
        standing.edited(now)
        young = replace(state(RELAY, own=10), oldest_undurable_ms=now)
        standing.sync = young if key % 3 else state(RELAY)
        said.append(standing.in_words(REST, now, now).said)
    assert set(said) == {"Sending"}
    standing.sync = state(RELAY)
    assert standing.restless(now)
    assert standing.in_words(REST, now, now + CALM_MS + 1).said == "Durable on relay · just now"


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 5), st.booleans()), max_size=30))
def test_nothing_is_called_durable_while_something_waits_or_was_just_written(
    steps: list[tuple[int, int, bool]],
) -> None:
    standing, now = Standing(), NOW
    for pause, waiting, edited in steps:
        now += pause
        if edited:
            standing.edited(now)
        standing.sync = replace(state(RELAY, own=9 + waiting), oldest_undurable_ms=now - SENDING_MS)
        said = standing.in_words(REST, now, now).said
        if waiting or edited:
            assert not said.startswith("Durable")


def test_trouble_is_told_once_and_again_when_it_is_another() -> None:
    refused = replace(RELAY, phase=Phase.REFUSED, problem="The token is over.")
    full = replace(RELAY, phase=Phase.DEGRADED, problem="Its disk is full.")
    assert to_tell(None, state(RELAY)) == []
    (notice,) = to_tell(state(RELAY), state(refused))
    assert notice.grave
    assert notice.said == "The token is over. F3 shows it."
    assert to_tell(state(refused), state(replace(refused, attempts=2))) == []
    (notice,) = to_tell(state(refused), state(full))
    assert notice.said.startswith("Its disk is full.")
    renamed = replace(state(RELAY), notice="This copy goes on under a new name.")
    (notice,) = to_tell(state(RELAY), renamed)
    assert notice.said == "This copy goes on under a new name."
    assert to_tell(renamed, renamed) == []
