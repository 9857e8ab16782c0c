"""Other machines, directly and without a relay: ``peer``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimem_tui import words
from aimem_tui.cli import output
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.machines import address_of, own_address, own_fingerprint
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import bold
from aimem_tui.cli.times import iso
from aimem_tui.cli.types import Text
from aimem_tui.errors import NotFound, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from aimem_tui.sync.peer.admission import Admission
    from aimem_tui.sync.peer.discovery import Found

DAY_MS = 86_400_000
_MOST_DAYS = 36_500

_FOUND = (
    Column("NAME", flexible=True, style="bold"),
    Column("ADDRESS", flexible=True),
    Column("", style="dim"),
)
_LISTED = (
    Column("NAME", flexible=True, style="bold"),
    Column("MAY"),
    Column("UNTIL"),
    Column("ADDRESS", flexible=True, style="dim"),
)

_bind = click.option(
    "--bind",
    type=Text(),
    multiple=True,
    metavar="ADDRESS",
    help="An address of this machine instead of all in local networks. May be repeated.",
)


@click.group(
    "peer",
    cls=LazyGroup,
    default="listen",
    short_help="Exchange with another machine directly.",
    context_settings=SETTINGS,
)
def peer_command() -> None:
    """Exchange with another machine directly. Without a command, listen for others."""


@command("listen", short_help="Let other machines connect.")
@_bind
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8_788,
    show_default=True,
    metavar="PORT",
    help="Where to listen; 0 for any that is free.",
)
@click.option("--read-only", is_flag=True, help="Who is paired from now on may only read.")
@click.option(
    "--days",
    type=click.IntRange(0, _MOST_DAYS),
    default=365,
    show_default=True,
    metavar="N",
    help="How long who is paired from now on may connect; 0 for ever.",
)
@click.option("--hidden", is_flag=True, help="Do not tell the network.")
@json_option
@click.pass_obj
def listen_command(
    session: Session,
    bind: tuple[str, ...],
    port: int,
    read_only: bool,
    days: int,
    hidden: bool,
    as_json: bool,
) -> None:
    """Let other machines connect, until Ctrl-C.

    Listens on this machine's addresses in local networks, never on one that the internet reaches
    unless --bind names it. Only machines that were paired come in; pairing is done here, too, by
    comparing a code.

    \b
    aimem peer
    aimem peer --bind 192.168.1.5 --read-only
    """
    from aimem_tui.cli import peers
    from aimem_tui.sync.peer.discovery import lan_addresses
    from aimem_tui.sync.peer.listener import Place, Terms
    from aimem_tui.sync.peer.naming import machine_name
    from crdt.wire.messages import Role

    addresses = [own_address(one) for one in bind] or lan_addresses()
    if not addresses:
        raise Refused(
            "This machine is in no local network.",
            hint="Name the address to listen at: aimem peer --bind ADDRESS.",
        )
    workspace = session.open()
    place = Place(
        workspace.identity(),
        workspace.name,
        machine_name(workspace.author),
        addresses,
        port,
        advertised=not hidden,
    )
    terms = Terms(Role.READER if read_only else Role.WRITER, days * DAY_MS)
    peers.listen(session, place, terms, as_json=as_json)


@command("find", short_help="See which machines listen.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 600),
    default=3.0,
    show_default=True,
    metavar="N",
    help="How long to look.",
)
@_bind
@json_option
@click.pass_obj
def find_command(session: Session, seconds: float, bind: tuple[str, ...], as_json: bool) -> None:
    """See which machines on this network listen."""
    import asyncio

    from aimem_tui.sync.peer.discovery import find

    found = asyncio.run(find(seconds, interfaces=[own_address(one) for one in bind]))
    known, own = _workspaces(session), own_fingerprint(session)
    if as_json:
        output.json_object(
            {
                "machines": [
                    {
                        "name": one.name,
                        "address": one.address,
                        "addresses": list(one.addresses),
                        "port": one.port,
                        "fingerprint_start": one.fingerprint_start,
                        "workspace": known.get(one.mark),
                        "this_machine": own.startswith(one.fingerprint_start),
                    }
                    for one in found
                ]
            }
        )
    elif found:
        output.table(_FOUND, ((one.name, one.address, _remark(one, known, own)) for one in found))
    else:
        note("No machine was found on this network. On the other one, run: aimem peer.")


@command("pair", short_help="Get to trust a machine that listens.")
@click.argument(
    "machine",
    type=Text(),
    required=False,
    metavar="[MACHINE]",
    help="HOST:PORT, or a name that aimem peer find shows.",
)
@click.option("--as", "name", type=Text(), metavar="NAME", help="What to call its workspace here.")
@click.option("--read-only", is_flag=True, help="Ask only to read.")
@_bind
@json_option
@click.pass_obj
def pair_command(
    session: Session,
    machine: str | None,
    name: str | None,
    read_only: bool,
    bind: tuple[str, ...],
    as_json: bool,
) -> None:
    """Get to trust a machine on which aimem peer runs, and its workspace.

    Both machines show a code of six digits. If the codes are the same, nobody stands in between:
    say so on both. A workspace that is not here yet is made. Without a terminal the code must come
    in on standard input.

    \b
    aimem peer pair 192.168.1.5:8788
    aimem peer pair
    """
    from aimem_tui.cli import peers
    from aimem_tui.workspace import registry

    if name:
        registry.file_of(session.home, name)
    host, port = address_of(session, machine, [own_address(one) for one in bind])
    peers.pair(session, host, port, workspace_name=name, read_only=read_only, as_json=as_json)


@command("list", short_help="List the machines that were paired.")
@json_option
@click.pass_obj
def list_command(session: Session, as_json: bool) -> None:
    """List the machines that may connect here, and those that this one connects to."""
    from aimem_tui.sync.peer.admission import Admissions
    from aimem_tui.sync.remotes import Kind, Remotes
    from crdt.wire.messages import Role

    folder = _folder(session)
    admitted = Admissions(folder).all()
    remotes = [one for one in Remotes(folder).all() if one.kind is Kind.PEER]
    if as_json:
        output.json_object(
            {
                "admitted": [
                    {
                        "name": one.name,
                        "role": one.role.value,
                        "since": iso(one.since),
                        "expires_at": iso(one.expires) if one.expires else None,
                    }
                    for one in admitted
                ],
                "paired": [
                    {"name": one.name, "url": one.url, "fingerprint": one.fingerprint}
                    for one in remotes
                ],
            }
        )
        return
    if not admitted and not remotes:
        note("No machine was paired yet. Here, run: aimem peer. On the other: aimem peer pair.")
        return
    rows = [
        (
            one.name,
            "connect, read and write" if one.role is Role.WRITER else "connect and read",
            _until(one, session.clock()),
            "",
        )
        for one in admitted
    ]
    rows += [(one.name, "be connected to", "", one.url.split("/")[2]) for one in remotes]
    output.table(_LISTED, rows)


@command("forget", short_help="Undo a pairing.")
@click.argument("name", type=Text(), metavar="NAME", help="The machine.")
@json_option
@click.pass_obj
def forget_command(session: Session, name: str, as_json: bool) -> None:
    """Undo a pairing: the machine may not connect any more, and is not connected to.

    What it has of the workspace it keeps.
    """
    from aimem_tui.sync.credentials import Credentials
    from aimem_tui.sync.peer.admission import Admissions
    from aimem_tui.sync.remotes import Kind, Remotes

    folder = _folder(session)
    admissions, remotes = Admissions(folder), Remotes(folder)
    shut_out = admissions.forget(name)
    connected = any(one.name == name and one.kind is Kind.PEER for one in remotes.all())
    if connected:
        remotes.remove(name)
        Credentials(session.home.config).forget(session.open().identity(), name)
    if not shut_out and not connected:
        raise NotFound(f"No machine called {name} was paired.", hint="To see all: aimem peer list.")
    if as_json:
        output.json_object({"name": name, "admitted": shut_out, "paired": connected})
        return
    said = [
        text
        for text, is_so in (("may not connect any more", shut_out), ("is forgotten", connected))
        if is_so
    ]
    output.line(bold(name), " ", " and ".join(said), ".")


for _command in (listen_command, find_command, pair_command, list_command, forget_command):
    peer_command.add_command(_command)


def _folder(session: Session) -> Path:
    session.open()
    assert session.file is not None
    return session.file.parent


def _workspaces(session: Session) -> dict[str, str]:
    """The names of this machine's workspaces by their marks."""
    from aimem_tui.sync.peer.discovery import mark_of
    from aimem_tui.workspace import arrival

    return {mark_of(one): entry.name for one, entry in arrival.ids(session.home)}


def _remark(one: Found, known: dict[str, str], own: str) -> str:
    if own.startswith(one.fingerprint_start):
        return "this machine"
    return f"has {known[one.mark]}" if one.mark in known else ""


def _until(one: Admission, now: int) -> str:
    if not one.expires:
        return "for ever"
    return words.day(one.expires) if one.holds(now) else "over"
