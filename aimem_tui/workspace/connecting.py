"""Connecting a workspace to a relay after trying it out, and letting go of one."""

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
    from aimem_tui.sync.remotes import read_address

    address = read_address(url)
    identity = workspace.identity()
    if address.workspace not in ("", identity):
        raise Refused(
            "That address is of another workspace than this one.",
            hint=f"To have it here, too, run: aimem connect {url}.",
        )
    check_token(token)
    welcome = try_out(address, identity, token)
    return keep(workspace, config, address, token, welcome)


def check_token(token: str) -> None:
    """Make sure that a text can be a token.

    Raises:
        BadInput: if it cannot.
    """
    from aimem_tui.sync.credentials import LONGEST

    if len(token.encode()) > LONGEST or any(not c.isprintable() for c in token):
        raise BadInput("That is not a token.", why="A token is one line of text.")


def try_out(address: Address, workspace: str, token: str, *, hint: str = "") -> Welcome:
    """Connect, and hang up again.

    Args:
        workspace: its id.
        hint: what to do where a token is wanted, and none was given.

    Raises:
        Unreachable: if nobody answers.
        Refused: if they do not let us in.
    """
    from aimem_tui.sync.dialling import CannotDial, why_gone
    from aimem_tui.sync.engine import AGENT
    from aimem_tui.sync.probe import Welcome, probe
    from crdt.wire.messages import CloseCode

    try:
        result = asyncio.run(probe(address.of(workspace), workspace, token, agent=AGENT))
    except CannotDial as error:
        kind = Refused if error.permanent else Unreachable
        raise kind(error.problem, hint=error.hint) from error
    if isinstance(result, Welcome):
        return result
    if result.code is CloseCode.UNAUTHORIZED:
        maker = f"Whoever keeps it makes one: aimem relay token --workspace {workspace}."
        if not token:
            raise Refused(f"{address.host} wants a token.", why=maker, hint=hint)
        said = f"It says: {result.reason}" if result.reason else ""
        raise Refused(f"{address.host} does not accept this token.", why=said, hint=maker)
    raise (Refused if result.permanent else Unreachable)(why_gone(result, address.host))


def keep(
    workspace: Workspace,
    config: Path,
    address: Address,
    token: str,
    welcome: Welcome,
    *,
    name: str = "",
) -> Connected:
    """Keep a relay that was tried out, and the token for it.

    Args:
        config: the installation's folder for configuration.
        name: what to call it; empty: as before, or after its address.

    Raises:
        Refused: if something else has that name.
        StorageError: if it cannot be kept.
    """
    from aimem_tui.sync.credentials import Credentials, Place
    from aimem_tui.sync.remotes import Remote, Remotes
    from crdt.wire.messages import Role

    identity = workspace.identity()
    there = address.of(identity)
    remotes = Remotes(workspace.database.path.parent)
    known = [remote.name for remote in remotes.all() if remote.url == there]
    called = name or (known[0] if known else remotes.free_name(name_for(address)))
    if called not in known:
        remotes.refuse_taken(called)
    # The secret first: whoever syncs in the background dials as soon as the remote is there.
    credentials = Credentials(config)
    place = credentials.keep(identity, called, token)
    remote = Remote(called, there)
    remotes.add(remote, replace=True)
    for other in known:
        if other != called:
            remotes.remove(other)
            credentials.forget(identity, other)
    in_file = credentials.file if token and place is Place.FILE else None
    return Connected(remote, welcome.role is Role.READER, in_file, address.is_open)


def disconnect(workspace: Workspace, config: Path, name: str) -> Remote:
    """Forget a remote and the secret for it. What it has stays there.

    Returns: the remote as it was.

    Raises:
        NotFound: if there is none of that name.
        StorageError: if that cannot be written.
    """
    from aimem_tui.sync.credentials import Credentials
    from aimem_tui.sync.remotes import Remotes

    gone = Remotes(workspace.database.path.parent).remove(name)
    Credentials(config).forget(workspace.identity(), name)
    return gone


def name_for(address: Address) -> str:
    """What to call something at an address: the first word of the computer's name."""
    first = address.host.split(".")[0]
    plain = all(c.isascii() and (c.isalnum() or c == "-") for c in first) and first[0].isalpha()
    return "relay" if not plain or address.host == "localhost" else first
