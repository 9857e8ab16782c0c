"""One paragraph that three people write in at once: it is the same for all, and no word is lost.

Real data directories, commands, relays and servers; the network is the loopback interface.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import pytest

from aimem_tui.errors import ExitCode
from tests.faults.machines import (
    Machine,
    Stage,
    assert_same,
    exchange_until_quiet,
    free_port,
    pair,
)
from tests.faults.processes import until
from tests.faults.proxy import Proxy
from tests.services import Postgres

NAMES = ("ann", "ben", "cyd")
PLAN = "plan.md"
TEXT = """\
---
status: draft
---
The plan is simple: we write it down, share it with all, and sleep well.
"""

Exchange: TypeAlias = Callable[[], None]


def write_offline(ann: Machine, ben: Machine, cyd: Machine) -> None:
    """Everybody changes the same paragraph, each in three ways, knowing nothing of the others."""
    ann.edit("plan", "simple", "simple but-ann-says-old")
    ben.edit("plan", "simple", "very-says-ben simple")
    cyd.edit("plan", "and sleep well", "and cyd-sleeps well-for-long")
    for machine in (ann, ben, cyd):
        machine("append", "plan", f"{machine.name}-adds a-line-by-{machine.name}.")
        machine("set", "plan", machine.name, f"seen-by-{machine.name}")


def assert_all_is_there(text: str) -> None:
    top, body = text.removeprefix("---\nstatus: draft\n").split("---\n")
    assert sorted(top.splitlines()) == [f"{name}: seen-by-{name}" for name in NAMES]
    first, *added = body.splitlines()
    assert first == (
        "The plan is very-says-ben simple but-ann-says-old: we write it down, share it with all,"
        " and cyd-sleeps well-for-long."
    )
    assert sorted(added) == [f"{name}-adds a-line-by-{name}." for name in NAMES]


@contextmanager
def relay(stage: Stage) -> Iterator[tuple[Sequence[Machine], Exchange]]:
    """All three at a relay."""
    machines = stage.at(stage.relay().url, PLAN, TEXT, *NAMES)
    yield machines, lambda: exchange_until_quiet(machines)


@contextmanager
def gossip(stage: Stage) -> Iterator[tuple[Sequence[Machine], Exchange]]:
    """Ann and Cyd each know Ben, and never meet."""
    ben, port = stage.first("ben", PLAN, TEXT), free_port()
    ann, cyd = stage.machine("ann"), stage.machine("cyd")

    def exchange() -> None:
        with ben.listening(port):
            exchange_until_quiet([ann, cyd])

    with ben.listening(port) as (listener, where):
        pair(listener, where, ann)
        pair(listener, where, cyd)
    exchange()
    yield (ann, ben, cyd), exchange


@contextmanager
def bundle(stage: Stage) -> Iterator[tuple[Sequence[Machine], Exchange]]:
    """No network at all; files go from hand to hand."""
    machines = ann, ben, cyd = stage.first("ann", PLAN, TEXT), *map(stage.machine, ("ben", "cyd"))
    whole = str(stage.folder / "whole.bundle")
    ann("bundle", "export", whole)
    for machine in (ben, cyd):
        machine("bundle", "import", whole, "--new", "team")

    def exchange() -> None:
        requests = [str(stage.folder / f"{machine.name}.request") for machine in machines]
        for machine, request in zip(machines, requests, strict=True):
            machine("bundle", "export", request, "--request")
        answers = []
        for machine in machines:
            answers.append(str(stage.folder / f"{machine.name}.answer"))
            others = [one for one in requests if one != f"{stage.folder}/{machine.name}.request"]
            lacking = [word for one in others for word in ("--for", one)]
            machine("bundle", "export", answers[-1], *lacking)
        for machine in machines:
            for answer in answers:
                machine("bundle", "import", answer)

    yield machines, exchange


@pytest.mark.heavy
@pytest.mark.parametrize("way", [relay, gossip, bundle])
def test_what_three_people_write_offline_becomes_one_text(
    stage: Stage, way: Callable[[Stage], object]
) -> None:
    with way(stage) as (machines, exchange):
        write_offline(*machines)
        assert len({machine.show("plan") for machine in machines}) == 3
        exchange()
        assert_all_is_there(assert_same(machines)[PLAN])


class Busy:
    """Three people who write into one paragraph without a pause, and what they have written."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = machines
        self.watchers = [machine.watching() for machine in machines]
        self.typists = [machine.typing("plan") for machine in machines]

    def write(self, words: int) -> None:
        """Until each has written so many more words."""
        written = [len(typist.out) for typist in self.typists]
        for typist, before in zip(self.typists, written, strict=True):
            until(
                f"{typist.name}: {words} words",
                lambda typist=typist, before=before: (
                    len(typist.out) >= before + words or not typist.running
                ),
            )
            assert typist.running, typist.tail()

    def hear(self) -> None:
        """Until something that was written from now on is durable for each."""
        for machine in self.machines:
            said = machine.standing().own_seq
            until(
                f"{machine.name}: {said} edits are durable",
                lambda machine=machine, said=said: machine.standing().durable_seq > said,
            )

    def finish(self) -> Sequence[str]:
        """Stop writing, and wait until all is durable; returns every word that was written."""
        for typist in self.typists:
            typist.tell("stop")
            assert typist.wait() == 0, typist.tail()
        for machine in self.machines:
            until(
                f"all of {machine.name}'s is durable",
                lambda machine=machine: not machine.standing().oldest_undurable,
            )
        for watcher in self.watchers:
            assert watcher.running, watcher.tail()
            assert watcher.end(signal.SIGINT) == ExitCode.INTERRUPTED, watcher.tail()
            assert "Traceback" not in watcher.err, watcher.err
        return [word for typist in self.typists for word in typist.out]


