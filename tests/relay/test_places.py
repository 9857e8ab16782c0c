"""What connections may take up, and what becomes of what has come when they have to go."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from crdt.document import ThoughtDocument
from crdt.session import events as ev
from crdt.wire.messages import CloseCode, Role
from tests.relay.clients import PATIENCE_S, Client, client, copy, insert, thought
from tests.relay.pods import OTHER_WORKSPACE, WORKSPACE, Pod, pod, token


async def begin(machine: Client, size: int, sent: int) -> None:
    """Begin a frame of ``size`` bytes and send so many of them."""
    connection = machine.socket._writer.transport
    connection.write(b"\x82\xff" + struct.pack(">Q", size) + bytes(4) + bytes(sent))


async def test_a_reader_cannot_begin_a_frame_as_large_as_a_writer_may(tmp_path: Path) -> None:
    async with (
        pod(tmp_path) as relay,
        client(relay, copy(1)) as writer,
        client(relay, copy(2), token(role=Role.READER), role=Role.READER) as reader,
    ):
        size = 5 << 20
        await begin(writer, size, 1_000)
        await begin(reader, size, 1_000)
        assert (await reader.event(ev.PeerGone)).code is CloseCode.TOO_BIG
        assert writer.gone is None


async def test_a_reader_may_be_behind_by_as_many_machines_as_there_can_be(tmp_path: Path) -> None:
    disk = copy(2)
    disk.adopt({f"{n:032x}": 1 << 40 for n in range(10, 65_000)})
    async with (
        pod(tmp_path) as relay,
        client(relay, disk, token(role=Role.READER), role=Role.READER) as reader,
        client(relay, copy(1)) as writer,
    ):
        await writer.write()
        await reader.has(writer.disk)


async def test_what_begins_and_does_not_end_is_bounded_for_all_together(tmp_path: Path) -> None:
    async with (
        pod(tmp_path, unfinished_bytes=1 << 20) as relay,
        client(relay, copy(1)) as ann,
        client(relay, copy(2)) as ben,
        client(relay, copy(3)) as cas,
    ):
        await begin(ben, 1 << 20, 300_000)
        await begin(ann, 2 << 20, (1 << 20) - 200_000)
        gone = await ann.event(ev.PeerGone)
        assert gone.code is CloseCode.TRY_LATER
        assert gone.delay_ms > 0
        await ann.until(lambda: ann.socket.close_code == 1013)
        assert relay.metric("crowded_out_connections_total") == 1
        await cas.write()
        await cas.is_acknowledged()
        assert ben.gone is None
        async with ClientSession() as http, http.get(f"{relay.url}/metrics") as answer:
            assert "aimem_relay_unfinished_bytes 3" in await answer.text()


async def test_who_is_sent_away_hears_first_what_was_stored(tmp_path: Path) -> None:
    async with pod(tmp_path, drain_s=0.0) as relay, client(relay, copy(1)) as ann:
        relay.ledger.slow = asyncio.Event()
        await ann.write(insert("one"), insert("two"))
        async with asyncio.timeout(PATIENCE_S):
            while not relay.relay.uncommitted:
                await asyncio.sleep(0)
        stopping = asyncio.create_task(relay.server.drain())
        await ann.event(ev.PeerLeaving)
        # It is not read any more; what is sent now goes somewhere else later.
        await asyncio.sleep(0.05)
        assert ann.gone is None
        relay.ledger.slow.set()
        assert (await ann.event(ev.PeerGone)).code is CloseCode.GOING_AWAY
        assert ann.acknowledged == 2
        await stopping


async def test_a_ledger_that_does_not_answer_does_not_keep_a_relay_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_relay.connection.PARTING_S", 0.05)
    async with pod(tmp_path, drain_s=0.0) as relay, client(relay, copy(1)) as ann:
        relay.ledger.slow = asyncio.Event()
        await ann.write()
        async with asyncio.timeout(PATIENCE_S):
            while not relay.relay.uncommitted:
                await asyncio.sleep(0)
        await relay.server.drain()
        assert (await ann.event(ev.PeerGone)).code is CloseCode.GOING_AWAY
        assert ann.acknowledged == 0
        relay.ledger.slow.set()


# Stock clients


async def make_thought(machine: Client) -> None:
    """Have a thought stored that stock clients can open."""
    _, update = ThoughtDocument.create(7, path="a.md", text="A.\n", at=1, by="Ada")
    await machine.write(update)
    await machine.is_acknowledged()


async def stock(
    http: ClientSession, relay: Pod, workspace: str = WORKSPACE, credential: bytes | None = None
) -> ClientWebSocketResponse:
    """The websocket of a stock client."""
    found = (credential or token(workspace)).decode()
    return await http.ws_connect(
        f"{relay.url}/yjs/{workspace}/{thought()}", headers={"Authorization": f"Bearer {found}"}
    )


async def closed(socket: ClientWebSocketResponse) -> int | None:
    """Receive until the connection ends; its close code."""
    async with asyncio.timeout(PATIENCE_S):
        while not (await socket.receive()).type.name.startswith("CLOS"):
            pass
    return socket.close_code


@pytest.mark.parametrize(
    "limit", ["connections", "connections_per_address", "connections_per_workspace"]
)
async def test_stock_clients_take_the_places_of_all(tmp_path: Path, limit: str) -> None:
    async with (
        pod(tmp_path, **{limit: 2}) as relay,
        client(relay, copy(1)) as cas,
        ClientSession() as http,
    ):
        await make_thought(cas)
        ann = await stock(http, relay)
        assert (await ann.receive()).data[:2] == b"\x00\x00"
        assert relay.metric("connections") == 2
        assert await closed(await stock(http, relay)) == CloseCode.TRY_LATER.value
        async with client(relay, copy(2), admitted=False) as late:
            assert (await late.event(ev.PeerGone)).code is CloseCode.TRY_LATER
        cause = {"connections": "connections", "connections_per_address": "address"}
        reason = cause.get(limit, "workspace")
        assert relay.metric("turned_away_total", reason=reason) == 2
        await ann.close()
        async with asyncio.timeout(PATIENCE_S):
            while relay.metric("connections") > 1:
                await asyncio.sleep(0.01)
        again = await stock(http, relay)
        assert (await again.receive()).data[:2] == b"\x00\x00"
        assert relay.metric("closed_connections_total", code="lost") == 1


async def test_stock_clients_that_are_refused_take_no_place_in_a_workspace(tmp_path: Path) -> None:
    async with (
        pod(tmp_path, connections_per_workspace=1, handshakes=1) as relay,
        ClientSession() as http,
    ):
        async with client(relay, copy(1)) as cas:
            await make_thought(cas)
        for _ in range(3):
            strange = await stock(http, relay, credential=token(OTHER_WORKSPACE))
            assert await closed(strange) == CloseCode.FORBIDDEN.value
        async with asyncio.timeout(PATIENCE_S):
            while relay.metric("connections"):
                await asyncio.sleep(0.01)
        ann = await stock(http, relay)
        assert (await ann.receive()).data[:2] == b"\x00\x00"
        # Who is served is not being let in any more.
        async with client(relay, copy(1, OTHER_WORKSPACE)):
            pass
