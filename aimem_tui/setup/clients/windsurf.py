"""Windsurf: one ``mcp_config.json`` for a person, none for a project.

Documented at https://docs.windsurf.com/windsurf/cascade/mcp.
"""

from __future__ import annotations

from aimem_tui.setup.clients.client import SERVER, Client, Surroundings, guide, server
from aimem_tui.setup.wishes import JsonWish, Wish


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    file = surroundings.home / ".codeium" / "windsurf" / "mcp_config.json"
    wishes: list[Wish] = []
    if scope != "project":
        wishes.append(JsonWish(file, ("mcpServers", SERVER), server()))
    if scope != "user":
        wishes.append(guide(surroundings.root / "AGENTS.md"))
    return wishes


CLIENT = Client(
    "windsurf",
    "Windsurf",
    lambda surroundings: (surroundings.home / ".codeium" / "windsurf",),
    ("windsurf",),
    _wishes,
    "Windsurf has servers for a person only, not for a project.",
)
