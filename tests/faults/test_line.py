"""Lines that break or fall silent in the middle cost a reconnect, and nothing else."""

from __future__ import annotations

import signal

import pytest

from crdt.session.replica import Limits
from tests.faults.machines import Stage, assert_same, in_step, is_durable, state
from tests.faults.processes import until
from tests.faults.proxy import Proxy

SILENCE_S = Limits().silence_ms / 1_000
LONG = "A long line that is one of many.\n" * 1_000


def test_a_line_that_breaks_in_the_middle_of_an_exchange_loses_nothing(stage: Stage) -> None:
    relay = stage.relay()
    ann, ben = stage.first("ann", "plan", LONG), stage.machine("ben")
    ann.connect(relay.url)
    ann.sync()
    with Proxy(relay.port) as line:
        ben.connect(line.url)
        line.cut_every = len(LONG) // 2
        syncing = ben.started("sync")
        line.until("a cut", lambda: line.cuts > 0)
        line.cut_every = 0
        assert syncing.wait() == 0, syncing.tail()
    assert ben.texts() == ann.texts() == {"plan.md": LONG}


@pytest.mark.heavy
def test_a_line_that_falls_silent_is_given_up_and_what_was_written_goes_another_way(
    stage: Stage,
) -> None:
    relay = stage.relay()
    with Proxy(relay.port) as line:
        ann, ben = stage.at(line.url, "plan", "A plan.\n", "ann", "ben")
        watchers = [machine.watching() for machine in (ann, ben)]
        for watcher in watchers:
            watcher.next(state(in_step), "being in step")
        line.swallow()
        ann("append", "plan", "Said into the void.")
        ben("append", "plan", "This, too.")
        for watcher in watchers:
            watcher.next(is_durable, "word that all is durable", seconds=2 * SILENCE_S)
        until("both have both", lambda: ann.vector() == ben.vector())
        for watcher in watchers:
            watcher.end(signal.SIGINT)
    text = assert_same([ann, ben])["plan.md"]
    assert sorted(text.splitlines()) == ["A plan.", "Said into the void.", "This, too."]
