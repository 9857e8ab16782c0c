"""A session of Claude Code as its hooks see it: files that change, and processes that are told.

The inputs have the fields and the form of the examples in Claude Code's "Hooks reference", and
``tool_response`` that of its "Agent SDK reference".
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.running import COMMAND, Ran, environment, process

SESSION = "00893aaf-19fa-41d2-8238-13269b9b3ca0"


@dataclass
class ClaudeCode:
    """A session in a project.

    Hooks run as processes in ``folder`` and must end well, with at most a line of complaint.
    """

    project: Path
    session: str = SESSION
    env: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def start(self, source: str = "startup") -> Ran:
        return self.hook(
            "session-start",
            self.input("SessionStart", source=source, model="claude-sonnet-5"),
        )

    def write(self, file: Path, text: str) -> Ran:
        return self.hook("post-tool-use", self.writing(file, text))

    def writing(self, file: Path, text: str) -> dict[str, Any]:
        """Write a file as the tool Write does; returns what the hook is told."""
        before = file.read_text() if file.exists() else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return self.tool(
            "Write",
            {"file_path": str(file), "content": text},
            {
                "type": "create" if before is None else "update",
                "filePath": str(file),
                "content": text,
                "structuredPatch": [],
                "originalFile": before,
            },
        )

    def edit(self, file: Path, old: str, new: str) -> Ran:
        return self.hook("post-tool-use", self.editing(file, old, new))

    def editing(self, file: Path, old: str, new: str) -> dict[str, Any]:
        """Change a file as the tool Edit does; returns what the hook is told."""
        before = file.read_text()
        assert before.count(old) == 1
        file.write_text(before.replace(old, new))
        return self.tool(
            "Edit",
            {"file_path": str(file), "old_string": old, "new_string": new, "replace_all": False},
            {
                "filePath": str(file),
                "oldString": old,
                "newString": new,
                "originalFile": before,
                "structuredPatch": [],
                "userModified": False,
                "replaceAll": False,
            },
        )

    def tool(self, name: str, given: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
        return self.input(
            "PostToolUse",
            permission_mode="default",
            tool_name=name,
            tool_input=given,
            tool_response=response,
            tool_use_id="toolu_01ABC123",
            duration_ms=12,
        )

    def stop(self, **fields: Any) -> Ran:
        usual = {
            "permission_mode": "default",
            "stop_hook_active": False,
            "last_assistant_message": "Done.",
            "background_tasks": [],
            "session_crons": [],
        }
        return self.hook("stop", self.input("Stop", **{**usual, **fields}))

    def end(self, reason: str = "prompt_input_exit") -> Ran:
        return self.hook("session-end", self.input("SessionEnd", reason=reason))

    def input(self, event: str, **fields: Any) -> dict[str, Any]:
        return {
            "session_id": self.session,
            "transcript_path": str(self.memory.parent / f"{self.session}.jsonl"),
            "cwd": str(self.folder or self.project),
            "hook_event_name": event,
            **fields,
        }

    @property
    def memory(self) -> Path:
        """Claude Code's own memory of the project."""
        name = "".join(c if c.isascii() and c.isalnum() else "-" for c in str(self.project))
        return Path.home() / ".claude" / "projects" / name / "memory"

    def hook(self, event: str, given: dict[str, Any] | bytes) -> Ran:
        """Call a hook and insist that it ends as a hook may."""
        data = given if isinstance(given, bytes) else json.dumps(given).encode()
        ran = process("hook", event, stdin=data, env=self.environment, cwd=self.project)
        assert ran.code == 0, ran
        assert "Traceback" not in ran.err
        assert ran.err.count("\n") <= 1, ran.err
        assert ran.out.count("\n") <= 1, ran.out
        return ran

    def begin(self, event: str, given: dict[str, Any]) -> subprocess.Popen[bytes]:
        """Call a hook and do not wait for it."""
        run = subprocess.Popen(
            [*COMMAND, "hook", event],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(self.environment),
            cwd=self.project,
        )
        assert run.stdin is not None
        run.stdin.write(json.dumps(given).encode())
        run.stdin.close()
        run.stdin = None
        return run

    @property
    def environment(self) -> dict[str, str]:
        return {"AIMEM_AUTHOR": "Ada", "CLAUDE_PROJECT_DIR": str(self.project), **self.env}


def told(ran: Ran) -> str:
    """What a hook told Claude."""
    if not ran.out:
        return ""
    said = json.loads(ran.out).get("hookSpecificOutput", {})
    return str(said.get("additionalContext", ""))


def shown(ran: Ran) -> str:
    """What a hook showed the person."""
    return str(json.loads(ran.out).get("systemMessage", "")) if ran.out else ""
