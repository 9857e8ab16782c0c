"""Agents: ``mcp``, which serves them by the Model Context Protocol."""

from __future__ import annotations

import logging
import sys

import click

from aimem_tui.cli.command import command
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.types import Text
from aimem_tui.errors import BadInput, Refused

_PORT = 8_789


@command("mcp", short_help="Serve agents by the Model Context Protocol.")
@click.option("--http", "by_http", is_flag=True, help="Serve over HTTP, for this machine alone.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help=f"With --http: where to listen; {_PORT} if not said, 0 for any that is free.",
)
@click.option("--read-only", is_flag=True, help="Agents may read, not write.")
@click.option(
    "--path",
    "folders",
    type=Text(),
    multiple=True,
    metavar="FOLDER",
    help="Only what is below this folder may be seen and changed. May be repeated.",
)
@click.option(
    "--agent",
    type=Text(),
    envvar="AIMEM_AGENT",
    default="",
    metavar="NAME",
    help="The agent's name in what it writes, instead of what it says it is called.",
)
@click.pass_obj
def mcp_command(
    session: Session,
    by_http: bool,
    port: int | None,
    read_only: bool,
    folders: tuple[str, ...],
    agent: str,
) -> None:
    """Serve agents by the Model Context Protocol, over standard input and output.

    An agent's client starts it by itself; `aimem init` sets that up. Over HTTP, clients show a
    token that is made at the first start (or given as AIMEM_MCP_TOKEN) and kept in a file.

    \b
    claude mcp add aimem -- aimem mcp
    aimem mcp --read-only --path plans --path research
    aimem mcp --http --port 8789
    """
    from aimem_tui.mcp import sdk

    sdk.hasten()
    from aimem_tui.mcp.access import Access
    from aimem_tui.mcp.desk import Desk

    if port is not None and not by_http:
        raise BadInput("--port is for --http.", hint="Add --http.")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    access = Access.to(folders, read_only=read_only)
    into = session.project.into if session.project is not None else ""
    # Who writes is said by each agent that connects.
    session.agent = ""
    desk = Desk(session.open, access, agent=agent, into=into)
    if by_http:
        from aimem_tui.mcp import http, token

        secret = token.of(session.home.state)

        def say(address: str) -> None:
            note(f"Agents of this machine can connect to {address}.")
            note(f"They show the token in {session.home.state / token.FILE_NAME}.")

        http.serve(desk, secret, _PORT if port is None else port, say)
        return
    if session.has_terminal():
        raise Refused(
            "This is for agents' programs, which start it by themselves.",
            why="A terminal cannot speak their protocol.",
            hint="To set an agent up: aimem init. For a server of its own: aimem mcp --http.",
        )
    from aimem_tui.mcp import stdio

    stdio.serve(desk, session.close)
