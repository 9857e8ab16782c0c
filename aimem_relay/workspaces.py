"""The relay's workspaces as the gateway for stock clients uses them (``gateway.ports``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aimem_relay.committer import Overloaded
from aimem_relay.gateway.ports import Refused, Workspace
from aimem_relay.ledger.port import Authored, Change, Job, LedgerDown, ThoughtRecords
from aimem_relay.relay import Relay
from aimem_relay.room import Room
from aimem_relay.rooms import FULL
from crdt.wire.messages import CloseCode

_DOWN = "The relay cannot reach its ledger."


class GuestWorkspace:
    """One workspace (``aimem_relay.gateway.ports.Workspace``)."""

    def __init__(self, relay: Relay, room: Room) -> None:
        self._relay = relay
        self._room = room
        self._name = relay.new_name()
        self._here = True
        room.guests += 1

    def follow(self, on_change: Callable[[Change], None]) -> Callable[[], None]:
        """See ``Workspace.follow``."""
        return self._room.follow(on_change)

    def presence(self) -> Mapping[str, bytes]:
        """See ``Workspace.presence``."""
        return dict(self._room.presence)

    def follow_presence(self, on_presence: Callable[[str, bytes], None]) -> Callable[[], None]:
        """See ``Workspace.follow_presence``."""
        return self._room.follow_presence(on_presence)

    def announce(self, key: str, state: bytes) -> None:
        """See ``Workspace.announce``. Others see the key behind this workspace's own name."""
        if self._here:
            self._relay.people.announce(self._room, self._name, key, state)

    async def submit(self, authored: Authored) -> None:
        """See ``Workspace.submit``."""
        if self._room.full:
            raise Refused(CloseCode.TRY_LATER, FULL)
        try:
            await self._relay.committer.submit(Job(self._room.workspace, authored))
        except Overloaded:
            raise Refused(CloseCode.TRY_LATER, "The relay has too much to store.") from None

    async def records_of(self, thought: str) -> ThoughtRecords:
        """See ``Workspace.records_of``."""
        try:
            return await self._relay.ledger.records_of(self._room.workspace, thought)
        except LedgerDown:
            raise Refused(CloseCode.TRY_LATER, _DOWN) from None

    def leave(self) -> None:
        """See ``Workspace.leave``; what was announced goes as well."""
        if self._here:
            self._here = False
            self._room.guests -= 1
            self._relay.people.leave(self._room, self._name)


class GuestWorkspaces:
    """All workspaces (``aimem_relay.gateway.ports.Workspaces``)."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def enter(self, workspace: str) -> Workspace:
        """See ``Workspaces.enter``."""
        try:
            room = await self._relay.enter(workspace)
        except LedgerDown:
            raise Refused(CloseCode.TRY_LATER, _DOWN) from None
        return GuestWorkspace(self._relay, room)
