"""What agents can do, by name."""

from __future__ import annotations

from aimem_tui.mcp.tools import looking, tasks, writing
from aimem_tui.mcp.tools.tool import Tool

TOOLS: dict[str, Tool] = {
    tool.name: tool for tool in (*looking.TOOLS, *writing.TOOLS, *tasks.TOOLS)
}


def offered(*, read_only: bool) -> list[Tool]:
    """The tools of a server."""
    return [tool for tool in TOOLS.values() if not (read_only and tool.writes)]
