"""Coming and going: ``import``, ``export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from aimem_tui import words
from aimem_tui.cli import output, shapes
from aimem_tui.cli.command import command, json_option
from aimem_tui.cli.context import Session
from aimem_tui.cli.options import filter_of, filter_options
from aimem_tui.cli.progress import LongWork
from aimem_tui.cli.styling import bold, dim
from aimem_tui.cli.types import FolderName, Text
from aimem_tui.errors import ExitCode
from aimem_tui.model import ExportOptions, ExportReport, ImportOptions, ImportReport, ReportLine


@command("import", short_help="Take in a folder of markdown.")
@click.argument(
    "root", type=click.Path(path_type=Path), metavar="PATH", help="A folder, or a git repository."
)
@click.option("--git", is_flag=True, help="Take in a git repository's history as revisions.")
@click.option("--into", type=FolderName(), metavar="FOLDER", help="A folder to import into.")
@click.option("--only-markdown", is_flag=True, help="Leave out text that is not markdown.")
@click.option("--everything", is_flag=True, help="Import what looks like source code all the same.")
@click.option(
    "--exclude", type=Text(), multiple=True, metavar="GLOB", help="Leave out paths like this."
)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_obj
def import_command(
    session: Session,
    root: Path,
    git: bool,
    into: str | None,
    only_markdown: bool,
    everything: bool,
    exclude: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take in a folder of markdown, byte for byte.

    What was imported before and has not changed is left alone, so the same import can be run
    again. Ctrl-C ends it after the file in hand; the next run goes on from there.

    \b
    aimem import ~/notes --into notes
    aimem import thoughts --dry-run
    aimem import --git ../project-thoughts
    """
    workspace = session.reading()
    with LongWork() as work:
        options = ImportOptions(
            author=workspace.author,
            into=(into or "").strip("/"),
            only_markdown=only_markdown,
            everything=everything,
            exclude=exclude,
            dry_run=dry_run,
            progress=work.progress,
            stop=work.stop,
        )
        report = (workspace.import_git if git else workspace.import_folder)(root, options)
    if as_json:
        output.json_object(shapes.import_report(report, dry_run=dry_run))
    else:
        _print_import(report, dry_run=dry_run)
    if report.interrupted:
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)


@command("export", short_help="Write thoughts out as files.")
@click.argument("target", type=click.Path(path_type=Path), metavar="DIR", help="Where to write.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "json", "sqlite"]),
    default="markdown",
    show_default=True,
    help="A tree of files, or one file.",
)
@filter_options
@click.option("--clean", is_flag=True, help="Remove files of an earlier export that are gone here.")
@click.option("--overwrite", is_flag=True, help="Replace files that did not come from here, too.")
@json_option
@click.pass_obj
def export_command(
    session: Session,
    target: Path,
    form: str,
    path: str | None,
    kinds: tuple[str, ...],
    tags: tuple[str, ...],
    author: str | None,
    status: str | None,
    since: int | None,
    clean: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write thoughts out as files, byte for byte.

    A file that was not exported from here, or was changed since, is kept and reported unless
    --overwrite says otherwise. --clean removes only what an earlier export wrote and nobody has
    changed. The formats json and sqlite make one file.

    \b
    aimem export out
    aimem export plans.json --format json --path plans --since 30d
    """
    workspace = session.reading()
    wanted = filter_of(path=path, kinds=kinds, tags=tags, author=author, status=status, since=since)
    with LongWork() as work:
        options = ExportOptions(
            wanted=wanted,
            format=form,
            clean=clean,
            overwrite=overwrite,
            progress=work.progress,
            stop=work.stop,
        )
        report = workspace.export(target, options)
    if as_json:
        output.json_object(shapes.export_report(report))
    else:
        _print_export(report, target)
    if report.interrupted:
        raise click.exceptions.Exit(ExitCode.INTERRUPTED)


def _print_import(report: ImportReport, *, dry_run: bool) -> None:
    if report.interrupted:
        output.line(bold("Stopped early."), " What was taken in is kept. To go on, import again.")
    counted = [
        f"{report.created:,} new",
        f"{report.updated:,} updated",
        f"{report.unchanged:,} unchanged",
        f"{len(report.skipped):,} skipped",
    ]
    if report.revisions:
        counted.insert(2, words.count(report.revisions, "revision"))
    output.line("Would import: " if dry_run else "Imported: ", ", ".join(counted), ".")
    _print_lines("Skipped", report.skipped)
    _print_lines("To know", report.notices)


def _print_export(report: ExportReport, target: Path) -> None:
    if report.interrupted:
        output.line(bold("Stopped early."), " To write the rest, export again.")
    counted = [f"{report.written:,} written", f"{report.unchanged:,} unchanged"]
    if report.removed:
        counted.append(f"{report.removed:,} removed")
    if report.skipped:
        counted.append(f"{len(report.skipped):,} skipped")
    output.line("Exported to ", bold(str(target)), ": ", ", ".join(counted), ".")
    _print_lines("Skipped", report.skipped)
    _print_lines("To know", report.notices)


def _print_lines(title: str, lines: Sequence[ReportLine]) -> None:
    if lines:
        output.line("")
        output.line(bold(title))
        for line in lines:
            output.line(f"  {line.path}", dim(f"  {line.reason}"))
