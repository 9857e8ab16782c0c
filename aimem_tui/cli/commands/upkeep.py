"""The state of a workspace: ``status``, ``doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.styling import Span, bold
from aimem_tui.errors import ExitCode

if TYPE_CHECKING:
    from aimem_tui.model import WorkspaceStatus


@command("status", short_help="The workspace in figures.")
@json_option
@click.pass_obj
def status_command(session: Session, as_json: bool) -> None:
    """The workspace in figures."""
    status = session.reading().status()
    if as_json:
        output.json_object(shapes.status(status))
    else:
        print_status(status, session.clock())


@command("doctor", short_help="Look the workspace over.")
@click.option("--rebuild", is_flag=True, help="Build lists and search anew from the edits.")
@json_option
@click.pass_obj
def doctor_command(session: Session, rebuild: bool, as_json: bool) -> None:
    """Look the workspace over and say what is wrong with it, if anything.

    --rebuild first drops lists and search and builds them anew; no thought is touched. The exit
    code is 6 if something is wrong.
    """
    from aimem_tui.cli.progress import LongWork
    from aimem_tui.workspace import doctor

    workspace = session.open()
    rebuilt = None
    if rebuild:
        with LongWork() as work:
            rebuilt = doctor.rebuild(workspace, work.progress_or_stop)
    findings = doctor.examine(workspace)
    sound = all(finding.ok for finding in findings)
    if as_json:
        output.json_object(
            {
                "ok": sound,
                "rebuilt": rebuilt,
                "findings": [shapes.finding(finding) for finding in findings],
            }
        )
    else:
        if rebuilt is not None:
            output.line(f"Rebuilt {words.count(rebuilt, 'thought')}.")
        width = max((len(finding.check) for finding in findings), default=0)
        for finding in findings:
            sign = Span("ok   ", "green") if finding.ok else Span("wrong", "red")
            output.line(sign, f"  {finding.check.ljust(width)}  {finding.detail}")
            if finding.hint:
                output.line(" " * (width + 9), finding.hint)
    if not sound:
        raise click.exceptions.Exit(ExitCode.STORAGE)


def _elsewhere(status: WorkspaceStatus) -> str:
    """What of the work done here is on another machine, too, in words."""
    waiting = status.edits - status.edits_elsewhere
    if not status.edits_elsewhere:
        return (
            "nothing yet; to sync: aimem connect URL, or aimem peer" if waiting else "nothing yet"
        )
    if waiting:
        return f"{words.count(waiting, 'edit')} only on this machine"
    return "every edit is on another machine or relay, too"


def print_status(status: WorkspaceStatus, now: int) -> None:
    """The workspace in figures, for people."""
    thoughts = words.count(status.thoughts, "thought")
    last = ""
    if status.last_edit_at is not None:
        last = f"{words.when(status.last_edit_at, now)} by {status.last_edit_by}"
    output.line("Workspace ", bold(status.name))
    output.fields(
        [
            (
                "  Thoughts",
                f"{thoughts} in {words.count(status.folders, 'folder')},"
                f" {words.count(status.words, 'word')}",
            ),
            ("  Trash", words.count(status.trashed, "thought") if status.trashed else "empty"),
            ("  Last edit", last or "none yet"),
            (
                "  Search",
                f"{words.count(status.waiting, 'thought')} not yet indexed"
                if status.waiting
                else "up to date",
            ),
            ("  Elsewhere", _elsewhere(status)),
            ("  Id", status.id),
            ("  File", f"{status.file}, {words.size(status.file_bytes)}"),
        ]
    )
