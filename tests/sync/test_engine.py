"""Machines that keep a workspace in step, through another copy that answers."""

from __future__ import annotations

import threading
from random import Random

import pytest

from aimem_tui.errors import StorageError
from aimem_tui.store import documents, identity, log
from aimem_tui.store.log import Draft
from aimem_tui.sync import crowd, inbox
from aimem_tui.sync.presence import PresenceState, people
from aimem_tui.sync.state import Person, Phase, SyncState
from crdt.textdiff import Splice
from tests.sync.places import Cable
from tests.sync.stations import Station, is_complete


def put(station: Station, text: str, at: int) -> None:
    thought = station.workspace.get("plan.md")
    station.workspace.edit_text(thought.id, lambda _: [Splice(at, at, text)])


def type_much(station: Station, edits: int) -> None:
    """So many small edits of one thought, each an entry of its own."""
    database = station.workspace.database
    thought = station.workspace.get("plan.md").id
    with database.write() as connection:
        document = documents.load(connection, log.thought_number(connection, thought))
        made: list[bytes] = []
        document.on_update(made.append)
        for n in range(edits):
            document.apply_splices([Splice(7, 7, f"{n} ")])
        log.append(connection, [Draft(thought, update, 1, station.name) for update in made])


def test_three_machines_that_edit_one_paragraph_offline_end_with_the_same(make, place):
    machines = [make(name) for name in ("ann", "ben", "cleo")]
    for machine in machines:
        machine.connect(place.url, token=place.token)
    machines[0].workspace.create("plan.md", "We replace the session cookie.\n")
    for machine in machines:
        machine.sync()
    for n, machine in enumerate(machines):
        put(machine, f" ({machine.name} was here) ", 3 + n)
    for _ in range(2):
        for machine in machines:
            machine.sync()
    texts = [machine.texts() for machine in machines]
    assert texts[0] == texts[1] == texts[2]
    for machine in machines:
        assert f"({machine.name} was here)" in texts[0]["plan.md"]


def test_everything_is_durable_once_the_other_side_has_it(make, place):
    ann = make("ann")
    ann.connect(place.url, token=place.token)
    ann.workspace.create("plan.md", "# Plan\n")
    state = ann.sync()
    assert state.links[0].sent == 1 and state.links[0].received == 0
    after = ann.sync()
    assert after.own_seq == after.durable_seq == 1
    assert after.oldest_undurable_ms == 0
    assert after.links[0].sent == 0


def test_a_machine_that_comes_back_gets_what_it_missed_and_no_more(make, place):
    ann, ben = make("ann"), make("ben")
    ann.connect(place.url, token=place.token)
    ben.connect(place.url, token=place.token)
    ann.workspace.create("plan.md", "# Plan\n" + "words " * 2_000)
    ann.sync()
    ben.sync()
    type_much(ann, 1_000)
    ann.sync()
    state = ben.sync()
    (link,) = state.links
    assert link.received == 1_000
    assert link.sent == 0
    # About a hundred bytes an edit, and next to nothing the other way.
    assert link.traffic.bytes_received < 150_000
    assert link.traffic.bytes_sent < 1_000
    assert link.traffic.frames_received < 20
    assert ben.texts() == ann.texts()
    again = ben.sync()
    assert again.links[0].received == 0
    assert again.links[0].traffic.bytes_received < 1_000


def test_what_one_writes_the_other_sees_while_both_are_connected(make, place):
    ann, ben = make("ann"), make("ben")
    for machine in (ann, ben):
        machine.connect(place.url, token=place.token)
    with ann.syncing() as engine, ben.syncing():
        ann.wait(lambda state: bool(state.links) and state.links[0].phase is Phase.IN_STEP)
        ben.wait(lambda state: bool(state.links) and state.links[0].phase is Phase.IN_STEP)
        ann.workspace.create("plan.md", "# Plan\n")
        engine.wake()
        ben.wait(lambda state: state.links[0].received == 1)
        ann.wait(lambda state: state.own_seq == 1 == state.durable_seq)
    assert ben.texts() == {"plan.md": "# Plan\n"}


