"""A person and an agent in the same section at once: both edits are there, under both names, and
what the person types stays where it was begun.
"""

from __future__ import annotations

import os
import sys
import time

import pytest

from aimem_tui.sync.visitors import Visitors
from aimem_tui.workspace.workspace import Workspace
from bench.terminal import Terminal
from tests.mcp.clients import PATIENCE_S, opened
from tests.mcp.raw import raw

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")

BEFORE = "# Auth flow\n\n## Steps\n\n- one\n- two\n\n## Later\n\nNothing.\n"
AFTER = """# Auth flow

## Steps

- zero, by the agent
- one, typed by a person meanwhile
- two, renewed by the agent
- three, by the agent

## Later

Nothing.
"""
TYPED = ", typed by a person meanwhile"
DOWN, END, ENTER, JUMP = b"\x1b[B", b"\x1b[F", b"\r", b"\x0b"


def test_an_agent_and_a_person_edit_one_section_at_once() -> None:
    with opened() as workspace:
        workspace.create("plans/auth-flow.md", BEFORE)
        home = os.environ["AIMEM_HOME"]
        environment = {"AIMEM_HOME": home, "AIMEM_AUTHOR": "Ada"}
        command = [sys.executable, "-m", "aimem_tui"]
        with (
            Terminal(command, columns=120, rows=36, env=environment) as person,
            raw() as agent,
        ):
            person.wait_for(rb"plans")
            person.press(JUMP)
            person.wait_for(rb"edited last")
            person.wait_for(rb"auth-flow")
            person.press(ENTER)
            person.wait_for(rb"Nothing")
            for key in (*[DOWN] * 4, END):
                person.press(key, timeout=1.0)
            agent.answer(agent.call("read_thought", thought="auth-flow"))
            third = len(TYPED) // 3
            calls = (
                # Above the caret, below it, and beside it, while keys are on their way.
                {"section": "Steps", "mode": "prepend", "content": "- zero, by the agent"},
                {"section": "Steps", "mode": "append", "content": "- three, by the agent"},
                {"old_text": "- two", "new_text": "- two, renewed by the agent"},
            )
            for turn, arguments in enumerate(calls):
                end = len(TYPED) if turn == 2 else (turn + 1) * third
                number = agent.call("edit_thought", thought="auth-flow", **arguments)
                for char in TYPED[turn * third : end]:
                    person.press(char.encode(), silence=0.01, timeout=1.0)
                answer = agent.answer(number)
                assert not answer["result"].get("isError"), answer
            _until_it_is(workspace, AFTER)
            person.wait_for(rb"three, by the agent")
            _until_it_is_seen(workspace, "Ada via raw")
            person.wait_for(rb"via raw")
            # The caret has stayed behind what was typed.
            person.press(b"!", timeout=1.0)
            _until_it_is(workspace, AFTER.replace("meanwhile", "meanwhile!"))
        authors = {each.author for each in workspace.history(workspace.get("auth-flow").id)}
        assert authors == {"Ada", "Ada via raw"}


def _until_it_is_seen(workspace: Workspace, name: str) -> None:
    """The agent is shown as one, in the thought and at a place in its text."""
    visitors = Visitors(workspace.database.path.parent)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for one in visitors.seen():
            if one.head is not None:
                assert (one.name, one.agent) == (name, True)
                assert one.thought == workspace.get("auth-flow").id
                return
        time.sleep(0.02)
    raise AssertionError("the agent was not seen")


def _until_it_is(workspace: Workspace, text: str) -> None:
    thought = workspace.get("auth-flow").id
    end = time.monotonic() + PATIENCE_S
    while workspace.text(thought) != text and time.monotonic() < end:
        workspace.catch_up()
        time.sleep(0.02)
    assert workspace.text(thought) == text
