"""Ten thousand thoughts: what a machine lacks comes to it, in the order of its size, and once."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from crdt.session.replica import Limits
from tests.faults.large import Notes, path_of
from tests.faults.machines import TEAM, Machine, Relay, Stage, is_complete
from tests.faults.proxy import Proxy

THOUGHTS, EDITS = 10_000, 10
ENTRIES = THOUGHTS * EDITS
RECORD_BYTES = 72
"""More than an entry takes up in a frame beside its update."""
WINDOW_BYTES = Limits().window_bytes + Limits().batch_bytes
"""What may be under way and not acknowledged when a connection breaks."""
TALK_BYTES = 4_000
"""More than a session without entries takes, the opening of the websocket included."""
_PROGRESS = r"{} ([\d,]+) of ([\d,]+)"


@dataclass
class Office:
    """A relay that has a large workspace, the machine it is from, and a line that counts."""

    stage: Stage
    relay: Relay
    ann: Machine
    line: Proxy
    notes: Notes
    update_bytes: int


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    stage = Stage(tmp_path_factory.mktemp("office"))
    try:
        relay = stage.relay()
        notes = Notes(THOUGHTS, EDITS)
        ann = stage.machine("ann")
        ann("workspace", "create", TEAM)
        with ann.opened() as workspace:
            stage.workspace = workspace.identity()
            size = notes.fill(workspace)
        ann.connect(relay.url)
        (remote,) = ann.sync()["remotes"]
        assert remote["sent"] == ENTRIES
        with Proxy(relay.port) as line:
            yield Office(stage, relay, ann, line, notes, size)
    finally:
        stage.close()


def copied(office: Office, name: str) -> Machine:
    """A folder that was copied is another machine, which has all that the first one has."""
    machine = office.stage.machine(name)
    shutil.copytree(office.ann.home, machine.home)
    (machine.file.parent / "remotes.toml").unlink()
    return machine


def progress(said: str, step: str = "Received") -> list[tuple[int, int]]:
    """What a terminal has shown: how many of how many."""
    shown = re.findall(_PROGRESS.format(step), said)
    return [(int(done.replace(",", "")), int(of.replace(",", ""))) for done, of in shown]


@pytest.mark.heavy
def test_a_new_machine_that_is_killed_in_the_middle_goes_on_where_it_was(office: Office) -> None:
    ben = office.stage.machine("ben")
    ben.connect(office.line.url)
    syncing = ben.started("sync", terminal=True)

    def middle(said: str) -> bool | None:
        return any(done > ENTRIES * 0.4 for done, _ in progress(said)) or None

    syncing.until_said(middle, "progress")
    syncing.kill()
    shown = progress(syncing.err)
    assert [done for done, _ in shown] == sorted(done for done, _ in shown)
    assert all(abs(of - ENTRIES) < ENTRIES / 20 for _, of in shown if of), shown
    had = sum(ben.vector().values())
    assert ENTRIES * 0.4 < had < ENTRIES

    office.line.count_anew()
    syncing = ben.started("sync", "--json", terminal=True)
    assert syncing.wait() == 0, syncing.tail()
    (remote,) = json.loads("\n".join(syncing.out))["remotes"]
    shown = progress(syncing.err, "Brought up to date")
    assert shown == sorted(shown) and shown[-1][1] <= THOUGHTS, syncing.tail()
    assert len(shown) > 1 and len({of for _, of in shown}) == 1, shown
    lacked = ENTRIES - had
    assert (remote["received"], remote["sent"]) == (lacked, 0)
    most = office.update_bytes * lacked / ENTRIES + lacked * RECORD_BYTES + TALK_BYTES
    assert office.line.down.bytes < most
    assert office.line.up.bytes < TALK_BYTES + 100 * office.line.down.frames
    texts = ben.texts()
    assert {*texts} == {path_of(number) for number in range(THOUGHTS)}
    assert ben.vector() == office.ann.vector()
    assert {*texts.values()} == {texts[path_of(0)]}


@pytest.mark.heavy
def test_a_relay_that_is_killed_while_it_is_filled_is_sent_the_rest(office: Office) -> None:
    dan = copied(office, "dan")
    relay = office.stage.relay("another relay")
    kills = 2
    with Proxy(relay.port) as line:
        dan.connect(line.url)
        line.count_anew()
        watching = dan.watching()
        for part in range(1, kills + 1):
            line.until("a part", lambda part=part: line.up.bytes > part * office.update_bytes / 3)
            relay.kill()
            relay.start()
        watching.next(is_complete, "the end")
        watching.kill()
        again = kills * (WINDOW_BYTES + TALK_BYTES)
        most = office.update_bytes + ENTRIES * RECORD_BYTES + again
        assert office.update_bytes < line.up.bytes < most, line.up
    eve = office.stage.machine("eve")
    eve.connect(relay.url)
    watching = eve.watching()
    watching.next(is_complete, "the end")
    watching.kill()
    assert eve.vector() == office.ann.vector()


@pytest.mark.heavy
def test_a_machine_that_comes_back_exchanges_what_is_new_and_nothing_else(office: Office) -> None:
    cyd = copied(office, "cyd")
    cyd.connect(office.line.url)
    office.line.count_anew()
    (remote,) = cyd.sync()["remotes"]
    assert (remote["received"], remote["sent"]) == (0, 0)
    assert office.line.down.bytes + office.line.up.bytes < TALK_BYTES

    with office.ann.opened() as workspace:
        missed = office.notes.edit(workspace, thoughts=100, edits=10)
    (remote,) = office.ann.sync()["remotes"]
    assert (remote["received"], remote["sent"]) == (0, 1_000)
    cyd("new", "mine", "Written while away.\n")
    for number in range(3):
        cyd("append", "mine", f"line {number}")

    office.line.count_anew()
    (remote,) = cyd.sync()["remotes"]
    assert (remote["received"], remote["sent"]) == (1_000, 4)
    down, up = office.line.down, office.line.up
    assert missed < down.bytes < missed + 1_000 * RECORD_BYTES + TALK_BYTES
    assert up.bytes < TALK_BYTES
    assert down.frames <= 12 and up.frames <= 12, (down, up)
    edited = [cyd.texts()[path_of(number)] for number in (0, 99)]
    assert edited == [office.notes.text] * 2
    assert cyd.vector().covers(office.ann.vector())

    office.line.count_anew()
    (remote,) = cyd.sync()["remotes"]
    assert (remote["received"], remote["sent"]) == (0, 0)
    assert office.line.down.bytes + office.line.up.bytes < TALK_BYTES
