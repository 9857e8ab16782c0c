"""Stock clients, npm's y-websocket in node, and people with aimem write one thought together."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aimem_tui.sync.presence import PresenceState
from crdt import positions
from crdt.adapter import EngineDoc
from crdt.wire.messages import Role
from tests.gateway.npm import node_packages
from tests.gateway.relays import TEXT, THOUGHT, RunningRelay
from tests.gateway.stock import StockClient, node_client
from tests.sync.stations import Station, is_complete


@pytest.fixture(autouse=True)
def packages() -> None:
    """Skip before a relay is started for nothing."""
    node_packages()


def agree(client: StockClient, *others: StockClient) -> bool:
    return all(other.text == client.text for other in others)


async def test_two_stock_clients_see_each_others_edits_and_carets(relay: RunningRelay) -> None:
    async with node_client(relay.options()) as (ann, _), node_client(relay.options()) as (ben, _):
        assert await ann.until(lambda one: one.synced and one.text) == TEXT
        assert await ben.until(lambda one: one.synced and one.text) == TEXT
        await ann.do("insert", at=0, text="Ann 日\n")
        await ben.do("insert", at=2, text="👍 Ben ")
        await ann.until(lambda one: "Ben" in one.text)
        await ben.until(lambda one: "Ann" in one.text and agree(one, ann))

        await ann.do("say", state={"user": {"name": "Ann", "color": "#a00"}})
        await ann.do("cursor", anchor=1, head=4)
        await ben.do("say", state={"user": {"name": "Ben"}})
        seen = await ben.until(lambda one: (it := one.person("Ann")) and it["head"] == 4 and it)
        assert (seen["client"], seen["anchor"]) == (ann.client, 1)
        await ann.until(lambda one: one.person("Ben"))
        assert await relay.text() == ann.text


async def test_an_edit_is_kept_under_the_name_of_the_token(relay: RunningRelay) -> None:
    async with node_client(relay.options()) as (ann, _), node_client(relay.options()) as (ben, _):
        await ann.until(lambda one: one.synced)
        await ann.do("insert", at=0, text="x")
        await ben.until(lambda one: one.text.startswith("x"))
    assert [entry.author for entry in await relay.entries()] == ["Ada", "a writer"]


async def test_to_come_and_go_stores_nothing(relay: RunningRelay) -> None:
    for _ in range(2):
        async with node_client(relay.options()) as (ann, _):
            await ann.until(lambda one: one.synced and one.text)
            await ann.do("disconnect")
            await ann.until(lambda one: one.status == "disconnected")
            await ann.do("connect")
            await ann.until(lambda one: one.synced)
    assert len(await relay.entries()) == 1


async def test_offline_edits_arrive_after_a_reconnect(relay: RunningRelay) -> None:
    async with node_client(relay.options()) as (ann, _), node_client(relay.options()) as (ben, _):
        await ann.until(lambda one: one.synced)
        await ben.until(lambda one: one.synced)
        await ann.do("disconnect")
        await ann.until(lambda one: one.status == "disconnected")
        await ann.do("insert", at=0, text="away ")
        await ann.do("delete", at=len("away # "), length=1)
        await ben.do("insert", at=0, text="here ")
        await ben.until(lambda one: one.text.startswith("here"))
        await ann.do("connect")
        await ann.until(lambda one: "here" in one.text)
        await ben.until(lambda one: "away" in one.text and agree(one, ann))
        assert "Héllo" not in ben.text
        assert await relay.text() == ben.text


async def test_what_is_typed_while_connecting_arrives_as_well(relay: RunningRelay) -> None:
    async with node_client(relay.options()) as (ann, _), node_client(relay.options()) as (ben, _):
        await ann.until(lambda one: one.synced)
        for n in range(5):
            await ann.do("disconnect")
            await ann.do("insert", at=0, text=f"{n} ")
            await ann.do("connect")
            await ann.do("insert", at=0, text="x")
            await ann.until(lambda one: one.status == "connected")
            await ann.do("insert", at=0, text="y")
            await ann.until(lambda one: one.synced)
        await ben.until(lambda one: agree(one, ann) and one.text.startswith("yx4 yx3"))
    assert await relay.text() == ann.text


async def test_a_newcomer_sees_who_is_there_and_who_is_cut_off_is_gone(
    relay: RunningRelay,
) -> None:
    async with node_client(relay.options()) as (ann, _):
        await ann.until(lambda one: one.synced)
        await ann.do("say", state={"user": {"name": "Ann"}})
        async with node_client(relay.options()) as (ben, process):
            await ben.do("say", state={"user": {"name": "Ben"}})
            await ben.until(lambda one: one.person("Ann"))
            await ann.until(lambda one: one.person("Ben"))
            for _ in range(3):
                await ben.do("cut")
                await ann.until(lambda one: not one.person("Ben"))
                # It comes back by itself, and everybody sees everybody.
                await ann.until(lambda one: one.person("Ben"))
                await ben.until(lambda one: one.synced and one.person("Ann"))
            process.kill()
            await ann.until(lambda one: not one.person("Ben"))


async def test_another_thought_is_another_room(relay: RunningRelay) -> None:
    other = "02" * 16
    await relay.put_thought("other", thought=other)
    elsewhere = relay.options(thought=other)
    async with node_client(relay.options()) as (ann, _), node_client(elsewhere) as (ben, _):
        await ann.until(lambda one: one.synced)
        await ann.do("say", state={"user": {"name": "Ann"}})
        await ann.do("insert", at=0, text="x")
        await ben.until(lambda one: one.text == "other")
        await ben.do("insert", at=0, text="an")
        async with node_client(elsewhere) as (cy, _):
            await cy.do("say", state={"user": {"name": "Cy"}})
            await ben.until(lambda one: one.person("Cy"))
            await cy.until(lambda one: one.text == "another")
        assert ben.person("Ann") is None


async def test_a_reader_reads_and_is_refused_when_it_writes(relay: RunningRelay) -> None:
    async with (
        node_client(relay.options(Role.READER)) as (rita, _),
        node_client(relay.options()) as (ann, _),
    ):
        await rita.do("say", state={"user": {"name": "Rita"}})
        await ann.until(lambda one: one.synced and one.person("Rita"))
        await ann.do("insert", at=0, text="for all ")
        await rita.until(lambda one: one.text.startswith("for all"))
        await rita.do("insert", at=0, text="not for you ")
        code, reason = await rita.until(lambda one: one.refused)
        assert (code, reason) == (4403, "You may read this thought, not change it.")
        await ann.until(lambda one: not one.person("Rita"))
        assert "not for you" not in ann.text
    assert "not for you" not in await relay.text()


@pytest.mark.parametrize(
    ("way", "code"), [("none", 4401), ("wrong", 4401), ("address", 4401), ("elsewhere", 4403)]
)
async def test_without_a_good_token_nobody_gets_in(
    relay: RunningRelay, way: str, code: int
) -> None:
    options: dict[str, Any] = {**relay.options(), "headers": {}}
    if way == "address":
        options["params"] = {"token": relay.token()}
    elif way == "wrong":
        options["protocols"] = [f"aimem.token.{relay.token()}x"]
    elif way == "elsewhere":
        token = relay.token(workspace="bb" * 16)
        options["headers"] = {"Authorization": f"Bearer {token}"}
    async with node_client(options) as (stranger, _):
        assert (await stranger.until(lambda one: one.refused))[0] == code
        assert stranger.text == ""


@pytest.mark.parametrize("with_name", [True, False])
async def test_a_browsers_way_to_bring_the_token_works(
    relay: RunningRelay, with_name: bool
) -> None:
    protocols = [f"aimem.token.{relay.token()}", *(["aimem.yjs"] if with_name else [])]
    options = {**relay.options(), "headers": {}, "protocols": protocols}
    async with node_client(options) as (ann, _):
        await ann.until(lambda one: one.text == TEXT)


async def test_what_is_not_there_or_sealed_is_refused(relay: RunningRelay) -> None:
    await relay.put(b"ciphertext", thought="03" * 16, sealed=1)
    for thought, code in (("02" * 16, 4404), ("03" * 16, 4403), ("nonsense", 4404)):
        async with node_client(relay.options(thought=thought)) as (ann, _):
            assert (await ann.until(lambda one: one.refused))[0] == code


async def test_a_thought_that_is_sealed_while_it_is_open_is_closed(relay: RunningRelay) -> None:
    async with node_client(relay.options()) as (ann, _):
        await ann.until(lambda one: one.synced)
        await relay.put(b"ciphertext", sealed=1)
        assert (await ann.until(lambda one: one.refused))[0] == 4403


async def test_stock_clients_and_a_machine_with_aimem_agree(
    relay: RunningRelay, tmp_path: Path
) -> None:
    machine = await asyncio.to_thread(Station, tmp_path, "ada")
    machine.connect(relay.url, token=relay.token())
    try:
        with machine.syncing() as engine:
            await asyncio.to_thread(machine.wait, is_complete)
            path = f"{THOUGHT}.md"
            assert machine.texts()[path] == TEXT
            async with (
                node_client(relay.options()) as (ann, _),
                node_client(relay.options()) as (ben, _),
            ):
                await ann.until(lambda one: one.synced)
                await ann.do("insert", at=0, text="Ann 👍 ")
                machine.workspace.append(THOUGHT, "from Ada\n")
                engine.wake()
                await ben.until(lambda one: "Ada" in one.text and "Ann" in one.text)
                await ann.until(lambda one: agree(one, ben))
                while machine.texts()[path] != ann.text:
                    await asyncio.sleep(0.01)

                await ann.do("say", state={"user": {"name": "Ann", "color": "#a00"}})
                await ann.do("cursor", anchor=4, head=7)
                state = await asyncio.to_thread(
                    machine.wait,
                    lambda state: any(one.name == "Ann" and one.head for one in state.people),
                )
                [person] = [one for one in state.people if one.name == "Ann"]
                document = EngineDoc(1, [entry.update for entry in await relay.entries()])
                seen = positions.Position.from_json(person.head)
                assert person.thought == THOUGHT
                assert seen is not None
                assert positions.offset_of(document, seen) == len("Ann 👍 ".encode())

                caret = positions.position_at(document, len("Ann 👍".encode())).to_json()
                engine.set_presence(PresenceState("Ada", "#0a0", False, THOUGHT, caret, caret))
                found = await ben.until(
                    lambda one: (it := one.person("Ada")) and it["head"] is not None and it
                )
                assert found["head"] == found["anchor"] == 6
                engine.set_presence(None)
                await ben.until(lambda one: not one.person("Ada"))
    finally:
        machine.close()
