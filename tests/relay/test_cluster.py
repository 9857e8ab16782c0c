"""Several pods on one PostgreSQL ledger, with Redis between them and without."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from aimem_relay.people import SILENT_S
from crdt.session import events as ev
from tests.relay.clients import client, copy, insert
from tests.relay.pods import pod
from tests.services import Postgres, Redis


@pytest.fixture(params=["with Redis", "without Redis"])
def bus_url(request: pytest.FixtureRequest) -> str:
    """The setting ``redis``."""
    if request.param == "without Redis":
        return ""
    redis: Redis = request.getfixturevalue("redis")
    return redis.url


async def test_what_comes_to_one_pod_reaches_those_at_the_other(
    tmp_path: Path, postgres_url: str, bus_url: str
) -> None:
    shared = {"database": postgres_url, "redis": bus_url}
    async with (
        pod(tmp_path, **shared) as one,
        pod(tmp_path, **shared) as other,
        client(one, copy(1)) as ann,
        client(other, copy(2)) as ben,
        client(one, copy(3)) as cas,
        client(other, copy(4)) as dan,
    ):
        for n in range(20):
            await ann.write(insert(f"a{n}"))
            await ben.write(insert(f"b{n}"))
        for reader in (cas, dan):
            await reader.has(ann.disk, ben.disk)
        assert cas.texts == dan.texts
        assert len(cas.texts) == 40


async def test_people_at_one_pod_are_seen_at_the_other(
    tmp_path: Path, postgres_url: str, redis: Redis
) -> None:
    shared = {"database": postgres_url, "redis": redis.url}
    async with (
        pod(tmp_path, **shared) as one,
        pod(tmp_path, **shared) as other,
        client(one, copy(1)) as ann,
    ):
        await ann.be("ann", b"here")
        # The other pod opens the workspace only now, and asks who is there.
        async with client(other, copy(2)) as ben:
            await ben.until(lambda: b"here" in ben.presence.values())
            await ben.be("ben", b"there")
            await ann.until(lambda: b"there" in ann.presence.values())
            await ann.be("ann", b"moved")
            await ben.until(lambda: list(ben.presence.values()) == [b"moved"])
            ann.socket._writer.transport.abort()
            await ben.until(lambda: not ben.presence)


async def test_delivery_goes_on_without_the_bus_and_presence_comes_back_with_it(
    tmp_path: Path, postgres_url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aimem_relay.people.SILENT_S", SILENT_S / 10)
    monkeypatch.setattr("aimem_relay.relay.SWEEP_S", 0.1)
    monkeypatch.setattr("aimem_relay.people.ALIVE_S", 0.2)
    shared = {"database": postgres_url, "redis": redis.url}
    async with (
        pod(tmp_path, **shared) as one,
        pod(tmp_path, **shared) as other,
        client(one, copy(1)) as ann,
        client(other, copy(2)) as ben,
    ):
        await ann.be("ann", b"here")
        await ben.until(lambda: ben.presence)
        await asyncio.to_thread(redis.kill)
        await ann.write(insert("without a bus"))
        await ben.has(ann.disk)
        # Nothing is heard of the other pod.
        await ben.until(lambda: not ben.presence)
        assert one.metric("bus_lost") == 1
        await asyncio.to_thread(redis.start)
        await ben.until(lambda: list(ben.presence.values()) == [b"here"])
        await ben.write(insert("with a bus"))
        await ann.has(ben.disk)
        assert ann.gone is None and ben.gone is None


async def test_nothing_acknowledged_is_lost_when_the_database_goes_and_comes_back(
    tmp_path: Path, postgres: Postgres, postgres_url: str
) -> None:
    async with (
        pod(tmp_path, database=postgres_url) as one,
        pod(tmp_path, database=postgres_url) as other,
        client(one, copy(1)) as ann,
        client(other, copy(2)) as ben,
    ):
        await ann.write(insert("before"))
        await ben.has(ann.disk)
        await asyncio.to_thread(postgres.stop, "immediate")
        await ann.write(insert("meanwhile"))
        assert (await ann.event(ev.StatusChanged)).degraded
        assert ann.acknowledged == 1
        await asyncio.to_thread(postgres.start)
        await ann.is_acknowledged()
        await ben.has(ann.disk)
        assert ben.texts == [insert("before"), insert("meanwhile")]
        assert ann.gone is None and ben.gone is None


async def test_a_pod_that_is_killed_costs_a_reconnect(tmp_path: Path, postgres_url: str) -> None:
    disk = copy(1)
    async with pod(tmp_path, database=postgres_url) as other, client(other, copy(2)) as ben:
        async with (
            pod(tmp_path, database=postgres_url, drain_s=0.0) as one,
            client(one, disk) as ann,
        ):
            await ann.write(insert("one"))
            await ann.is_acknowledged()
        async with client(other, disk) as ann:
            await ann.write(insert("two"))
            await ben.has(disk)
            assert ben.texts == [insert("one"), insert("two")]
