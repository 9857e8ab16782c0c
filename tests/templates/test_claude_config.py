"""The template claude-config: every switch does what it says, and every text is right as rendered.

Rendered by cookiecutter itself, in all 32 combinations of the switches.
"""

from __future__ import annotations

import itertools
import json
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

import click
import pytest
import yaml
from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.cli.root import COMMANDS
from tests.own_files import ROOT
from tests.templates import conventions
from tests.templates.conventions import frontmatter, rules, tool_of

TEMPLATE = ROOT / "templates" / "claude-config"
EXAMPLES = ROOT / "templates" / "examples" / "claude-dot-md"
PAYLOAD = TEMPLATE / "{{cookiecutter.project_slug}}"

AGENTS = {
    "codebase-analyzer",
    "codebase-locator",
    "codebase-pattern-finder",
    "thoughts-analyzer",
    "thoughts-locator",
}
WEB_AGENT = "web-search-researcher"
AS_EVER = {
    "commit",
    "create_plan",
    "create_worktree",
    "debug",
    "describe_pr",
    "founder_mode",
    "implement_plan",
    "local_review",
    "research_codebase",
    "validate_plan",
}
RALPH = {"ralph_impl", "ralph_plan", "ralph_research"}
ADDED = {"create_handoff", "recall", "remember", "resume_handoff"}
ALL_AGENTS = AGENTS | {WEB_AGENT}
ALL_COMMANDS = AS_EVER | ADDED | RALPH | {"linear"}

# What a machine with Claude Code and a repository has; texts use gh and aimem where they are.
PROGRAMS = {"aimem", "cd", "claude", "date", "find", "gh", "git", "grep"}


@dataclass(frozen=True, slots=True)
class Switches:
    """The five yes-or-no variables, by what they include."""

    agents: bool = True
    commands: bool = True
    ralph_commands: bool = False
    linear_integration: bool = False
    web_search: bool = True

    def __str__(self) -> str:
        return "+".join(name for name, on in asdict(self).items() if on) or "nothing"

    def context(self) -> dict[str, object]:
        return {f"include_{name}": on for name, on in asdict(self).items()}

    def expected_agents(self) -> set[str]:
        if not self.agents:
            return set()
        return AGENTS | ({WEB_AGENT} if self.web_search else set())

    def expected_commands(self) -> set[str]:
        if not self.commands:
            return set()
        ralph = RALPH if self.ralph_commands else set()
        linear = {"linear"} if self.linear_integration else set()
        return AS_EVER | ADDED | ralph | linear

    def expected_files(self) -> set[str]:
        agents = {f"agents/{name}.md" for name in self.expected_agents()}
        commands = {f"commands/{name}.md" for name in self.expected_commands()}
        return {"CLAUDE.md", "settings.json"} | agents | commands


COMBINATIONS = [
    Switches(*chosen) for chosen in itertools.product((True, False), repeat=len(fields(Switches)))
]
EVERYTHING = Switches(ralph_commands=True, linear_integration=True)
every_combination = pytest.mark.parametrize("switches", COMBINATIONS, ids=str)


def render(
    into: Path, context: Mapping[str, object] | None = None, *, over_existing: bool = False
) -> Path:
    """What cookiecutter makes of the template below ``into``, with nothing kept in the home."""
    into.mkdir(parents=True, exist_ok=True)
    config = into / "config.yaml"
    settings = {name: str(into / name) for name in ("replay_dir", "cookiecutters_dir")}
    config.write_text(
        yaml.safe_dump({**settings, "default_context": dict(context or {})}), encoding="utf-8"
    )
    made = cookiecutter(
        str(TEMPLATE),
        no_input=True,
        output_dir=str(into / "out"),
        config_file=str(config),
        overwrite_if_exists=over_existing,
    )
    return Path(made)


Rendered = Callable[[Switches], Path]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """What each combination gives, each rendered once."""

    @cache
    def once(switches: Switches) -> Path:
        return render(tmp_path_factory.mktemp("rendered"), switches.context())

    return once


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def texts(root: Path) -> Iterator[tuple[str, str]]:
    for name in sorted(files(root)):
        yield name, (root / name).read_text(encoding="utf-8")


def markdown(root: Path) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in texts(root) if name.endswith(".md"))


def code_spans(text: str) -> Iterator[str]:
    """What stands in single backticks outside fences."""
    prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose)


