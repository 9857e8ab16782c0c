"""What the hooks say when a session starts and ends, and that nothing ever stands in its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui import paths
from aimem_tui.claude import event as events
from aimem_tui.claude.hooks import CONTEXT_LIMIT, ENOUGH_EDITS
from aimem_tui.claude.notes import Notes, all_of
from aimem_tui.cli.commands import hook
from aimem_tui.errors import BadInput
from aimem_tui.workspace import project as projects
from aimem_tui.workspace import registry
from aimem_tui.workspace.project import Project
from aimem_tui.workspace.workspace import Workspace
from tests.claude.sessions import ClaudeCode, shown, told
from tests.cli.running import environment, process

DECISION = (
    "---\nstatus: accepted\n---\n# Sessions are cookies\n\n## Decision\n\nCookies, no tokens.\n"
)
PLAN = "---\nstatus: active\n---\n# Login\n\n- [x] form\n- [ ] logout everywhere\n"


def notes_folder() -> Path:
    return paths.home().state / "claude" / "sessions"


# At the start


def test_a_session_starts_with_what_matters_for_the_project(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    workspace.create("web/decisions/sessions.md", DECISION)
    workspace.create("web/plans/login.md", PLAN)
    workspace.create("other/decisions/elsewhere.md", "# Not here\n")
    projects.write(Project(claude.project, "", "web"))
    said = json.loads(claude.start().out)
    assert said.keys() == {"hookSpecificOutput"}
    assert said["hookSpecificOutput"]["hookEventName"] == "SessionStart"
    context = said["hookSpecificOutput"]["additionalContext"]
    for words in ("web/decisions/sessions.md", "logout everywhere", "folder web: 2 thoughts"):
        assert words in context
    for way_on in ("MCP server `aimem`", "aimem search", "aimem show"):
        assert way_on in context
    assert "elsewhere" not in context


def test_what_a_session_is_told_stays_within_claude_codes_limit(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    for number in range(60):
        workspace.create(f"decisions/{number}-{'long ' * 20}.md", DECISION * 3)
        workspace.create(
            f"plans/{number}-{'long ' * 20}.md", PLAN + "- [ ] task \U0001f600\n" * 200
        )
    context = told(claude.start())
    assert 1_000 < len(context) <= CONTEXT_LIMIT < 10_000


@pytest.mark.parametrize("source", ["startup", "resume", "clear", "compact", "fork", "new-one"])
def test_every_way_to_start_gets_the_context(
    claude: ClaudeCode, workspace: Workspace, source: str
) -> None:
    assert "Team memory" in told(claude.start(source))


def test_a_start_makes_nothing_and_says_nothing_where_there_is_no_memory(
    claude: ClaudeCode,
) -> None:
    ran = claude.start()
    assert (ran.out, ran.err) == ("", "")
    assert registry.entries(paths.home()) == []


def loaded_by(claude: ClaudeCode, event: str, given: dict[str, object]) -> set[str]:
    """The top-level packages that a hook has loaded in the end."""
    code = (
        "import sys; from aimem_tui.cli.main import main; code = main();"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "hook", event],
        input=json.dumps(given).encode(),
        capture_output=True,
        env=environment(claude.environment),
        check=True,
    )
    return set(ran.stderr.decode().split())


def test_a_start_loads_no_document_engine_and_a_file_elsewhere_not_even_the_database(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    workspace.create("decisions/sessions.md", DECISION)
    heavy = {"aiohttp", "mcp", "numpy", "onnxruntime", "pycrdt", "textual"}
    started = loaded_by(claude, "session-start", claude.input("SessionStart", source="startup"))
    assert started & heavy == set()
    written = claude.writing(claude.project / "src/app.py", "pass\n")
    assert loaded_by(claude, "post-tool-use", written) & (heavy | {"apsw"}) == set()
    ended = claude.input("SessionEnd", reason="other")
    assert loaded_by(claude, "session-end", ended) & (heavy | {"apsw"}) == set()


# At the end


def work(claude: ClaudeCode, edits: int = ENOUGH_EDITS) -> None:
    for number in range(edits):
        claude.write(claude.project / "src" / f"{number}.py", "pass\n")


def test_a_session_that_did_much_and_kept_nothing_is_said_so_once(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    claude.start()
    work(claude, ENOUGH_EDITS - 1)
    assert claude.stop().out == ""
    work(claude, 1)
    for fields in (
        {"stop_hook_active": True},
        {"background_tasks": [{"id": "task-001", "type": "shell", "status": "running"}]},
        {"session_crons": [{"id": "cron-001", "schedule": "0 9 * * 1-5"}]},
        {"agent_id": "agent-1", "agent_type": "Explore"},
    ):
        assert claude.stop(**fields).out == ""
    said = json.loads(claude.stop().out)
    assert said.keys() == {"systemMessage"}, "it neither holds Claude up nor makes it go on"
    assert "/remember proposes what to keep" in said["systemMessage"]
    work(claude, 3)
    assert claude.stop().out == ""
    claude.end()
    assert list(notes_folder().iterdir()) == []


def test_the_plugins_skill_is_called_by_its_name(claude: ClaudeCode, workspace: Workspace) -> None:
    claude.env["CLAUDE_PLUGIN_ROOT"] = "/somewhere"
    work(claude)
    assert "/aimem:remember" in shown(claude.stop())


def test_a_session_that_kept_something_is_not_told_to(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    claude.start()
    work(claude)
    claude.write(claude.project / "memory" / "style.md", "# Style\n")
    assert claude.stop().out == ""


def test_what_a_person_writes_meanwhile_is_not_what_the_session_kept(
    claude: ClaudeCode, workspace: Workspace
) -> None:
    claude.start()
    work(claude)
    workspace.create("notes.md", "# By Ben\n")
    assert "kept nothing in memory" in shown(claude.stop())


def test_a_session_that_was_cut_short_is_mentioned_at_the_next_start_in_its_project_once(
    claude: ClaudeCode, workspace: Workspace, home: Path
) -> None:
    claude.start()
    work(claude)
    assert claude.end().out == ""
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    assert shown(ClaudeCode(elsewhere, "another").start()) == ""
    following = ClaudeCode(claude.project, "following")
    assert f"An earlier session here changed files {ENOUGH_EDITS} times" in shown(following.start())
    assert shown(ClaudeCode(claude.project, "third").start()) == ""


def test_a_session_without_work_leaves_no_note(claude: ClaudeCode, workspace: Workspace) -> None:
    claude.start()
    work(claude, 1)
    claude.end()
    assert list(notes_folder().iterdir()) == []


@pytest.mark.parametrize("session", ["", "../../x", "a/b", ".", "..", "x" * 500, "a\nb", 7, None])
def test_no_session_id_leads_out_of_the_folder_of_notes(
    claude: ClaudeCode, session: object
) -> None:
    given = claude.writing(claude.project / "src/app.py", "pass\n")
    claude.hook("post-tool-use", {**given, "session_id": session})
    assert not notes_folder().exists()


def test_notes_of_sessions_that_never_ended_go_after_a_month(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    for session, days in (("old", 31), ("young", 29)):
        Notes(tmp_path, session).edited(now)
        os.utime(tmp_path / session, (now / 1000 - days * 86_400,) * 2)
    assert len(list(all_of(tmp_path, now))) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["young"]


# Whatever comes in


BROKEN = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"cwd": 7}',
    b'{"hook_event_name": "Stop"}',
    b'{"cwd": "/nowhere", "tool_input": [], "tool_response": "text"}',
    b'{"cwd": "/nowhere", "tool_input": {"file_path": "a\\u0000b"}}',
    b'{"cwd": "/nowhere", "tool_input": {"file_path": "/nowhere/thoughts/\\ud800.md"}}',
]


@pytest.mark.parametrize("given", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_input_is_a_line_at_most(claude: ClaudeCode, given: bytes) -> None:
    for event in hook.START_S:
        assert claude.hook(event, given).out == ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_an_event_or_bad_input(value: object) -> None:
    for given_value in (value, {"cwd": "/x", "tool_input": value, "tool_response": value}):
        try:
            event = events.parse(json.dumps(given_value).encode())
        except BadInput:
            continue
        assert isinstance(event.folder, Path)


@pytest.mark.parametrize(
    "args", [[], ["bogus"], ["PostInstall"], ["stop", "--what"], ["stop", "more"], ["-w", "a b"]]
)
def test_a_wrong_call_does_not_stop_the_agent(args: list[str]) -> None:
    """The code 2 of other commands would: Claude Code takes it for an order."""
    ran = process("hook", *args, stdin=b"{}")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("content", [b"not a database", b""])
def test_a_workspace_that_cannot_be_read_is_a_line(claude: ClaudeCode, content: bytes) -> None:
    file = registry.file_of(paths.home(), "default")
    file.parent.mkdir(parents=True)
    file.write_bytes(content or b"x" * 100_000)
    ran = claude.write(claude.project / "thoughts" / "a.md", "# A\n")
    assert ran.out == ""
    assert ran.err.startswith("aimem: ")
    assert claude.start().out == ""


@pytest.mark.parametrize("content", ["workspace = 7\n", "[[[", 'into = "../.."\n'])
def test_a_projects_file_that_makes_no_sense_is_a_line(claude: ClaudeCode, content: str) -> None:
    (claude.project / projects.FILE_NAME).write_text(content)
    ran = claude.write(claude.project / "thoughts" / "a.md", "# A\n")
    assert projects.FILE_NAME in ran.err
    assert registry.entries(paths.home()) == []


def test_input_that_never_ends_does_not_hold_the_agent(claude: ClaudeCode) -> None:
    code = (
        "import sys; from aimem_tui.cli.commands import hook;"
        "hook.START_S['stop'] = 0.2; from aimem_tui.cli.main import main; sys.exit(main())"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, "hook", "stop"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert run.stdout is not None and run.stderr is not None and run.stdin is not None
    assert run.wait(timeout=120) == 0
    assert b"took too long" in run.stderr.read()
    for stream in (run.stdin, run.stdout, run.stderr):
        stream.close()
