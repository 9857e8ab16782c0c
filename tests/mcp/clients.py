"""Agents for tests: the SDK's own client, over real pipes and real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation, TextContent

from aimem_tui.workspace.workspace import Workspace
from tests.cli.running import COMMAND, environment

PATIENCE_S = 60
"""How long something that is to happen may take on a busy machine."""
NAME = "default"


def workspace_file() -> Path:
    """The file of the workspace that a test's servers use."""
    return Path(os.environ["AIMEM_HOME"]) / "workspaces" / NAME / "workspace.db"


def opened(author: str = "Ada") -> Workspace:
    """That workspace, opened in this process."""
    return Workspace(workspace_file(), name=NAME, author=author)


@dataclass(frozen=True, slots=True)
class Said:
    """What a tool answered."""

    text: str
    is_error: bool
    blocks: tuple[str, ...]


class Agent:
    """An agent with its client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: object) -> Said:
        """Call a tool."""
        result = await self.client.call_tool(tool, arguments, read_timeout_seconds=PATIENCE_S)
        return said(result)

    async def does(self, tool: str, **arguments: object) -> str:
        """Call a tool that must not fail; returns what it says."""
        answer = await self.call(tool, **arguments)
        assert not answer.is_error, answer.text
        return answer.text

    async def fails(self, tool: str, **arguments: object) -> str:
        """Call a tool that must fail; returns what it says."""
        answer = await self.call(tool, **arguments)
        assert answer.is_error, answer.text
        return answer.text


def said(result: object) -> Said:
    """A result of a tool as its texts."""
    assert isinstance(result, CallToolResult)
    blocks = tuple(each.text for each in result.content if isinstance(each, TextContent))
    assert len(blocks) == len(result.content)
    return Said("\n".join(blocks), bool(result.is_error), blocks)


def parameters(*args: str, env: dict[str, str] | None = None) -> StdioServerParameters:
    """How a client starts a server."""
    return StdioServerParameters(
        command=COMMAND[0],
        args=[*COMMAND[1:], "mcp", *args],
        env=environment({"AIMEM_AUTHOR": "Ada", **(env or {})}),
    )


@asynccontextmanager
async def agent(
    *args: str, name: str = "claude-code", mode: str = "auto", env: dict[str, str] | None = None
) -> AsyncIterator[Agent]:
    """An agent with a server of its own, over pipes."""
    info = Implementation(name=name, version="1.0")
    with Path(os.devnull).open("w") as nowhere:
        errors = sys.stderr if os.environ.get("AIMEM_TEST_ERRORS") else nowhere
        transport = stdio_client(parameters(*args, env=env), errlog=errors)
        async with Client(transport, client_info=info, mode=mode) as client:  # type: ignore[arg-type]
            yield Agent(client)


@dataclass(frozen=True, slots=True)
class Serving:
    """A server over HTTP."""

    url: str
    token: str
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1].partition("/")[0])


@contextmanager
def serving(*args: str, env: dict[str, str] | None = None) -> Iterator[Serving]:
    """A server over HTTP at a free port."""
    process = subprocess.Popen(
        [*COMMAND, "mcp", "--http", "--port", "0", *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment({"AIMEM_AUTHOR": "Ada", **(env or {})}),
    )
    try:
        assert process.stderr is not None
        told = process.stderr.readline().decode()
        found = re.search(r"http://\S+/mcp", told)
        assert found, told + process.stderr.read().decode()
        file = Path(os.environ["AIMEM_HOME"]) / "state" / "mcp-token"
        token = (env or {}).get("AIMEM_MCP_TOKEN") or file.read_text().strip()
        yield Serving(found[0], token, process)
    finally:
        process.terminate()
        assert process.stderr is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        process.kill()
        process.stderr.close()
        process.wait()


@asynccontextmanager
async def visitor(
    server: Serving, *, name: str = "cursor-vscode", mode: str = "auto"
) -> AsyncIterator[Agent]:
    """An agent at a server over HTTP."""
    headers = {"Authorization": f"Bearer {server.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S) as web:
        transport = streamable_http_client(server.url, http_client=web)
        info = Implementation(name=name, version="1.0")
        async with Client(transport, client_info=info, mode=mode) as client:  # type: ignore[arg-type]
            yield Agent(client)


async def until(holds: object) -> None:
    """Wait until something holds."""
    assert callable(holds)
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)