def aimem_calls(text: str) -> Iterator[list[str]]:
    """The command lines of aimem that a text gives, each without its first word."""
    for line in re.findall(r"(?:^|`)\s*(aimem [^`\n]+)", text, flags=re.MULTILINE):
        yield shlex.split(line)[1:]


# The switches


@every_combination
def test_the_switches_leave_exactly_what_they_say(switches: Switches, rendered: Rendered) -> None:
    root = rendered(switches)
    assert root.name == ".claude"
    assert files(root) == switches.expected_files()
    empty = [path for path in root.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert not empty


@pytest.mark.parametrize("name", [field.name for field in fields(Switches)])
def test_no_switch_is_dead(name: str, rendered: Rendered) -> None:
    on, off = (Switches(**{**asdict(EVERYTHING), name: value}) for value in (True, False))
    assert files(rendered(off)) < files(rendered(on))
    shared = files(rendered(off)) - {"settings.json"}
    assert any(
        (rendered(on) / file).read_bytes() != (rendered(off) / file).read_bytes() for file in shared
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("project_name", "Harbour"),
        ("project_slug", "claude-files"),
        ("project_description", "Berths and tides"),
        ("default_tools", "Read, LSP"),
        ("organization_name", "Tidal Works"),
        ("repository_path", "docs/thinking"),
    ],
)
def test_no_text_variable_is_dead(name: str, value: str, tmp_path: Path) -> None:
    root = render(tmp_path, {**EVERYTHING.context(), name: value})
    assert root.name == value or any(value in text for _, text in texts(root))


@pytest.mark.parametrize(
    ("on", "off"), [(True, False), ("True", "False"), ("yes", "no"), ("on", "off"), ("1", "0")]
)
def test_every_spelling_of_yes_and_no_is_understood(
    on: object, off: object, tmp_path: Path
) -> None:
    said = {name: on if value else off for name, value in Switches().context().items()}
    assert files(render(tmp_path, said)) == Switches().expected_files()
    # Also where a program hands the words on as they are.
    given = prompt_for_config({"cookiecutter": {**variables(), **said}}, no_input=True)
    expected = {"__agents": True, "__commands": True, "__ralph": False, "__linear": False}
    assert {name: bool(given[name]) for name in expected} == expected


def test_files_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    own = tmp_path / "out" / ".claude"
    for name in ("agents/mine.md", "commands/mine.md", "settings.local.json"):
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text("mine", encoding="utf-8")
    nothing = Switches(agents=False, commands=False)
    root = render(tmp_path, nothing.context(), over_existing=True)
    assert files(root) == nothing.expected_files() | {
        "agents/mine.md",
        "commands/mine.md",
        "settings.local.json",
    }


def test_a_file_that_cannot_be_removed_is_named_without_a_traceback(tmp_path: Path) -> None:
    hook = tmp_path / "hook.py"
    text = (TEMPLATE / "hooks" / "post_gen_project.py").read_text(encoding="utf-8")
    hook.write_text(re.sub(r"\{\{.*?\}\}", "", text), encoding="utf-8")
    (tmp_path / "project" / "agents" / "codebase-locator.md" / "held").mkdir(parents=True)
    ran = subprocess.run(
        [sys.executable, "-I", str(hook)],
        cwd=tmp_path / "project",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "codebase-locator.md" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_the_hook_knows_all_files_and_no_others() -> None:
    hook = runpy.run_path(str(TEMPLATE / "hooks" / "post_gen_project.py"))
    assert set(hook["AGENTS"]) == ALL_AGENTS == {path.stem for path in PAYLOAD.glob("agents/*")}
    assert set(hook["COMMANDS"]) == ALL_COMMANDS
    assert {path.stem for path in PAYLOAD.glob("commands/*")} == ALL_COMMANDS


# The variables


def variables() -> dict[str, object]:
    return dict(json.loads((TEMPLATE / "cookiecutter.json").read_text(encoding="utf-8")))


def public_variables() -> dict[str, object]:
    return {name: value for name, value in variables().items() if not name.startswith("_")}


def derived(**given: object) -> dict[str, str]:
    """The derived variables, as cookiecutter works them out for these values."""
    context = generate_context(str(TEMPLATE / "cookiecutter.json"), default_context=dict(given))
    found = prompt_for_config(context, no_input=True)
    return {name: str(value) for name, value in found.items() if name.startswith("__")}


def test_the_variables_are_those_that_users_of_ai_mem_know_in_their_order() -> None:
    assert list(public_variables().items()) == [
        ("project_name", "Claude AI Memory"),
        ("project_slug", ".claude"),
        ("project_description", "AI memory configuration for Claude Code"),
        ("include_agents", True),
        ("include_commands", True),
        ("include_ralph_commands", False),
        ("include_linear_integration", False),
        ("include_web_search", True),
        ("default_tools", "Read, Grep, Glob"),
        ("organization_name", "My Organization"),
        ("repository_path", "thoughts/shared/"),
    ]


def test_every_variable_is_asked_for_in_words_and_explained_to_maintainers() -> None:
    prompts = variables()["__prompts__"]
    assert isinstance(prompts, dict)
    assert list(prompts) == list(public_variables())
    table = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", table, flags=re.MULTILINE)
    assert explained == [
        (name, str(value).lower() if isinstance(value, bool) else value)
        for name, value in public_variables().items()
    ]


@given(st.text(alphabet="ab/\\.~: C-", max_size=20))
def test_documents_are_always_kept_inside_the_project(path: str) -> None:
    folder = derived(repository_path=path)["__documents"]
    parts = folder.split("/")
    assert all(parts)
    assert not {".", "..", "~"} & set(parts)
    assert not Path(folder).is_absolute()
    assert ":" not in folder
    assert "\\" not in folder


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("thoughts/shared/", "thoughts/shared"),
        ("/thoughts/shared/", "thoughts/shared"),
        ("/notes/", "notes"),
        ("docs\\thinking", "docs/thinking"),
        ("", "thoughts/shared"),
        ("/", "thoughts/shared"),
    ],
)
def test_a_folder_for_documents_is_taken_as_it_was_meant(path: str, folder: str) -> None:
    assert derived(repository_path=path)["__documents"] == folder


