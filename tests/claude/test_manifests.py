"""The plugin's files, checked against the rules of Claude Code's documentation as of 2.1.240.

``claude plugin validate`` is not to be had where these tests run. What follows is its rules as the
pages "Plugins reference", "Create and distribute a plugin marketplace", "Hooks reference", "Skills"
and "Create custom subagents" state them, made strict: what it would only warn about fails here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aimem_tui import __version__
from aimem_tui.claude import wiring
from aimem_tui.claude.plugin import NAME, plugin_folder
from aimem_tui.cli.commands import hook

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = plugin_folder()
SKILLS = sorted(PLUGIN.glob("skills/*/SKILL.md"))
AGENTS = sorted(PLUGIN.glob("agents/*.md"))

KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SEMANTIC_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")

MANIFEST_FIELDS: dict[str, tuple[type, ...]] = {
    "$schema": (str,),
    "name": (str,),
    "displayName": (str,),
    "version": (str,),
    "description": (str,),
    "author": (dict,),
    "homepage": (str,),
    "repository": (str,),
    "license": (str,),
    "keywords": (list,),
    "metadata": (dict,),
    "defaultEnabled": (bool,),
    "skills": (str, list),
    "commands": (str, list),
    "agents": (str, list),
    "workflows": (str, list),
    "hooks": (str, list, dict),
    "mcpServers": (str, list, dict),
    "outputStyles": (str, list),
    "lspServers": (str, list, dict),
    "experimental": (dict,),
    "userConfig": (dict,),
    "channels": (list,),
    "dependencies": (list,),
}
PATH_FIELDS = ("skills", "commands", "agents", "workflows", "hooks", "mcpServers", "outputStyles")

MARKETPLACE_FIELDS = {
    "$schema", "name", "owner", "plugins", "description", "version", "metadata",
    "allowCrossMarketplaceDependenciesOn", "renames",
}  # fmt: skip
RESERVED_MARKETPLACES = {
    "claude-code-marketplace", "claude-code-plugins", "claude-plugins-official",
    "claude-plugins-community", "claude-community", "anthropic-marketplace", "anthropic-plugins",
    "agent-skills", "anthropic-agent-skills", "knowledge-work-plugins", "life-sciences",
    "claude-for-legal", "claude-for-financial-services", "financial-services-plugins",
    "first-party-plugins", "healthcare", "org", "org-provisioned", "unknown",
}  # fmt: skip

MATCHER_VALUES: dict[str, set[str] | None] = {
    "SessionStart": {"startup", "resume", "clear", "compact", "fork"},
    "Setup": {"init", "maintenance"},
    "SessionEnd": {"clear", "resume", "logout", "prompt_input_exit", "other"},
    "PreCompact": {"manual", "auto"},
    "PostCompact": {"manual", "auto"},
    "PreToolUse": None,
    "PostToolUse": None,
    "PostToolUseFailure": None,
    "PermissionRequest": None,
    "PermissionDenied": None,
    "Notification": None,
    "SubagentStart": None,
    "SubagentStop": None,
    "ConfigChange": None,
    "DirectoryAdded": None,
    "FileChanged": None,
    "StopFailure": None,
    "InstructionsLoaded": None,
    "UserPromptExpansion": None,
    "Elicitation": None,
    "ElicitationResult": None,
}
"""Events whose hooks may have a matcher, with its values where these are a closed list."""
WITHOUT_MATCHER = {
    "UserPromptSubmit", "PostToolBatch", "Stop", "TeammateIdle", "TaskCreated", "TaskCompleted",
    "CwdChanged", "WorktreeCreate", "WorktreeRemove", "MessageDisplay",
}  # fmt: skip
TOOL_EVENTS = {"PreToolUse", "PostToolUse", "PostToolUseFailure"}
COMMAND_HOOK_FIELDS: dict[str, tuple[type, ...]] = {
    "type": (str,),
    "command": (str,),
    "args": (list,),
    "timeout": (int, float),
    "statusMessage": (str,),
    "async": (bool,),
    "asyncRewake": (bool,),
    "shell": (str,),
    "if": (str,),
}

BUILT_IN_TOOLS = {
    "Agent", "Artifact", "AskUserQuestion", "Bash", "CronCreate", "CronDelete", "CronList", "Edit",
    "EnterPlanMode", "EnterWorktree", "ExitPlanMode", "ExitWorktree", "Glob", "Grep", "LSP",
    "ListMcpResourcesTool", "Monitor", "NotebookEdit", "PowerShell", "Read", "ReadMcpResourceTool",
    "SendMessage", "Skill", "TaskCreate", "TaskGet", "TaskList", "TaskOutput", "TaskStop",
    "TaskUpdate", "TodoWrite", "ToolSearch", "WebFetch", "WebSearch", "Write",
}  # fmt: skip
FORMER_TOOLS = {"MultiEdit"}
"""Written before Claude Code 2; people who stay on it have their edits taken in, too."""

SERVER_TOOLS = {
    "search_thoughts", "read_thought", "list_thoughts", "recent_changes", "related_thoughts",
    "thought_history", "create_thought", "edit_thought", "append_to_thought", "move_thought",
    "set_property", "trash_thought", "list_tasks", "tick_task", "remember",
}  # fmt: skip

SKILL_KEYS = {
    "name", "description", "when_to_use", "argument-hint", "arguments", "disable-model-invocation",
    "user-invocable", "allowed-tools", "disallowed-tools", "model", "effort", "context", "agent",
    "background", "hooks", "paths", "shell", "metadata", "license", "compatibility",
}  # fmt: skip
PLUGIN_AGENT_KEYS = {
    "name", "description", "model", "effort", "maxTurns", "tools", "disallowedTools", "skills",
    "memory", "background", "isolation", "color",
}  # fmt: skip
MODELS = {"sonnet", "opus", "haiku", "fable", "inherit"}
COLORS = {"red", "blue", "green", "yellow", "purple", "orange", "pink", "cyan"}

BUILT_IN_COMMANDS = {
    "agents", "branch", "btw", "bug", "clear", "code-review", "compact", "config", "context",
    "copy", "cost", "debug", "deep-research", "diff", "doctor", "exit", "export", "feedback",
    "fork", "goal", "help", "hooks", "ide", "import", "init", "insights", "login", "logout", "loop",
    "mcp", "memory", "model", "permissions", "plan", "plugin", "recap", "rename", "resume",
    "review", "rewind", "run", "schedule", "security-review", "simplify", "skills", "status",
    "stop", "tasks", "todos", "usage", "verify", "vim", "workflows",
}  # fmt: skip


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def parts(file: Path) -> tuple[dict[str, Any], str]:
    """The frontmatter and the text of a skill or agent."""
    match = re.fullmatch(r"---\n(.*?)\n---\n(.*)", file.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None, f"{file} has no frontmatter"
    frontmatter = yaml.safe_load(match[1])
    assert isinstance(frontmatter, dict)
    return frontmatter, match[2]


def names(value: str | list[str]) -> list[str]:
    return re.split(r"[,\s]+", value) if isinstance(value, str) else value


def check_tools(given: list[str]) -> None:
    assert len(given) == len(set(given))
    for tool in given:
        own = tool.removeprefix(wiring.PLUGIN_TOOLS)
        assert own in (SERVER_TOOLS if own != tool else BUILT_IN_TOOLS), tool


def check_hooks(hooks: dict[str, Any]) -> None:
    for event, groups in hooks.items():
        assert event in MATCHER_VALUES.keys() | WITHOUT_MATCHER, event
        for group in groups:
            assert group.keys() <= {"matcher", "hooks"}
            check_matcher(event, group.get("matcher"))
            for handler in group["hooks"]:
                assert handler["type"] == "command"
                for key, value in handler.items():
                    assert isinstance(value, COMMAND_HOOK_FIELDS[key])
                check_command(event, handler["command"])


def check_matcher(event: str, matcher: str | None) -> None:
    if matcher is None:
        return
    assert event not in WITHOUT_MATCHER
    assert re.fullmatch(r"[A-Za-z_|]+", matcher), "an exact list, no regular expression"
    known = BUILT_IN_TOOLS | FORMER_TOOLS if event in TOOL_EVENTS else MATCHER_VALUES[event]
    if known is not None:
        assert set(matcher.split("|")) <= known


def check_command(event: str, command: str) -> None:
    """A hook calls an event that the command knows, and the one it is a hook of."""
    program, verb, name = command.split()
    assert (program, verb) == ("aimem", "hook")
    assert name in hook.START_S
    assert name.replace("-", "") == event.lower()


def test_the_manifest_has_known_fields_of_the_right_types() -> None:
    manifest = read(PLUGIN / ".claude-plugin" / "plugin.json")
    for key, value in manifest.items():
        assert isinstance(value, MANIFEST_FIELDS[key]), key
    assert manifest["name"] == NAME
    assert KEBAB.fullmatch(manifest["name"])
    assert SEMANTIC_VERSION.fullmatch(manifest["version"])
    assert manifest["version"] == __version__, "a plugin is renewed only when its version changes"
    assert isinstance(manifest["author"]["name"], str)
    assert all(isinstance(keyword, str) for keyword in manifest["keywords"])


def test_paths_in_the_manifest_are_relative_and_there() -> None:
    manifest = read(PLUGIN / ".claude-plugin" / "plugin.json")
    given = [manifest[key] for key in PATH_FIELDS if key in manifest]
    for path in (
        path for value in given for path in ([value] if isinstance(value, str) else value)
    ):
        assert path.startswith("./")
        assert ".." not in path
        assert (PLUGIN / path).exists()


def test_only_the_manifest_is_in_the_manifests_folder_and_all_parts_are_where_they_are_found() -> (
    None
):
    assert [file.name for file in (PLUGIN / ".claude-plugin").iterdir()] == ["plugin.json"]
    top = {entry.name for entry in PLUGIN.iterdir()}
    assert top == {".claude-plugin", ".mcp.json", "hooks", "skills", "agents"}
    assert not [file for file in PLUGIN.rglob("*") if file.is_symlink()]


def test_the_marketplace_offers_the_plugin_from_this_repository() -> None:
    marketplace = read(ROOT / ".claude-plugin" / "marketplace.json")
    assert marketplace.keys() <= MARKETPLACE_FIELDS
    assert KEBAB.fullmatch(marketplace["name"])
    assert marketplace["name"] not in RESERVED_MARKETPLACES
    assert isinstance(marketplace["owner"]["name"], str)
    assert marketplace["owner"].keys() <= {"name", "email", "url"}
    assert isinstance(marketplace["description"], str)
    (entry,) = marketplace["plugins"]
    assert entry["name"] == NAME
    assert entry["source"].startswith("./")
    assert ".." not in entry["source"]
    assert (ROOT / entry["source"]).samefile(PLUGIN)
    assert marketplace == wiring.marketplace(entry["source"])


def test_hooks_are_of_known_events_with_known_matchers_and_call_known_commands() -> None:
    config = read(PLUGIN / "hooks" / "hooks.json")
    assert config.keys() <= {"description", "hooks"}
    check_hooks(config["hooks"])
    ends = [group["hooks"] for group in config["hooks"]["SessionEnd"]]
    assert all("timeout" not in handler for group in ends for handler in group), (
        "a plugin cannot ask for more time at a session's end"
    )


def test_hooks_give_the_command_more_time_than_it_takes_itself() -> None:
    for groups in wiring.hooks().values():
        (handler,) = groups[0]["hooks"]  # type: ignore[misc]
        event = handler["command"].split()[-1]
        assert hook.START_S[event] < handler.get("timeout", 1.5)
        if event == "post-tool-use":
            assert hook.START_S[event] + hook.WORK_S < handler["timeout"]


def test_the_server_is_started_without_a_path_of_any_machine() -> None:
    config = read(PLUGIN / ".mcp.json")
    assert config == {"mcpServers": {NAME: wiring.mcp_server()}}
    server = config["mcpServers"][NAME]
    assert server.keys() <= {"type", "command", "args", "env", "timeout"}
    assert "/" not in json.dumps(server)


def test_the_parts_for_a_project_say_what_the_plugin_says() -> None:
    config = read(PLUGIN / "hooks" / "hooks.json")
    assert config["hooks"] == wiring.hooks()
    files = wiring.project_files()
    own = {file.relative_to(PLUGIN).as_posix() for file in (*SKILLS, *AGENTS)}
    assert files.keys() == own
    for path, text in files.items():
        assert "mcp__plugin_" not in text
        assert f"/{NAME}:" not in text
        assert (PLUGIN / path).read_text().count("mcp__") == text.count(wiring.TOOLS)


@pytest.mark.parametrize("file", SKILLS, ids=lambda file: file.parent.name)
def test_a_skill_has_known_keys_existing_tools_and_a_description_that_is_shown_whole(
    file: Path,
) -> None:
    frontmatter, text = parts(file)
    assert frontmatter.keys() <= SKILL_KEYS
    assert frontmatter["name"] == file.parent.name
    assert KEBAB.fullmatch(frontmatter["name"])
    assert len(frontmatter["name"]) <= 64
    assert frontmatter["name"] not in BUILT_IN_COMMANDS, "in a project it has no prefix"
    assert 40 < len(frontmatter["description"]) <= 1_024
    assert isinstance(frontmatter.get("argument-hint", ""), str)
    assert isinstance(frontmatter.get("disable-model-invocation", False), bool)
    check_tools(names(frontmatter.get("allowed-tools", [])))
    assert "$ARGUMENTS" in text
    check_text(text)


def test_tools_are_those_of_the_server_and_none_that_writes_is_allowed_unasked() -> None:
    from aimem_tui.mcp.tools import offered

    assert {tool.name for tool in offered(read_only=False)} == SERVER_TOOLS
    reading = {tool.name for tool in offered(read_only=True)}
    for file in SKILLS:
        allowed = names(parts(file)[0].get("allowed-tools", []))
        assert {tool.removeprefix(wiring.PLUGIN_TOOLS) for tool in allowed} <= reading


@pytest.mark.parametrize("file", AGENTS, ids=lambda file: file.stem)
def test_an_agent_has_the_keys_that_a_plugins_may_have_and_tools_that_exist(file: Path) -> None:
    frontmatter, text = parts(file)
    assert frontmatter.keys() <= PLUGIN_AGENT_KEYS
    assert frontmatter["name"] == file.stem
    assert KEBAB.fullmatch(frontmatter["name"])
    assert 40 < len(frontmatter["description"]) <= 1_024
    assert frontmatter.get("model", "inherit") in MODELS
    assert frontmatter.get("color", "blue") in COLORS
    tools = names(frontmatter["tools"])
    check_tools(tools)
    writing = {"Write", "Edit", "NotebookEdit", "Bash"}
    assert not writing & set(tools), "agents of memory only read"
    check_text(text)


def check_text(text: str) -> None:
    """What a skill or agent tells to call, exists; nothing of any machine or template is in it."""
    assert text.startswith("\n")
    assert len(text.splitlines()) < 200
    for left in ("{{", "{%", "/home/", "/Users/", "TODO", "LS,"):
        assert left not in text
    agents = {file.stem for file in AGENTS}
    skills = {file.parent.name for file in SKILLS}
    for word in re.findall(r"`([a-z]+(?:_[a-z]+)+|memory-[a-z]+)`", text):
        assert word in SERVER_TOOLS | agents | skills, word
    for name in re.findall(rf"/{NAME}:([a-z-]+)", text):
        assert name in skills


def test_there_is_what_the_documentation_lists() -> None:
    page = (ROOT / "docs" / "claude-code.md").read_text(encoding="utf-8")
    for file in (*SKILLS, *AGENTS):
        name = file.parent.name if file.name == "SKILL.md" else file.stem
        assert f"`{name}`" in page or f"`/aimem:{name}`" in page
    assert "claude plugin validate" in page
