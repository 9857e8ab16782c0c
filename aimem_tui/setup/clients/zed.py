"""Zed: ``context_servers`` in the settings of a project or a person, which may hold comments.

Documented at https://zed.dev/docs/ai/mcp.
"""

from __future__ import annotations

from aimem_tui.setup.clients.client import SERVER, Client, Surroundings, guide, server
from aimem_tui.setup.wishes import JsonWish, Wish


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    path = ("context_servers", SERVER)
    value = {**server(), "env": {}}
    if scope == "user":
        return [JsonWish(surroundings.config_folder("zed") / "settings.json", path, value)]
    return [
        JsonWish(surroundings.root / ".zed" / "settings.json", path, value),
        guide(surroundings.root / "AGENTS.md"),
    ]


CLIENT = Client(
    "zed",
    "Zed",
    lambda surroundings: (surroundings.config_folder("zed"),),
    ("zed", "zeditor"),
    _wishes,
)
