"""Folders of files for tests, written and read as plain mappings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from aimem_tui.model import Filter, ImportOptions, ImportReport, ReportLine
from aimem_tui.workspace.workspace import Workspace


def put(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files into a folder."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """All regular files below a folder, links not followed."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.is_symlink()
    }


def texts(workspace: Workspace) -> dict[str, str]:
    """The texts of all thoughts that are shown, by path."""
    return {thought.path: workspace.text(thought.id) for thought in workspace.thoughts(Filter())}


def take(workspace: Workspace, folder: Path, **options: object) -> ImportReport:
    """Import a folder."""
    return workspace.import_folder(folder, ImportOptions(author="bob", **options))  # type: ignore[arg-type]


def reasons(lines: list[ReportLine]) -> dict[str, str]:
    """The lines of a report by path; a path stands there once."""
    found = {line.path: line.reason for line in lines}
    assert len(found) == len(lines)
    return found


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, skipped."""
    return report.created, report.updated, report.unchanged, len(report.skipped)


def set_time(file: Path, at: int) -> None:
    """Set a file's modification time, in ms since the Unix epoch."""
    os.utime(file, ns=(at * 1_000_000, at * 1_000_000))
