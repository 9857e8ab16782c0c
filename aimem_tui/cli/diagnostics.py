"""Standard error and exit codes: what went wrong, what to know, questions, and the log of defects.

- An :class:`AimemError` is three short lines: what happened, why, what to do. Its code is the
  command's. With ``--json`` the same is one JSON object.
- Whatever else escapes is a defect of aimem's: one line for the person, the traceback in the log.
  ``AIMEM_DEBUG=1`` shows the traceback at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aimem_tui import __version__
from aimem_tui.cli import styling, terminal
from aimem_tui.cli.styling import Piece, bold
from aimem_tui.errors import AimemError, ExitCode, StorageError

if TYPE_CHECKING:
    import click

    from aimem_tui.cli.context import Session
    from aimem_tui.paths import Home


class UsageProblem(AimemError):
    """The command line itself cannot be understood."""

    exit_code = ExitCode.USAGE


def note(*pieces: Piece) -> None:
    """A line beside the output that a person should see and a script need not."""
    if sys.stderr is not None:
        coloured = terminal.wants_colour(sys.stderr)
        sys.stderr.write(styling.render(pieces, coloured=coloured) + "\n")


def report(error: AimemError, *, as_json: bool) -> int:
    """Say what went wrong; returns the exit code."""
    if as_json:
        import json

        shape = {
            "what": error.what,
            "why": error.why,
            "hint": error.hint,
            "code": int(error.exit_code),
        }
        if sys.stderr is not None:
            sys.stderr.write(json.dumps({"error": shape}) + "\n")
    else:
        note(bold(error.what))
        for part in (error.why, error.hint):
            for line in part.splitlines():
                note(line)
    return int(error.exit_code)


def confirm(question: str) -> bool:
    """Ask a person who sits at a terminal; anything but yes is no."""
    if sys.stderr is None or sys.stdin is None:
        return False
    sys.stderr.write(styling.safe(question) + " [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def can_ask() -> bool:
    """Whether a person is there to answer."""
    return terminal.is_terminal(sys.stdin) and terminal.is_terminal(sys.stderr)


def usage_problem(error: click.ClickException) -> AimemError:
    """What click could not understand, in aimem's form."""
    import click

    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context is not None else "aimem"
    hint = f"To see how it is used: {command} --help."
    if isinstance(error, click.NoSuchOption):
        hint = f"If it is text, put -- before it. {hint}"
    message = error.format_message().strip()
    return UsageProblem(message if message.endswith((".", "?")) else message + ".", hint=hint)


def explain(error: Exception, session: Session) -> AimemError | None:
    """An error of the machinery below the facade in words; None if it is a defect."""
    crdt_errors = sys.modules.get("crdt.errors")
    if crdt_errors is not None and isinstance(error, crdt_errors.CrdtError):
        return StorageError(
            "This thought cannot be read.", why=f"{error}.", hint="To look it over: aimem doctor."
        )
    apsw = sys.modules.get("apsw")
    if apsw is not None and isinstance(error, apsw.Error):
        from aimem_tui.store.connection import explained

        try:
            with explained(session.file or session.home.workspaces):
                raise error
        except AimemError as explained_error:
            return explained_error
        except Exception:
            return None
    return None


def defect(error: Exception, home: Home) -> int:
    """Own up to a defect; returns the exit code."""
    if os.environ.get("AIMEM_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
        return int(ExitCode.DEFECT)
    note(bold("Something went wrong inside aimem."))
    say_notes(error)
    file = _write_log(error, home.log_file)
    if file is None:
        note("To see what it was, set AIMEM_DEBUG=1 and try again.")
    else:
        note(f"What it was is written in {file}.")
    return int(ExitCode.DEFECT)


def say_notes(error: BaseException) -> None:
    """What was added to an error for the person: where their text was kept."""
    for text in getattr(error, "__notes__", ()):
        note(text)


def _write_log(error: Exception, file: Path) -> Path | None:
    import traceback
    from datetime import datetime

    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{datetime.now().astimezone().isoformat()} aimem {__version__}\n")
            traceback.print_exception(error, file=log)
    except OSError:
        return None
    return file
