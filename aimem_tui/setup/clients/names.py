"""The agents that can be connected, and for whom; kept apart so that listing them costs nothing."""

from __future__ import annotations

CLIENTS = (
    "claude",
    "codex",
    "cursor",
    "vscode",
    "windsurf",
    "gemini",
    "zed",
    "opencode",
    "agents",
)
"""``agents`` stands for any agent that reads ``AGENTS.md`` and has no MCP."""

SCOPES = ("local", "user", "project")
