"""Where people are: between the awareness of Yjs clients and the presence of sessions.

- A presence is JSON: ``replica``, ``user`` (``name``, ``color``), ``agent``, ``thought`` and
  ``cursor`` (``anchor``, ``head``: relative positions as Yjs writes them). What a stock client says
  of itself becomes one: its own fields stay, those are added, and ``yjs`` says that it is one and
  what its clock is. On the way back they are taken off again.
- Somebody who uses aimem appears to Yjs clients as a client whose id is made from the replica's.
- Whoever receives a state ignores it unless its clock is higher than the last one it has seen of
  that client, even when either was gone in between. So what a connection is told begins with the
  time for a clock, and goes up by one: higher than what an earlier connection was told, here or by
  another process.
- A stock client passes on what it is told of others. What it was told is therefore not taken from
  it; anything else it says is about itself, or another tab of the same browser.
- Nothing that came from a client is believed: what cannot be read is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeGuard

from aimem_relay.gateway.protocol import (
    MAX_NUMBER,
    MAX_STATE_BYTES,
    Awareness,
    ClientState,
)

GONE = "null"
_ADDED = ("replica", "thought", "agent", "yjs")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has the thought open."""

    client: int
    """The Yjs client id."""
    clock: int
    """The client's own; 0 for whoever uses aimem."""
    state: str
    """What Yjs clients are told, JSON."""


def to_presence(thought: str, one: ClientState, name: str) -> bytes:
    """The presence of a stock client; empty where it is gone, or says more than a presence holds.

    Args:
        name: who it is, where the client does not say so itself.
    """
    said = json.loads(one.state)
    if not isinstance(said, dict):
        return b""
    user = said.get("user")
    user = {**user} if isinstance(user, dict) else {}
    for field, default in (("name", name), ("color", "")):
        if not isinstance(user.get(field), str):
            user[field] = default
    presence = {
        **said,
        "user": user,
        "replica": blake2b(f"{thought}/{one.client}".encode(), digest_size=16).hexdigest(),
        "agent": False,
        "thought": thought,
        "yjs": {"client": one.client, "clock": one.clock},
    }
    state = _json(presence).encode()
    return state if len(state) <= MAX_STATE_BYTES else b""


def to_person(thought: str, presence: bytes) -> Person | None:
    """Who a presence tells Yjs clients of; None where it is nobody who has the thought open."""
    try:
        said = json.loads(presence)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("thought") != thought:
        return None
    yjs, replica = said.get("yjs"), said.get("replica")
    if isinstance(yjs, dict):
        client, clock = yjs.get("client"), yjs.get("clock")
        if not _is_number(client) or not _is_number(clock):
            return None
        state = {field: value for field, value in said.items() if field not in _ADDED}
        return Person(client, clock, _json(state))
    if not isinstance(replica, str):
        return None
    # As wide as the ids that Yjs draws, and never 0.
    client = int.from_bytes(blake2b(replica.encode("utf-8", "replace"), digest_size=4).digest())
    state = {field: said[field] for field in ("user", "cursor", "agent") if field in said}
    return Person(client or 1, 0, _json(state))


class People:
    """Who has a thought open, by the presences of its workspace."""

    def __init__(self, thought: str) -> None:
        self._thought = thought
        # For each client the presences that speak of it: one may linger on a dead connection.
        self._said: dict[int, dict[str, Person]] = {}
        self._clients: dict[str, int] = {}

    def note(self, key: str, presence: bytes) -> set[int]:
        """Take a presence in, empty where it is gone; returns the clients that it changes."""
        before = self._clients.pop(key, None)
        changed: set[int] = set()
        if before is not None:
            changed.add(before)
            said = self._said[before]
            del said[key]
            if not said:
                del self._said[before]
        person = to_person(self._thought, presence) if presence else None
        if person is not None:
            self._clients[key] = person.client
            self._said.setdefault(person.client, {})[key] = person
            changed.add(person.client)
        return changed

    def find(self, client: int) -> Person | None:
        """What was said last of a client; None where it is not there."""
        said = self._said.get(client)
        return next(reversed(said.values())) if said else None

    def clients(self) -> set[int]:
        """Everybody who is there."""
        return set(self._said)


class Told:
    """What one connection was told of others."""

    def __init__(self) -> None:
        self._clocks: dict[int, int] = {}
        self._present: set[int] = set()

    def __contains__(self, client: int) -> bool:
        return client in self._clocks

    def tell(self, people: People, clients: Iterable[int], now: int) -> Awareness:
        """What is to be said of some clients now.

        Args:
            now: ms since the Unix epoch; where the clocks begin that this connection is told.
        """
        states = []
        for client in sorted(clients):
            person = people.find(client)
            last = self._clocks.get(client)
            if person is None:
                if client in self._present and last is not None:
                    self._present.discard(client)
                    # The same clock: that is how Yjs takes a client away without outdating it.
                    states.append(ClientState(client, last, GONE))
                continue
            clock = max(person.clock + 1, now) if last is None else max(person.clock, last + 1)
            clock = min(clock, MAX_NUMBER)
            self._clocks[client] = clock
            self._present.add(client)
            states.append(ClientState(client, clock, person.state))
        return Awareness(tuple(states))

    def renew(self, people: People, now: int) -> Awareness:
        """What keeps those alive who do not say so themselves; nobody, where there are none.

        A Yjs client forgets whom it has not heard of for 30 s; stock clients renew what they say
        of themselves, sessions do not.
        """
        quiet = [
            client
            for client in self._present
            if (person := people.find(client)) is not None and not person.clock
        ]
        return self.tell(people, quiet, now)


def _json(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which JSON can say and UTF-8 cannot.
        return json.dumps(value, separators=(",", ":"))
    return text


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER
