"""What the server relies on in the SDK, held against the version that is installed."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import metadata
from typing import Any

import anyio
import mcp.server.lowlevel.server as lowlevel
import mcp_types as types
import pytest
from mcp import Client
from mcp.server.session import ServerSession
from mcp.server.stdio import stdio_server

from aimem_tui.mcp.access import Access
from aimem_tui.mcp.desk import Desk
from aimem_tui.mcp.server import make
from aimem_tui.workspace.workspace import Workspace
from tests.cli.running import environment
from tests.mcp.clients import opened

Context = Any


def test_it_is_the_version_that_was_tried() -> None:
    assert metadata.version("mcp") == metadata.version("mcp-types") == "2.3.0"


def test_a_server_takes_its_handlers_by_name() -> None:
    known = set(inspect.signature(lowlevel.Server.__init__).parameters)
    assert {
        "version",
        "title",
        "instructions",
        "on_list_tools",
        "on_call_tool",
        "on_list_resources",
        "on_list_resource_templates",
        "on_read_resource",
        "on_list_prompts",
        "on_get_prompt",
    } <= known
    app = set(inspect.signature(lowlevel.Server.streamable_http_app).parameters)
    assert {
        "streamable_http_path",
        "json_response",
        "max_request_body_size",
        "max_sessions",
        "transport_security",
    } <= app
    assert isinstance(inspect.getattr_static(ServerSession, "client_params"), property)
    assert stdio_server is not None


def test_arguments_come_as_they_were_sent() -> None:
    """The SDK must not check or change them by the schema: an agent is told in our words."""
    seen: list[object] = []

    async def call(_: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        seen.append(params.arguments)
        return types.CallToolResult(content=[types.TextContent(text="")])

    async def tools(_: Context, __: object) -> types.ListToolsResult:
        schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["b"]}
        return types.ListToolsResult(tools=[types.Tool(name="x", input_schema=schema)])

    async def run() -> None:
        server = lowlevel.Server("s", on_call_tool=call, on_list_tools=tools)
        async with Client(server) as client:
            await client.call_tool("x", {"a": "text", "c": None})

    anyio.run(run)
    assert seen == [{"a": "text", "c": None}]


async def test_a_cancelled_request_cancels_its_handler() -> None:
    begun, ended = anyio.Event(), anyio.Event()

    async def call(_: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        raise AssertionError

    server = lowlevel.Server("s", on_call_tool=call)
    with anyio.fail_after(30):
        async with Client(server, mode="legacy") as client, anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "x")
            await begun.wait()
            group.cancel_scope.cancel()
        await ended.wait()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_client_says_its_name_in_both_ways_of_greeting(
    workspace: Workspace, mode: str
) -> None:
    desk = Desk(opened, Access())
    info = types.Implementation(name="x", title="Some Agent", version="1")
    try:
        async with Client(make(desk), client_info=info, mode=mode) as client:  # type: ignore[arg-type]
            arguments = {"thought": "lunch", "content": mode}
            result = await client.call_tool("append_to_thought", arguments)
            assert not result.is_error
    finally:
        desk.close()
    assert workspace.get("lunch").updated_by.endswith(" via Some Agent")


@pytest.mark.parametrize(
    "names",
    [
        "from mcp import Client, StdioServerParameters",
        "import mcp.server; mcp.server.MCPServer",
        "from mcp import types; types.Tool",
        "import mcp; mcp.server.Server; mcp.ClientSession",
        "from mcp.server import Server; from mcp.server.lowlevel import Server as Same;"
        " assert Server is Same",
    ],
)
def test_loaded_quickly_it_is_still_all_there(names: str) -> None:
    check = (
        "from aimem_tui.mcp import sdk; sdk.hasten();"
        " import mcp.server.lowlevel.server, mcp.server.stdio; import sys;"
        " assert 'mcp.client' not in sys.modules;"
        f" {names}; sdk.hasten(); {names}"
    )
    missing = "import mcp, mcp.server; assert not hasattr(mcp, 'nothing_such')"
    for program in (check, f"{check}\n{missing}"):
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