Trouble: TypeAlias = "tuple[str, Callable[[Busy], None]]"
"""Where the machines connect, and what then goes wrong."""


def relay_killed(stage: Stage, request: pytest.FixtureRequest) -> Trouble:
    """A relay that is killed again and again."""
    relay = stage.relay()

    def trouble(busy: Busy) -> None:
        for _ in range(3):
            busy.hear()
            relay.kill()
            busy.write(5)
            relay.start()

    return relay.url, trouble


def database_stopped(stage: Stage, request: pytest.FixtureRequest) -> Trouble:
    """A database that stops without putting things in order, and comes back."""
    postgres: Postgres = request.getfixturevalue("postgres")
    relay = stage.relay(database=request.getfixturevalue("postgres_url"))

    def trouble(busy: Busy) -> None:
        for _ in range(2):
            busy.hear()
            postgres.stop("immediate")
            busy.write(10)
            postgres.start()

    return relay.url, trouble


def pod_killed(stage: Stage, request: pytest.FixtureRequest) -> Trouble:
    """Two pods behind one address, of which one is killed, then the other."""
    settings = {
        "database": request.getfixturevalue("postgres_url"),
        "redis": request.getfixturevalue("redis").url,
    }
    pods = [stage.relay(name, **settings) for name in ("pod one", "pod two")]
    balancer = stage.stack.enter_context(Proxy(*(pod.port for pod in pods), in_turn=True))

    def trouble(busy: Busy) -> None:
        for pod in pods:
            busy.hear()
            pod.kill()
            busy.write(10)
            busy.hear()
            pod.start()

    return balancer.url, trouble


def clients_killed(stage: Stage, request: pytest.FixtureRequest) -> Trouble:
    """Programs that keep the machines in step are killed, and started anew."""
    relay = stage.relay()

    def trouble(busy: Busy) -> None:
        for place, machine in enumerate(busy.machines):
            busy.hear()
            busy.watchers[place].kill()
            busy.watchers[place] = machine.watching()

    return relay.url, trouble


def bad_line(stage: Stage, request: pytest.FixtureRequest) -> Trouble:
    """A slow line that breaks all the time."""
    relay = stage.relay()
    line = stage.stack.enter_context(Proxy(relay.port))

    def trouble(busy: Busy) -> None:
        line.delay_s, line.cut_every = 0.1, 4_000
        line.cut()
        line.until("ten cuts", lambda: line.cuts >= 10)
        line.delay_s = line.cut_every = 0

    return line.url, trouble


@pytest.mark.heavy
@pytest.mark.parametrize(
    "fault", [relay_killed, database_stopped, pod_killed, clients_killed, bad_line]
)
def test_what_three_people_write_through_trouble_becomes_one_text(
    stage: Stage,
    request: pytest.FixtureRequest,
    fault: Callable[[Stage, pytest.FixtureRequest], Trouble],
) -> None:
    url, trouble = fault(stage, request)
    machines = stage.at(url, PLAN, TEXT, *NAMES)
    busy = Busy(machines)
    trouble(busy)
    words = busy.finish()
    exchange_until_quiet(machines)
    text = assert_same(machines)[PLAN]
    first, *written = text.removeprefix(TEXT[: TEXT.index("The")]).split()
    assert first == "The"
    assert sorted(written) == sorted([*TEXT.split()[5:], *words])
