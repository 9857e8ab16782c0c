"""A real relay that stock clients and machines connect to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from aimem_relay.access import TokenGate
from aimem_relay.bus.local import LocalBus
from aimem_relay.bus.port import Bus
from aimem_relay.config import Config
from aimem_relay.gateway.handler import PATH, Gateway
from aimem_relay.gateway.ports import Limits
from aimem_relay.ledger.port import Job
from aimem_relay.ledger.sqlite import SqliteLedger
from aimem_relay.relay import Relay
from aimem_relay.server import Server
from aimem_relay.tokens import Token, issue
from aimem_relay.workspaces import GuestWorkspaces
from crdt.document import ThoughtDocument
from crdt.entry import Entry
from crdt.session.events import EntriesReceived
from crdt.wire.messages import Role

WORKSPACE = "aa" * 16
THOUGHT = "01" * 16
MACHINE = "ab" * 16
TEXT = "# Héllo 👍\n"
SECRET = "s" * 40


class RunningRelay:
    """One pod with a ledger in a file.

    Args:
        url: where stock clients go, without the workspace.
    """

    def __init__(self, relay: Relay, server: Server, url: str) -> None:
        self.relay = relay
        self.server = server
        self.url = url
        self._seq = 0

    def token(self, role: Role = Role.WRITER, *, workspace: str = WORKSPACE, expires: int = 0):
        """A token for the workspace."""
        return issue(Token(workspace, role, expires, role.value, f"a {role.value}"), SECRET)

    def options(self, role: Role = Role.WRITER, *, thought: str = THOUGHT) -> dict[str, Any]:
        """For a stock client in node, with the token in a header."""
        return {
            "server": f"{self.url}/yjs/{WORKSPACE}",
            "room": thought,
            "headers": {"Authorization": f"Bearer {self.token(role)}"},
        }

    async def put(self, update: bytes, *, thought: str = THOUGHT, sealed: int = 0) -> None:
        """Have something stored that came from a machine."""
        self._seq += 1
        entry = Entry(MACHINE, self._seq, thought, update, 1, "Ada", sealed=sealed)
        event = EntriesReceived(self._seq, b"", [entry])
        await self.relay.committer.submit(Job(WORKSPACE, event, peer_log="cd" * 16))

    async def put_thought(self, text: str = TEXT, *, thought: str = THOUGHT) -> None:
        """Have a thought stored that came from a machine."""
        _, update = ThoughtDocument.create(7, path=f"{thought}.md", text=text, at=1, by="Ada")
        await self.put(update, thought=thought)

    async def entries(self, thought: str = THOUGHT) -> Sequence[Entry]:
        """What is stored of a thought."""
        return (await self.relay.ledger.records_of(WORKSPACE, thought)).entries

    async def text(self, thought: str = THOUGHT) -> str:
        """What the stored entries make, loaded anew."""
        updates = [entry.update for entry in await self.entries(thought)]
        return ThoughtDocument.load(1, updates).text


@asynccontextmanager
async def running_relay(
    folder: Path, limits: Limits | None = None, bus: Bus | None = None
) -> AsyncIterator[RunningRelay]:
    """A relay from here to the end of the block.

    Args:
        folder: of the ledger; relays in one folder are pods of one cluster.
        limits: for stock clients; these then go to a port of their own.
        bus: between the pods; none if not given.
    """
    ledger = SqliteLedger(folder / "ledger.sqlite")
    await ledger.start()
    config = Config(host="127.0.0.1", port=0, drain_s=0)
    relay = Relay(config, ledger, bus or LocalBus(alone=True), TokenGate([SECRET]))
    await relay.start()
    server = Server(relay)
    await server.start()
    gateway = Gateway(relay.gate, GuestWorkspaces(relay), limits)
    app = web.Application()
    app.router.add_get(PATH, gateway.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = server.port if limits is None else runner.addresses[0][1]
    try:
        yield RunningRelay(relay, server, f"ws://127.0.0.1:{port}")
    finally:
        await gateway.close()
        await runner.cleanup()
        await server.stop()
        await relay.stop()
        await ledger.close()
