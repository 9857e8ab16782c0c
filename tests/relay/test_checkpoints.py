"""Long logs become short: checkpoints by the relay, and thoughts of which none can be made."""

from __future__ import annotations

from pathlib import Path

import pytest

from aimem_relay.checkpoints.job import CheckpointJob, Killed, NoState, build
from crdt.document import ThoughtDocument
from crdt.session import events as ev
from crdt.textdiff import Splice
from tests.relay.clients import Client, client, copy, thought
from tests.relay.pods import Pod, pod

MEMORY = 2 << 30


class Author:
    """Writes one thought, an entry for each keystroke."""

    def __init__(self, about: str) -> None:
        self.about = about
        self.updates: list[bytes] = []
        self.doc, first = ThoughtDocument.create(7, path="plan.md", text="# Plan\n", at=1, by="Ann")
        self.updates.append(first)
        self.doc.on_update(self.updates.append)

    async def type(self, ann: Client, text: str) -> None:
        for letter in text:
            end = len(self.doc.text)
            self.doc.apply_splices([Splice(end, end, letter)])
        await ann.write(*self.updates, about=self.about)
        self.updates.clear()
        await ann.is_acknowledged()


def text_of(machine: Client, about: str) -> str:
    return ThoughtDocument.load(9, machine.disk.updates_of(about)).text


def job(relay: Pod) -> CheckpointJob:
    return CheckpointJob(relay.ledger, relay.relay.config, relay.relay.metrics, relay.relay.changed)


async def test_a_newcomer_gets_a_checkpoint_in_the_place_of_a_long_log(tmp_path: Path) -> None:
    about = thought(1)
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann, client(relay, copy(2)) as ben:
        author = Author(about)
        await author.type(ann, "x" * 300)
        await ben.has(ann.disk)
        assert await job(relay).look() == 1
        assert relay.metric("checkpoints_total", result="made") == 1
        await author.type(ann, " and on")
        # Those who were there have it all already.
        await ben.has(ann.disk)
        assert not ben.of(ev.CheckpointsReceived)
        async with client(relay, copy(3)) as cas:
            await cas.has(ann.disk)
            assert len(cas.disk.entries) == len(" and on")
            for one in (ann, ben, cas):
                assert text_of(one, about) == author.doc.text
        assert await job(relay).look() == 0


async def test_who_was_away_and_wrote_meanwhile_agrees_with_the_checkpoint(tmp_path: Path) -> None:
    about, away = thought(1), copy(2)
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann:
        author = Author(about)
        await author.type(ann, "x" * 50)
        async with client(relay, away) as ben:
            await ben.has(ann.disk)
        await author.type(ann, "y" * 300)
        doc = ThoughtDocument.load(8, away.updates_of(about))
        doc.on_update(lambda update: away.append([away.make(about, update, at=1)]) and None)
        doc.apply_splices([Splice(0, 0, "offline ")])
        assert await job(relay).look() == 1
        async with client(relay, away) as ben:
            await ben.is_acknowledged()
            await ben.has(ann.disk)
            await ann.has(away)
            assert text_of(ben, about) == text_of(ann, about)
            assert text_of(ann, about).startswith("offline ")


async def test_a_thought_that_cannot_be_built_is_set_aside_and_delivered_as_it_is(
    tmp_path: Path,
) -> None:
    about = thought(1)
    # No time at all, and no lease either: it is due again at once.
    async with pod(tmp_path, checkpoint_timeout_s=0.0) as relay, client(relay, copy(1)) as ann:
        author = Author(about)
        await author.type(ann, "x" * 300)
        assert [await job(relay).look() for _ in range(2)] == [1, 1]
        patient = job(relay)
        while await patient.look():
            pass
        assert relay.metric("checkpoints_total", result="set aside") == 1
        assert relay.metric("checkpoints_total", result="made") == 0
        async with client(relay, copy(2)) as ben:
            await ben.has(ann.disk)
            assert ben.texts == ann.texts


async def test_updates_that_make_no_state_are_told_from_a_busy_machine() -> None:
    with pytest.raises(NoState):
        await build([b"\xff\xff\xff"], 60.0, MEMORY)


async def test_building_is_killed_when_it_takes_too_long() -> None:
    with pytest.raises(Killed):
        await build([b"\x00\x00"], 0.0, MEMORY)


async def test_building_stays_within_its_memory() -> None:
    with pytest.raises((Killed, NoState)):
        await build([bytes(80 << 20)], 60.0, 64 << 20)