_ANY_TOOLS = st.lists(
    st.sampled_from(["Read", "Grep", "Bash", "LS", "Task", "TodoWrite", "WebSearch", " ", ""])
)


@given(_ANY_TOOLS)
def test_agents_get_the_wanted_tools_that_exist_each_once(wanted: list[str]) -> None:
    tools = derived(default_tools=",".join(wanted))["__tools"].split(", ")
    exist = {tool for tool in wanted if tool in conventions.TOOLS}
    assert set(tools) == (exist or {"Read", "Grep", "Glob"})
    assert len(tools) == len(set(tools))


def test_odd_names_stay_as_they_are(tmp_path: Path) -> None:
    name, organization = 'O\'Reilly & "Sons": <b>', "Ünïcode #1: {x} \\ $ARGUMENTS"
    root = render(
        tmp_path, {**EVERYTHING.context(), "project_name": name, "organization_name": organization}
    )
    text = (root / "CLAUDE.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert organization in text
    for path in root.glob("*/*.md"):
        frontmatter(path.read_text(encoding="utf-8"))


# The texts


@every_combination
def test_everything_is_rendered(switches: Switches, rendered: Rendered) -> None:
    for name, text in texts(rendered(switches)):
        assert not re.search(r"\{\{|\}\}|\{%|%\}|\{#|cookiecutter", text), name
        assert "\n\n\n" not in text, name
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
        assert not re.search(r"[ \t]$", text, flags=re.MULTILINE), name


@every_combination
def test_no_text_names_what_is_not_there(switches: Switches, rendered: Rendered) -> None:
    agents, commands = switches.expected_agents(), switches.expected_commands()
    root = rendered(switches)
    for name, text in texts(root):
        for agent in ALL_AGENTS - agents:
            assert agent not in text, f"{name} names the agent {agent}"
        for command in ALL_COMMANDS - commands:
            word = rf"\b{command}\b" if "_" in command else rf"/{command}\b"
            assert not re.search(word, text), f"{name} names the command {command}"
        for command in re.findall(r'(?:`|claude ")/([\w-]+)', text):
            known = commands | conventions.BUILT_IN_COMMANDS
            assert command in known, f"{name} names a command {command}"
        for agent in re.findall(r"`([\w-]+)` agent", text):
            known = agents | conventions.BUILT_IN_AGENTS
            assert agent in known, f"{name} names an agent {agent}"
        if "linear" not in commands:
            assert not re.search(r"\blinear\b", text, flags=re.IGNORECASE), name
        if not RALPH & commands:
            assert "ralph" not in text.lower(), name
        if not switches.web_search:
            assert not re.search(r"WebSearch|WebFetch|search the web", text), name


@every_combination
def test_no_text_holds_a_path_of_one_machine_or_a_link(
    switches: Switches, rendered: Rendered
) -> None:
    root = rendered(switches)
    assert not [path for path in root.rglob("*") if path.is_symlink()]
    places = r"(?<![\w.~}/*-])/(?:home|Users|usr|etc|tmp|var|opt|shared|thoughts|notes|root)\b"
    for name, text in texts(root):
        assert not re.search(rf"{places}|~/|\b[A-Z]:[\\/]", text), name
        for path in re.findall(r"\.claude/[\w./-]+", text):
            assert path.startswith(".claude/worktrees/"), f"{name} names {path}"


def test_every_program_in_a_text_is_commonly_there(rendered: Rendered) -> None:
    for name, text in markdown(rendered(EVERYTHING)):
        for span in code_spans(text):
            first, _, rest = span.partition(" ")
            if rest and re.fullmatch(r"[a-z][a-z0-9._-]*", first):
                assert first in PROGRAMS, f"{name}: {span}"
        for block in re.findall(r"^```bash\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
            for line in block.splitlines():
                assert line.split()[0] in PROGRAMS, f"{name}: {line}"


def test_every_call_of_aimem_in_a_text_is_one_that_it_understands(rendered: Rendered) -> None:
    listed = {command.name: command for command in COMMANDS}
    calls = 0
    for name, text in markdown(rendered(EVERYTHING)):
        for words in aimem_calls(text):
            calls += 1
            said = f"{name}: aimem {' '.join(words)}"
            assert words[0] in listed, said
            options = {word.partition("=")[0] for word in words if word.startswith("--")}
            if options:
                command = listed[words[0]].load()
                known = {
                    flag
                    for option in command.params
                    if isinstance(option, click.Option)
                    for flag in option.opts
                }
                assert options <= known, said
    assert calls > 20


def test_every_tool_of_the_mcp_server_in_a_text_exists(rendered: Rendered) -> None:
    names = conventions.AIMEM_TOOLS | ALL_COMMANDS
    thoughts = re.compile(r"\w+_thoughts?|tick_\w+|list_tasks|recent_\w+")
    for name, text in markdown(rendered(EVERYTHING)):
        for span in code_spans(text):
            if thoughts.fullmatch(span):
                assert span in names, f"{name}: {span}"


@every_combination
def test_agents_are_what_claude_code_loads(switches: Switches, rendered: Rendered) -> None:
    for path in rendered(switches).glob("agents/*.md"):
        head, body = frontmatter(path.read_text(encoding="utf-8"))
        assert set(head) <= conventions.AGENT_KEYS
        assert {"name", "description", "tools", "model", "color"} <= set(head)
        assert head["name"] == path.stem
        assert head["model"] in conventions.MODELS
        assert head["color"] in conventions.COLORS
        assert 80 < len(str(head["description"])) < conventions.DESCRIPTION_LIMIT
        tools = rules(head["tools"])
        assert len(tools) == len(set(tools))
        for tool in tools:
            assert conventions.is_known_tool(tool), f"{path.stem}: {tool}"
            assert tool not in conventions.NOT_FOR_AGENTS
        assert not {"Write", "Edit", "NotebookEdit"} & set(tools), "they read"
        assert len(body.split()) > 300
        assert 40 <= len(body.splitlines()) <= 80


def test_agents_differ_in_color(rendered: Rendered) -> None:
    heads = [frontmatter(text)[0] for name, text in agents_of(rendered(EVERYTHING))]
    assert len({head["color"] for head in heads}) == len(heads) == len(ALL_AGENTS)


def agents_of(root: Path) -> Iterator[tuple[str, str]]:
    return ((name, text) for name, text in markdown(root) if name.startswith("agents/"))


@every_combination
def test_commands_are_what_claude_code_loads(switches: Switches, rendered: Rendered) -> None:
    for path in rendered(switches).glob("commands/*.md"):
        head, body = frontmatter(path.read_text(encoding="utf-8"))
        assert set(head) <= conventions.COMMAND_KEYS
        assert {"description", "argument-hint"} <= set(head)
        assert isinstance(head["argument-hint"], str)
        assert 60 < len(str(head["description"])) < conventions.DESCRIPTION_LIMIT
        assert head.get("disable-model-invocation", True) is True
        for rule in rules(head.get("allowed-tools", [])):
            assert conventions.is_known_tool(tool_of(rule)), f"{path.stem}: {rule}"
            assert rule not in ("Bash", "Edit", "Write"), "allowed only for what it needs"
        assert body.count("$ARGUMENTS") == 1
        assert "!`" not in body, "a failing injected command keeps a command from running"
        assert len(body.split()) > 300
        assert 40 <= len(body.splitlines()) <= 120


def test_commands_publish_nothing_without_asking(rendered: Rendered) -> None:
    """What leaves the machine or destroys is never pre-approved."""
    for name, text in markdown(rendered(EVERYTHING)):
        if name.startswith("commands/"):
            head, _ = frontmatter(text)
            for rule in rules(head.get("allowed-tools", [])):
                assert not re.search(r"push|create|edit |reset|rm |\(git \*|\(gh \*", rule), name


@every_combination
def test_the_project_file_is_short_and_names_project_and_organization(
    switches: Switches, rendered: Rendered
) -> None:
    text = (rendered(switches) / "CLAUDE.md").read_text(encoding="utf-8")
    assert 20 < len(text.splitlines()) < 80
    assert len(text.split()) > 150
    for variable in ("project_name", "project_description", "organization_name"):
        assert str(public_variables()[variable]) in text
    for name in switches.expected_commands():
        assert f"`/{name}`" in text
    for name in switches.expected_agents():
        assert f"`{name}`" in text


def test_settings_allow_reading_aimem_and_nothing_else(rendered: Rendered) -> None:
    text = (rendered(Switches()) / "settings.json").read_text(encoding="utf-8")
    settings = json.loads(text)
    assert list(settings) == ["permissions"]
    assert list(settings["permissions"]) == ["allow"]
    allowed = settings["permissions"]["allow"]
    tools = {rule.removeprefix("mcp__aimem__") for rule in allowed if rule.startswith("mcp__")}
    assert tools == conventions.AIMEM_READING_TOOLS
    reading = {command.name for command in COMMANDS if command.section == "Read"}
    for rule in allowed:
        if not rule.startswith("mcp__"):
            match = re.fullmatch(r"Bash\(aimem (\w+)(?: (\w+))? \*\)", rule)
            assert match, rule
            assert match[1] in reading, rule
            # These have a part that writes.
            assert (match[1] == "history") == (match[2] in ("list", "show")), rule
            assert match[1] != "tasks", rule


@pytest.mark.parametrize("name", ["plans", "research", "prs", "tickets", "handoffs", "memory"])
def test_documents_go_where_the_configuration_says(name: str, tmp_path: Path) -> None:
    root = render(tmp_path, {**EVERYTHING.context(), "repository_path": "/notes/"})
    together = "\n".join(text for _, text in texts(root))
    assert f"notes/{name}/" in together
    assert "thoughts/shared" not in together
    assert "`thoughts/" not in together


# The examples


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        ("default", Switches()),
        ("minimal", Switches(web_search=False)),
        ("cookiecutter-config-minimal", Switches(web_search=False)),
        ("enterprise-full", EVERYTHING),
        ("cookiecutter-config-full", EVERYTHING),
    ],
)
def test_an_example_gives_what_it_always_gave_and_what_was_added(
    name: str, switches: Switches, tmp_path: Path
) -> None:
    context = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    assert list(context) == ["default_context"]
    assert set(context["default_context"]) <= set(public_variables())
    root = render(tmp_path, context["default_context"])
    assert files(root) == switches.expected_files()
    documented = {"minimal": (5, 10), "full": (6, 14), "default": (6, 10)}[name.split("-")[-1]]
    commands = {path.stem for path in root.glob("commands/*.md")}
    assert (len(list(root.glob("agents/*.md"))), len(commands - ADDED)) == documented
    assert commands >= ADDED


def test_there_are_the_five_known_examples() -> None:
    assert sorted(path.stem for path in EXAMPLES.iterdir()) == [
        "cookiecutter-config-full",
        "cookiecutter-config-minimal",
        "default",
        "enterprise-full",
        "minimal",
    ]


def test_the_examples_differ_as_they_always_did(tmp_path: Path) -> None:
    def made(name: str) -> dict[str, str]:
        context = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
        return dict(texts(render(tmp_path / name, context["default_context"])))

    enterprise, full = made("enterprise-full"), made("cookiecutter-config-full")
    assert "WebSearch" in enterprise["agents/codebase-analyzer.md"]
    assert "WebSearch" not in full["agents/codebase-analyzer.md"]
    assert "Enterprise Corp" in enterprise["CLAUDE.md"]
    assert "notes/tickets/" in "".join(made("minimal").values())
