"""Machines agree through a relay: real sessions, real websockets, a ledger on disk."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from aiohttp import ClientSession

from aimem_relay.ledger.port import RECORD_BYTES
from crdt.entry import Checkpoint, Entry
from crdt.session import State
from crdt.session import events as ev
from crdt.session.replica import Limits
from crdt.vector import Vector
from crdt.wire.codec import decode
from crdt.wire.messages import CloseCode, Error, Role
from tests.relay.clients import client, copy, insert, thought
from tests.relay.pods import OTHER_WORKSPACE, WORKSPACE, pod, token


async def test_two_machines_agree_through_the_relay(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann, client(relay, copy(2)) as ben:
        await ann.write(insert("from Ann"))
        await ben.write(insert("from Ben"))
        await ann.has(ben.disk)
        await ben.has(ann.disk)
        assert sorted(ann.texts) == sorted(ben.texts) == [insert("from Ann"), insert("from Ben")]


async def test_everybody_gets_the_order_of_the_ledger(tmp_path: Path) -> None:
    async with (
        pod(tmp_path) as relay,
        client(relay, copy(1)) as ann,
        client(relay, copy(2)) as ben,
        client(relay, copy(3)) as cas,
        client(relay, copy(4)) as dan,
    ):
        for n in range(30):
            await ann.write(insert(f"a{n}"))
            await ben.write(insert(f"b{n}"))
        for one in (cas, dan):
            await one.has(ann.disk, ben.disk)
        # Neither of them writes, so their logs are the ledger's.
        assert cas.texts == dan.texts
        assert len(cas.texts) == 60


async def test_what_was_acknowledged_is_there_after_the_relay_was_started_anew(
    tmp_path: Path,
) -> None:
    disk = copy(1)
    async with pod(tmp_path) as relay, client(relay, disk) as ann:
        await ann.write(*[insert(f"{n}") for n in range(100)])
        await ann.is_acknowledged()
    async with pod(tmp_path) as relay, client(relay, copy(2)) as ben:
        await ben.has(disk)
        assert ben.texts == [insert(f"{n}") for n in range(100)]


async def test_a_machine_that_comes_back_gets_only_what_it_lacks(tmp_path: Path) -> None:
    away = copy(2)
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann:
        await ann.write(*[insert("before")] * 500)
        async with client(relay, away) as ben:
            await ben.has(ann.disk)
        await ann.write(*[insert("meanwhile")] * 3)
        await ann.is_acknowledged()
        async with client(relay, away) as ben:
            await ben.has(ann.disk)
            assert sum(len(event.entries) for event in ben.of(ev.EntriesReceived)) == 3


async def test_a_newcomer_is_served_from_the_ledger_while_others_write(tmp_path: Path) -> None:
    small = Limits(batch_entries=50, batch_bytes=4_000, window_frames=2)
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann:
        await ann.write(*[insert(f"{n}") for n in range(2_000)])
        await ann.is_acknowledged()
        async with client(relay, copy(2), limits=small) as ben:
            for n in range(50):
                await ann.write(insert(f"late {n}"))
            await ben.has(ann.disk)
            assert ben.texts == ann.texts
            assert not ben.of(ev.Resyncing)


async def test_a_checkpoint_reaches_those_who_are_there_and_those_who_come(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann, client(relay, copy(2)) as ben:
        state = Checkpoint(thought(7), insert("all of it"), Vector({"9" * 32: 5}))
        ann.disk.store_checkpoints([state])
        ann.disk.adopt(Vector({"9" * 32: 5}))
        ann.session.log_grew()
        await ann.pump()
        await ben.has(ann.disk)
        async with client(relay, copy(3)) as cas:
            await cas.has(ann.disk)
            for one in (ben, cas):
                assert [held.state for _, held in one.disk.checkpoints] == [state.state]


async def test_a_reader_receives_and_cannot_write(tmp_path: Path) -> None:
    reading = token(role=Role.READER)
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann:
        await ann.write()
        async with client(relay, copy(2), reading) as ben:
            await ben.has(ann.disk)
            assert ben.of(ev.Welcomed)[0].role is Role.READER
            # An honest client keeps its entries; this one has forgotten what it was told.
            ben.session._out.allowed = True
            await ben.write()
            gone = await ben.event(ev.PeerGone)
            assert gone.code is CloseCode.READ_ONLY
        async with client(relay, copy(3)) as cas:
            await cas.has(ann.disk)
            assert len(cas.texts) == 1


async def test_a_writer_that_would_rather_read_is_let_in_as_a_reader(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1), role=Role.READER) as ann:
        assert ann.of(ev.Welcomed)[0].role is Role.READER


@pytest.mark.parametrize(
    ("credential", "code"),
    [
        (b"", CloseCode.UNAUTHORIZED),
        (b"let me in", CloseCode.UNAUTHORIZED),
        (token()[:-2], CloseCode.UNAUTHORIZED),
        (token(secret="x" * 40), CloseCode.UNAUTHORIZED),
        (token(id_="stolen"), CloseCode.UNAUTHORIZED),
        (token(expires_in_ms=-1), CloseCode.UNAUTHORIZED),
        (token(OTHER_WORKSPACE), CloseCode.FORBIDDEN),
    ],
    ids=["none", "no token", "cut", "another relay's", "revoked", "expired", "another workspace's"],
)
async def test_a_wrong_token_is_refused(tmp_path: Path, credential: bytes, code: CloseCode) -> None:
    async with pod(tmp_path, revoked=("stolen",)) as relay:
        async with client(relay, copy(1), credential, admitted=False) as ann:
            gone = await ann.event(ev.PeerGone)
            assert (gone.code, gone.permanent) == (code, True)
            await ann.until(lambda: ann.socket.close_code == code.value)
        assert relay.metric("rooms") == 0


async def test_a_path_that_names_no_workspace_is_refused(tmp_path: Path) -> None:
    async with (
        pod(tmp_path) as relay,
        ClientSession() as http,
        http.ws_connect(f"{relay.url}/sync/everything") as websocket,
    ):
        assert isinstance(decode(await websocket.receive_bytes()), Error)
        await websocket.receive()
        assert websocket.close_code == CloseCode.NO_WORKSPACE.value


async def test_a_token_that_expires_ends_the_connection(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1), token(expires_in_ms=300)) as ann:
        assert ann.of(ev.Welcomed)[0].expires
        gone = await ann.event(ev.PeerGone)
        assert gone.code is CloseCode.UNAUTHORIZED


async def test_a_connection_outlives_its_token_by_another_one(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1), token(expires_in_ms=500)) as ann:
        await ann.refresh(token(role=Role.READER, expires_in_ms=60_000))
        changed = await ann.event(ev.RoleChanged)
        assert changed.role is Role.READER
        # The first one expires before the second of these is answered.
        async with client(relay, copy(2), token(expires_in_ms=600)) as witness:
            await witness.event(ev.PeerGone)
        assert ann.session.state is State.OPEN
        await ann.refresh(b"nonsense")
        gone = await ann.event(ev.PeerGone)
        assert gone.code is CloseCode.UNAUTHORIZED


async def test_a_newcomer_sees_everybody_at_once_and_who_drops_is_gone(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann:
        await ann.be("ann", b"here")
        async with client(relay, copy(2)) as ben:
            await ben.be("ben", b"there")
            await ben.until(lambda: b"here" in ben.presence.values())
            await ann.until(lambda: b"there" in ann.presence.values())
            (key,) = ann.presence
            assert key.endswith("/ben")
            async with client(relay, copy(3), token(role=Role.READER)) as cas:
                await cas.until(lambda: sorted(cas.presence.values()) == [b"here", b"there"])
            # The connection breaks without a word.
            ben.socket._writer.transport.abort()
            await ann.until(lambda: not ann.presence)


async def test_nobody_can_speak_for_another_connection(tmp_path: Path) -> None:
    async with (
        pod(tmp_path) as relay,
        client(relay, copy(3)) as cas,
        client(relay, copy(1)) as ann,
        client(relay, copy(2)) as ben,
    ):
        await ann.be("same", b"Ann")
        await ben.be("same", b"Ben")
        await cas.until(lambda: sorted(cas.presence.values()) == [b"Ann", b"Ben"])
        await ben.be("same", b"")
        await cas.until(lambda: list(cas.presence.values()) == [b"Ann"])


async def test_a_long_presence_key_does_no_harm_to_others(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann, client(relay, copy(2)) as ben:
        await ann.be("k" * 128, b"here")
        await ben.until(lambda: b"here" in ben.presence.values())
        await ann.be("k" * 128, b"")
        await ben.until(lambda: not ben.presence)


async def test_a_slow_consumer_is_dropped_while_others_notice_nothing(tmp_path: Path) -> None:
    async with (
        pod(tmp_path, slow_s=0.3) as relay,
        client(relay, copy(1)) as ann,
        client(relay, copy(2)) as ben,
        client(relay, copy(3)) as slow,
    ):
        # It says that it has room for everything, and then reads nothing.
        slow.session._out.allowed = False
        transport = slow.socket._writer.transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        transport.pause_reading()
        while not relay.metric("slow_connections_total"):
            await ann.write(insert("y" * 200_000))
            await ben.has(ann.disk)
        await ann.write(insert("the end"))
        await ben.has(ann.disk)
        assert ann.gone is None and ben.gone is None
        assert relay.metric("connections") == 2
        disk = slow.disk
        async with client(relay, disk) as back:
            await back.has(ann.disk)
            assert back.texts == ann.texts


async def test_while_the_ledger_is_down_everybody_is_told_and_nobody_is_sent_away(
    tmp_path: Path,
) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann, client(relay, copy(2)) as ben:
        await ann.write()
        await ann.is_acknowledged()
        relay.ledger.down = True
        await ann.write(insert("not yet"))
        for one in (ann, ben):
            assert (await one.event(ev.StatusChanged)).degraded
        assert relay.metric("ledger_degraded") == 1
        async with ClientSession() as http, http.get(f"{relay.url}/ready") as answer:
            assert answer.status == 503
        # Presence needs no ledger.
        await ann.be("ann", b"here")
        await ben.until(lambda: ben.presence)
        assert ann.acknowledged == 1
        assert len(ben.texts) == 1
        relay.ledger.down = False
        await ann.is_acknowledged()
        await ben.has(ann.disk)
        await ben.until(lambda: not ben.of(ev.StatusChanged)[-1].degraded)
        assert ann.gone is None and ben.gone is None


async def test_who_comes_while_the_ledger_is_down_is_asked_to_come_later(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay:
        relay.ledger.down = True
        async with client(relay, copy(1), admitted=False) as ann:
            gone = await ann.event(ev.PeerGone)
            assert gone.code is CloseCode.TRY_LATER
            assert gone.delay_ms > 0


async def test_a_fork_is_told_to_both_sides_and_the_rest_is_not_stored(tmp_path: Path) -> None:
    one, other = copy(1), copy(2)
    for disk, text in ((one, "one thing"), (other, "another")):
        disk.append([Entry("c" * 32, 1, thought(), insert(text), 1, "Cas")])
    async with pod(tmp_path) as relay:
        async with client(relay, one) as ann:
            await ann.until(lambda: relay.metric("acknowledged_records_total"))
        async with client(relay, other, admitted=False) as ben:
            assert (await ben.event(ev.ForkDetected)).replica == "c" * 32
            assert (await ben.event(ev.PeerGone)).code is CloseCode.FORK
        async with client(relay, copy(3)) as cas:
            await cas.has(one)
            assert cas.texts == [insert("one thing")]


async def test_a_fork_that_only_the_ledger_notices_ends_that_connection(tmp_path: Path) -> None:
    async with (
        pod(tmp_path) as relay,
        client(relay, copy(1)) as ann,
        client(relay, copy(2)) as ben,
    ):
        # Both have let their entries go before either heard of the other's.
        for one, text in ((ann, "one thing"), (ben, "another")):
            one.disk.append([Entry("c" * 32, 1, thought(), insert(text), 1, "Cas")])
            one.session.log_grew()
        (first,), (second,) = (one.session.pull(1 << 20, one.now()) for one in (ann, ben))
        await ann.socket.send_bytes(first)
        await ben.socket.send_bytes(second)
        ends = [asyncio.create_task(one.event(ev.PeerGone)) for one in (ann, ben)]
        (ended,), (waits,) = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
        assert (await ended).code is CloseCode.FORK
        first_come = ann if ben.gone else ben
        assert first_come.gone is None
        async with client(relay, copy(3)) as cas:
            await cas.has(first_come.disk)
            assert cas.texts == first_come.texts


async def test_broken_updates_are_refused_before_anybody_sees_them(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann, client(relay, copy(2)) as ben:
        await ann.write(insert("good"))
        await ben.has(ann.disk)
        await ann.write(b"\xff\xff\xff\xff\x7f")
        assert (await ann.event(ev.PeerGone)).code is CloseCode.BAD_UPDATE
        assert relay.metric("refused_frames_total", reason="bad_update") == 1
        assert ben.gone is None
        assert len(ben.texts) == 1


async def test_a_frame_that_is_too_large_is_refused_before_it_has_come(tmp_path: Path) -> None:
    async with pod(tmp_path, max_frame=65_536) as relay, client(relay, copy(1)) as ann:
        # The session would not send it.
        await ann.socket.send_bytes(bytes(65_537))
        gone = await ann.event(ev.PeerGone)
        assert gone.code is CloseCode.TOO_BIG
        await ann.until(lambda: ann.socket.close_code == 1009)


async def test_nobody_sends_much_before_being_let_in(tmp_path: Path) -> None:
    async with (
        pod(tmp_path) as relay,
        ClientSession() as http,
        http.ws_connect(f"{relay.url}/sync/{WORKSPACE}") as websocket,
    ):
        await websocket.send_bytes(bytes(70_000))
        while not (await websocket.receive()).type.name.startswith("CLOS"):
            pass
        assert websocket.close_code == 1009


async def test_too_many_frames_a_second_end_the_connection(tmp_path: Path) -> None:
    async with pod(tmp_path, frames_per_s=1) as relay, client(relay, copy(1)) as ann:
        for _ in range(12):
            await ann.socket.send_bytes(b"\x91\x0a")
        gone = await ann.event(ev.PeerGone)
        assert gone.code is CloseCode.TOO_FAST


async def test_too_many_entries_a_second_end_the_connection(tmp_path: Path) -> None:
    async with pod(tmp_path, entries_per_s=10) as relay, client(relay, copy(1)) as ann:
        await ann.write(*[insert("x")] * 101)
        gone = await ann.event(ev.PeerGone)
        assert (gone.code, gone.permanent) == (CloseCode.TOO_FAST, False)


@pytest.mark.parametrize(
    "limit", ["connections", "connections_per_address", "connections_per_workspace"]
)
async def test_one_too_many_is_asked_to_come_later(tmp_path: Path, limit: str) -> None:
    async with pod(tmp_path, **{limit: 2}) as relay, client(relay, copy(1)) as ann:
        async with client(relay, copy(2)) as ben:
            async with client(relay, copy(3), admitted=False) as cas:
                gone = await cas.event(ev.PeerGone)
                assert gone.code is CloseCode.TRY_LATER
                assert gone.delay_ms > 0
            await ben.write()
            await ann.has(ben.disk)
        await _left(relay.relay.admission, 1)
        async with client(relay, copy(3)) as cas:
            await cas.has(ann.disk)


async def _left(admission: object, count: int) -> None:
    """Wait until so many connections are left."""
    async with asyncio.timeout(20):
        while admission.connections > count:
            await asyncio.sleep(0)


async def test_addresses_are_told_apart_behind_a_proxy_of_ones_own(tmp_path: Path) -> None:
    async with pod(tmp_path, connections_per_address=1, forwarded_hops=1) as relay:
        one = {"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
        other = {"X-Forwarded-For": "203.0.113.5, 198.51.100.2"}
        async with (
            client(relay, copy(1), headers=one),
            client(relay, copy(2), headers=other),
            client(relay, copy(3), headers=one, admitted=False) as third,
        ):
            assert (await third.event(ev.PeerGone)).code is CloseCode.TRY_LATER


async def test_a_full_workspace_still_gives_and_says_that_it_takes_no_more(tmp_path: Path) -> None:
    most = 10 * (RECORD_BYTES + len(insert("x")))
    async with (
        pod(tmp_path, workspace_bytes=most) as relay,
        client(relay, copy(1)) as ann,
        client(relay, copy(2)) as ben,
    ):
        await ann.write(*[insert("x")] * 10)
        await ann.is_acknowledged()
        status = await ann.event(ev.StatusChanged)
        assert status.degraded and "space" in status.reason
        await ann.write(insert("too much"))
        await ann.be("ann", b"still here")
        await ben.until(lambda: ben.presence)
        assert ann.acknowledged == 10
        async with client(relay, copy(3)) as cas:
            await cas.until(lambda: len(cas.texts) == 10)
            assert (await cas.event(ev.StatusChanged)).degraded
        assert ann.gone is None


async def test_those_who_leave_no_trace_cost_no_room(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay:
        async with client(relay, copy(1)):
            assert relay.metric("rooms") == 1
        await _left(relay.relay.admission, 0)
        (room,) = relay.relay.rooms
        assert not room.in_use
        assert relay.relay.uncommitted == 0


async def test_the_operators_pages_tell_how_it_goes(tmp_path: Path) -> None:
    async with pod(tmp_path) as relay, client(relay, copy(1)) as ann, ClientSession() as http:
        await ann.write()
        await ann.is_acknowledged()
        async with http.get(f"{relay.url}/health") as answer:
            assert answer.status == 200
        async with http.get(f"{relay.url}/ready") as answer:
            assert (answer.status, await answer.text()) == (200, "ready\n")
        async with http.get(f"{relay.url}/metrics") as answer:
            page = await answer.text()
        assert "aimem_relay_acknowledged_records_total 1.0" in page
        assert "aimem_relay_connections 1.0" in page
        assert WORKSPACE not in page
        assert thought() not in page
        async with http.get(f"{relay.url}/elsewhere") as answer:
            assert answer.status == 404
        async with http.get(f"{relay.url}/sync/{WORKSPACE}") as answer:
            assert answer.status == 426


async def test_draining_sends_everybody_away_politely(tmp_path: Path) -> None:
    async with pod(tmp_path, drain_s=0.3) as relay:
        disks = [copy(n) for n in range(1, 6)]
        settled: list[int] = []
        async with asyncio.TaskGroup() as group:
            ready = asyncio.Event()

            async def stay(n: int) -> None:
                async with client(relay, disks[n]) as machine:
                    await machine.write(insert(f"{n}"))
                    await machine.is_acknowledged()
                    settled.append(n)
                    if len(settled) == len(disks):
                        ready.set()
                    gone = await machine.event(ev.PeerGone)
                    assert gone.code is CloseCode.GOING_AWAY
                    assert machine.of(ev.PeerLeaving)[0].delay_ms >= 0

            for n in range(len(disks)):
                group.create_task(stay(n))
            await ready.wait()
            draining = asyncio.create_task(relay.server.drain())
            while not relay.relay.draining:
                await asyncio.sleep(0)
            async with ClientSession() as http, http.get(f"{relay.url}/ready") as answer:
                assert answer.status == 503
            async with client(relay, copy(9), admitted=False) as late:
                assert (await late.event(ev.PeerGone)).code is CloseCode.TRY_LATER
            await draining
        assert relay.metric("connections") == 0
