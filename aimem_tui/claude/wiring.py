"""The plugin's parts as data, for projects that have them as files of their own.

A project that a team shares has no plugin but ordinary files below ``.claude/``, which hold no path
of any machine. They say the same as the plugin's, with two differences that Claude Code makes: a
plugin's tools and skills carry the plugin's name.
"""

from __future__ import annotations

import json

from aimem_tui.claude.plugin import NAME, plugin_folder

TOOLS = f"mcp__{NAME}__"
"""What the names of the server's tools begin with in a project."""

PLUGIN_TOOLS = f"mcp__plugin_{NAME}_{NAME}__"
"""What they begin with in the plugin."""

MARKETPLACE = NAME
"""The name of the marketplace; settings call the plugin ``aimem@aimem``."""

_FOLDERS = ("skills", "agents")


def hooks() -> dict[str, list[dict[str, object]]]:
    """The value of ``hooks`` in Claude Code's settings: groups of hooks by event."""
    return {
        "SessionStart": [_group("session-start", 10, "startup|resume|clear|compact|fork")],
        "PostToolUse": [_group("post-tool-use", 60, "Write|Edit|MultiEdit|NotebookEdit")],
        "Stop": [_group("stop", 10)],
        "SessionEnd": [_group("session-end")],
    }


def mcp_server() -> dict[str, object]:
    """The value of ``mcpServers.aimem`` in ``.mcp.json``."""
    return {"command": "aimem", "args": ["mcp"]}


def marketplace(source: str) -> dict[str, object]:
    """A marketplace that offers the plugin: the content of ``.claude-plugin/marketplace.json``.

    Args:
        source: the plugin's folder below the marketplace's, as ``./claude-plugin``.
    """
    words = _description()
    return {
        "name": MARKETPLACE,
        "owner": {"name": "The aimem authors"},
        "description": "aimem: a team's thoughts and its agents' memory.",
        "plugins": [{"name": NAME, "source": source, "description": words}],
    }


def project_files() -> dict[str, str]:
    """The texts of the skills and agents for a project, by path below ``.claude/``.

    Raises:
        NotFound: if the installation is not whole.
    """
    root = plugin_folder()
    files = (file for name in _FOLDERS for file in sorted((root / name).rglob("*.md")))
    return {
        file.relative_to(root).as_posix(): for_project(file.read_text(encoding="utf-8"))
        for file in files
    }


def for_project(text: str) -> str:
    """A skill's or agent's text with the names that tools and skills have in a project."""
    return text.replace(PLUGIN_TOOLS, TOOLS).replace(f"/{NAME}:", "/")


def _description() -> str:
    manifest = json.loads((plugin_folder() / ".claude-plugin" / "plugin.json").read_bytes())
    return str(manifest["description"])


def _group(event: str, seconds: int = 0, matcher: str = "") -> dict[str, object]:
    hook: dict[str, object] = {"type": "command", "command": f"aimem hook {event}"}
    if seconds:
        hook["timeout"] = seconds
    return {**({"matcher": matcher} if matcher else {}), "hooks": [hook]}
