"""Answering the events of Claude Code's sessions.

- ``session-start`` tells Claude, as facts, what memory holds for this project and how to read more.
- ``post-tool-use`` takes in a file that Claude has written, if it is one of the project's thoughts.
- ``stop`` and ``session-end`` see to it that a session in which work was done and nothing was kept
  is not simply forgotten: the person is told, once, which skill proposes what to keep. No turn of
  the model is spent unasked, and none is held up (docs/decisions/0012-what-a-session-leaves.md).

What is written is attributed to the person and to Claude Code. Nothing leaves the machine here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui.claude.event import Event
from aimem_tui.claude.notes import Notes, all_of
from aimem_tui.claude.surroundings import Surroundings, surroundings_of

if TYPE_CHECKING:
    from aimem_tui.workspace.workspace import Workspace

AGENT = "Claude Code"
CONTEXT_LIMIT = 9_000
"""Characters of context at a session's start; Claude Code puts more than 10,000 into a file."""

ENOUGH_EDITS = 5
"""How many writes of files make a session one in which work was done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hook says. Empty: nothing."""

    event: str
    """The event's name as Claude Code has it."""
    context: str = ""
    """For Claude."""
    message: str = ""
    """For the person."""

    def as_json(self) -> dict[str, object]:
        """The object that Claude Code reads; empty where there is nothing to say."""
        found: dict[str, object] = {}
        if self.message:
            found["systemMessage"] = self.message
        if self.context:
            found["hookSpecificOutput"] = {
                "hookEventName": self.event,
                "additionalContext": self.context,
            }
        return found


class Hooks:
    """The hooks of one machine.

    Args:
        notes: the folder for the notes of sessions.
        person: whose machine it is, by the name that others see.
        opened: opens the workspace of that name, or the usual one for an empty name; None if the
            usual one has not been made yet.
        clock: milliseconds since the Unix epoch.
    """

    def __init__(
        self,
        notes: Path,
        person: str,
        opened: Callable[[str], Workspace | None],
        clock: Callable[[], int],
    ) -> None:
        self._notes = notes
        self._author = f"{person} via {AGENT}"
        self._opened = opened
        self._clock = clock

    def session_start(self, event: Event) -> Answer:
        """What to know at a session's beginning."""
        around = self._around(event)
        Notes(self._notes, event.session).begin(self._clock())
        workspace = self._opened(around.project.workspace)
        if workspace is None:
            return Answer("SessionStart")
        from aimem_tui.claude import start

        context = start.context(workspace, around.project, self._clock(), CONTEXT_LIMIT)
        return Answer("SessionStart", context, self._left_behind(around, workspace))

    def post_tool_use(self, event: Event) -> Answer:
        """Take in the file that was written."""
        answer = Answer("PostToolUse")
        if event.file is None:
            return answer
        Notes(self._notes, event.session).edited(self._clock())
        from aimem_tui.claude.places import is_thought

        around = self._around(event)
        if not is_thought(around, event.file, event.transcript):
            return answer
        workspace = self._opened(around.project.workspace)
        if workspace is None:
            return answer
        from aimem_tui.claude.intake import take_in_file
        from aimem_tui.claude.words import about

        taken = take_in_file(
            workspace,
            around,
            event.file,
            self._author,
            rewriting=event.rewriting,
            transcript=event.transcript,
        )
        return Answer("PostToolUse", "" if taken is None else about(taken))

    def stop(self, event: Event) -> Answer:
        """Tell the person, once a session, that something could be kept."""
        answer = Answer("Stop")
        if event.goes_on or event.subagent:
            return answer
        notes = Notes(self._notes, event.session)
        story = notes.read()
        if story.proposed or story.edits < ENOUGH_EDITS:
            return answer
        workspace = self._opened(self._around(event).project.workspace)
        if workspace is None or self._has_kept(workspace, story.began):
            return answer
        notes.proposed(self._clock())
        return Answer("Stop", message=self._proposal("This session", story.edits))

    def session_end(self, event: Event) -> Answer:
        """Keep a note of a session that could have left something, and of no other."""
        notes = Notes(self._notes, event.session)
        story = notes.read()
        if story.proposed or story.edits < ENOUGH_EDITS:
            notes.forget()
        else:
            notes.ended(self._clock(), self._around(event).project.root)
        return Answer("SessionEnd")

    def _around(self, event: Event) -> Surroundings:
        return surroundings_of(event.folder)

    def _has_kept(self, workspace: Workspace, since: int, until: int | None = None) -> bool:
        """Whether something was written to memory through Claude Code in a time."""
        from aimem_tui.model import Filter

        wanted = Filter(author=self._author, since=since)
        return any(
            thought.updated_by == self._author and (until is None or thought.updated_at <= until)
            for thought in workspace.thoughts(wanted, order="updated", limit=20)
        )

    def _left_behind(self, around: Surroundings, workspace: Workspace) -> str:
        """What to say of sessions here that ended before the person could be told."""
        message = ""
        for notes in all_of(self._notes, self._clock()):
            story = notes.read()
            if not story.ended or story.root != str(around.project.root):
                continue
            notes.forget()
            if not self._has_kept(workspace, story.began, story.ended):
                message = self._proposal("An earlier session here", story.edits)
        return message

    def _proposal(self, which: str, edits: int) -> str:
        # A plugin's skills have its name before theirs.
        skill = "/aimem:remember" if os.environ.get("CLAUDE_PLUGIN_ROOT") else "/remember"
        return (
            f"aimem: {which} changed files {edits} times and kept nothing in memory."
            f" {skill} proposes what to keep."
        )
