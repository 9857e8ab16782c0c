"""Exchange by file, without any network: ``bundle``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aimem_tui import words
from aimem_tui.cli import output
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.progress import LongWork
from aimem_tui.cli.styling import bold
from aimem_tui.cli.types import Text
from aimem_tui.errors import Refused

if TYPE_CHECKING:
    from aimem_tui.sync.bundle import Imported
    from aimem_tui.sync.bundle_file import Bundle
    from aimem_tui.workspace.workspace import Workspace

FORKED = (
    "Two copies of the workspace had one name. What both have written is kept, and this one goes on"
    " under a name of its own."
)

_file = click.argument(
    "file", type=click.Path(path_type=Path), metavar="FILE", help="The bundle's file."
)


@click.group(
    "bundle",
    cls=LazyGroup,
    default="import",
    short_help="Exchange by file, without a network.",
    context_settings=SETTINGS,
)
def bundle_command() -> None:
    """Exchange by file, without a network. Without a command, take a bundle in."""


@command("export", short_help="Write what others lack into a file.")
@_file
@click.option(
    "--for",
    "lacking",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="BUNDLE",
    help="Leave out what the sender of this bundle has. May be repeated.",
)
@click.option("--request", is_flag=True, help="Write only what is here, to be answered.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@json_option
@click.pass_obj
def export_command(
    session: Session,
    file: Path,
    lacking: tuple[Path, ...],
    request: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write a file that carries the whole workspace to another machine.

    A bundle says what its sender has. With --for a bundle of theirs, only what they lack goes into
    the file; with --request nothing does, and they answer with what is lacking here.

    \b
    aimem bundle export team.bundle
    aimem bundle export answer.bundle --for theirs.bundle
    """
    if file.exists() and not overwrite:
        raise Refused(f"There is a file {file} already.", hint="To replace it, add --overwrite.")
    workspace = session.open()
    from aimem_tui.sync import bundle as bundles
    from aimem_tui.sync.bundle_file import Bundle
    from aimem_tui.sync.file_copy import FileCopy
    from aimem_tui.sync.peer.naming import machine_name

    with LongWork() as work:
        exported = bundles.export(
            FileCopy(workspace.database),
            file,
            at=session.clock(),
            sender=machine_name(workspace.author),
            lacking=[Bundle(each) for each in lacking],
            request=request,
            progress=work.progress_or_stop,
        )
    changes = exported.entries + exported.checkpoints
    if exported.forks:
        note(FORKED)
    if as_json:
        output.json_object(
            {"file": str(file), "changes": changes, "size": exported.size, "request": request}
        )
    elif request:
        output.line("Wrote a request to ", bold(str(file)), ".")
        note(f"To answer it there: aimem bundle export ANSWER --for {file.name}.")
    else:
        counted = words.count(changes, "change")
        output.line(f"Wrote {counted} to ", bold(str(file)), f", {words.size(exported.size)}.")


@command("import", short_help="Take in what such a file brings.")
@_file
@click.option(
    "--new", "new", type=Text(), metavar="NAME", help="Make the workspace if it is not here."
)
@json_option
@click.pass_obj
def import_command(session: Session, file: Path, new: str | None, as_json: bool) -> None:
    """Take in what a bundle brings. All of it is checked before anything is stored.

    What is here already is left alone, so a bundle can be taken in again. A workspace that is not
    on this machine yet is made with --new.

    \b
    aimem bundle import team.bundle --new team
    aimem bundle import answer.bundle
    """
    from aimem_tui.sync import bundle as bundles
    from aimem_tui.sync.bundle_file import Bundle
    from aimem_tui.sync.file_copy import FileCopy

    bundle = Bundle(file)
    try:
        with LongWork() as work:
            workspace = _place(session, bundle, new, work)
            imported = bundles.take_in(bundle, FileCopy(workspace.database), work.progress_or_stop)
            workspace.catch_up(work.progress_or_stop)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note("What was taken in is kept. To go on, import it again.")
        raise
    if imported.forks:
        note(FORKED)
    if as_json:
        output.json_object(
            {
                "file": str(file),
                "workspace": workspace.name,
                "sender": imported.sender,
                "changes": imported.entries + imported.checkpoints,
                "new": imported.new,
            }
        )
    else:
        _say(imported, workspace.name)


for _command in (export_command, import_command):
    bundle_command.add_command(_command)


def _place(session: Session, bundle: Bundle, new: str | None, work: LongWork) -> Workspace:
    """The workspace that a bundle is taken into.

    Raises:
        Refused: if that is another one, or none is meant.
    """
    from aimem_tui.sync import bundle as bundles
    from aimem_tui.sync.empty_copy import EmptyCopy
    from aimem_tui.workspace import arrival, registry

    workspace = bundle.header.workspace.hex()
    name = new or session.workspace_name
    if registry.file_of(session.home, name).is_file():
        session.named_workspace = name
        opened = session.open()
        if opened.identity() == workspace:
            return opened
    here = arrival.find(session.home, workspace)
    if here is not None:
        raise Refused(
            f"{bundle.path} is of another workspace.",
            why=f"It is here as {here.name}.",
            hint=f"To take it in: aimem bundle import {bundle.path} --workspace {here.name}.",
        )
    if not new:
        raise Refused(
            f"{bundle.path} is of a workspace that is not on this machine.",
            hint=f"To make it: aimem bundle import {bundle.path} --new NAME.",
        )
    registry.refuse_existing(session.home, new)
    # Nothing is made for a bundle that cannot be taken in.
    bundles.check(bundle, EmptyCopy(workspace), work.progress_or_stop)
    arrival.make(session.home, new, workspace)
    session.move_in(new)
    session.named_workspace = new
    return session.open()


def _say(imported: Imported, name: str) -> None:
    changes = imported.entries + imported.checkpoints
    sender = f" from {imported.sender}" if imported.sender else ""
    if imported.new:
        counted = words.count(imported.new, "change")
        output.line(f"Took in {counted}{sender} into ", bold(name), ".")
        if imported.new < changes:
            note(f"{words.count(changes - imported.new, 'change')} more came that were here.")
    else:
        output.line(f"Nothing new{sender}: all that it brings is here.")
