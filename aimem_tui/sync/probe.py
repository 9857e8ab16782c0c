"""Trying out an address and a credential, before either is kept."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from aimem_tui.sync.connection import Connection, monotonic_ms
from aimem_tui.sync.dialling import dial
from aimem_tui.sync.empty_copy import EmptyCopy
from crdt.session import Session
from crdt.session import events as ev
from crdt.wire.messages import CloseCode, Role


@dataclass(frozen=True, slots=True)
class Welcome:
    """The other side has let us in."""

    role: Role
    """What we may do there."""
    expires: int
    """Until when, ms since the Unix epoch; 0 for ever."""


async def probe(
    url: str, workspace: str, credential: str, *, agent: str, fingerprint: str = ""
) -> Welcome | ev.PeerGone:
    """Connect to a workspace and hang up again.

    Returns: how we were welcomed, or how it ended without.

    Raises:
        CannotDial: if nobody answers.
    """
    welcome: Welcome | None = None

    def on_event(event: ev.Event) -> None:
        nonlocal welcome
        if isinstance(event, ev.Welcomed):
            welcome = Welcome(event.role, event.expires)
            connection.close(CloseCode.NORMAL)

    async with aiohttp.ClientSession(trust_env=True) as http:
        socket = await dial(http, url, fingerprint)
        session = Session(EmptyCopy(workspace), monotonic_ms(), agent=agent)
        connection = Connection(socket, session, on_event)
        session.connect(credential=credential.encode())
        gone = await connection.run()
    return gone if welcome is None else welcome
