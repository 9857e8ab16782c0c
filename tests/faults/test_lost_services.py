"""What relays stand on goes away and comes back: nothing is lost, and nobody is misled."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Sequence
from typing import Any

import pytest

from aimem_relay.ledger.postgres import PostgresLedger
from aimem_tui.store import log
from crdt.vector import Vector
from tests.faults.machines import (
    Machine,
    Stage,
    assert_same,
    assert_words,
    exchange_until_quiet,
    in_step,
    is_durable,
    state,
)
from tests.faults.processes import Program, until
from tests.faults.proxy import Proxy
from tests.services import Postgres, Redis

PLAN = "plan.md"
TEXT = "The plan is simple.\n"
SECONDS = 10.0
"""What "within seconds" means on a machine that has other things to do."""
SELDOM_S = 3.0
"""How often pods look for each other's commits themselves; ten times more seldom with Redis."""


def arrives(reader: Machine, word: str) -> None:
    """Wait until a word is in the log of a machine that is kept in step."""
    with reader.opened() as workspace:
        thought = workspace.get("plan").id

        def there() -> bool:
            return word in workspace.hand_out(thought).text

        until(f"{word} at {reader.name}", there, SECONDS)


def say(writer: Machine, *readers: Machine, words: Sequence[str]) -> None:
    """One word after another, each of which arrives before the next one is written."""
    for word in words:
        writer("append", "plan", word)
        for reader in readers:
            arrives(reader, word)


def end(*watchers: Program) -> None:
    for watcher in watchers:
        assert watcher.running, watcher.tail()
        watcher.end(signal.SIGINT)
        assert "Traceback" not in watcher.err, watcher.err


@pytest.mark.heavy
def test_without_redis_the_ledger_delivers_and_with_it_again_delivery_is_quick(
    stage: Stage, postgres_url: str, redis: Redis
) -> None:
    settings = {"database": postgres_url, "redis": redis.url, "poll_s": SELDOM_S}
    pods = [stage.relay(name, **settings) for name in ("pod one", "pod two")]
    ann, ben = stage.first("ann", PLAN, TEXT), stage.machine("ben")
    for machine, pod in zip((ann, ben), pods, strict=True):
        machine.connect(pod.url)
        machine.sync()
    watchers = [machine.watching() for machine in (ann, ben)]
    for watcher in watchers:
        watcher.next(state(in_step), "being in step")

    # Polling would take a turn of many seconds for each of them.
    say(ann, ben, words=[f"with-redis-{n}" for n in range(4)])
    redis.kill()
    say(ann, ben, words=["without-redis-1"])
    say(ben, ann, words=["without-redis-2"])
    for pod in pods:
        assert pod.events("bus lost") == 1
    redis.start()
    for pod in pods:
        until("the bus is back", lambda pod=pod: pod.events("bus connected") == 2)
    say(ben, ann, words=[f"with-redis-again-{n}" for n in range(4)])

    end(*watchers)
    exchange_until_quiet([ann, ben])
    text = assert_same([ann, ben])[PLAN]
    assert_words(text, [f"with-redis-{n}" for n in range(4)])
    assert_words(text, [f"with-redis-again-{n}" for n in range(4)])
    assert_words(text, ["without-redis-1", "without-redis-2"])


def claimed(watcher: Program) -> int:
    """Up to which of its own edits a machine has ever said that they are durable."""
    states = [json.loads(line) for line in watcher.out]
    return max(told["edits"] - told["waiting"] for told in states)


def in_ledger(url: str, workspace: str) -> Vector:
    """What a database holds, looked at without any relay."""

    async def look() -> Vector:
        ledger = PostgresLedger(url)
        await ledger.start()
        try:
            return (await ledger.open(workspace)).vector()
        finally:
            await ledger.close()

    return asyncio.run(look())


def degraded(remote: Any) -> bool:
    return bool(remote["state"] == "degraded")


@pytest.mark.heavy
def test_without_the_database_people_are_told_and_go_on_and_nothing_is_called_durable(
    stage: Stage, postgres: Postgres, postgres_url: str
) -> None:
    relay = stage.relay(database=postgres_url)
    ann, ben = stage.at(relay.url, PLAN, TEXT, "ann", "ben")
    watchers = [machine.watching() for machine in (ann, ben)]
    for watcher in watchers:
        watcher.next(state(in_step), "being in step")
    typists = [machine.typing("plan") for machine in (ann, ben)]
    for typist in typists:
        typist.next(lambda word: word.endswith("5") or None, "five words")

    postgres.stop("immediate")
    for watcher in watchers:
        told = watcher.next(state(degraded), "word that nothing can be stored")
        assert "cannot save" in told["remotes"][0]["problem"]
    for typist in typists:
        # Local work goes on.
        before = len(typist.out)
        until("more words", lambda typist=typist, before=before: len(typist.out) > before + 5)
    replicas = {machine.name: own_replica(machine) for machine in (ann, ben)}
    said = {m.name: claimed(w) for m, w in zip((ann, ben), watchers, strict=True)}
    noted = {machine.name: machine.standing().durable_seq for machine in (ann, ben)}

    # The relay is gone with all that waits in it, so what is in the database now was there before.
    relay.kill()
    postgres.start()
    held = in_ledger(postgres_url, stage.workspace)
    for name, replica in replicas.items():
        assert 0 < said[name] <= held[replica]
        assert 0 < noted[name] <= held[replica]

    relay.start()
    # Once more, this time with a relay that lives on and comes back to the database itself.
    for watcher in watchers:
        watcher.next(state(in_step), "being in step again")
    postgres.stop("immediate")
    for watcher in watchers:
        watcher.next(state(degraded), "word that nothing can be stored")
    for typist in typists:
        typist.tell("stop")
        assert typist.wait() == 0, typist.tail()
    postgres.start()
    for watcher in watchers:
        watcher.next(is_durable, "word that all is durable")
    words = [word for typist in typists for word in typist.out]
    held = in_ledger(postgres_url, stage.workspace)
    for machine in (ann, ben):
        assert held[replicas[machine.name]] == machine.standing().own_seq
    end(*watchers)
    exchange_until_quiet([ann, ben])
    text = assert_same([ann, ben])[PLAN]
    assert sorted(text.split()) == sorted([*TEXT.split(), *words])


@pytest.mark.heavy
def test_a_database_that_falls_silent_is_as_good_as_none(
    stage: Stage, postgres: Postgres, postgres_url: str
) -> None:
    with Proxy(postgres.port) as line:
        relay = stage.relay(database=postgres_url.replace(str(postgres.port), str(line.port)))
        ann, ben = stage.at(relay.url, PLAN, TEXT, "ann", "ben")
        watchers = [machine.watching() for machine in (ann, ben)]
        for watcher in watchers:
            watcher.next(state(in_step), "being in step")
        line.swallow_all()
        ann("append", "plan", "Nobody listens.")
        for watcher in watchers:
            watcher.next(state(degraded), "word that nothing can be stored", SECONDS)
        line.swallow()
        line.cut()
        for watcher in watchers:
            watcher.next(is_durable, "word that all is durable")
        arrives(ben, "Nobody")
        end(*watchers)
    assert ann.texts() == ben.texts() == {PLAN: f"{TEXT}Nobody listens.\n"}


def own_replica(machine: Machine) -> str:
    with machine.opened() as workspace:
        return log.own_replica(workspace.database.read())
