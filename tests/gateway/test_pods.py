"""Stock clients of one thought may be connected to different pods, and move between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aimem_relay.bus.redis import RedisBus
from tests.gateway.npm import node_packages
from tests.gateway.relays import RunningRelay, running_relay
from tests.gateway.stock import node_client
from tests.services import Missing, Redis


@pytest.fixture
async def pods(tmp_path: Path) -> AsyncIterator[tuple[RunningRelay, RunningRelay]]:
    """Two pods with one ledger, which hear of each other."""
    node_packages()
    try:
        redis = Redis()
    except Missing as missing:
        pytest.skip(str(missing))
    with redis:
        async with (
            running_relay(tmp_path, bus=RedisBus(redis.url)) as one,
            running_relay(tmp_path, bus=RedisBus(redis.url)) as other,
        ):
            await one.put_thought()
            yield one, other


async def test_clients_of_different_pods_write_together_and_see_each_other(
    pods: tuple[RunningRelay, RunningRelay],
) -> None:
    one, other = pods
    async with node_client(one.options()) as (ann, _), node_client(other.options()) as (ben, _):
        await ann.until(lambda it: it.synced)
        await ben.until(lambda it: it.synced)
        for n in range(5):
            await ann.do("insert", at=0, text=f"ann {n} ")
            await ben.do("insert", at=0, text=f"ben {n} ")
        await ann.until(lambda it: "ben 4" in it.text and "ann 4" in it.text)
        await ben.until(lambda it: it.text == ann.text)
        await ann.do("say", state={"user": {"name": "Ann"}})
        await ann.do("cursor", anchor=2, head=3)
        await ben.until(lambda it: (seen := it.person("Ann")) and seen["head"] == 3)
        async with node_client(other.options()) as (cy, _):
            await cy.until(lambda it: it.person("Ann") and it.text == ann.text)
        await ann.do("cut")
        await ben.until(lambda it: not it.person("Ann"))
        await ben.until(lambda it: it.person("Ann"))
    assert await one.text() == ann.text


async def test_a_client_that_moves_to_another_pod_sees_and_is_seen(
    pods: tuple[RunningRelay, RunningRelay],
) -> None:
    one, other = pods
    async with node_client(one.options()) as (ann, _), node_client(one.options()) as (ben, _):
        await ann.do("say", state={"user": {"name": "Ann"}})
        await ben.do("say", state={"user": {"name": "Ben"}})
        for pod in (other, one, other):
            await ben.until(lambda it: it.synced and it.person("Ann"))
            await ann.until(lambda it: it.synced and it.person("Ben"))
            await ben.do("move", server=pod.options()["server"])
            await ann.until(lambda it: not it.person("Ben"))
            await ben.do("insert", at=0, text="offline ")
            await ben.do("connect")
        await ben.until(lambda it: it.synced and it.person("Ann"))
        await ann.until(lambda it: it.person("Ben") and it.text.startswith("offline " * 3))
