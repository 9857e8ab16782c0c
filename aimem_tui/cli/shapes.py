"""The JSON shapes of the command line. Stable: fields are added, never renamed or removed.

Documented in ``docs/cli.md``. Times are ISO 8601 strings in UTC, or null; sizes are in bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aimem_tui.cli.times import iso, iso_or_none

if TYPE_CHECKING:
    from aimem_tui.model import (
        ExportReport,
        Finding,
        ImportReport,
        ReportLine,
        Revision,
        SearchHit,
        Thought,
        WorkspaceStatus,
    )
    from aimem_tui.settings import Value
    from aimem_tui.sync.remotes import Remote
    from aimem_tui.sync.state import LinkState, SyncState
    from aimem_tui.workspace.registry import WorkspaceEntry

Shape = dict[str, object]

MATCH_START, MATCH_END = "\x01", "\x02"
"""What stands before and after a match in a snippet of the workspace's."""


def thought(value: Thought) -> Shape:
    """A thought without its text."""
    return {
        "id": value.id,
        "path": value.path,
        "declared_path": value.declared_path,
        "title": value.title,
        "kind": value.kind.value,
        "status": value.status,
        "lifecycle": value.lifecycle.value,
        "tags": list(value.tags),
        "created_at": iso(value.created_at),
        "created_by": value.created_by,
        "updated_at": iso(value.updated_at),
        "updated_by": value.updated_by,
        "trashed_at": iso_or_none(value.trashed_at),
        "size": value.size,
        "words": value.words,
        "tasks_done": value.tasks_done,
        "tasks_total": value.tasks_total,
    }


def changed(value: Thought, was_changed: bool) -> Shape:
    """What a command that writes to one thought did."""
    return {"thought": thought(value), "changed": was_changed}


def thoughts(values: Sequence[Thought]) -> Shape:
    """What a command that writes to several thoughts did."""
    return {"thoughts": [thought(value) for value in values]}


def hit(value: SearchHit) -> Shape:
    """A search hit: the snippet without marks, and where its matches are, in code points."""
    plain: list[str] = []
    matches: list[list[int]] = []
    at = 0
    for part, matched in snippet_parts(value.snippet):
        if matched:
            matches.append([at, at + len(part)])
        plain.append(part)
        at += len(part)
    return {
        "thought": thought(value.thought),
        "score": value.score,
        "line": value.line + 1,
        "snippet": "".join(plain),
        "matches": matches,
    }


def snippet_parts(snippet: str) -> list[tuple[str, bool]]:
    """A snippet in pieces, each with whether it is a match."""
    before, *rest = snippet.split(MATCH_START)
    parts = [(before, False)]
    for piece in rest:
        match, _, after = piece.partition(MATCH_END)
        parts += [(match, True), (after, False)]
    return [part for part in parts if part[0]]


def revision(value: Revision) -> Shape:
    """A revision without its text."""
    return {
        "number": value.number,
        "author": value.author,
        "started_at": iso(value.started_at),
        "ended_at": iso(value.ended_at),
        "note": value.note,
        "added": value.added,
        "removed": value.removed,
    }


def import_report(value: ImportReport, *, dry_run: bool) -> Shape:
    """What an import did, or would do."""
    return {
        "created": value.created,
        "updated": value.updated,
        "unchanged": value.unchanged,
        "revisions": value.revisions,
        "skipped": _report_lines(value.skipped),
        "notices": _report_lines(value.notices),
        "interrupted": value.interrupted,
        "dry_run": dry_run,
    }


def export_report(value: ExportReport) -> Shape:
    """What an export did."""
    return {
        "written": value.written,
        "unchanged": value.unchanged,
        "removed": value.removed,
        "skipped": _report_lines(value.skipped),
        "notices": _report_lines(value.notices),
        "interrupted": value.interrupted,
    }


def status(value: WorkspaceStatus) -> Shape:
    """The workspace in figures."""
    return {
        "workspace": value.name,
        "id": value.id,
        "file": value.file,
        "file_bytes": value.file_bytes,
        "thoughts": value.thoughts,
        "folders": value.folders,
        "words": value.words,
        "trashed": value.trashed,
        "waiting": value.waiting,
        "last_edit_at": iso_or_none(value.last_edit_at),
        "last_edit_by": value.last_edit_by,
        "edits": value.edits,
        "edits_elsewhere": value.edits_elsewhere,
    }


def finding(value: Finding) -> Shape:
    """One check of the doctor's."""
    return {"check": value.check, "ok": value.ok, "detail": value.detail, "hint": value.hint}


def setting(value: Value) -> Shape:
    """A setting in force."""
    return {
        "key": value.setting.key,
        "value": value.value,
        "source": value.source,
        "default": value.setting.default,
        "choices": list(value.setting.choices),
        "description": value.setting.description,
    }


def workspace(value: WorkspaceEntry, in_use: bool) -> Shape:
    """A workspace of this machine."""
    return {
        "name": value.name,
        "file": str(value.file),
        "file_bytes": value.size,
        "in_use": in_use,
    }


def remote(value: Remote) -> Shape:
    """Another copy of the workspace, and where it is."""
    return {"name": value.name, "url": value.url, "kind": value.kind.value}


def sync(value: SyncState) -> Shape:
    """How a workspace stands among its copies."""
    return {
        "remotes": [link(one) for one in value.links],
        "edits": value.own_seq,
        "waiting": value.waiting,
        "oldest_waiting_at": iso_or_none(value.oldest_undurable_ms or None),
        "people": [{"name": one.name, "agent": one.agent} for one in value.people],
    }


def link(value: LinkState) -> Shape:
    """How things stand with one other copy."""
    return {
        "name": value.name,
        "url": value.url,
        "state": value.phase.value,
        "complete": value.complete,
        "received": value.received,
        "sent": value.sent,
        "to_come": value.to_come,
        "read_only": value.read_only,
        "problem": value.problem,
    }


def _report_lines(lines: Sequence[ReportLine]) -> list[Shape]:
    return [{"path": line.path, "reason": line.reason} for line in lines]
