"""Where a workspace's other copies are: ``connect``, ``disconnect``; and the relay: ``relay``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import SETTINGS, Command, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import can_ask, note
from aimem_tui.cli.remote_name import RemoteName
from aimem_tui.cli.styling import bold
from aimem_tui.cli.types import Text
from aimem_tui.errors import BadInput, Refused

if TYPE_CHECKING:
    from aimem_tui.sync.remotes import Address

_ASKED_FOR = "Give it at a terminal when asked, or on standard input with --token-stdin."


@command("connect", short_help="Connect the workspace to a relay.")
@click.argument("url", type=Text(), metavar="URL", help="Where the relay is.")
@click.option("--name", type=Text(), metavar="NAME", help="What to call it.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@json_option
@click.pass_obj
def connect_command(
    session: Session, url: str, name: str | None, token_stdin: bool, as_json: bool
) -> None:
    """Connect the workspace to a relay, after trying it out.

    URL is ws(s)://HOST[:PORT], and /sync/WORKSPACE behind it where a workspace is there already.
    One that is not on this machine yet is made, under the name that --workspace gives, and used
    from then on if the one in use has nothing in it. The token is asked for, or read from standard
    input; it is never part of the command line.

    \b
    aimem connect wss://relay.example.org
    aimem connect wss://relay.example.org/sync/0123… -w team < token --token-stdin
    """
    from aimem_tui.sync.remotes import name_problem, read_address
    from aimem_tui.workspace import connecting

    address = read_address(url)
    problem = "" if name is None else name_problem(name)
    if problem:
        raise BadInput(f"{name!r} cannot be a name.", why=problem)
    known = _local_workspace(session, address)
    workspace_id = address.workspace or session.open().identity()
    token = _token(from_stdin=token_stdin)
    welcome = connecting.try_out(address, workspace_id, token, hint=_ASKED_FOR)
    created = address.workspace != "" and known is None
    moved_in = False
    if created:
        _create(session, address)
        moved_in = session.move_in(session.workspace_name)
    elif known is not None:
        session.named_workspace = known
    connected = connecting.keep(
        session.open(), session.home.config, address, token, welcome, name=name or ""
    )
    remote = connected.remote
    if as_json:
        output.json_object(
            {
                "remote": shapes.remote(remote),
                "workspace": session.workspace_name,
                "created": created,
                "role": welcome.role.value,
            }
        )
        return
    may = "read" if connected.read_only else "read and write"
    if created:
        output.line("Made the workspace ", bold(session.workspace_name), ".")
    output.line(
        "Connected ",
        bold(session.workspace_name),
        " to ",
        bold(remote.name),
        f". You may {may} there.",
    )
    if connected.in_file is not None:
        note(
            f"There is no keyring here. The token is in {connected.in_file},"
            " which only you can read."
        )
    if connected.is_open:
        note("This connection is not encrypted. Who is on the way can read all, even the token.")
    of = "" if session.workspace_name == _default_name(session) else f" -w {session.workspace_name}"
    note(f"To exchange changes now: aimem sync{of}.")
    if moved_in:
        note(f"From now on {session.workspace_name} is used.")
    elif created:
        note(f"To use it from now on: aimem workspace use {session.workspace_name}.")
    note(f"Others connect with a token of their own: aimem connect {remote.url}.")


@command("disconnect", short_help="Forget a relay or machine.")
@click.argument("name", type=RemoteName(), metavar="NAME", help="Which one.")
@json_option
@click.pass_obj
def disconnect_command(session: Session, name: str, as_json: bool) -> None:
    """Forget a relay or machine, and the token for it. What it has stays there."""
    from aimem_tui.workspace import connecting

    gone = connecting.disconnect(session.open(), session.home.config, name)
    if as_json:
        output.json_object({"remote": shapes.remote(gone)})
    else:
        output.line("Disconnected from ", bold(name), ". Everything stays here, and there.")


@click.command(
    "relay",
    cls=Command,
    short_help="Run a relay on this machine.",
    context_settings={
        **SETTINGS,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)
@click.argument(
    "arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENTS]...", help="For the relay."
)
def relay_command(arguments: tuple[str, ...]) -> int:
    """Run the relay's own program on this machine: serve, token, config."""
    line = [sys.executable, "-m", "aimem_relay", *arguments]
    output.flush()
    if sys.platform == "win32":
        import subprocess

        return subprocess.run(line, check=False).returncode
    os.execv(sys.executable, line)


def _default_name(session: Session) -> str:
    """The workspace that is used where none is named."""
    return session.settings.get("workspace")


def _local_workspace(session: Session, address: Address) -> str | None:
    """The name of this machine's copy of the workspace that an address names, if there is one.

    Raises:
        Refused: if ``--workspace`` names another one.
    """
    if not address.workspace:
        return None
    from aimem_tui.workspace import arrival, registry

    named = session.named_workspace
    found = arrival.find(session.home, address.workspace)
    if found is not None:
        if named not in ("", found.name):
            raise Refused(
                f"That workspace is on this machine already, as {found.name}.",
                hint=f"Connect that one: -w {found.name}.",
            )
        return found.name
    if named and registry.file_of(session.home, named).exists():
        raise Refused(
            f"{named} is another workspace than the one at that address.",
            hint="Give a name that is free: -w NAME. Or leave -w out.",
        )
    return None


def _create(session: Session, address: Address) -> None:
    """Make the workspace of an address on this machine, empty, and use it for this command."""
    from aimem_tui.workspace import arrival
    from aimem_tui.workspace.connecting import name_for

    name = session.named_workspace or arrival.free_name(session.home, name_for(address))
    arrival.make(session.home, name, address.workspace)
    session.named_workspace = name


def _token(*, from_stdin: bool) -> str:
    """The secret for a relay; empty where none is given and nobody can be asked."""
    from aimem_tui.cli.texts import read_stdin
    from aimem_tui.workspace.connecting import check_token

    if from_stdin:
        token = read_stdin().strip()
    elif can_ask():
        import getpass

        token = getpass.getpass("Token: ").strip()
    else:
        token = ""
    check_token(token)
    if from_stdin and not token:
        raise BadInput("No token came in.", hint="Give it on standard input.")
    return token
