"""Cursor: ``mcp.json`` of a project or a person. Documented at https://cursor.com/docs/mcp."""

from __future__ import annotations

from aimem_tui.setup.clients.client import SERVER, Client, Surroundings, guide, server
from aimem_tui.setup.wishes import JsonWish, Wish


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    path = ("mcpServers", SERVER)
    if scope == "user":
        return [JsonWish(surroundings.home / ".cursor" / "mcp.json", path, server())]
    return [
        JsonWish(surroundings.root / ".cursor" / "mcp.json", path, server()),
        guide(surroundings.root / "AGENTS.md"),
    ]


CLIENT = Client(
    "cursor",
    "Cursor",
    lambda surroundings: (surroundings.home / ".cursor",),
    ("cursor", "cursor-agent"),
    _wishes,
)
