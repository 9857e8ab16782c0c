"""What does not make sense is refused in the protocol's words, and the next request is answered."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading

import pytest
from mcp.shared.exceptions import MCPError

from aimem_tui.mcp.access import Access
from aimem_tui.mcp.desk import Call, Desk
from aimem_tui.workspace.workspace import Workspace
from tests.cli.running import COMMAND, environment, process
from tests.mcp.clients import PATIENCE_S, Agent, opened, until
from tests.mcp.raw import INITIALIZE, raw


def test_nonsense_is_refused_and_the_next_request_is_answered(workspace: Workspace) -> None:
    with raw() as client:
        for line in (b"", b"{", b"[]", b"null", b'{"jsonrpc":"1.0"}', b"\xff\xfe", b"[" * 100_000):
            client.line(line)
        assert client.ask("nothing/such")["error"]["code"] == -32601
        assert client.ask("tools/call", {"arguments": {}})["error"]["code"] == -32602
        assert client.ask("tools/call", {"name": 7})["error"]["code"] == -32602
        assert client.ask("tools/call", {"name": "x", "arguments": []})["error"]["code"] == -32602
        assert "read_thought" in client.ask("tools/call", {"name": "x"})["error"]["message"]
        assert (
            client.ask("resources/read", {"uri": "file:///etc/passwd"})["error"]["code"] == -32602
        )
        assert client.ask("prompts/get", {"name": "x"})["error"]["code"] == -32602
        assert client.ask("tools/list", {"cursor": "x"})["result"]["tools"]
        answer = client.answer(client.call("read_thought", thought="lunch"))
        assert not answer["result"].get("isError")


def test_nothing_is_done_before_the_greeting(workspace: Workspace) -> None:
    with raw(greet=False) as client:
        number = client.call("append_to_thought", thought="lunch", content="x")
        assert "error" in client.answer(number)
    assert "x" not in workspace.text(workspace.get("lunch").id)


async def test_huge_and_odd_arguments_are_refused_with_the_limit(
    claude: Agent, workspace: Workspace
) -> None:
    huge = "x" * 10_000_000
    before = [(each, workspace.text(each.id)) for each in workspace.thoughts()]
    assert "400,000 is the limit" in await claude.fails(
        "append_to_thought", thought="lunch", content=huge
    )
    assert "limit" in await claude.fails("search_thoughts", query=huge)
    assert "limit" in await claude.fails("read_thought", thought=huge)
    assert "limit" in await claude.fails("search_thoughts", query="x", tags=["y"] * 1_000)
    assert "from 1 to 30" in await claude.fails("search_thoughts", query="x", limit=10**30)
    assert "whole number" in await claude.fails("search_thoughts", query="x", limit=1.5)
    assert "whole number" in await claude.fails("search_thoughts", query="x", limit=True)
    assert "one of" in await claude.fails("search_thoughts", query="x", how="magic")
    assert "no argument" in await claude.fails("search_thoughts", query="x", **{huge[:5000]: 1})
    assert "list of texts" in await claude.fails("search_thoughts", query="x", tags="y")
    assert "must be a text" in await claude.fails("read_thought", thought={"path": "lunch"})
    assert "cursor" in await claude.fails("list_thoughts", cursor="nonsense")
    assert "cursor" in await claude.fails("list_thoughts", order="title", cursor="LTE")
    for odd in ("\0", "\u2028", "a\x1bb", "../../etc/passwd", "/etc/passwd", "a//b", "CON\\x"):
        assert await claude.fails("create_thought", path=f"x/{odd}", content="x")
        assert await claude.fails("read_thought", thought=odd)
    assert "NUL" in await claude.fails("append_to_thought", thought="lunch", content="a\0b")
    assert [(each, workspace.text(each.id)) for each in workspace.thoughts()] == before
    assert await claude.does("read_thought", thought="lunch")


def test_halves_of_characters_change_nothing(workspace: Workspace) -> None:
    with raw() as client:
        client.call("append_to_thought", thought="lunch", content="\ud800")
        answer = client.answer(client.call("read_thought", thought="lunch"))
        assert not answer["result"].get("isError")
    assert workspace.text(workspace.get("lunch").id).endswith("Mondays.\n")


def test_a_call_that_is_cancelled_while_it_waits_does_nothing(workspace: Workspace) -> None:
    """Another process holds the file; what waits behind it and is cancelled is never done."""
    lunch = workspace.get("lunch").id
    with raw() as client:
        client.answer(client.call("read_thought", thought="lunch"))
        with workspace.database.write():
            numbers = [
                client.call("append_to_thought", thought="lunch", content=f"Line {number}.")
                for number in range(12)
            ]
            for number in numbers[6:]:
                client.notify("notifications/cancelled", {"requestId": number})
            # Answered only when all before it were read.
            client.ask("ping")
        for number in numbers[:4]:
            assert not client.answer(number)["result"].get("isError")
        client.answer(client.call("read_thought", thought="lunch"))
    text = workspace.text(lunch)
    lines = [line for line in text.split("\n") if line.startswith("Line ")]
    assert sorted(lines) == sorted(set(lines))
    assert {f"Line {number}." for number in range(6)} >= set(lines)
    assert {f"Line {number}." for number in range(4)} <= set(lines)


async def test_what_waits_for_a_thread_and_is_cancelled_never_begins(workspace: Workspace) -> None:
    begun: list[int] = []
    hold = threading.Event()
    desk = Desk(lambda: opened(), Access())

    def work(number: int) -> object:
        def act(_: Call) -> None:
            begun.append(number)
            assert hold.wait(PATIENCE_S)

        return desk.work(act)

    tasks = [asyncio.ensure_future(work(number)) for number in range(10)]  # type: ignore[call-overload]
    await until(lambda: len(begun) == 4)
    for task in tasks[2:]:
        task.cancel()
    await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    desk.close()
    assert sorted(begun) == [0, 1, 2, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(workspace: Workspace, which: signal.Signals) -> None:
    with raw() as client:
        client.answer(client.call("append_to_thought", thought="lunch", content="Kept."))
        client.process.send_signal(which)
        assert client.process.wait(PATIENCE_S) == 0
    assert "Kept." in workspace.text(workspace.get("lunch").id)


def test_the_end_of_input_ends_it_and_finishes_what_has_begun(workspace: Workspace) -> None:
    with raw() as client:
        client.answer(client.call("append_to_thought", thought="lunch", content="First."))
        client.call("append_to_thought", thought="lunch", content="Second.")
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert client.process.wait(PATIENCE_S) == 0
    text = workspace.text(workspace.get("lunch").id)
    assert text.count("First.") == 1 and text.count("Second.") <= 1


async def test_a_workspace_that_is_not_there_is_said_by_every_tool(home: object) -> None:
    from tests.mcp.clients import agent

    async with agent("-w", "elsewhere") as claude:
        assert len((await claude.client.list_tools()).tools) == 15
        said = await claude.fails("list_thoughts")
        assert "There is no workspace called elsewhere" in said
        with pytest.raises(MCPError, match="no workspace"):
            await claude.client.list_resources()


def test_a_person_at_a_terminal_is_told_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from aimem_tui.cli.context import Session
    from aimem_tui.cli.main import main

    monkeypatch.setattr(Session, "has_terminal", lambda _: True)
    assert main(["mcp"]) == 4


def test_what_cannot_be_asked_for_is_said_at_once() -> None:
    assert process("mcp", "--port", "1").code == 5
    assert "pattern" in process("mcp", "--path", "plans/*").err
    assert process("mcp", "--path", "../x").code == 5


def test_content_never_reaches_the_log(workspace: Workspace, home: object) -> None:
    client = subprocess.Popen(
        [*COMMAND, "mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"AIMEM_AUTHOR": "Ada"}),
    )
    calls = [
        ("append_to_thought", {"thought": "lunch", "content": "kumquat"}),
        ("edit_thought", {"thought": "lunch", "old_text": "kumquat2", "new_text": "kumquat3"}),
        ("search_thoughts", {"query": "kumquat"}),
        ("kumquat", {"kumquat": "kumquat"}),
    ]
    messages: list[dict[str, object]] = [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]
    for number, (name, arguments) in enumerate(calls, start=1):
        params = {"name": name, "arguments": arguments}
        messages.append({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    assert client.stdin is not None and client.stdout is not None
    for message in messages:
        client.stdin.write(json.dumps(message).encode() + b"\n")
    client.stdin.flush()
    for _ in range(len(calls) + 1):
        client.stdout.readline()
    _, errors = client.communicate(timeout=PATIENCE_S)
    assert b"kumquat" not in errors
