"""OpenCode: ``opencode.json`` or ``opencode.jsonc`` of a project or a person.

Documented at https://opencode.ai/docs/mcp-servers/.
"""

from __future__ import annotations

from pathlib import Path

from aimem_tui.setup.clients.client import ARGUMENTS, COMMAND, SERVER, Client, Surroundings, guide
from aimem_tui.setup.wishes import JsonWish, Wish


def _file(folder: Path) -> Path:
    with_comments = folder / "opencode.jsonc"
    return with_comments if with_comments.exists() else folder / "opencode.json"


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    path = ("mcp", SERVER)
    value = {"type": "local", "command": [COMMAND, *ARGUMENTS], "enabled": True}
    if scope == "user":
        return [JsonWish(_file(surroundings.config_folder("opencode")), path, value)]
    return [
        JsonWish(_file(surroundings.root), path, value),
        guide(surroundings.root / "AGENTS.md"),
    ]


CLIENT = Client(
    "opencode",
    "OpenCode",
    lambda surroundings: (surroundings.config_folder("opencode"),),
    ("opencode",),
    _wishes,
)