def test_nothing_leaves_before_its_commit(make, hub):
    ann = make("ann")
    ann.connect(hub.url)
    with ann.syncing() as engine:
        ann.wait(is_complete)
        with ann.workspace.database.write():
            ann.workspace.create("plan.md", "# Plan\n")
            engine.wake()
            engine.set_presence(PresenceState("Ann"))
            # What is said later arrives later: had the edit left, it would be there by now.
            while not hub.people():
                pass
            assert hub.station.texts() == {}
        ann.wait(lambda state: state.durable_seq == 1)
    assert hub.station.texts() == {"plan.md": "# Plan\n"}


def test_people_are_seen_and_are_gone_with_their_connection(make, hub):
    ann, hub_people = make("ann"), hub
    ann.connect(hub.url)
    with ann.syncing() as engine:
        engine.set_presence(PresenceState("Ann", "teal", thought="0" * 32))
        ann.wait(lambda state: bool(state.links) and state.links[0].phase is Phase.IN_STEP)
        people = ()
        while not people:
            people = hub_people.people()
        assert [(one.name, one.color, one.thought) for one in people] == [("Ann", "teal", "0" * 32)]
    while hub_people.people():
        pass


def fill(station: Station, thoughts: int, size: int) -> int:
    """So many thoughts of so many bytes that say nothing twice; returns how many in all."""
    for n in range(thoughts):
        text = Random(n).randbytes(size // 2).hex()
        station.workspace.create(f"{n}.md", text)
    return thoughts * size


def test_receiving_that_was_cut_goes_on_where_it_was(make, place):
    ann, ben = make("ann"), make("ben")
    ann.connect(place.url, token=place.token)
    everything = fill(ann, 60, 20_000)
    ann.sync()
    with Cable(place.url, down=600_000) as cable:
        ben.connect(cable.url, token=place.token)
        state = ben.sync()
    assert cable.broken == 1
    (link,) = state.links
    assert link.received == 60
    # What came whole before the cut was stored, and is not sent again.
    assert link.traffic.bytes_received < everything + 20_000
    assert ben.texts() == ann.texts()


def test_sending_that_was_cut_goes_on_where_it_was(make, place):
    ann, ben = make("ann"), make("ben")
    everything = fill(ann, 60, 20_000)
    with Cable(place.url, up=900_000) as cable:
        ann.connect(cable.url, token=place.token)
        state = ann.sync()
    assert cable.broken == 1
    (link,) = state.links
    assert link.acknowledged == 60
    # At most what was under way goes twice.
    assert cable.carried["up"] < everything + 900_000
    ben.connect(place.url, token=place.token)
    ben.sync()
    assert ben.texts() == ann.texts()


def test_a_relay_that_is_killed_has_what_it_acknowledged(make, relay):
    ann, ben = make("ann"), make("ben")
    for machine in (ann, ben):
        machine.connect(relay.url, token=relay.token)
    with ann.syncing(), ben.syncing():
        ann.wait(is_complete)
        ann.workspace.create("plan.md", "# Plan\n")
        ann.wait(lambda state: state.durable_seq == 1)
        relay.kill()
        ann.wait(lambda state: not state.connected)
        ann.workspace.create("more.md", "# More\n")
        relay.start()
        ben.wait(lambda state: sum(link.received for link in state.links) == 2)
        ann.wait(lambda state: state.durable_seq == 2)
    assert ben.texts() == {"more.md": "# More\n", "plan.md": "# Plan\n"}


def test_a_copy_under_the_same_name_takes_another_and_nothing_is_lost(make, place):
    ann, ben = make("ann"), make("ben")
    replica = ann.state_of("replica")
    with ben.workspace.database.write() as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'replica'", (replica,))
    for machine in (ann, ben):
        machine.connect(place.url, token=place.token)
        machine.workspace.create(f"{machine.name}.md", f"By {machine.name}.\n")
    ann.sync()
    state = ben.sync()
    assert "goes on under a name of its own" in state.notice
    assert ben.state_of("replica") != replica
    ann.sync()
    assert ann.texts() == ben.texts() == {"ann.md": "By ann.\n", "ben.md": "By ben.\n"}


def test_nothing_is_acknowledged_while_nothing_can_be_stored(make, hub, monkeypatch):
    ann, ben = make("ann"), make("ben")
    for machine in (ann, ben):
        machine.connect(hub.url)
    ann.workspace.create("plan.md", "# Plan\n")
    ann.sync()
    full = threading.Event()
    full.set()
    receive = inbox.receiving.receive

    def limited(database, *arguments, **options):
        if database is ben.workspace.database and full.is_set():
            raise StorageError("Nothing more can be saved.", why="The disk is full.")
        return receive(database, *arguments, **options)

    monkeypatch.setattr(inbox.receiving, "receive", limited)
    monkeypatch.setattr(inbox, "RETRY_S", 0.01)
    with ben.syncing():
        state = ben.wait(lambda state: bool(state.links) and state.links[0].phase is Phase.DEGRADED)
        assert "The disk is full." in state.links[0].problem
        while not hub.trouble():
            pass
        assert ben.texts() == {}
        full.clear()
        ben.wait(is_complete)
        while hub.trouble():
            pass
    assert ben.texts() == {"plan.md": "# Plan\n"}


def test_who_is_refused_asks_once_more_and_then_waits_for_another_token(make, hub):
    ann = make("ann")
    ann.connect(hub.url, token="old")
    with ann.syncing():
        state = ann.wait(lambda state: bool(state.links) and state.links[0].phase is Phase.REFUSED)
        assert "does not accept the token" in state.links[0].problem
        assert hub.dialled == 2
        ann.connect(hub.url)
        ann.wait(is_complete)
    assert hub.dialled == 3


def test_what_is_connected_meanwhile_is_synced_and_what_is_disconnected_is_not(make, hub):
    ann = make("ann")
    with ann.syncing():
        ann.wait(lambda state: state.links == ())
        ann.connect(hub.url)
        ann.wait(is_complete)
        ann.remotes.remove("relay")
        ann.wait(lambda state: state.links == ())


def test_a_file_that_takes_other_ids_meanwhile_goes_on_under_these(make, hub):
    ann = make("ann")
    ann.connect(hub.url)
    ann.workspace.create("plan.md", "# Plan\n")
    with ann.syncing():
        ann.wait(is_complete)
        before = ann.state_of("replica")
        assert identity.renew(ann.workspace.database).replica != before
        for name in ("b.md", "c.md"):
            ann.workspace.create(name, name)
        # Under the new name there are two edits, and the hub has them.
        ann.wait(lambda state: state.own_seq == 2 == state.durable_seq and is_complete(state))
    assert hub.station.texts() == {"b.md": "b.md", "c.md": "c.md", "plan.md": "# Plan\n"}


def test_one_process_of_a_machine_syncs_in_the_background(make, hub):
    ann = make("ann")
    ann.connect(hub.url)
    with ann.syncing(background=True):
        ann.wait(is_complete)
        other = make("ann")
        with other.syncing(background=True) as engine:
            other.wait(lambda state: state.elsewhere)
            assert hub.dialled == 1
            ann.workspace.create("plan.md", "# Plan\n")
            other.wait(lambda state: state.durable_seq == 1)
            assert engine.state().links == ()


def test_a_second_window_of_a_machine_sees_who_is_there_too(make, hub):
    def names(state: SyncState) -> list[str]:
        return [person.name for person in state.people]

    ann, other = make("ann"), make("ann")
    ann.connect(hub.url)
    (ann.folder / crowd.FILE_NAME).write_bytes(PresenceState("Ghost").to_bytes("9" * 32))
    with ann.syncing(background=True):
        ann.wait(is_complete)
        with other.syncing(background=True):
            other.wait(lambda state: state.elsewhere)
            hub.show(PresenceState("Ben", "teal", thought="7" * 32, head={"item": 1}))
            (ben,) = ann.wait(lambda state: names(state) == ["Ben"]).people
            assert other.wait(lambda state: names(state) == ["Ben"]).people == (ben,)
            hub.show(None)
            other.wait(lambda state: not state.people)
            assert all(names(state) in ([], ["Ben"]) for state in other.states)
    assert not (ann.folder / crowd.FILE_NAME).exists()


@pytest.mark.parametrize("said", [b"", b"\xff\n{}\n", b"[" * 100_000])
def test_whatever_stands_in_the_file_about_people_does_no_harm(tmp_path, said):
    looking = crowd.Crowd(tmp_path)
    assert looking.seen() == ()
    (tmp_path / crowd.FILE_NAME).write_bytes(said)
    assert looking.seen() == ()


def test_people_are_told_apart_by_their_device():
    one = Person("1" * 32, "Ann", "teal")
    assert people([one, one, Person("2" * 32, "Me", "")], "2" * 32) == (one,)
