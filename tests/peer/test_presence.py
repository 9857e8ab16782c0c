"""Who is there, among machines of which not all are connected with each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.sync import gossip, presence
from aimem_tui.sync.dialling import dial
from aimem_tui.sync.exchange import Exchange
from aimem_tui.sync.link import Link
from aimem_tui.sync.peer.listener import PeerListener
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.state import Person
from tests.peer.machines import WORKSPACE, Machine, until

NAMES = ("ann", "ben", "cyd", "dan")


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[list[Machine]]:
    made = [Machine(tmp_path, name) for name in NAMES]
    yield made
    for machine in made:
        machine.close()


def seen(exchange: Exchange) -> list[str]:
    return [person.name for person in exchange.state().people]


class Meeting:
    """Machines that listen, and dial each other."""

    def __init__(self, stack: AsyncExitStack, machines: list[Machine]) -> None:
        self._stack = stack
        self._machines = machines
        self.at: list[Exchange] = []
        self._listeners: list[PeerListener] = []

    async def begin(self) -> None:
        for machine in self._machines:
            exchange = await self._stack.enter_async_context(machine.online())
            listener = machine.listener(exchange)
            await listener.start()
            self._stack.push_async_callback(listener.stop)
            exchange.set_presence(PresenceState(machine.name, thought="7" * 32))
            self.at.append(exchange)
            self._listeners.append(listener)

    async def dial(self, one: int, other: int) -> None:
        """The one dials the other; it lasts until somebody closes it."""
        token = self._machines[other].let_in(f"{NAMES[one]} {NAMES[other]}")
        listener = self._listeners[other]
        http = await self._stack.enter_async_context(aiohttp.ClientSession())
        url = f"wss://{listener.addresses[0]}:{listener.port}/sync/{WORKSPACE}"
        socket = await dial(http, url, self._machines[other].certificate.fingerprint.hex())
        link = Link(NAMES[other])
        self.at[one].links.append(link)
        running = asyncio.create_task(self.at[one].join(socket, link, credential=token.encode()))
        self._stack.callback(running.cancel)

    def leave(self, one: int) -> None:
        """Break all connections of a machine."""
        self.at[one].close_connections()


@asynccontextmanager
async def meeting(machines: list[Machine]) -> AsyncIterator[Meeting]:
    async with AsyncExitStack() as stack:
        made = Meeting(stack, machines)
        await made.begin()
        yield made


async def test_who_is_connected_with_the_same_machine_is_seen_until_they_leave(
    machines: list[Machine],
) -> None:
    async with meeting(machines[:3]) as here:
        ann, ben, cyd = here.at
        await here.dial(0, 1)
        await here.dial(2, 1)
        await until(lambda: seen(ann) == ["ben", "cyd"] and seen(cyd) == ["ann", "ben"])
        assert seen(ben) == ["ann", "cyd"]
        ann.set_presence(PresenceState("ann", thought="8" * 32, head={"item": 1}))
        await until(lambda: cyd.state().people[0].thought == "8" * 32)
        assert cyd.state().people[0].head == {"item": 1}
        here.leave(0)
        await until(lambda: seen(cyd) == ["ben"] and seen(ben) == ["cyd"] and not seen(ann))


async def test_in_a_ring_of_machines_nobody_stays_who_has_left(machines: list[Machine]) -> None:
    async with meeting(machines) as here:
        for one, other in ((0, 1), (1, 2), (2, 3), (3, 1)):
            await here.dial(one, other)
        everybody = [[name for name in NAMES if name != own] for own in NAMES]
        await until(lambda: [seen(one) for one in here.at] == everybody)
        for machine, exchange in zip(machines, here.at, strict=True):
            own = machine.copy.replica.replica
            heard = [person for link in exchange.links for person in link.people.values()]
            assert not any(own in person.via for person in heard)
        here.leave(0)
        await until(
            lambda: (
                [seen(one) for one in here.at[1:]]
                == [["cyd", "dan"], ["ben", "dan"], ["ben", "cyd"]]
            )
        )


ids = st.sampled_from([f"{number:x}" * 32 for number in range(1, 8)])
persons = st.builds(
    Person,
    ids,
    st.just("somebody"),
    st.just(""),
    via=st.lists(ids, max_size=6, unique=True).map(tuple),
)


@given(st.lists(persons, max_size=60), ids)
def test_what_is_passed_on_says_how_it_has_come_and_goes_no_further_than_it_may(
    heard: list[Person], own: str
) -> None:
    told = gossip.to_tell(heard, own)
    assert len(told) <= gossip.MOST_PEOPLE and own not in told
    for replica, state in told.items():
        person = presence.read(state)
        ways = [one.via for one in heard if one.replica == replica]
        assert person is not None and person.replica == replica
        assert person.via[-1] == own and person.via[:-1] in ways
        assert len(person.via) == min(map(len, ways)) + 1 <= gossip.MOST_HOPS
    assert gossip.changes(told, told) == {}
    assert gossip.changes(told, {}) == dict.fromkeys(told, b"")
    assert gossip.changes({}, told) == told


@pytest.mark.parametrize("pauses", range(5))
async def test_it_ends_when_it_is_told_to_also_at_the_moment_when_somebody_moves(
    pauses: int,
) -> None:
    passing_on = gossip.Gossip([], lambda: "aa" * 16, lambda: ())
    running = asyncio.create_task(passing_on.run())
    await asyncio.sleep(0.01)
    passing_on.moved()
    for _ in range(pauses):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=5)
    assert done
    assert running.cancelled()
