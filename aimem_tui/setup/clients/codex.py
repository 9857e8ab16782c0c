"""OpenAI Codex: ``config.toml``, of a person or (in a trusted project) of a project.

Documented at https://developers.openai.com/codex/mcp.
"""

from __future__ import annotations

import os
from pathlib import Path

from aimem_tui.setup.clients.client import SERVER, Client, Surroundings, guide, server
from aimem_tui.setup.wishes import TomlWish, Wish


def _home(surroundings: Surroundings) -> Path:
    given = os.environ.get("CODEX_HOME", "")
    return Path(given) if given.startswith("/") else surroundings.home / ".codex"


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    path = ("mcp_servers", SERVER)
    if scope == "user":
        return [TomlWish(_home(surroundings) / "config.toml", path, server())]
    return [
        TomlWish(surroundings.root / ".codex" / "config.toml", path, server()),
        guide(surroundings.root / "AGENTS.md"),
    ]


CLIENT = Client(
    "codex",
    "Codex",
    lambda surroundings: (_home(surroundings),),
    ("codex",),
    _wishes,
    "Codex reads a project's settings once the project is trusted.",
)
