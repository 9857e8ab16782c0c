"""How the gateway looks after clients: kept alive, holding up nobody, told when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from aimem_relay.access import wall_ms
from aimem_relay.gateway.ports import Limits
from aimem_relay.gateway.protocol import Awareness, QueryAwareness, SyncStep2, Update
from aimem_relay.ledger.port import Committed, Job, LedgerDown
from tests.gateway.npm import node_packages
from tests.gateway.raw import RawClient, raw_client
from tests.gateway.relays import TEXT, THOUGHT, WORKSPACE, RunningRelay, running_relay
from tests.gateway.stock import PATIENCE_S, node_client

ANN = (1_001, 1, '{"user":{"name":"Ann"}}')


async def until_said(client: RawClient, who: int, state: str) -> None:
    """Receive until the last that was said of somebody begins so."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            said = [one.state for told in client.said for one in told.states if one.client == who]
            if said and said[-1].startswith(state):
                return
            assert await client.receive() is not None


async def test_an_idle_client_is_sent_something_now_and_then(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(keep_alive_s=0.02)) as relay:
        await relay.put_thought()
        async with raw_client(relay) as client:
            await client.sync()
            for _ in range(3):
                assert await client.until(Awareness) == Awareness(())


@pytest.mark.heavy
async def test_a_stock_client_that_is_idle_for_long_stays_connected(relay: RunningRelay) -> None:
    node_packages()
    async with node_client(relay.options()) as (ann, _), node_client(relay.options()) as (ben, _):
        await ann.until(lambda one: one.synced)
        await ben.until(lambda one: one.synced)
        # It says nothing of itself any more, so only the relay keeps the connection alive.
        await ann.do("say", state=None)
        # Stock clients give up after 30 s, and look every 3 s.
        await asyncio.sleep(40)
        assert ann.dropped == ben.dropped == []
        await ann.do("insert", at=0, text="still here ")
        await ben.until(lambda one: one.text.startswith("still here"))
        assert ben.dropped == []


async def test_who_does_not_renew_what_he_says_is_gone(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(keep_alive_s=0.02, outdated_s=0.1)) as relay:
        await relay.put_thought()
        async with raw_client(relay) as ann, raw_client(relay) as ben:
            await ben.send(QueryAwareness())
            await ben.until(Awareness)
            await ann.say(ANN)
            await until_said(ben, 1_001, "{")
            await until_said(ben, 1_001, "null")


async def test_who_asks_is_told_where_everybody_is(relay: RunningRelay) -> None:
    async with raw_client(relay) as ann, raw_client(relay) as ben:
        await ann.say(ANN)
        await until_said(ben, 1_001, "{")
        ben.said.clear()
        await ben.send(QueryAwareness())
        await until_said(ben, 1_001, "{")


async def test_to_send_back_what_it_was_told_does_not_slow_a_client_down(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(frames_per_s=1)) as relay:
        await relay.put_thought()
        async with raw_client(relay) as ann, raw_client(relay, client=1_002) as ben:
            await ann.sync()
            await ann.say(ANN)
            await ben.sync()
            await until_said(ben, 1_001, "{")
            for clock in range(300):
                await ben.say((1_001, clock, ANN[2]))
            await ben.write(0, "soon ")
            await ann.until_text("soon")


async def test_what_changes_quickly_is_told_together(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(presence_s=0.2)) as relay:
        await relay.put_thought()
        async with raw_client(relay) as ann, raw_client(relay, client=1_002) as ben:
            await ben.send(QueryAwareness())
            for n in range(50):
                await ann.say((1_001, n, f'{{"n":{n}}}'))
            await until_said(ben, 1_001, '{"n":49')
            assert len(ben.said) < 25


async def test_a_token_that_expires_ends_the_connection(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(keep_alive_s=0.02)) as relay:
        await relay.put_thought()
        token = relay.token(expires=wall_ms() + 500)
        headers = {"Authorization": f"Bearer {token}"}
        async with raw_client(relay, headers=headers) as client:
            await client.sync()
            assert await client.until_closed() == 4401


async def test_a_client_that_takes_nothing_is_dropped_and_holds_up_nobody(tmp_path: Path) -> None:
    limits = Limits(waiting_bytes=1 << 20)
    async with running_relay(tmp_path, limits) as relay:
        await relay.put_thought()
        async with (
            raw_client(relay, client=1_001) as slow,
            raw_client(relay, client=1_002) as writer,
            raw_client(relay, client=1_003) as reader,
        ):
            for client in (slow, writer, reader):
                await client.sync()
            for n in range(40):
                text = f"{n} {'x' * 500_000}"
                await writer.write(0, text, deleted=writer.doc.text_bytes())
                await reader.until_text(text)
                await writer.until(Update)
            assert await slow.until_closed() in (1006, 1013)
            assert reader.doc.text() == await relay.text()


