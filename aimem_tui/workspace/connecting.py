"""Connecting an open workspace to a relay after trying it out, and letting go of one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui.errors import BadInput, Refused, Unreachable

if TYPE_CHECKING:
    from aimem_tui.sync.probe import Welcome
    from aimem_tui.sync.remotes import Address, Remote
    from aimem_tui.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Connected:
    """What came of connecting."""

    remote: Remote
    read_only: bool
    in_file: Path | None
    """Where the token is, if there is no keyring to keep it."""
    is_open: bool
    """Others on the way can read what is said."""


def connect(workspace: Workspace, config: Path, url: str, token: str) -> Connected:
    """Connect a workspace to a relay, after trying it out. Takes as long as the network does.

    Args:
        config: the installation's folder for configuration.
        url: ``ws(s)://host[:port][/sync/WORKSPACE]``.
        token: empty for none.

    Raises:
        BadInput: if the address or the token is none.
        Unreachable: if nobody answers.
        Refused: if they do not let us in, or the address is of another workspace.
        StorageError: if it cannot be kept.
    """
    from aimem_tui.sync.credentials import LONGEST, Credentials, Place
    from aimem_tui.sync.remotes import Remote, Remotes, read_address
    from crdt.wire.messages import Role

    address = read_address(url)
    identity = workspace.identity()
    if address.workspace not in ("", identity):
        raise Refused(
            "That address is of another workspace than this one.",
            hint=f"To have it here, too, run: aimem connect {url}.",
        )
    if len(token.encode()) > LONGEST or any(not c.isprintable() for c in token):
        raise BadInput("That is not a token.", why="A token is one line of text.")
    there = address.of(identity)
    welcome = _try(there, address, identity, token)
    remotes = Remotes(workspace.database.path.parent)
    known = [remote.name for remote in remotes.all() if remote.url == there]
    remote = Remote(known[0] if known else remotes.free_name(name_for(address)), there)
    credentials = Credentials(config)
    place = credentials.keep(identity, remote.name, token)
    remotes.add(remote, replace=bool(known))
    in_file = credentials.file if token and place is Place.FILE else None
    return Connected(remote, welcome.role is Role.READER, in_file, address.is_open)


def disconnect(workspace: Workspace, config: Path, name: str) -> None:
    """Forget a remote and the secret for it. What it has stays there.

    Raises:
        NotFound: if there is none of that name.
        StorageError: if that cannot be written.
    """
    from aimem_tui.sync.credentials import Credentials
    from aimem_tui.sync.remotes import Remotes

    Remotes(workspace.database.path.parent).remove(name)
    Credentials(config).forget(workspace.identity(), name)


def name_for(address: Address) -> str:
    """What to call something at an address: the first word of the computer's name."""
    first = address.host.split(".")[0]
    plain = all(c.isascii() and (c.isalnum() or c == "-") for c in first) and first[0].isalpha()
    return "relay" if not plain or address.host == "localhost" else first


def _try(url: str, address: Address, workspace: str, token: str) -> Welcome:
    from aimem_tui.sync.dialling import CannotDial, why_gone
    from aimem_tui.sync.engine import AGENT
    from aimem_tui.sync.probe import Welcome, probe
    from crdt.wire.messages import CloseCode

    try:
        result = asyncio.run(probe(url, workspace, token, agent=AGENT))
    except CannotDial as error:
        kind = Refused if error.permanent else Unreachable
        raise kind(error.problem, hint=error.hint) from error
    if isinstance(result, Welcome):
        return result
    if result.code is CloseCode.UNAUTHORIZED:
        name = address.host
        raise Refused(
            f"{name} does not accept this token." if token else f"{name} wants a token.",
            hint="Whoever keeps the relay makes one for this workspace.",
        )
    raise (Refused if result.permanent else Unreachable)(why_gone(result, address.host))
