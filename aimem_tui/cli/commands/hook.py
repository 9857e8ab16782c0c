"""Answering an event of Claude Code: ``hook``.

- Whatever happens, the command ends with 0: Claude Code takes 2 for an order to stop the agent, and
  shows other codes as errors. What went wrong is one line on standard error, which Claude Code
  keeps in its debug log.
- It never keeps the agent waiting for long. A deadline ends the process, wherever it is; SQLite
  undoes what was not committed, and the file that was to be taken in is still there.
- Reading never waits for writers and needs no document engine.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from aimem_tui.cli import output, terminal
from aimem_tui.cli.command import SETTINGS, Command
from aimem_tui.cli.context import DEFAULT_WORKSPACE, Session
from aimem_tui.errors import AimemError

if TYPE_CHECKING:
    from aimem_tui.claude.event import Event
    from aimem_tui.claude.hooks import Answer, Hooks
    from aimem_tui.workspace.workspace import Workspace

START_S = {"session-start": 8.0, "post-tool-use": 40.0, "stop": 8.0, "session-end": 1.2}
"""The known events, and seconds until the workspace must be open."""

WORK_S = 15.0
"""Seconds that may pass after that; nearly all of it is waiting for other writers."""

READ_LIMIT = 64 << 20


class _HookCommand(Command):
    """A command that even a wrong command line does not make fail."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except (click.UsageError, AimemError) as error:
            _say(error.format_message() if isinstance(error, click.UsageError) else str(error))
            ctx.exit(0)


@click.command(
    "hook",
    cls=_HookCommand,
    context_settings={**SETTINGS, "ignore_unknown_options": True, "allow_extra_args": True},
    short_help="Answer an event of Claude Code.",
)
@click.argument("event", metavar="EVENT", help="The event's name.")
@click.pass_obj
def hook_command(session: Session, event: str) -> None:
    """Answer an event of Claude Code, which calls this command itself.

    The event comes as JSON on standard input: session-start, post-tool-use, stop or session-end.
    To have Claude Code call it, run aimem init.
    """
    try:
        _answer(session, event)
    except AimemError as error:
        _say(str(error))
    except Exception as error:
        if os.environ.get("AIMEM_DEBUG") == "1":
            raise
        _say(f"{type(error).__name__}: {error}")


def _answer(session: Session, event: str) -> None:
    if event not in START_S:
        _say(f"There is no event called {event}. There are: {', '.join(START_S)}.")
        return
    if terminal.is_terminal(sys.stdin):
        _say("Claude Code calls this command and tells it what has happened.")
        return
    deadline = _Deadline()
    deadline.set(START_S[event])
    try:
        said = _said(session, event, deadline)
    finally:
        session.close()
        deadline.drop()
    if said:
        import json

        output.emit(json.dumps(said) + "\n")


def _said(session: Session, event: str, deadline: _Deadline) -> dict[str, object]:
    from aimem_tui.claude.event import parse
    from aimem_tui.claude.hooks import Hooks

    given = parse(b"" if sys.stdin is None else sys.stdin.buffer.read(READ_LIMIT))
    hooks = Hooks(
        session.home.state / "claude" / "sessions",
        session.settings.author,
        lambda name: _opened(session, name, deadline, makes=event == "post-tool-use"),
        session.clock,
    )
    return _method(hooks, event)(given).as_json()


def _method(hooks: Hooks, event: str) -> Callable[[Event], Answer]:
    return {
        "session-start": hooks.session_start,
        "post-tool-use": hooks.post_tool_use,
        "stop": hooks.stop,
        "session-end": hooks.session_end,
    }[event]


def _opened(session: Session, name: str, deadline: _Deadline, *, makes: bool) -> Workspace | None:
    """The workspace that a project names, unless the command line or the environment names one.

    Returns: None if it is the one that is made when it is first needed, and is not there.
    """
    from aimem_tui.workspace import registry

    is_told = session.settings.value("workspace").source == "environment"
    if name and not session.named_workspace and not is_told:
        session.named_workspace = name
    name = session.workspace_name
    there = registry.file_of(session.home, name).is_file()
    if name == DEFAULT_WORKSPACE and not there and not makes:
        return None
    workspace = session.open()
    deadline.set(WORK_S)
    return workspace


class _Deadline:
    """Ends the process, with success, when its time has come."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def set(self, seconds: float) -> None:
        """Let it end in so many seconds from now, whatever was set before."""
        self.drop()
        self._timer = threading.Timer(seconds, _give_up)
        self._timer.daemon = True
        self._timer.start()

    def drop(self) -> None:
        """Let it go on as long as it takes."""
        if self._timer is not None:
            self._timer.cancel()


def _give_up() -> None:
    _say("It took too long, so nothing was done. A changed file is taken in with its next change.")
    os._exit(0)


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"aimem: {' '.join(text.split())}\n")
        sys.stderr.flush()