async def test_edits_made_while_the_ledger_is_down_arrive_when_it_is_back(
    relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = relay.relay.ledger
    commit, is_back, was_asked = ledger.commit, asyncio.Event(), asyncio.Event()

    async def flaky(jobs: Sequence[Job]) -> Committed:
        was_asked.set()
        if not is_back.is_set():
            raise LedgerDown("no disk")
        return await commit(jobs)

    monkeypatch.setattr(ledger, "commit", flaky)
    async with raw_client(relay, client=1_001) as ann, raw_client(relay, client=1_002) as ben:
        await ann.sync()
        await ben.sync()
        for letter in "abc":
            await ann.write(0, letter)
        await was_asked.wait()
        assert len(await relay.entries()) == 1
        is_back.set()
        await ben.until_text("cba")
        assert await relay.text() == f"cba{TEXT}"


async def test_a_change_for_which_there_is_no_room_ends_the_connection(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(retry_s=0.05)) as relay:
        await relay.put_thought()
        async with raw_client(relay) as ann, raw_client(relay, client=1_002) as ben:
            await ann.sync()
            await ben.sync()
            room = await relay.relay.enter(WORKSPACE)
            room.full = True
            await ann.write(0, "too much ")
            assert await ann.until_closed() == 1013
            room.full = False
            await ben.write(0, "fits ")
            await ben.until(Update)
            assert await relay.text() == f"fits {TEXT}" == ben.doc.text()


async def test_after_a_backup_was_put_back_a_client_goes_on(relay: RunningRelay) -> None:
    async with raw_client(relay) as ann:
        await ann.sync()
        await ann.write(0, "before ")
        await ann.until(Update)
        relay.relay.changed(await relay.relay.ledger.renew(WORKSPACE))
        assert await ann.until_closed() == 1013
    async with raw_client(relay, client=1_002) as ben, raw_client(relay) as ann:
        await ben.sync()
        await ann.sync()
        await ann.write(0, "after ")
        await ben.until_text("after before")


async def test_a_thought_is_closed_when_all_have_left_and_opened_again(tmp_path: Path) -> None:
    async with running_relay(tmp_path, Limits(linger_s=0.01)) as relay:
        await relay.put_thought()
        for n in range(3):
            async with raw_client(relay, client=1_001 + n) as client:
                await client.sync()
                await client.write(0, f"{n} ")
                await client.until(Update)
            room = await relay.relay.enter(WORKSPACE)
            async with asyncio.timeout(PATIENCE_S):
                while room.guests:
                    await asyncio.sleep(0.005)
        async with raw_client(relay) as client:
            await client.sync()
            assert client.doc.text() == f"2 1 0 {TEXT}"


async def test_when_the_relay_stops_clients_are_asked_to_come_back(relay: RunningRelay) -> None:
    async with raw_client(relay) as client:
        await client.sync()
        stopping = asyncio.create_task(relay.server.drain())
        assert await client.until_closed() == 1001
        await stopping


async def test_what_was_sent_just_before_the_end_is_stored(relay: RunningRelay) -> None:
    async with raw_client(relay, client=1_001) as ann, raw_client(relay, client=1_002) as ben:
        await ben.sync()
        await ann.sync()
        await ann.write(0, "last words ")
        await ann.socket.close()
        await ben.until_text("last words")
    assert await relay.text() == f"last words {TEXT}"


async def test_the_token_is_not_sent_back_to_who_offers_a_name(relay: RunningRelay) -> None:
    carrier = f"aimem.token.{relay.token()}"
    url = f"{relay.url}/yjs/{WORKSPACE}/{THOUGHT}"
    for offered, spoken in (([carrier, "aimem.yjs"], "aimem.yjs"), ([carrier], carrier)):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, protocols=offered) as socket,
        ):
            assert socket.protocol == spoken
            client = RawClient(socket, 5)
            await client.sync()
            assert client.doc.text() == TEXT


async def test_a_first_answer_holds_what_is_on_its_way_to_disk(relay: RunningRelay) -> None:
    async with raw_client(relay, client=1_001) as ann:
        await ann.sync()
        await ann.write(0, "just now ")
        async with raw_client(relay, client=1_002) as ben:
            await ben.sync()
            await ben.until_text("just now")
            assert await relay.text() == ben.doc.text()
            assert isinstance(await ann.until(Update), Update)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await ben.until(SyncStep2)
