"""The inspector of the protocol's makers lists what the server offers, and calls every tool."""

from __future__ import annotations

import pytest

from aimem_tui.mcp.tools import TOOLS
from aimem_tui.workspace.workspace import Workspace
from tests.mcp.clients import serving
from tests.mcp.inspector import inspect

pytestmark = pytest.mark.heavy

CALLS: dict[str, dict[str, str]] = {
    "search_thoughts": {"query": "signing key", "limit": "3"},
    "read_thought": {"thought": "plans/auth.md"},
    "list_thoughts": {"path": "plans"},
    "recent_changes": {},
    "related_thoughts": {"thought": "plans/auth.md"},
    "thought_history": {"thought": "plans/auth.md"},
    "list_tasks": {},
    "create_thought": {"path": "plans/new.md", "content": "New"},
    "edit_thought": {"thought": "plans/new.md", "old_text": "New", "new_text": "Newer"},
    "append_to_thought": {"thought": "plans/new.md", "content": "A line."},
    "move_thought": {"thought": "plans/new.md", "to": "archive/new.md"},
    "set_property": {"thought": "archive/new.md", "name": "status", "value": "done"},
    "tick_task": {"thought": "plans/auth.md", "task": "Rotate the signing key", "done": "true"},
    "remember": {"fact": "Releases are cut on Tuesdays."},
    "trash_thought": {"thought": "archive/new.md"},
}


def call(tool: str, arguments: dict[str, str]) -> list[str]:
    words = [
        word for name, value in arguments.items() for word in ("--tool-arg", f"{name}={value}")
    ]
    return ["--method", "tools/call", "--tool-name", tool, *words]


def test_it_lists_and_calls_every_tool(workspace: Workspace) -> None:
    listed = inspect("--method", "tools/list")["tools"]
    assert [tool["name"] for tool in listed] == list(TOOLS)
    assert set(CALLS) == set(TOOLS)
    for tool, arguments in CALLS.items():
        answer = inspect(*call(tool, arguments))
        assert not answer.get("isError"), (tool, answer)
        assert answer["content"][0]["text"]
    assert "Ada via " in workspace.get("plans/auth.md").updated_by


def test_it_lists_and_reads_resources_and_prompts(workspace: Workspace) -> None:
    names = {each["name"] for each in inspect("--method", "resources/list")["resources"]}
    assert names == {each.path for each in workspace.thoughts()}
    uri = "aimem://thought/notes/lunch.md"
    read = inspect("--method", "resources/read", "--uri", uri)
    assert read["contents"][0]["text"] == "# Lunch\n\nSoup on Mondays.\n"
    prompts = inspect("--method", "prompts/list")["prompts"]
    assert [each["name"] for each in prompts] == ["continue", "plan", "handoff"]


def test_it_comes_in_over_http_with_the_token(workspace: Workspace) -> None:
    with serving() as server:
        bearer = f"Authorization: Bearer {server.token}"
        to = [server.url, "--transport", "http", "--header", bearer]
        assert len(inspect("--method", "tools/list", to=to)["tools"]) == len(TOOLS)
        answer = inspect(*call("read_thought", CALLS["read_thought"]), to=to)
        assert "Rotate the signing key" in answer["content"][1]["text"]
