"""The server over HTTP: who may come in, and that those can work."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import sys
from pathlib import Path

import httpx2
import pytest

from aimem_tui.errors import AimemError, Refused
from aimem_tui.mcp import token
from aimem_tui.sync.peer.discovery import lan_addresses
from aimem_tui.workspace.workspace import Workspace
from tests.cli.running import process
from tests.mcp.clients import PATIENCE_S, Serving, serving, visitor

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def post(server: Serving, headers: dict[str, str], path: str = "/mcp", body: object = None) -> int:
    """Send a request as it is; returns the status."""
    url = f"http://127.0.0.1:{server.port}{path}"
    sent = INITIALIZE if body is None else body
    with httpx2.Client(timeout=PATIENCE_S) as web:
        return web.post(url, json=sent, headers=ACCEPT | headers).status_code


async def test_an_agent_with_the_token_can_work(workspace: Workspace) -> None:
    with serving() as server:
        for mode in ("auto", "legacy"):
            async with visitor(server, mode=mode) as cursor:
                assert "plans/auth.md" in await cursor.does("search_thoughts", query="signing")
                await cursor.does("append_to_thought", thought="lunch", content=f"Line of {mode}.")
    text = workspace.text(workspace.get("lunch").id)
    assert text.count("Line of auto.") == text.count("Line of legacy.") == 1
    assert workspace.get("lunch").updated_by == "Ada via Cursor"


async def test_agents_are_told_apart(workspace: Workspace) -> None:
    with serving() as server:
        async with (
            visitor(server, mode="legacy") as one,
            visitor(server, name="claude-code", mode="legacy") as other,
        ):
            await one.does("append_to_thought", thought="lunch", content="By one.")
            await other.does("append_to_thought", thought="lunch", content="By the other.")
    revisions = workspace.history(workspace.get("lunch").id)
    assert [each.author for each in revisions][1:] == ["Ada via Cursor", "Ada via Claude Code"]


def test_who_has_not_the_token_stays_out(workspace: Workspace) -> None:
    with serving() as server:
        right = {"Authorization": f"Bearer {server.token}"}
        assert post(server, right) == 200
        for wrong in (
            {},
            {"Authorization": ""},
            {"Authorization": "Bearer"},
            {"Authorization": f"Bearer {server.token}x"},
            {"Authorization": f"Bearer {server.token[:-1]}"},
            {"Authorization": f"Basic {server.token}"},
            {"Authorization": server.token},
            {"X-Token": server.token},
        ):
            assert post(server, wrong) == 401, wrong
        assert post(server, {}, path=f"/mcp?token={server.token}") == 401
        assert post(server, {}, path="/") == 404
        assert post(server, right, path="/other") == 404
        assert post(server, {}, path="/.well-known/oauth-protected-resource") == 404


def test_a_page_from_elsewhere_stays_out_even_with_the_token(workspace: Workspace) -> None:
    with serving() as server:
        right = {"Authorization": f"Bearer {server.token}"}
        for host in ("localhost", "127.0.0.1"):
            assert post(server, right | {"Host": f"{host}:{server.port}"}) == 200
            origin = f"http://{host}:{server.port}"
            assert post(server, right | {"Origin": origin}) == 200
        for host in (
            "evil.example",
            f"evil.example:{server.port}",
            "127.0.0.1",
            "localhost:1",
            f"localhost.evil.example:{server.port}",
            f"localhost:{server.port}.evil.example",
        ):
            assert post(server, right | {"Host": host}) == 421, host
        for origin in (
            "http://evil.example",
            "null",
            f"https://localhost:{server.port}",
            f"http://localhost:{server.port}.evil.example",
            "http://localhost",
        ):
            assert post(server, right | {"Origin": origin}) == 403, origin


def test_it_listens_on_this_machine_alone(workspace: Workspace) -> None:
    with serving() as server:
        for address in lan_addresses():
            with pytest.raises(OSError):
                socket.create_connection((address, server.port), timeout=5).close()
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()


def test_the_token_is_in_a_file_of_its_owner_and_nowhere_else(
    workspace: Workspace, home: Path
) -> None:
    file = home / "aimem" / "state" / "mcp-token"
    with serving() as server:
        assert server.token == file.read_text().strip()
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        post(server, {"Authorization": "Bearer wrong"})
        server.process.terminate()
        said = (server.process.stderr.read() if server.process.stderr else b"").decode()
        assert server.token not in said and "wrong" not in said
        commands = Path(f"/proc/{server.process.pid}/cmdline")
        if commands.exists():
            assert server.token not in commands.read_text()
    with serving() as server:
        assert server.token == file.read_text().strip()
    given = "given-by-the-environment"
    with serving(env={"AIMEM_MCP_TOKEN": given}) as server:
        assert post(server, {"Authorization": f"Bearer {given}"}) == 200
        assert post(server, {"Authorization": f"Bearer {file.read_text().strip()}"}) == 401


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("not on Windows")
    made = token.of(tmp_path)
    assert token.of(tmp_path) == made
    (tmp_path / "mcp-token").chmod(0o644)
    with pytest.raises(Refused, match="Others may read"):
        token.of(tmp_path)
    (tmp_path / "mcp-token").chmod(0o600)
    (tmp_path / "mcp-token").write_text("short\n")
    with pytest.raises(AimemError, match="cannot be used"):
        token.of(tmp_path)


def test_a_port_that_is_taken_is_said(workspace: Workspace) -> None:
    with serving() as server:
        ran = process("mcp", "--http", "--port", str(server.port), env={"AIMEM_AUTHOR": "Ada"})
        assert ran.code == 4
        assert f"port {server.port}" in ran.err and "Traceback" not in ran.err


def test_a_body_that_is_too_large_is_refused(workspace: Workspace) -> None:
    with serving() as server:
        right = {"Authorization": f"Bearer {server.token}"}
        assert post(server, right, body={"x": "y" * (5 << 20)}) == 413
        assert post(server, right) == 200


async def test_ten_agents_at_once_lose_and_double_nothing(workspace: Workspace) -> None:
    with serving() as server:

        async def work(number: int) -> None:
            async with visitor(server, name=f"agent-{number}") as one:
                for turn in range(5):
                    await one.does(
                        "append_to_thought",
                        thought="plans/auth.md",
                        section="Steps",
                        content=f"- [ ] {number} does {turn}",
                    )
                    await one.does("search_thoughts", query="signing key")

        async with asyncio.timeout(2 * PATIENCE_S):
            await asyncio.gather(*(work(number) for number in range(10)))
    text = workspace.text(workspace.get("plans/auth.md").id)
    wanted = {f"- [ ] {number} does {turn}" for number in range(10) for turn in range(5)}
    lines = [line for line in text.split("\n") if " does " in line]
    assert sorted(lines) == sorted(wanted)
    for number in range(10):
        own = [line for line in lines if line.startswith(f"- [ ] {number} ")]
        assert own == sorted(own)


async def test_who_leaves_without_a_word_holds_nobody_up(workspace: Workspace) -> None:
    with serving() as server:
        right = {"Authorization": f"Bearer {server.token}"}
        call = {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {
                "name": "append_to_thought",
                "arguments": {"thought": "lunch", "content": "Half a line."},
            },
        }
        with httpx2.Client(timeout=PATIENCE_S) as web:
            begun = web.post(server.url, json=INITIALIZE, headers=ACCEPT | right)
            session = {"Mcp-Session-Id": begun.headers["mcp-session-id"]}
        body = json.dumps(call).encode()
        head = "".join(
            f"{name}: {value}\r\n"
            for name, value in {
                **ACCEPT,
                **right,
                **session,
                "Host": f"127.0.0.1:{server.port}",
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }.items()
        )
        for cut in (len(body) // 2, len(body)):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body[:cut])
            await writer.drain()
            writer.transport.abort()
        async with visitor(server) as cursor:
            await cursor.does("append_to_thought", thought="lunch", content="The end.")
    text = workspace.text(workspace.get("lunch").id)
    assert text.count("Half a line.") <= 1
    assert text.count("The end.") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
def test_it_ends_at_once_when_told_to(workspace: Workspace) -> None:
    with serving() as server:
        server.process.terminate()
        assert server.process.wait(PATIENCE_S) in (0, -15)
