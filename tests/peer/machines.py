"""Machines with real files: each has a folder of its own and one copy of a workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from aimem_tui.errors import AimemError
from aimem_tui.store.identity import of
from aimem_tui.sync import bundle as bundles
from aimem_tui.sync.bundle_file import Bundle
from aimem_tui.sync.dialling import dial
from aimem_tui.sync.exchange import Exchange
from aimem_tui.sync.file_copy import FileCopy
from aimem_tui.sync.link import Link
from aimem_tui.sync.peer import meeting, tls
from aimem_tui.sync.peer.admission import Admission, Admissions
from aimem_tui.sync.peer.listener import PeerListener, Place, Terms
from aimem_tui.sync.peer.pairing import Compare, Granted
from aimem_tui.workspace.creation import create_workspace
from aimem_tui.workspace.workspace import Workspace
from crdt.session import events as ev
from crdt.vector import Vector
from crdt.wire.messages import CloseCode, Role
from tests.workspaces import Clock

WORKSPACE = "a" * 32
LOOPBACK = "127.0.0.1"
PATIENCE_S = 30.0


class Machine:
    """One person's machine."""

    def __init__(self, folder: Path, name: str, *, workspace: str = WORKSPACE) -> None:
        self.name = name
        self.folder = folder / name
        self.file = self.folder / "workspace.db"
        self.clock = Clock()
        create_workspace(self.file, workspace)
        self.workspace = Workspace(self.file, name="team", author=name, clock=self.clock)
        self.certificate = tls.device_certificate(self.folder)
        self.admissions = Admissions(self.folder)

    def close(self) -> None:
        self.workspace.close()

    # What its person does

    def write(self, path: str, text: str) -> str:
        return self.workspace.create(path, text).id

    def append(self, path: str, text: str) -> None:
        self.workspace.catch_up()
        self.workspace.append(self.workspace.get(path).id, text)

    def texts(self) -> dict[str, str]:
        """All that is in the workspace."""
        self.workspace.catch_up()
        return {one.path: self.workspace.text(one.id) for one in self.workspace.thoughts()}

    # What it has

    @property
    def copy(self) -> FileCopy:
        return FileCopy(self.workspace.database)

    @property
    def vector(self) -> Vector:
        return self.copy.replica.vector()

    @property
    def log(self) -> str:
        return of(self.workspace.database.read()).log

    # Bundles

    def export(self, target: Path, *lacking: Path) -> bundles.Exported:
        return bundles.export(
            self.copy, target, at=self.clock(), lacking=[Bundle(each) for each in lacking]
        )

    def take_in(self, path: Path) -> bundles.Imported:
        return bundles.take_in(Bundle(path), self.copy)

    # Connections

    @asynccontextmanager
    async def online(self, on_change: Callable[[], None] = lambda: None) -> AsyncIterator[Exchange]:
        async with Exchange(
            self.workspace.database, agent="test", on_change=on_change, clock=self.clock
        ) as exchange:
            yield exchange

    def listener(
        self,
        exchange: Exchange,
        *,
        agree: meeting.Agree | None = None,
        on_paired: Callable[[Admission], None] = lambda admission: None,
        on_failed: Callable[[AimemError], None] = lambda error: None,
        terms: Terms | None = None,
        port: int = 0,
    ) -> PeerListener:
        place = Place(
            self.workspace.identity(), "team", self.name, [LOOPBACK], port, advertised=False
        )
        return PeerListener(
            exchange,
            place,
            admissions=self.admissions,
            certificate=self.certificate,
            clock=self.clock,
            terms=terms,
            agree=agree,
            on_paired=on_paired,
            on_failed=on_failed,
        )

    @asynccontextmanager
    async def listening(self, **how: Any) -> AsyncIterator[PeerListener]:
        """As :meth:`listener` says."""
        async with self.online() as exchange:
            listener = self.listener(exchange, **how)
            await listener.start()
            try:
                yield listener
            finally:
                await listener.stop()

    def let_in(self, name: str, role: Role = Role.WRITER, *, expires: int = 0) -> str:
        """A token, as pairing gives it out."""
        return self.admissions.issue(name, role, now=self.clock.now, expires=expires)[0]

    @asynccontextmanager
    async def connected(
        self,
        to: PeerListener,
        token: str,
        *,
        fingerprint: str = "",
        role: Role = Role.WRITER,
    ) -> AsyncIterator[tuple[Link, asyncio.Task[ev.PeerGone]]]:
        """Dials, and stays connected."""
        fingerprint = fingerprint or to._certificate.fingerprint.hex()
        async with self.online() as exchange, aiohttp.ClientSession() as http:
            url = f"wss://{LOOPBACK}:{to.port}/sync/{self.workspace.identity()}"
            socket = await dial(http, url, fingerprint)
            link = Link(to.place.name, url)
            exchange.links.append(link)
            running = asyncio.create_task(
                exchange.join(socket, link, credential=token.encode(), role=role)
            )
            try:
                yield link, running
            finally:
                exchange.close_connections(CloseCode.GOING_AWAY, "The test is over.")
                await running


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that two machines are about to do."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


class People:
    """Two people who look at two screens, and say the same."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self._both = asyncio.Event()

    def at(self, machine: str, *, says: bool | None = None) -> meeting.Agree:
        """Somebody at one machine; says what is so, unless told to say something else."""

        async def agree(compare: Compare) -> bool:
            self.codes[machine] = compare.code
            self.names[machine] = compare.name
            if says is not None:
                return says
            if len(self.codes) == 2:
                self._both.set()
            await self._both.wait()
            return len(set(self.codes.values())) == 1

        return agree


async def pair(
    dialler: str, port: int, agree: meeting.Agree, role: Role = Role.WRITER
) -> tuple[Granted, bytes]:
    """What a machine gets by pairing with one that listens at ``port``, and whose certificate."""
    seen: list[bytes] = []
    granted = await meeting.ask(
        LOOPBACK,
        port,
        name=dialler,
        role=role,
        agree=agree,
        keep=lambda granted, fingerprint: seen.append(fingerprint),
    )
    return granted, seen[0]
