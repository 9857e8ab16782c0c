"""Passes on where people are: to everybody in a room, and to the other pods.

- States are kept by :class:`~aimem_relay.presence.Presence`; here is who is told of them, and when:
  at most every few moments, all that has changed at once.
- Pods tell each other what changes, and everything when one of them asks. What a pod has said is
  forgotten when nothing is heard of it for some seconds: each says now and then that it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from aimem_relay.bus.port import Alive, Announced, Asked, Listed
from aimem_relay.room import Room

if TYPE_CHECKING:
    from aimem_relay.relay import Relay

ALIVE_S = 2.0
"""How often a pod says that it is there."""
SILENT_S = 7.0
"""After so long without a word a pod's presences are gone."""


class People:
    """Presence on one pod."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._loop = asyncio.get_running_loop()
        self._pods: dict[str, float] = {}
        self._said_alive = 0.0

    def announce(self, room: Room, name: str, key: str, state: bytes, number: int = 0) -> None:
        """Somebody says where they are; an empty state takes it back.

        Args:
            name: whose presence it is: of a connection, or of somebody who is none.
            number: of that connection, which is not told what it has said itself.
        """
        public = room.presence.announce(name, key, state)
        if public:
            room.show(public, state, number)
            self._tell(room, {public: state})

    def leave(self, room: Room, name: str) -> None:
        """That one has left; its presences go, too."""
        gone = dict.fromkeys(room.presence.leave(name), b"")
        for key in gone:
            room.show(key, b"")
        if gone:
            self._tell(room, gone)

    # Other pods

    def meet(self, room: Room) -> None:
        """The other pods are heard from now on: ask who is there, and say who is here."""
        self._relay.bus.tell(room.workspace, Asked(self._relay.pod))
        self._list(room)

    def heard(self, room: Room | None, message: Announced | Listed | Asked | Alive) -> None:
        """Another pod has said something, perhaps about a room of this one."""
        pod = message.pod
        if pod == self._relay.pod:
            return
        self._pods[pod] = self._relay.clock()
        if room is None:
            return
        match message:
            case Asked():
                self._list(room)
            case Announced():
                known = room.presence
                new = {k: to for k, to in message.states.items() if known.pod_announces(pod, k, to)}
                self._show(room, new)
            case Listed():
                self._show(room, room.presence.pod_lists(pod, message.states))

    def look(self, rooms: Iterable[Room]) -> None:
        """Say that this pod is there, and forget those that have said nothing; call it often."""
        now = self._relay.clock()
        if now - self._said_alive >= ALIVE_S:
            self._said_alive = now
            self._relay.bus.tell("", Alive(self._relay.pod))
        for pod in [one for one, at in self._pods.items() if now - at >= SILENT_S]:
            del self._pods[pod]
            for room in rooms:
                self._show(room, dict.fromkeys(room.presence.pod_leaves(pod), b""))

    def _list(self, room: Room) -> None:
        self._relay.bus.tell(room.workspace, Listed(self._relay.pod, room.presence.local()))

    def _show(self, room: Room, changed: dict[str, bytes]) -> None:
        for key, state in changed.items():
            room.show(key, state)
        if changed:
            self._send_soon(room)

    # Sending

    def _tell(self, room: Room, states: dict[str, bytes]) -> None:
        room.unsaid.update(states)
        self._send_soon(room)

    def _send_soon(self, room: Room) -> None:
        if not room.showing:
            room.showing = True
            wait = max(0, room.next_presence - self._relay.now())
            self._loop.call_later(wait / 1_000, self._send, room)

    def _send(self, room: Room) -> None:
        """Send everybody in a room where the others are, and tell the other pods."""
        relay = self._relay
        room.showing = False
        room.next_presence = relay.now() + relay.limits.presence_ms
        if room.unsaid:
            states, room.unsaid = room.unsaid, {}
            relay.bus.tell(room.workspace, Announced(relay.pod, states))
        waits = False
        for connection in [*room.connections.values()]:
            connection.pump()
            due = connection.session.next_tick()
            waits |= due is not None and due <= room.next_presence and connection.channel.writable
        if waits:
            # Some were sent something a moment ago, and not again yet.
            self._send_soon(room)
