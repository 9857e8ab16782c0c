"""Pairing an open workspace with another machine that has it and listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aimem_tui.errors import BadInput, Refused

if TYPE_CHECKING:
    from aimem_tui.sync.peer.discovery import Found
    from aimem_tui.sync.peer.pairing import Compare, Granted
    from aimem_tui.workspace.workspace import Workspace

GOODBYE_S = 0.25
"""How long TLS connections take to end after aiohttp has let go of them; see "Graceful shutdown" in
its documentation."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A machine that was paired."""

    name: str
    """What it is called here."""
    in_file: bool
    """Whether its token is in a file, as there is no keyring."""


def find(workspace: Workspace) -> list[Found]:
    """The other machines on this network that listen. Takes a few seconds.

    Raises:
        Refused: if this network cannot be asked.
    """
    from aimem_tui.sync.peer import discovery, tls

    folder = workspace.database.path.parents[2]
    own = "none"
    if (folder / tls.FILE_NAME).exists():
        own = tls.device_certificate(folder).fingerprint.hex()
    found = asyncio.run(discovery.find())
    return [one for one in found if not own.startswith(one.fingerprint_start)]


def read_machine(text: str) -> tuple[str, int]:
    """Host and port of a machine, as a person writes them; without a port, the usual one.

    Raises:
        BadInput: if that is no address.
    """
    from aimem_tui.sync.peer.listener import PORT

    try:
        return str(ip_address(text.strip("[]"))), PORT
    except ValueError:
        pass
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port == 0 or parts.netloc != text or parts.username or " " in text:
        raise BadInput(f"{text} is not an address.", hint="It is written like 192.168.1.5:8788.")
    return host, port or PORT


def pair(
    workspace: Workspace,
    config: Path,
    machine: Found | str,
    agree: Callable[[Compare], Future[bool]],
) -> str:
    """Pair with a machine. Takes as long as two people do to compare a code.

    Args:
        config: the installation's folder for configuration.
        machine: one that was found, or its address.
        agree: shows the code; the future says whether the other machine shows the same.

    Returns: what it is called here.

    Raises:
        BadInput: if the address is none.
        Unreachable: if nobody is there.
        Refused: if one of the two does not agree, or that machine has another workspace.
        StorageError: if what it gives cannot be kept.
    """

    async def run() -> str:
        try:
            return await _pair(workspace, config, machine, agree)
        finally:
            await asyncio.sleep(GOODBYE_S)

    return asyncio.run(run())


async def _pair(
    workspace: Workspace,
    config: Path,
    machine: Found | str,
    agree: Callable[[Compare], Future[bool]],
) -> str:
    from aimem_tui.sync.peer import discovery, meeting
    from aimem_tui.sync.peer.naming import machine_name
    from crdt.wire.messages import Role

    if isinstance(machine, str):
        host, port = read_machine(machine)
    else:
        host, port = await discovery.first_reached(machine), machine.port
    where = discovery.join_address(host, port)
    called: list[str] = []

    async def ask(compare: Compare) -> bool:
        return await asyncio.wrap_future(agree(compare))

    await meeting.ask(
        host,
        port,
        name=machine_name(workspace.author),
        role=Role.WRITER,
        agree=ask,
        keep=lambda granted, fingerprint: called.append(
            _keep(workspace, config, where, granted, fingerprint.hex())
        ),
    )
    return called[0]


def _keep(
    workspace: Workspace, config: Path, where: str, granted: Granted, fingerprint: str
) -> str:
    if granted.workspace != workspace.identity():
        raise Refused(
            f"That machine has another workspace, called {granted.workspace_name}.",
            hint=f"To have it here, too, run: aimem peer pair {where}.",
        )
    return keep(workspace.database.path.parent, config, where, granted, fingerprint).name


def keep(folder: Path, config: Path, where: str, granted: Granted, fingerprint: str) -> Kept:
    """Keep what pairing has given: the machine as a remote, and the token for it.

    Args:
        folder: of the workspace's file.
        config: the installation's folder for configuration.
        where: host and port of the machine.
        fingerprint: of its certificate, in hexadecimal digits.

    Raises:
        StorageError: if it cannot be kept.
    """
    from aimem_tui.sync.credentials import Credentials, Place
    from aimem_tui.sync.remotes import Kind, Remote, Remotes

    remotes = Remotes(folder)
    known = [
        one.name
        for one in remotes.all()
        if one.kind is Kind.PEER and one.fingerprint == fingerprint
    ]
    name = known[0] if known else remotes.free_name(granted.name)
    # The secret first: whoever syncs in the background dials as soon as the remote is there.
    place = Credentials(config).keep(granted.workspace, name, granted.token)
    url = f"wss://{where}/sync/{granted.workspace}"
    remotes.add(Remote(name, url, Kind.PEER, fingerprint), replace=bool(known))
    return Kept(name, in_file=place is Place.FILE)
