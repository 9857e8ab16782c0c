"""Passing on where people are: who is connected with this machine sees who else is.

- What came over one connection is told over all others, with this machine's replica noted behind
  those through which it has come. A machine takes in nothing that has come through itself, so what
  nobody says any more is gone everywhere, however the machines are connected.
- The agents of this machine are told of as if a machine had told of them.
- Of several ways the shortest counts. It goes over a few machines at most, and of a crowd only the
  first ones are passed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from aimem_tui.sync.link import Link
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.state import Person

MOST_HOPS = 4
"""Through so many machines a presence may have come."""
MOST_PEOPLE = 32
"""So many are passed on over a connection; a relay takes 64 from each."""
GOSSIP_S = 0.05
"""How far apart it is passed on who is there."""
LOOK_S = 0.5
"""How often it is looked for the agents of this machine."""


class Gossip:
    """Tells each connection whom the others have told of.

    Args:
        links: all there are; the list changes as they come and go.
        own: this machine's replica.
        visitors: the agents of this machine.
    """

    def __init__(
        self,
        links: Sequence[Link],
        own: Callable[[], str],
        visitors: Callable[[], Iterable[Person]],
    ) -> None:
        self._links = links
        self._own = own
        self._visitors = visitors
        self._here: tuple[Person, ...] = ()
        self._moved = asyncio.Event()

    def moved(self) -> None:
        """Somebody has come, gone or moved; or a connection has."""
        self._moved.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            # Not asyncio.wait_for: what has come just then makes it forget that it was cancelled.
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._moved.wait()
            here = tuple(self._visitors())
            if here == self._here and not self._moved.is_set():
                continue
            self._here = here
            self._moved.clear()
            for link in self._links:
                self._tell(link)
            await asyncio.sleep(GOSSIP_S)

    def _tell(self, link: Link) -> None:
        connection = link.connection
        if connection is None or not connection.is_open:
            return
        elsewhere = [one for it in self._links if it is not link for one in it.people.values()]
        others = [*self._here, *elsewhere]
        now = to_tell(others, self._own())
        news = changes(link.told, now)
        for key, state in news.items():
            connection.session.set_presence(key, state)
        if news:
            link.told = now
            connection.wake()


def to_tell(others: Iterable[Person], own: str) -> dict[str, bytes]:
    """What to tell over a connection, by key.

    Args:
        others: whom the other connections have told of.
        own: this machine's replica.
    """
    best: dict[str, Person] = {}
    for person in others:
        known = best.get(person.replica)
        if person.replica != own and (known is None or len(person.via) < len(known.via)):
            best[person.replica] = person
    passed = [best[replica] for replica in sorted(best) if len(best[replica].via) < MOST_HOPS]
    return {person.replica: _packed(person, own) for person in passed[:MOST_PEOPLE]}


def changes(told: Mapping[str, bytes], now: Mapping[str, bytes]) -> dict[str, bytes]:
    """What has to be said for ``told`` to become ``now``; empty where somebody is gone."""
    news = {key: b"" for key in told if key not in now}
    return news | {key: state for key, state in now.items() if told.get(key) != state}


def _packed(person: Person, own: str) -> bytes:
    state = PresenceState(
        person.name, person.color, person.agent, person.thought, person.anchor, person.head
    )
    return state.to_bytes(person.replica, via=(*person.via, own))
