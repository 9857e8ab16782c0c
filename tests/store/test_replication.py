"""The store takes part in synchronisation as the simulator's disk does, which is the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aimem_tui.store import compaction, documents, identity, log
from aimem_tui.store.log import Draft
from aimem_tui.store.receiving import Forked, Received, Storable, receive
from aimem_tui.store.replica import StoreReplica
from aimem_tui.workspace.workspace import Workspace
from crdt.document import ThoughtDocument
from crdt.entry import Checkpoint, Entry
from crdt.session.events import CaughtUp, CheckpointsReceived, EntriesReceived
from crdt.session.replica import Cursor, Slice
from crdt.textdiff import Splice
from crdt.vector import Vector
from tests.simulation.disk import Disk
from tests.workspaces import open_workspace

THOUGHTS = [f"{number:032x}" for number in range(1, 4)]
WORDS = ("plan ", "é", "👍🏽", "# Top\n")
PLACES = st.integers(0, 10_000)
AT = 1_761_000_000_000


def changed(updates: Sequence[bytes], client: int, place: int) -> bytes:
    """The update of an edit somewhere in a thought; the one that makes it, if there is none."""
    if not updates:
        return ThoughtDocument.create(client, path="a.md", text="# New\n", at=1, by="sim")[1]
    document = ThoughtDocument.load(client, updates)
    made: list[bytes] = []
    document.on_update(made.append)
    length = len(document.text)
    start = place % (length + 1)
    end = min(length, start + place % 3)
    document.apply_splices([Splice(start, end, WORDS[place % len(WORDS)])])
    document.close()
    return made[-1]


def said(updates: Sequence[bytes]) -> tuple[str, object]:
    document = ThoughtDocument.load(1, updates)
    try:
        return document.text, document.meta
    finally:
        document.close()


def held_in(workspace: Workspace, thought: str) -> list[bytes]:
    connection = workspace.database.read()
    return documents.updates_of(connection, log.thought_number(connection, thought))


def thoughts_in(workspace: Workspace) -> set[str]:
    rows = workspace.database.read().execute(
        "SELECT id FROM thought_ids WHERE n IN"
        " (SELECT thought FROM log UNION SELECT thought FROM checkpoints)"
    )
    return {str(row[0]) for row in rows}


def write(workspace: Workspace, thought: str, update: bytes) -> Entry:
    with workspace.database.write() as connection:
        (record,) = log.append(connection, [Draft(thought, update, AT, "sim")])
    return record.entry


def compact(workspace: Workspace, thought: str) -> None:
    with workspace.database.write() as connection:
        compaction.compact(connection, log.thought_number(connection, thought))


def apply(disk: Disk, event: Storable, peer_log: str) -> None:
    """What a receiver does with an event, on the reference."""
    match event:
        case EntriesReceived():
            disk.append(event.entries)
        case CheckpointsReceived():
            disk.store_checkpoints(event.checkpoints)
        case CaughtUp():
            disk.adopt(event.vector)
    disk.tokens[peer_log] = event.token


def event_of(found: Slice, known: Vector, mark: int) -> Storable:
    """What a session makes of a slice."""
    token = f"{found.cursor.checkpoint} {found.cursor.entry}".encode()
    if found.checkpoints:
        return CheckpointsReceived(mark, token, found.checkpoints)
    lacking = [entry for entry in found.entries if entry.seq > known[entry.replica]]
    if lacking:
        return EntriesReceived(mark, token, lacking)
    return CaughtUp(mark, token, found.vector)


class Peer:
    """Another copy, and how far each of the two has read the other."""

    def __init__(self, number: int) -> None:
        self.disk = Disk("a" * 32, f"{number:x}" * 32, f"{number:x}0" * 16)
        self.from_there = Cursor()
        self.from_here = Cursor()


class StoreIsADisk(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.workspace = open_workspace(Path(self.folder.name))
        ids = identity.of(self.workspace.database.read())
        self.model = Disk(ids.workspace, ids.replica, ids.log)
        self.peers = [Peer(1), Peer(2)]
        self.last: tuple[str, Storable] | None = None
        self.client = 10
        self.moments: list[tuple[Cursor, Vector]] = []

    def teardown(self) -> None:
        self.workspace.close()
        self.folder.cleanup()

    def edited(self, updates: Sequence[bytes], place: int) -> bytes:
        self.client += 1
        return changed(updates, self.client, place)

    @rule(thought=st.sampled_from(THOUGHTS), place=PLACES)
    def write_here(self, thought: str, place: int) -> None:
        update = self.edited(self.model.updates_of(thought), place)
        made = self.model.make(thought, update, AT)
        self.model.append([made])
        assert write(self.workspace, thought, update) == made

    @rule(peer=st.integers(0, 1), thought=st.sampled_from(THOUGHTS), place=PLACES)
    def write_there(self, peer: int, thought: str, place: int) -> None:
        disk = self.peers[peer].disk
        update = self.edited(disk.updates_of(thought), place)
        disk.append([disk.make(thought, update, AT)])

    @rule(
        peer=st.integers(0, 1),
        most=st.integers(1, 4),
        rounds=st.integers(1, 6),
        anew=st.booleans(),
        together=st.booleans(),
    )
    def pull(self, peer: int, most: int, rounds: int, anew: bool, together: bool) -> None:
        """Take in some of what a peer has, in one transaction or one for each event."""
        there = self.peers[peer]
        # One that begins anew may send what is here: by another connection, or compacted since.
        known = Vector() if anew else self.model.vector()
        if anew:
            there.from_there = Cursor()
        events: list[Storable] = []
        for mark in range(1, rounds + 1):
            found = there.disk.read(there.from_there, known, most, 10_000)
            there.from_there = found.cursor
            events.append(event_of(found, known, mark))
            if isinstance(events[-1], CaughtUp):
                break
        before = len(self.model.entries)
        for event in events:
            apply(self.model, event, there.disk.log)
        groups = [events] if together else [[event] for event in events]
        received = [receive(self.workspace.database, there.disk.log, group) for group in groups]
        assert sum(one.events for one in received) == len(events)
        assert received[-1].mark == len(events)
        assert sum(one.entries for one in received) == len(self.model.entries) - before
        self.last = there.disk.log, events[-1]

    @precondition(lambda self: self.last is not None)
    @rule()
    def the_same_comes_again(self) -> None:
        assert self.last is not None
        peer_log, event = self.last
        apply(self.model, event, peer_log)
        assert receive(self.workspace.database, peer_log, [event]).entries == 0

    @rule(peer=st.integers(0, 1), most=st.integers(1, 4), anew=st.booleans())
    def push(self, peer: int, most: int, anew: bool) -> None:
        """A peer takes in all that is here."""
        there = self.peers[peer]
        if anew:
            there.from_here = Cursor()
        known = there.disk.vector()
        replica = StoreReplica(self.workspace.database)
        for mark in range(1, 10_000):
            found = replica.read(there.from_here, known, most, 10_000)
            there.from_here = found.cursor
            assert bool(found.checkpoints) + bool(found.entries) <= 1, "checkpoints come first"
            event = event_of(found, known, mark)
            apply(there.disk, event, replica.log)
            if isinstance(event, CaughtUp) and not found.left:
                break
        assert there.disk.vector().covers(self.model.vector())
        for thought in self.model.thoughts():
            both = there.disk.updates_of(thought) + self.model.updates_of(thought)
            assert said(both) == said(there.disk.updates_of(thought))

    @rule(thought=st.sampled_from(THOUGHTS))
    def compact_here(self, thought: str) -> None:
        self.model.compact(thought)
        compact(self.workspace, thought)

    @rule(peer=st.integers(0, 1), thought=st.sampled_from(THOUGHTS))
    def compact_there(self, peer: int, thought: str) -> None:
        self.peers[peer].disk.compact(thought)

    @rule()
    def open_again(self) -> None:
        self.workspace.close()
        self.workspace = open_workspace(Path(self.folder.name))

    @precondition(lambda self: self.model.entries)
    @rule(place=PLACES)
    def a_fork_comes(self, place: int) -> None:
        held = self.model.entries[place % len(self.model.entries)]
        other = Entry(held.replica, held.seq, held.thought, b"\0\0", held.at + 1, "mallory")
        first = EntriesReceived(1, b"first", self.model.entries[:1])
        apply(self.model, first, "f" * 32)
        later = CaughtUp(3, b"later", Vector({"e" * 32: 9}))
        with pytest.raises(Forked) as found:
            receive(
                self.workspace.database, "f" * 32, [first, EntriesReceived(2, b"", [other]), later]
            )
        assert (found.value.replica, found.value.seq) == (held.replica, held.seq)
        assert (found.value.received.events, found.value.received.mark) == (1, 1)

    @invariant()
    def the_same_is_held(self) -> None:
        replica = StoreReplica(self.workspace.database)
        assert (replica.workspace, replica.replica, replica.log) == (
            self.model.workspace,
            self.model.replica,
            self.model.log,
        )
        assert replica.vector() == self.model.vector()
        assert replica.reach() == self.model.reach()
        entries = [r.entry for r in log.tail(self.workspace.database.read(), 0, 10_000)]
        assert entries == self.model.entries
        for entry in entries:
            name = entry.replica, entry.seq
            assert replica.digest(*name) == self.model.digest(*name) != b""
        for last in replica.vector().items():
            assert replica.digest(*last) == self.model.digest(*last)
        assert replica.digest("e" * 32, 1) == b""
        for peer_log, token in self.model.tokens.items():
            assert replica.resume_token(peer_log) == token
        assert thoughts_in(self.workspace) == self.model.thoughts()
        for thought in self.model.thoughts():
            assert said(held_in(self.workspace, thought)) == said(self.model.updates_of(thought))

    @invariant()
    def what_is_behind_a_cursor_is_read_as_from_a_disk(self) -> None:
        """In parts of any size all of it, each once, and then nothing."""
        replica = StoreReplica(self.workspace.database)
        cursor = Cursor()
        entries: list[Entry] = []
        states: list[Checkpoint] = []
        for _ in range(10_000):
            found = replica.read(cursor, Vector(), 2, 500)
            assert found.vector == self.model.vector()
            assert not entries or not found.checkpoints
            states += found.checkpoints
            entries += found.entries
            size = sum(len(e.update) for e in found.entries)
            assert len(found.entries) <= 2 and (size <= 500 or len(found.entries) == 1)
            assert (found.cursor == cursor) == (not found.entries and not found.checkpoints)
            cursor = found.cursor
            if not found.left and not found.checkpoints:
                break
        assert entries == self.model.entries
        for thought in {state.thought for state in states}:
            stated = [state.state for state in states if state.thought == thought]
            stated += [entry.update for entry in entries if entry.thought == thought]
            assert said(stated) == said(self.model.updates_of(thought))
        again = replica.read(cursor, Vector(), 2, 500)
        assert not (again.checkpoints or again.entries or again.left)
        assert again.cursor == cursor


TestStoreIsADisk = StoreIsADisk.TestCase
TestStoreIsADisk.settings = settings(stateful_step_count=30)

THEIRS = "b" * 32
PEER_LOG = "c" * 32


def entry(seq: int, thought: str = THOUGHTS[0], replica: str = THEIRS) -> Entry:
    return Entry(replica, seq, thought, b"\0\0", AT, "ben")


def take(workspace: Workspace, *events: Storable) -> Received:
    return receive(workspace.database, PEER_LOG, events)


def standing_of(workspace: Workspace, replica: str = THEIRS) -> tuple[int, int]:
    """What the vector says of a replica, and how far log and checkpoints reach."""
    copy = StoreReplica(workspace.database)
    return copy.vector()[replica], copy.reach()[replica]


def test_the_vector_stops_at_a_hole_until_the_peer_says_that_there_is_none(
    workspace: Workspace,
) -> None:
    take(workspace, EntriesReceived(1, b"", [entry(1), entry(2), entry(5)]))
    assert standing_of(workspace) == (2, 5)
    state = Checkpoint(THOUGHTS[1], b"\0\0", Vector({THEIRS: 3}), AT, "ben")
    take(workspace, CheckpointsReceived(2, b"", [state]))
    assert standing_of(workspace) == (2, 5)
    take(workspace, EntriesReceived(3, b"", [entry(4)]))
    assert standing_of(workspace) == (2, 5)
    take(workspace, CaughtUp(4, b"", Vector({THEIRS: 3})))
    assert standing_of(workspace) == (5, 5), "what was held above the hole counts now"


def test_a_large_batch_is_stored_in_its_order_and_a_hole_in_it_is_seen(
    workspace: Workspace,
) -> None:
    sent = [entry(seq, f"{seq % 30:032x}") for seq in range(1, 601)]
    before, missing, behind = sent[:249], sent[249:251], sent[251:]
    assert take(workspace, EntriesReceived(1, b"", before)).entries == 249
    assert take(workspace, EntriesReceived(2, b"", behind)).entries == 349
    assert standing_of(workspace) == (249, 600)
    assert take(workspace, EntriesReceived(3, b"", [*missing, *behind])).entries == 2
    assert standing_of(workspace) == (600, 600)
    stored = log.tail(workspace.database.read(), 0, 1_000)
    assert [record.entry for record in stored] == [*before, *behind, *missing]
    assert [record.position for record in stored] == [*range(1, 601)]


def test_what_was_compacted_is_not_taken_in_again(workspace: Workspace) -> None:
    one = [entry(1), entry(2)]
    assert take(workspace, EntriesReceived(1, b"", one)).entries == 2
    compact(workspace, THOUGHTS[0])
    assert take(workspace, EntriesReceived(2, b"", one)).entries == 0
    assert log.tail(workspace.database.read(), 0) == []


def test_a_checkpoint_of_what_is_here_is_not_stored(workspace: Workspace) -> None:
    take(workspace, EntriesReceived(1, b"", [entry(1), entry(2)]))
    known, new, newer = (
        Checkpoint(THOUGHTS[0], b"\0\0", Vector({THEIRS: seq})) for seq in (2, 3, 4)
    )
    assert take(workspace, CheckpointsReceived(2, b"", [known])).checkpoints == 0
    assert take(workspace, CheckpointsReceived(3, b"", [new, new])).checkpoints == 1
    received = take(workspace, CheckpointsReceived(4, b"", [newer, new]))
    assert (received.checkpoints, received.thoughts) == (1, {THOUGHTS[0]})
    assert standing_of(workspace) == (2, 4)


def test_nobody_else_makes_entries_under_the_own_name(workspace: Workspace) -> None:
    made = write(workspace, THOUGHTS[0], b"\0\0")
    own = made.replica
    events: list[Storable] = [
        EntriesReceived(1, b"", [entry(2, replica=own)]),
        CheckpointsReceived(1, b"", [Checkpoint(THOUGHTS[1], b"\0\0", Vector({own: 2}))]),
        CaughtUp(1, b"", Vector({own: 2})),
    ]
    for event in events:
        with pytest.raises(Forked):
            take(workspace, event)
        assert standing_of(workspace, own) == (1, 1)
    assert take(workspace, EntriesReceived(1, b"", [made])).entries == 0


def test_a_long_log_is_passed_over_in_parts(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what the peer has: a part that holds nothing else is not the end."""
    monkeypatch.setattr("aimem_tui.store.replica._LOOKED_AT", 3)
    made = [write(workspace, THOUGHTS[0], b"\0\0") for _ in range(8)]
    replica = StoreReplica(workspace.database)
    known = Vector({made[0].replica: 7})
    cursor, lefts, sent = Cursor(), [], []
    while not lefts or lefts[-1]:
        found = replica.read(cursor, known, 10, 10_000)
        cursor = found.cursor
        lefts.append(found.left)
        sent += [one for one in found.entries if one.seq > 7]
        assert found.entries
    assert sent == made[7:]
    assert lefts == [5, 2, 0]


def test_what_cannot_be_committed_leaves_no_trace(workspace: Workspace) -> None:
    with pytest.raises(LookupError), workspace.database.write():
        take(workspace, EntriesReceived(1, b"token", [entry(1)]))
        raise LookupError
    assert standing_of(workspace) == (0, 0)
    assert StoreReplica(workspace.database).resume_token(PEER_LOG) == b""
