"""What an agent is called, and whose name its edits bear: ``Ada via Claude Code``."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 40
"""Characters of an agent's name."""
UNNAMED = "an agent"

_KNOWN = {
    "claude-ai": "Claude",
    "claude-code": "Claude Code",
    "claude-desktop": "Claude",
    "codex-mcp-client": "Codex",
    "cursor-vscode": "Cursor",
    "gemini-cli-mcp-client": "Gemini CLI",
    "github-copilot-developer": "GitHub Copilot",
    "visual-studio-code": "VS Code",
}


def agent_name(*said: str | None) -> str:
    """An agent's name from what it says of itself, the best first.

    One printable line of at most 40 characters; what clients call themselves where that is not a
    name for people is replaced by one.
    """
    for text in said:
        name = _line(text or "")
        if name:
            return _KNOWN.get(name.casefold().replace(" ", "-"), name)
    return UNNAMED


def agent_of_shell(environment: Mapping[str, str]) -> str:
    """The agent that runs commands in a shell with this environment; empty for a person's own.

    Claude Code sets ``CLAUDECODE`` for the commands it runs; others can set ``AIMEM_AGENT``.
    """
    said = environment.get("AIMEM_AGENT", "")
    if not said and environment.get("CLAUDECODE") == "1":
        said = "claude-code"
    return agent_name(said) if said.strip() else ""


def author(person: str, agent: str) -> str:
    """Who writes: a person by way of an agent."""
    return f"{person} via {agent}"


def _line(text: str) -> str:
    kept = "".join(char if char.isprintable() else " " for char in text[: 10 * LONGEST])
    return " ".join(kept.split())[:LONGEST].rstrip()
