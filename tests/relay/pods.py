"""Relays for tests: in this process, on a free port, with what they stand on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from aimem_relay import tokens
from aimem_relay.__main__ import make_bus, make_ledger
from aimem_relay.access import TokenGate, wall_ms
from aimem_relay.committer import CommitLimits
from aimem_relay.config import Config
from aimem_relay.ledger.port import Committed, Copy, Job, Ledger, LedgerDown
from aimem_relay.relay import Relay
from aimem_relay.server import Server
from crdt.session.replica import Cursor, Slice
from crdt.vector import Vector
from crdt.wire.messages import Role

WORKSPACE = "a" * 32
OTHER_WORKSPACE = "b" * 32
SECRET = "a secret that is only good for tests"


def token(
    workspace: str = WORKSPACE,
    role: Role = Role.WRITER,
    *,
    expires_in_ms: int = 0,
    secret: str = SECRET,
    id_: str = "1",
) -> bytes:
    """A credential; for ever unless said otherwise."""
    expires = wall_ms() + expires_in_ms if expires_in_ms else 0
    return tokens.issue(tokens.Token(workspace, role, expires, id_), secret).encode()


class Moody:
    """A ledger that can be made to fail."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.down = False
        self.commits = 0
        self.slow: asyncio.Event | None = None
        """Commits wait for it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)

    async def commit(self, jobs: Sequence[Job]) -> Committed:
        if self.down:
            raise LedgerDown("it was told to be")
        self.commits += 1
        if self.slow is not None:
            await self.slow.wait()
        return await self.ledger.commit(jobs)

    async def open(self, workspace: str) -> Copy:
        if self.down:
            raise LedgerDown("it was told to be")
        return await self.ledger.open(workspace)

    async def read(
        self, workspace: str, after: Cursor, known: Vector, most: int, most_bytes: int
    ) -> Slice:
        if self.down:
            raise LedgerDown("it was told to be")
        return await self.ledger.read(workspace, after, known, most, most_bytes)


@dataclass
class Pod:
    """A relay that runs."""

    relay: Relay
    server: Server
    ledger: Moody

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def metric(self, name: str, **labels: str) -> float:
        """A measurement; 0 where nothing was measured."""
        self.relay.measure()
        return self.relay.metrics.registry.get_sample_value(f"aimem_relay_{name}", labels) or 0.0


def settings(folder: Path, **changed: Any) -> Config:
    """Settings for a test: what takes long elsewhere is short here."""
    return msgspec.structs.replace(
        Config(
            port=0,
            data_dir=str(folder),
            secrets=(SECRET,),
            drain_s=0.2,
            retry_s=0.2,
            poll_s=0.1,
            presence_ms=10,
            checkpoints=False,
        ),
        **changed,
    )


@asynccontextmanager
async def pod(folder: Path, **changed: Any) -> AsyncIterator[Pod]:
    """A relay that runs as it does for a user, on a free port."""
    config = settings(folder, **changed)
    ledger = Moody(make_ledger(config))
    await ledger.start()
    gate = TokenGate(config.secrets, config.revoked)
    limits = CommitLimits(first_delay=0.02, most_delay=0.05)
    relay = Relay(config, ledger, make_bus(config), gate, commit_limits=limits)
    server = Server(relay)
    try:
        await relay.start()
        await server.start()
        yield Pod(relay, server, ledger)
    finally:
        await server.stop()
        await relay.stop()
        await ledger.close()
