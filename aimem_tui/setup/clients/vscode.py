"""Visual Studio Code: ``mcp.json`` of a project or a person's profile.

Documented at https://code.visualstudio.com/docs/copilot/reference/mcp-configuration.
"""

from __future__ import annotations

from aimem_tui.setup.clients.client import SERVER, Client, Surroundings, guide, server
from aimem_tui.setup.wishes import JsonWish, Wish


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    path = ("servers", SERVER)
    value = {"type": "stdio", **server()}
    if scope == "user":
        return [JsonWish(surroundings.app_folder("Code") / "User" / "mcp.json", path, value)]
    return [
        JsonWish(surroundings.root / ".vscode" / "mcp.json", path, value),
        guide(surroundings.root / "AGENTS.md"),
    ]


CLIENT = Client(
    "vscode",
    "VS Code",
    lambda surroundings: (surroundings.app_folder("Code"), surroundings.home / ".vscode"),
    ("code",),
    _wishes,
)
