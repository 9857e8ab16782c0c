"""Whatever a client sends: it is told why it is dropped, nothing is stored, nobody else notices."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from aimem_relay.gateway import protocol
from aimem_relay.gateway.ports import Limits
from aimem_relay.gateway.protocol import Awareness, ClientState, SyncStep1, SyncStep2, Update
from crdt.adapter import EngineDoc
from tests.crdt.histories import settled
from tests.crdt.hostile_updates import mutated
from tests.gateway.raw import raw_client
from tests.gateway.relays import TEXT, RunningRelay, running_relay

EMBED = (
    # An image where the text begins, as a rich text editor puts it: `content` is then not all text.
    b'\x01\x01\x63\x00\x05\x01\x07content\x07{"i":1}\x00'
)

HOSTILE = {
    "nothing": (b"", 4400),
    "a text": ("hello", 4400),
    "noise": (b"\xff" * 40, 4400),
    "an unknown kind": (b"\x07\x01", 4400),
    "a refusal": (b"\x02\x00\x01x", 4400),
    "a length that lies": (b"\x00\x02\xff\xff\xff\xff\x0f", 4400),
    "two messages": (b"\x03\x03", 4400),
    "a state vector that lies": (b"\x00\x00\x05\x80\x80\x80\x80\x01", 4400),
    "awareness that is cut short": (b"\x01\x03\x01\x01\x01", 4400),
    "awareness that is no JSON": (b"\x01\x05\x01\x01\x01\x02{]", 4400),
    "too much said": (
        protocol.encode(Awareness((ClientState(9, 1, json.dumps({"x": "y" * 4_090})),))),
        4400,
    ),
    "too many clients": (
        protocol.encode(Awareness(tuple(ClientState(n, 1, "{}") for n in range(1, 30)))),
        4400,
    ),
    "an update that is none": (protocol.encode(Update(b"\x01\x02\x03")), 4422),
    "a step that is none": (protocol.encode(SyncStep2(b"hello")), 4422),
    "seven bytes of half a gigabyte": (
        protocol.encode(Update(b"\x80\x80\x80\x80\x01\x01\x01")),
        4422,
    ),
    "more than an update": (protocol.encode(Update(b"\x00\x00\x00")), 4422),
    "what is not text": (protocol.encode(Update(EMBED)), 4422),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_frame_ends_the_connection_and_nothing_else(
    relay: RunningRelay, what: str
) -> None:
    frame, code = HOSTILE[what]
    async with (
        raw_client(relay, client=1_001) as bystander,
        raw_client(relay, client=1_002) as enemy,
    ):
        await bystander.sync()
        await enemy.sync()
        if isinstance(frame, str):
            await enemy.socket.send_str(frame)
        else:
            await enemy.socket.send_bytes(frame)
        assert await enemy.until_closed() == code
        assert len(await relay.entries()) == 1
        async with raw_client(relay, client=1_003) as friend:
            await friend.sync()
            await friend.write(0, "all is well ")
            await bystander.until_text("all is well")
        assert bystander.doc.text() == f"all is well {TEXT}" == await relay.text()
        assert not any(one.state != "null" for told in bystander.said for one in told.states)


async def test_a_frame_that_is_too_large_ends_the_connection(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(max_frame=1_000)) as relay:
        await relay.put_thought()
        async with raw_client(relay) as client:
            await client.sync()
            await client.write(0, "x" * 2_000)
            assert await client.until_closed() == 1009
        assert len(await relay.entries()) == 1


async def test_an_update_that_refers_to_what_is_not_there_is_not_stored(
    relay: RunningRelay,
) -> None:
    async with raw_client(relay) as client, raw_client(relay, client=1_001) as bystander:
        await client.sync()
        await bystander.sync()
        for n in range(5):
            missing = client.edit(0, f"first {n} ")
            await client.write(0, f"second {n} ")
            # It is asked for all that is missing, and brings it.
            await client.until(SyncStep1)
            await bystander.until_text(f"second {n} first {n}")
            assert missing not in [entry.update for entry in await relay.entries()]
        assert await relay.text() == client.doc.text()


async def test_a_client_that_never_brings_what_is_missing_is_dropped(relay: RunningRelay) -> None:
    async with raw_client(relay) as client:
        await client.sync()
        stranger = EngineDoc(77, [client.doc.state()])
        stranger.set_meta({"lost": "x"})
        before = stranger.state_vector()
        stranger.set_meta({"lost": "y"})
        hanging = stranger.update_since(before)
        for _ in range(10):
            if client.socket.closed:
                break
            await client.send(Update(hanging))
        assert await client.until_closed() == 4411
    assert len(await relay.entries()) == 1


async def test_a_deletion_of_what_is_not_there_is_not_stored(relay: RunningRelay) -> None:
    async with raw_client(relay) as client, raw_client(relay, client=1_001) as bystander:
        await client.sync()
        await bystander.sync()
        # Deletes ten characters of a client that nobody has heard of.
        await client.send(Update(b"\x00\x01\x58\x01\x00\x0a"))
        await client.until(SyncStep1)
        await client.write(0, "still here ")
        await bystander.until_text("still here")
        assert len(await relay.entries()) == 2


async def test_mutated_updates_harm_nobody(relay: RunningRelay) -> None:
    rng = Random(4)
    updates = settled(3)[0].updates()
    async with raw_client(relay, client=1_001) as bystander:
        await bystander.sync()
        for n in range(60):
            async with raw_client(relay, client=2_000 + n) as enemy:
                await enemy.sync()
                await enemy.send(Update(mutated(rng.choice(updates), rng)))
                # Either way it is answered: by the end, or by what is asked next.
                await enemy.send(SyncStep1(b"\x00"))
                while (message := await enemy.receive()) is not None:
                    if isinstance(message, SyncStep2):
                        break
        async with raw_client(relay, client=1_003) as friend:
            await friend.sync()
            await friend.write(0, "all is well ")
            await bystander.until_text("all is well")
            await friend.until_text("all is well")
        assert bystander.doc.text() == await relay.text() == friend.doc.text()


async def test_nobody_speaks_for_others(relay: RunningRelay) -> None:
    async with (
        raw_client(relay, client=1_001) as ann,
        raw_client(relay, client=1_002) as ben,
        raw_client(relay, client=1_003) as eve,
    ):
        await ann.say((1_001, 5, '{"user":{"name":"Ann"}}'))
        for one in (ben, eve):
            await one.say((1, 1, "null"))
            told = await one.until(Awareness)
            assert isinstance(told, Awareness)
            assert [said.client for said in told.states] == [1_001]
        await eve.say((1_001, 1 << 50, '{"user":{"name":"Eve"}}'), (1_001, 1 << 51, "null"))
        await eve.say((1_003, 1, '{"user":{"name":"Eve"}}'))
        told = await ben.until(Awareness)
        assert isinstance(told, Awareness)
        assert [(said.client, json.loads(said.state)["user"]["name"]) for said in told.states] == [
            (1_003, "Eve")
        ]
