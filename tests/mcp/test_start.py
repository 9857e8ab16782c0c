"""What starting and reading load: the SDK and little else, so that clients need not wait."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from aimem_tui.workspace.workspace import Workspace
from tests.cli.running import environment, process
from tests.mcp.raw import INITIALIZE, Raw

DUMP = (
    "import atexit, json, sys; from aimem_tui.cli.main import main; file = sys.argv.pop(1);"
    " atexit.register(lambda: open(file, 'w').write(json.dumps(sorted(sys.modules))));"
    " sys.exit(main())"
)
READING: list[tuple[str, dict[str, object]]] = [
    ("search_thoughts", {"query": "signing key"}),
    ("read_thought", {"thought": "auth", "section": "Steps"}),
    ("list_thoughts", {"order": "updated"}),
    ("recent_changes", {}),
    ("related_thoughts", {"thought": "auth"}),
    ("list_tasks", {}),
]


def loaded(folder: Path, calls: list[tuple[str, dict[str, object]]]) -> set[str]:
    """The modules of a server after some calls."""
    file = folder / "modules.json"
    server = subprocess.Popen(
        [sys.executable, "-c", DUMP, str(file), "mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment({"AIMEM_AUTHOR": "Ada"}),
    )
    client = Raw(server)
    client.ask("initialize", INITIALIZE)
    client.notify("notifications/initialized", {})
    if calls:
        client.ask("tools/list")
    for tool, arguments in calls:
        answer = client.answer(client.call(tool, **arguments))
        assert not answer["result"].get("isError"), answer
    for stream in (server.stdin, server.stdout):
        assert stream is not None
        stream.close()
    assert server.wait(60) == 0
    return set(json.loads(file.read_text()))


def test_the_greeting_needs_neither_the_workspace_nor_the_rest_of_the_sdk(
    workspace: Workspace, tmp_path: Path
) -> None:
    modules = loaded(tmp_path, [])
    assert not {"apsw", "pycrdt", "numpy", "onnxruntime", "textual", "aiohttp"} & modules
    assert "mcp.client" not in modules
    assert "mcp.server.mcpserver" not in modules


def test_finding_and_reading_never_start_the_document_engine(
    workspace: Workspace, tmp_path: Path
) -> None:
    modules = loaded(tmp_path, READING)
    assert "apsw" in modules
    assert not {"pycrdt", "onnxruntime", "textual", "aiohttp", "mcp.client"} & modules


def test_other_commands_load_nothing_of_it(tmp_path: Path) -> None:
    file = tmp_path / "modules.json"
    ran = process(str(file), "mcp", "--help", command=[sys.executable, "-c", DUMP])
    assert ran.code == 0
    modules = set(json.loads(file.read_text()))
    assert not {"mcp", "mcp_types", "pydantic", "aimem_tui.mcp"} & modules
