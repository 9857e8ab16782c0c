"""The index of this machine: ``index``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from aimem_tui import locks, words
from aimem_tui.cli import output
from aimem_tui.cli.command import SETTINGS, LazyGroup, command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.diagnostics import note
from aimem_tui.cli.output import Column
from aimem_tui.cli.styling import bold
from aimem_tui.errors import Refused
from aimem_tui.index import status as standing
from aimem_tui.index.file import IndexFile
from aimem_tui.index.spaces import whose
from aimem_tui.index.status import IndexStatus, SpaceStatus

if TYPE_CHECKING:
    from aimem_tui.index.job import Done, Pending

_COLUMNS = (
    Column("WORKSPACE", style="bold"),
    Column("THOUGHTS", right=True),
    Column("PASSAGES", right=True),
    Column("WAITING", right=True),
    Column("MODEL", flexible=True, style="dim"),
)
_PATIENCE_S = 60.0
_LOOK_S = 0.05


@click.group(
    "index",
    cls=LazyGroup,
    default="status",
    short_help="See and keep the index that finds by meaning.",
    context_settings=SETTINGS,
)
def index_command() -> None:
    """See and keep the index that finds thoughts by meaning. Without a command, see it.

    While the app is open it indexes by itself.
    """


@command("status", short_help="See what is indexed.")
@json_option
@click.pass_obj
def status_command(session: Session, as_json: bool) -> None:
    """See what is indexed, and what waits."""
    from aimem_tui.index.reader import Coverage, IndexReader

    workspace = session.reading()
    connection = workspace.database.read()
    with IndexFile(session.home.index_file) as index:
        found = standing.read(index)
        reader = IndexReader(index, whose(connection, workspace.database.path).replica)
        here: Coverage = reader.coverage(connection)
    if as_json:
        output.json_object({**_shape(found), "unindexed": here.unindexed})
        return
    if found.paused:
        said = "paused; to go on: aimem index resume"
    elif found.working:
        said = "being indexed now"
    elif here.unindexed:
        said = (
            f"{words.count(here.unindexed, 'thought')} not yet indexed; to do it: aimem index run"
        )
    else:
        said = "up to date"
    output.line("Index of ", bold(session.workspace_name), f": {said}.")
    if found.spaces:
        output.table(_COLUMNS, (_row(space) for space in found.spaces))
    output.fields(
        [
            ("  File", f"{found.file}, {words.size(found.bytes)}"),
            ("  Kept", f"{words.count(found.spare, 'passage')} of earlier texts"),
        ]
    )


@command("run", short_help="Index now.")
@json_option
@click.pass_obj
def run_command(session: Session, as_json: bool) -> None:
    """Index what waits, now. Ctrl-C ends it; what was done stays."""
    with IndexFile(session.home.index_file) as index:
        if standing.is_paused(index):
            raise Refused("Indexing is paused.", hint="To go on: aimem index resume.")
        done, left = _run(session, index)
    _report(done, left, as_json=as_json)


@command("pause", short_help="Make no vectors for now.")
@json_option
@click.pass_obj
def pause_command(session: Session, as_json: bool) -> None:
    """Have no program on this machine make vectors, until it is resumed."""
    with IndexFile(session.home.index_file) as index:
        standing.pause(index)
    _say_paused(True, as_json=as_json)


@command("resume", short_help="Make vectors again.")
@json_option
@click.pass_obj
def resume_command(session: Session, as_json: bool) -> None:
    """Have vectors made again: by the app, or with aimem index run."""
    with IndexFile(session.home.index_file) as index:
        standing.resume(index)
    _say_paused(False, as_json=as_json)


@command("rebuild", short_help="Build the index anew.")
@json_option
@click.pass_obj
def rebuild_command(session: Session, as_json: bool) -> None:
    """Remove the index of this machine and build it anew for this workspace.

    Other workspaces are indexed when they are next used. No thought is touched.
    """
    session.reading()
    with IndexFile(session.home.index_file) as index:
        lock = locks.to_index(index.path)
        # Whoever is at it ends after its batch.
        paused = standing.is_paused(index)
        standing.pause(index)
        try:
            patience = time.monotonic() + _PATIENCE_S
            while not lock.take():
                if time.monotonic() > patience:
                    raise Refused("Another program is indexing.", hint="Close it, then try again.")
                time.sleep(_LOOK_S)
            try:
                index.empty()
            finally:
                lock.release()
        finally:
            (standing.pause if paused else standing.resume)(index)
        done, left = _run(session, index, ignore_pause=True)
    _report(done, left, as_json=as_json)


def _run(
    session: Session, index: IndexFile, *, ignore_pause: bool = False
) -> tuple[Done | None, Pending]:
    from aimem_tui.cli.progress import LongWork
    from aimem_tui.embedding.runtime import processors
    from aimem_tui.index.job import Indexer, ModelSource

    workspace = session.reading()
    # Somebody waits for it, so it may have all there is.
    source = ModelSource.of(session.settings.get("index.model"), threads=processors())
    indexer = Indexer(workspace.database, index, source, clock=session.clock)
    with LongWork() as work:
        done = indexer.run(work.stop, work.progress, ignore_pause=ignore_pause)
    return done, indexer.pending()


def _report(done: Done | None, left: Pending, *, as_json: bool) -> None:
    if as_json:
        output.json_object(
            {
                "busy": done is None,
                "thoughts": done.thoughts if done else 0,
                "embedded": done.embedded if done else 0,
                "waiting": {"thoughts": left.thoughts, "passages": left.passages},
            }
        )
        return
    if done is None:
        note("Another program on this machine is indexing.")
    else:
        output.line(
            f"Indexed {words.count(done.thoughts, 'thought')};"
            f" {words.count(done.embedded, 'passage')} embedded."
        )
    if left.thoughts or left.passages:
        note(
            f"Waiting: {words.count(left.thoughts, 'thought')},"
            f" {words.count(left.passages, 'passage')}."
        )


def _say_paused(paused: bool, *, as_json: bool) -> None:
    if as_json:
        output.json_object({"paused": paused})
    elif paused:
        output.line("Paused. What is written is still found by its words.")
    else:
        output.line("Resumed.")


def _row(space: SpaceStatus) -> tuple[str, ...]:
    model = space.model or "bundled"
    return (
        space.file.parent.name,
        f"{space.thoughts:,}",
        f"{space.passages:,}",
        f"{space.waiting:,}",
        f"{model}, another is on its way" if space.changing else model,
    )


def _shape(found: IndexStatus) -> dict[str, object]:
    return {
        "file": str(found.file),
        "bytes": found.bytes,
        "paused": found.paused,
        "working": found.working,
        "spare": found.spare,
        "workspaces": [
            {
                "file": str(space.file),
                "thoughts": space.thoughts,
                "passages": space.passages,
                "waiting": space.waiting,
                "model": space.model,
                "changing": space.changing,
            }
            for space in found.spaces
        ],
    }


for _each in (status_command, run_command, pause_command, resume_command, rebuild_command):
    index_command.add_command(_each)
