"""Gemini CLI: ``settings.json`` of a project or a person; its instructions are in ``GEMINI.md``.

Documented at https://geminicli.com/docs/tools/mcp-server/.
"""

from __future__ import annotations

from aimem_tui.setup.clients.client import SERVER, Client, Surroundings, guide, server
from aimem_tui.setup.wishes import JsonWish, Wish


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    path = ("mcpServers", SERVER)
    if scope == "user":
        return [JsonWish(surroundings.home / ".gemini" / "settings.json", path, server())]
    return [
        JsonWish(surroundings.root / ".gemini" / "settings.json", path, server()),
        guide(surroundings.root / "GEMINI.md"),
    ]


CLIENT = Client(
    "gemini",
    "Gemini CLI",
    lambda surroundings: (surroundings.home / ".gemini",),
    ("gemini",),
    _wishes,
)
