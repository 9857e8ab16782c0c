"""Errors that a user can meet, and the exit code each one ends a command with.

Every error says what happened, why, and what to do next. Anything else that escapes is a defect
and is reported as one (exit code 1). The codes are part of the command line's contract and are
documented in ``docs/cli.md``.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's end means to a script. Stable: never renumbered."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    BAD_INPUT = 5
    STORAGE = 6
    TOOL_FAILED = 7
    UNREACHABLE = 8
    INTERRUPTED = 130


class AimemError(Exception):
    """Something a user can understand and act on.

    Args:
        what: what happened, one sentence.
        why: the reason, if it is not plain from ``what``.
        hint: what to do next.
    """

    exit_code: ExitCode = ExitCode.REFUSED

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.hint) if part)


class NotFound(AimemError):
    """No thought, revision, workspace or file answers to that name."""

    exit_code = ExitCode.NOT_FOUND


class Ambiguous(AimemError):
    """Several thoughts answer to that name."""

    exit_code = ExitCode.NOT_FOUND


class Refused(AimemError):
    """The request is understood and not allowed in this state."""

    exit_code = ExitCode.REFUSED


class BadInput(AimemError):
    """What was given cannot be used: an unsafe path, a file that is not text, a bad date."""

    exit_code = ExitCode.BAD_INPUT


class StorageError(AimemError):
    """The workspace's file cannot be opened, read or written."""

    exit_code = ExitCode.STORAGE


class ToolFailed(AimemError):
    """A program that aimem called (an editor, git) is missing or ended with an error."""

    exit_code = ExitCode.TOOL_FAILED


class Unreachable(AimemError):
    """Another copy of the workspace could not be reached, or did not answer in time."""

    exit_code = ExitCode.UNREACHABLE
