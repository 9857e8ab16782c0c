"""All agents by name."""

from __future__ import annotations

from aimem_tui.setup.clients import (
    agents_md,
    claude,
    codex,
    cursor,
    gemini,
    opencode,
    vscode,
    windsurf,
    zed,
)
from aimem_tui.setup.clients.client import Client

TABLE: dict[str, Client] = {
    module.CLIENT.name: module.CLIENT
    for module in (claude, codex, cursor, vscode, windsurf, gemini, zed, opencode, agents_md)
}
