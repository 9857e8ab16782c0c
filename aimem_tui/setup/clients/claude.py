"""Claude Code: aimem's plugin for one person, or ordinary files for a team.

- For a person (here, or everywhere) the settings name a marketplace, which is a folder of aimem's
  data, and switch its plugin on. ``enabledPlugins`` is an object, never a list.
- For a team nothing of one machine may be in the files: the server in ``.mcp.json``, the hooks in
  ``.claude/settings.json``, skills and agents below ``.claude/``.

Documented at https://code.claude.com/docs/en/settings and .../plugin-marketplaces.
"""

from __future__ import annotations

from aimem_tui.setup.clients.client import SERVER, Client, Surroundings
from aimem_tui.setup.plugin_copy import MARKETPLACE, PLUGIN, marketplace_folder
from aimem_tui.setup.wishes import FileWish, JsonWish, Wish


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    if scope == "project":
        return _for_team(surroundings)
    file = surroundings.home / ".claude" / "settings.json"
    if scope == "local":
        file = surroundings.root / ".claude" / "settings.local.json"
    folder = marketplace_folder(surroundings.data)
    source = {"source": {"source": "directory", "path": str(folder)}}
    return [
        JsonWish(file, ("extraKnownMarketplaces", MARKETPLACE), source),
        JsonWish(file, ("enabledPlugins", f"{PLUGIN}@{MARKETPLACE}"), True),
    ]


def _for_team(surroundings: Surroundings) -> list[Wish]:
    from aimem_tui.claude import wiring

    root = surroundings.root
    settings = root / ".claude" / "settings.json"
    wishes: list[Wish] = [JsonWish(root / ".mcp.json", ("mcpServers", SERVER), wiring.mcp_server())]
    for event, groups in wiring.hooks().items():
        wishes += [JsonWish(settings, ("hooks", event), group, element=True) for group in groups]
    for path, text in wiring.project_files().items():
        wishes.append(FileWish(root / ".claude" / path, text))
    return wishes


CLIENT = Client(
    "claude",
    "Claude Code",
    lambda surroundings: (surroundings.home / ".claude",),
    ("claude",),
    _wishes,
    "Claude Code takes the plugin up when it starts, once you trust the project.",
)
