"""What Claude Code tells a hook: one JSON object on standard input.

The fields and what they mean are in the pages "Hooks reference" and "Agent SDK reference" of Claude
Code's documentation. Only ``cwd`` is insisted on; what else is missing, or is not what it should
be, counts as not given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aimem_tui.errors import BadInput


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What a tool made of a file's text."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a session."""

    session: str
    """The session's id."""
    folder: Path
    """Where Claude Code is at this moment."""
    transcript: Path | None = None
    """The file of the conversation. Only its place is of interest here, never what it holds."""
    file: Path | None = None
    """The file that a tool has written."""
    rewriting: Rewriting | None = None
    """What the tool made of that file; None: it is new, or that is not told."""
    goes_on: bool = False
    """Whether an end is none: a hook has made Claude go on, or work is still under way."""
    subagent: bool = False
    """Whether it happens inside a subagent."""


def parse(data: bytes) -> Event:
    """The event that a hook was given.

    Raises:
        BadInput: if it is not a JSON object that names a folder.
    """
    try:
        given = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput("What came in is not JSON.", why=f"{error}.") from error
    if not isinstance(given, dict) or not _text(given, "cwd"):
        raise BadInput("What came in is no event of Claude Code.")
    folder = Path(_text(given, "cwd"))
    tool = _table(given, "tool_input")
    file = _text(tool, "file_path") or _text(tool, "notebook_path")
    transcript = _text(given, "transcript_path")
    original = _table(given, "tool_response").get("originalFile")
    return Event(
        session=_text(given, "session_id"),
        folder=folder,
        transcript=_path(transcript) if transcript else None,
        file=folder / _path(file) if file else None,
        rewriting=_rewriting(original, tool) if isinstance(original, str) else None,
        goes_on=any(
            given.get(key) for key in ("stop_hook_active", "background_tasks", "session_crons")
        ),
        subagent=bool(_text(given, "agent_id")),
    )


def _rewriting(before: str, tool: Mapping[str, object]) -> Rewriting | None:
    """What became of a text by the tools ``Write``, ``Edit`` and ``MultiEdit``."""
    content = tool.get("content")
    if isinstance(content, str):
        return Rewriting(before, content)
    edits = tool.get("edits")
    after = before
    for edit in edits if isinstance(edits, list) else [tool]:
        if not isinstance(edit, dict):
            return None
        old, new = edit.get("old_string"), edit.get("new_string")
        if not isinstance(old, str) or not isinstance(new, str) or not old:
            return None
        after = after.replace(old, new, -1 if edit.get("replace_all") else 1)
    return Rewriting(before, after)


def _text(table: Mapping[str, object], key: str) -> str:
    """A text that can stand in a path; empty if there is none."""
    value = table.get(key)
    return value if isinstance(value, str) and "\0" not in value else ""


def _table(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _path(text: str) -> Path:
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:
        return path
