"""Which machine a person means: an address, or a name that the network knows."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

from aimem_tui.cli import terminal
from aimem_tui.cli.diagnostics import note
from aimem_tui.errors import BadInput, NotFound

if TYPE_CHECKING:
    from aimem_tui.cli.context import Session


def own_address(text: str) -> str:
    """An address of this machine, as a person has written it.

    Raises:
        BadInput: if it is none.
    """
    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise BadInput(
            f"{text} is not an address of this machine.",
            hint="Write it in digits, as in 192.168.1.5.",
        ) from None


def address_of(session: Session, machine: str | None, interfaces: list[str]) -> tuple[str, int]:
    """Host and port of the machine that is meant.

    Raises:
        NotFound, Ambiguous: if none is found, or several are.
        BadInput: if the address cannot be read.
    """
    if machine and _is_address(machine):
        from aimem_tui.workspace.pairing import read_machine

        return read_machine(machine)

    import asyncio

    from aimem_tui.sync.peer.discovery import find, first_reached

    if terminal.is_terminal(sys.stderr):
        note("Looking on this network.")
    own = own_fingerprint(session)
    found = [
        one
        for one in asyncio.run(find(interfaces=interfaces))
        if not own.startswith(one.fingerprint_start)
    ]
    if machine:
        wanted = machine.casefold()
        exact = [one for one in found if one.name.casefold() == wanted]
        meant = exact or [one for one in found if wanted in one.name.casefold()]
    else:
        meant = found
    if len(meant) == 1:
        return asyncio.run(first_reached(meant[0])), meant[0].port
    names = ", ".join(f"{one.name} ({one.address})" for one in meant or found)
    if not meant:
        raise NotFound(
            f"No machine called {machine} was found on this network."
            if machine
            else "No machine was found on this network.",
            why=f"There are: {names}." if names else "",
            hint="On the other machine, run: aimem peer. Or give its address: aimem peer pair"
            " HOST:PORT.",
        )
    raise NotFound(
        "Several machines were found.",
        why=f"{names}.",
        hint="Say which: aimem peer pair HOST:PORT.",
    )


def own_fingerprint(session: Session) -> str:
    """Of this device's certificate; a line that no fingerprint begins with where there is none."""
    from aimem_tui.sync.peer import tls

    if not (session.home.data / tls.FILE_NAME).exists():
        return "none"
    return tls.device_certificate(session.home.data).fingerprint.hex()


def _is_address(text: str) -> bool:
    """Whether a text is meant as an address and not as the name of a machine."""
    if " " in text:
        return False
    return ":" in text or "." in text or text == "localhost"
