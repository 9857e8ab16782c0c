"""What Claude Code accepts in agents, commands, skills and settings, as its documentation lists it.

The sets are those of the reference pages on subagents, skills and tools in autumn 2026. Claude Code
skips an agent without a word when its frontmatter does not parse, and ignores keys that it does not
know; so what we ship is held against these.
"""

from __future__ import annotations

import re

import yaml


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


AGENT_KEYS = _words(
    "name description tools disallowedTools model permissionMode maxTurns skills mcpServers hooks "
    "memory background effort isolation color initialPrompt"
)
# What the agents of a plugin may not carry.
PLUGIN_AGENT_KEYS = AGENT_KEYS - {"hooks", "mcpServers", "permissionMode"}
SKILL_KEYS = _words(
    "name description when_to_use argument-hint arguments disable-model-invocation user-invocable "
    "allowed-tools disallowed-tools model effort context agent background hooks paths shell "
    "metadata license compatibility"
)
COMMAND_KEYS = SKILL_KEYS - {"name", "paths"}

COLORS = _words("red blue green yellow purple orange pink cyan")
MODELS = _words("sonnet opus haiku fable inherit")
DESCRIPTION_LIMIT = 1536

TOOLS = _words(
    "Agent Artifact AskUserQuestion Bash CronCreate CronDelete CronList Edit EnterPlanMode "
    "EnterWorktree ExitPlanMode ExitWorktree Glob Grep LSP ListAgents ListMcpResourcesTool Monitor "
    "NotebookEdit PowerShell PushNotification Read ReadMcpResourceTool SendMessage Skill "
    "TaskCreate TaskGet TaskList TaskStop TaskUpdate ToolSearch WebFetch WebSearch Workflow "
    "Write"
)
# Those that a subagent is never given, whatever its list says.
NOT_FOR_AGENTS = _words("AskUserQuestion EnterPlanMode Workflow")
BUILT_IN_AGENTS = _words("Explore Plan general-purpose")
BUILT_IN_COMMANDS = _words("agents clear compact context doctor mcp memory resume")

# The tools of aimem's MCP server, and those of them that only read.
AIMEM_READING_TOOLS = _words(
    "search_thoughts read_thought list_thoughts recent_changes related_thoughts thought_history "
    "list_tasks"
)
AIMEM_TOOLS = AIMEM_READING_TOOLS | _words(
    "create_thought edit_thought append_to_thought move_thought set_property trash_thought "
    "tick_task remember"
)

_FRONTMATTER = re.compile(r"\A---\n(.*?\n)---\n(.*)\Z", re.DOTALL)
_RULE = re.compile(r"[A-Za-z_]\w*(?:\([^()]*\))?")


def frontmatter(text: str) -> tuple[dict[str, object], str]:
    """The properties at the top of a text, and what follows them."""
    match = _FRONTMATTER.match(text)
    assert match, "it begins with frontmatter"
    properties = yaml.safe_load(match[1])
    assert isinstance(properties, dict)
    return properties, match[2]


def rules(listed: object) -> list[str]:
    """The entries of ``tools`` or ``allowed-tools``: ``Read``, ``Bash(git add *)``."""
    if isinstance(listed, list):
        return [str(entry) for entry in listed]
    assert isinstance(listed, str)
    found = _RULE.findall(listed)
    assert ", ".join(found) == listed, f"a list with commas: {listed}"
    return found


def tool_of(rule: str) -> str:
    """The name of the tool that a rule is about."""
    return rule.partition("(")[0]


def is_known_tool(name: str) -> bool:
    """Whether a tool has this name in Claude Code, or in aimem's MCP server."""
    return name in TOOLS or name.removeprefix("mcp__aimem__") in AIMEM_TOOLS
