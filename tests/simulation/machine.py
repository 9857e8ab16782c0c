"""A machine: somebody edits thoughts on it, and it talks to pods and other machines.

What is typed goes into a document at once and to disk a little later; what is received, too. A
crash loses what is not on disk, and all connections. It drives sessions as the app does: entries
leave after the commit, and only committed marks are acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from crdt.document import ThoughtDocument
from crdt.entry import Entry
from crdt.session import Session, State
from crdt.session import events as ev
from crdt.session.incoming import Fork
from crdt.session.replica import Limits
from crdt.textdiff import Splice
from tests.simulation.access import FOR_EVER, Visa
from tests.simulation.bugs import Bug
from tests.simulation.disk import Disk, opened
from tests.simulation.oracle import Oracle
from tests.simulation.presence import View
from tests.simulation.world import Wire, World

WORDS = ("and ", "plan ", "é", "👍🏽", "# Top\n", "- [ ] do\n", "日本 ", "x")
Dial = Callable[["Machine"], "Wire | None"]


def new_id(rng: Random) -> str:
    return rng.randbytes(16).hex()


def limits(rng: Random, *, crowd: bool = False) -> Limits:
    """Small ones, so that little data makes many frames.

    Args:
        crowd: whether the peer speaks for many.
    """
    return Limits(
        batch_entries=rng.choice((1, 3, 50)),
        batch_bytes=rng.choice((300, 2_000, 100_000)),
        window_frames=rng.choice((1, 3, 64)),
        greeting_ms=3_000,
        ping_ms=2_000,
        silence_ms=5_000,
        stall_ms=10_000,
        queued_replies=8,
        presence_keys=1_000 if crowd else 4,
        presence_per_s=1_000 if crowd else 3,
    )


class Machine:
    """One person's copy."""

    def __init__(self, world: World, oracle: Oracle, name: str, disk: Disk, bug: Bug) -> None:
        self.world = world
        self.oracle = oracle
        self.name = name
        self.disk = disk
        self.bug = bug
        self.person = name
        """Whose machine it is; a copy of it is the same person's."""
        self.alive = True
        self.destroyed = False
        self.restored = False
        self.presence = b""
        """Where its person is, and the machine's name; empty for nowhere."""
        self.views: dict[Wire, View] = {}
        self._expires: dict[Wire, int] = {}
        self._clock_is_off = world.rng.choice((0, 0, 3_000, -3_000))
        self.diallers: list[Dial] = []
        self.wires: list[Wire] = []
        self.docs: dict[str, ThoughtDocument] = {}
        self._drafts: list[tuple[str, bytes]] = []
        self._inbox: list[tuple[Wire, ev.Event]] = []
        self._dialled: dict[int, Wire] = {}
        self._own: dict[tuple[str, int], Entry] = {}
        self._committing = False
        self._synced = disk.clone()
        self._life = 0
        world.after(world.rng.randint(0, 500), self._tick)

    # Editing

    def edit(self) -> None:
        """Type, delete, rename or make something."""
        if not self.alive:
            return
        rng = self.world.rng
        thoughts = sorted(self.disk.thoughts() | self.docs.keys())
        if rng.random() < 0.3:
            self.be_somewhere()
        if not thoughts or (len(thoughts) < 4 and rng.random() < 0.1):
            thought = new_id(rng)
            doc, update = ThoughtDocument.create(
                rng.getrandbits(32) | 1,
                path=f"{thought[:4]}.md",
                text="# New\n",
                at=1,
                by=self.name,
            )
            self._open(thought, doc)
            self._typed(thought, update)
            return
        thought = rng.choice(thoughts)
        doc = self._doc(thought)
        kind = rng.random()
        if kind < 0.06:
            doc.move(f"{rng.choice('abc')}/{thought[:4]}.md")
        elif kind < 0.1 and doc.trashed is None:
            doc.put_into_trash(self.world.now, self.name)
        elif kind < 0.13 and doc.trashed is not None:
            doc.take_out_of_trash()
        else:
            length = len(doc.text)
            start = rng.randint(0, length)
            end = min(length, start + rng.choice((0, 0, 0, 1, 9)))
            new = rng.choice(WORDS) if end == start or rng.random() < 0.7 else ""
            doc.apply_splices([Splice(start, end, new)])

    def be_somewhere(self) -> None:
        """Move the caret, or look away."""
        away = self.world.chance(0.1)
        self.presence = b"" if away else f"{self.name} {self.world.now}".encode()
        self._announce()

    def flood(self) -> None:
        """Move the caret faster than anybody can."""
        for n in range(60):
            self.world.after(n * 55, self._move_if_alive)

    def _move_if_alive(self) -> None:
        if self.alive and self.presence:
            self.presence = f"{self.name} {self.world.now}".encode()
            self._announce()

    def _announce(self) -> None:
        for wire in self.wires:
            wire.session.set_presence(wire.replica, self.presence)
            wire.pump_soon()

    def sees(self, wire: Wire) -> set[bytes]:
        """The others, as far as a connection tells of them."""
        mine = f"{self.name} ".encode()
        return self.views[wire].people(lambda state: state.startswith(mine))

    def _doc(self, thought: str) -> ThoughtDocument:
        if thought not in self.docs:
            client = self.world.rng.getrandbits(32) | 1
            self._open(thought, ThoughtDocument.load(client, self.disk.updates_of(thought)))
        return self.docs[thought]

    def _open(self, thought: str, doc: ThoughtDocument) -> None:
        self.docs[thought] = doc
        doc.on_update(lambda update: self._typed(thought, update))

    def _typed(self, thought: str, update: bytes) -> None:
        self.oracle.update_made(thought, update)
        self._drafts.append((thought, update))
        if self.bug is Bug.SEQ_REUSE:
            self._send_before_commit()
        self._commit_soon()

    # Committing

    def _commit_soon(self) -> None:
        if not self._committing:
            self._committing = True
            self.world.after(self.world.rng.choice((0, 2, 30, 200)), self._commit)

    def _commit(self) -> None:
        """One transaction: what was received and what was typed."""
        self._committing = False
        if not self.alive:
            return
        inbox, self._inbox = self._inbox, []
        life = self._life
        for wire, event in inbox:
            self._store(wire, event)
            if life != self._life:
                # A fork came to light: the rest was meant for the copy as it was before.
                break
        self._commit_drafts()
        for wire in self.wires:
            wire.log_grew(self.disk)

    def _store(self, wire: Wire, event: ev.Event) -> None:
        match event:
            case ev.EntriesReceived():
                self.oracle.to_be_stored(event.entries, self.disk)
                try:
                    new = self.disk.append(event.entries)
                except Fork as fork:
                    self.handle(wire, wire.session.fork(fork.replica, fork.seq))
                    return
                self._apply([(entry.thought, opened(entry)) for entry in new])
            case ev.CheckpointsReceived():
                stored = self.disk.store_checkpoints(event.checkpoints)
                self._apply([(one.thought, opened(one)) for one in stored])
            case ev.CaughtUp():
                self.disk.adopt(event.vector)
            case _:
                return
        self.disk.tokens[wire.session.peer_log] = event.token
        wire.session.stored(event.mark)

    def _apply(self, updates: list[tuple[str, bytes]]) -> None:
        for thought, update in updates:
            if thought in self.docs:
                self.docs[thought].apply(update)

    def _commit_drafts(self) -> None:
        drafts, self._drafts = self._drafts, []
        for thought, update in drafts:
            self._committed(self._append(thought, update))
        if self.bug is Bug.SEQ_REUSE:
            for name, entry in self.disk.by_name.items():
                if name[0] == self.disk.replica and name not in self.oracle.committed:
                    self._committed(entry)
            self._synced = self.disk.clone()

    def _append(self, thought: str, update: bytes) -> Entry:
        entry = self.disk.make(thought, update, at=self._clock())
        self.disk.append([entry])
        return entry

    def _committed(self, entry: Entry) -> None:
        self._own[entry.replica, entry.seq] = entry
        self.oracle.entry_committed(entry, self.disk, self.person)

    def _send_before_commit(self) -> None:
        """The bug: the log that sessions read runs ahead of the disk."""
        drafts, self._drafts = self._drafts, []
        for thought, update in drafts:
            entry = self._append(thought, update)
            self._own[entry.replica, entry.seq] = entry
        for wire in self.wires:
            wire.log_grew(self.disk)

    def _clock(self) -> int:
        """A wall clock that jumps; nothing may depend on it."""
        jump = self.world.rng.choice((0, 0, 0, 10**9, -(10**9)))
        return 1_700_000_000_000 + self.world.now + jump

    # Connections

    def new_wire(self, answerer: str = "", *, crowd: bool = False) -> Wire:
        """An end of a new connection.

        Args:
            answerer: the person who is dialled, if it is one.
            crowd: whether the other end speaks for many.
        """
        role = self.oracle.gate.role(answerer)
        bounds = limits(self.world.rng, crowd=crowd)
        session = Session(self.disk, self.world.now, limits=bounds, peer_role=role)
        wire = Wire(self.world, self, session, self.disk.replica)
        if answerer:
            wire.visa = Visa(answerer, role)
        if self.presence:
            session.set_presence(wire.replica, self.presence)
        self.wires.append(wire)
        self.views[wire] = View()
        return wire

    def handle(self, wire: Wire, events: list[ev.Event]) -> None:
        gate = self.oracle.gate
        for event in events:
            if self.world.traced:
                self.world.log(self.name, "<-", _short(event))
            match event:
                case ev.HelloReceived():
                    self.handle(wire, gate.admit(wire, event))
                case ev.CredentialReceived():
                    self.handle(wire, gate.renew(wire, event.credential))
                case ev.Welcomed() | ev.RoleChanged():
                    self._expires[wire] = event.expires or FOR_EVER
                    self.handle(wire, gate.recheck(wire))
                case ev.PresenceChanged():
                    if wire in self.views:
                        self.views[wire].changed(event.key, event.state)
                case ev.EntriesReceived() | ev.CheckpointsReceived() | ev.CaughtUp():
                    self.oracle.taken_from(wire.visa, self.world.now)
                    if isinstance(event, ev.EntriesReceived):
                        self.oracle.entries_seen(event.entries)
                        assert wire.other is not None
                        if wire.other.on_disk.durable and not wire.other.restored:
                            self.oracle.passed_on(event.entries, wire.other.on_disk)
                    if self.bug is Bug.ACK_BEFORE_STORE:
                        wire.session.stored(event.mark)
                    self._inbox.append((wire, event))
                    self._commit_soon()
                case ev.Acknowledged():
                    self._acknowledged(wire, event.seq)
                case ev.ForkDetected():
                    self.oracle.fork_detected(event.replica)
                    self._disown(event.replica)
                case ev.PeerGone():
                    self._forget(wire)
                case _:
                    pass

    def _forget(self, wire: Wire) -> None:
        if wire in self.wires:
            self.wires.remove(wire)
        self.views.pop(wire, None)
        self._expires.pop(wire, None)

    def _acknowledged(self, wire: Wire, upto: int) -> None:
        assert wire.other is not None
        replica, disk = wire.replica, wire.other.on_disk
        for seq in range(wire.acked + 1, upto + 1):
            entry = self._own.get((replica, seq))
            if entry is not None:
                if not wire.other.restored:
                    self.oracle.acknowledged(entry, disk)
                if disk.durable:
                    self.oracle.durable[replica, seq] = entry
        wire.acked = max(upto, wire.acked)

    def _disown(self, replica: str) -> None:
        """Two versions of a replica exist: say anew what it said here, under another name."""
        rng = self.world.rng
        self._life += 1
        self._drop_connections()
        self._inbox.clear()
        before = self.disk.replica
        last = self.disk.vector()[before]
        self.disk.disown(replica, new_id(rng), new_id(rng))
        first = 1 if self.disk.replica != before else last + 1
        for seq in range(first, self.disk.vector()[self.disk.replica] + 1):
            self._committed(self.disk.by_name[self.disk.replica, seq])
        self.close_docs()
        self._commit_soon()

    def close_docs(self) -> None:
        """Forget what is open: a document that is watched is never freed."""
        for doc in self.docs.values():
            doc.close()
        self.docs.clear()

    def _drop_connections(self) -> None:
        for wire in [*self.wires]:
            if wire.link is not None:
                wire.link.cut()
            wire.open = False
            self._forget(wire)

    def _renew_tokens(self) -> None:
        """Before they expire, by a clock that may be off."""
        clock = self.world.now + self._clock_is_off
        for wire in [*self.wires]:
            if clock + 1_500 > self._expires.get(wire, FOR_EVER):
                self._expires[wire] = FOR_EVER
                if wire.session.state is State.OPEN:
                    wire.session.refresh(self.oracle.gate.token(self.person))

    def _tick(self) -> None:
        self.world.after(1_000, self._tick)
        if not self.alive:
            return
        self._renew_tokens()
        for wire in [*self.wires]:
            self.handle(wire, self.oracle.gate.recheck(wire))
            wire.tick()
        for n, dial in enumerate(self.diallers):
            dialled = self._dialled.get(n)
            if dialled is None or not dialled.open or dialled not in self.wires:
                wire = dial(self)
                if wire is not None:
                    self._dialled[n] = wire

    # Misfortune

    def crash(self) -> None:
        self.world.log(self.name, "crashes")
        self.alive = False
        self._drop_connections()
        self._drafts.clear()
        self._inbox.clear()
        self.close_docs()
        self.presence = b""
        if self.bug is Bug.SEQ_REUSE:
            self.disk = self._synced.clone()

    def restart(self) -> None:
        self.alive = not self.destroyed

    def restore(self, backup: Disk, *, noticed: bool) -> None:
        """Go on with an older file; unless that is noticed, under the same name."""
        self.world.log(self.name, "is restored from a backup, noticed:", noticed)
        self.crash()
        self.disk = backup.clone()
        self.restored = True
        if noticed:
            self.disk.renamed(new_id(self.world.rng), new_id(self.world.rng))
        self.restart()

    def destroy(self) -> None:
        """The machine is gone for good, and with it what nobody else has."""
        self.crash()
        self.world.log(self.name, "is destroyed")
        self.destroyed = True

    @property
    def on_disk(self) -> Disk:
        """What a crash would leave."""
        return self._synced if self.bug is Bug.SEQ_REUSE else self.disk

    @property
    def idle(self) -> bool:
        return not self._drafts and not self._inbox


def _short(event: ev.Event) -> str:
    match event:
        case ev.EntriesReceived():
            sealed = "sealed " if event.entries[0].sealed else ""
            return f"{sealed}entries " + " ".join(f"{e.replica[:4]}:{e.seq}" for e in event.entries)
        case ev.CheckpointsReceived():
            return "checkpoints " + " ".join(
                f"{c.thought[:4]}{c.vector}" for c in event.checkpoints
            )
        case _:
            return str(event)[:160]
