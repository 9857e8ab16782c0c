"""The JSON shapes of the command line. Stable: fields are added, never renamed or removed.

Documented in ``docs/cli.md``. Times are ISO 8601 strings in UTC, or null; sizes are in bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aimem_tui.cli.times import iso, iso_or_none

if TYPE_CHECKING:
    from aimem_tui.assist.answers import Citation
    from aimem_tui.assist.budget import Spent
    from aimem_tui.assist.configured import Configured
    from aimem_tui.assist.prompts import Passage
    from aimem_tui.markdown.sections import Section
    from aimem_tui.markdown.tasks import Checkbox
    from aimem_tui.model import (
        ExportReport,
        Finding,
        ImportReport,
        Related,
        ReportLine,
        Revision,
        SearchHit,
        SearchResults,
        Thought,
        WorkspaceStatus,
    )
    from aimem_tui.organize.duplicates import Pair
    from aimem_tui.organize.suggestion import Suggestion
    from aimem_tui.search.saved import SavedSearch
    from aimem_tui.settings import Value
    from aimem_tui.sync.remotes import Remote
    from aimem_tui.sync.state import LinkState, SyncState
    from aimem_tui.workspace.agents.context import Context
    from aimem_tui.workspace.agents.editing import Ticked
    from aimem_tui.workspace.agents.reading import Change, Changes, TaskList
    from aimem_tui.workspace.agents.remembering import Remembered
    from aimem_tui.workspace.asking import Answer
    from aimem_tui.workspace.ordering import Accepted
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
        "heading": value.heading,
        "why": {
            "fulltext": value.why.fulltext,
            "name": value.why.name,
            "chunk": value.why.chunk,
            "semantic": value.why.semantic,
            "cosine": None if value.why.cosine is None else round(value.why.cosine, 4),
            "boosts": {boost.name: boost.factor for boost in value.why.boosts},
        },
        "similar": [thought(each) for each in value.similar],
    }


def search(value: SearchResults) -> Shape:
    """What a search found, and how it was made."""
    return {
        "query": value.query,
        "type": value.kind,
        "total": value.total,
        "hits": [hit(each) for each in value.hits],
        "unindexed": value.unindexed,
        "said": value.said,
    }


def related(value: Related) -> Shape:
    """A thought that is near another."""
    cosine = None if value.cosine is None else round(value.cosine, 4)
    return {"thought": thought(value.thought), "cosine": cosine}


def saved_search(value: SavedSearch) -> Shape:
    """A search that is kept."""
    return {"name": value.name, "query": value.query, "type": value.kind}


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
        "traffic": {
            "bytes_received": value.traffic.bytes_received,
            "bytes_sent": value.traffic.bytes_sent,
            "frames_received": value.traffic.frames_received,
            "frames_sent": value.traffic.frames_sent,
        },
    }


def _report_lines(lines: Sequence[ReportLine]) -> list[Shape]:
    return [{"path": line.path, "reason": line.reason} for line in lines]


def answer(value: Answer) -> Shape:
    """What memory says to a question."""
    return {
        "question": value.question,
        "known": value.known,
        "text": value.text,
        "citations": [citation(each) for each in value.citations],
        "passages": [passage(each) for each in value.passages],
        "by": value.by,
        "said": value.said,
    }


def citation(value: Citation) -> Shape:
    """Words of a passage that an answer stands on."""
    return {
        "number": value.passage.number,
        "path": value.passage.thought.path,
        "line": value.line,
        "quote": value.quote,
    }


def passage(value: Passage) -> Shape:
    """A piece of a thought that was found for a question."""
    return {
        "number": value.number,
        "thought": thought(value.thought),
        "line": value.line,
        "text": value.text,
    }


def assist(value: Configured, spent: Spent, *, has_key: bool) -> Shape:
    """The language model that is set up, and what it may do and has done."""
    from aimem_tui.assist.configured import what_is_sent

    return {
        "use": value.use,
        "model": value.model,
        "agreed": value.use != "off" and value.agreed == value.agreement,
        "key": has_key,
        "sends": list(what_is_sent(value)) if value.use != "off" else [],
        "prompt_tokens": value.prompt_tokens,
        "answer_tokens": value.limits.answer_tokens,
        "seconds": value.limits.seconds,
        "call_limit": value.call_limit,
        "day_limit": value.day_limit,
        "calls_today": spent.calls,
        "cost_today": round(spent.cost, 6),
    }


def suggestion(value: Suggestion, about: Thought, other: Thought | None) -> Shape:
    """Something that could be put in order."""
    return {
        "id": value.id,
        "kind": value.kind.value,
        "thought": thought(about),
        "other": None if other is None else thought(other),
        "subject": value.subject,
        "proposal": list(value.proposal),
        "why": value.why,
        "confidence": value.confidence,
    }


def accepted(value: Accepted) -> Shape:
    """What accepting a suggestion, or merging two thoughts, did."""
    return {
        "thought": thought(value.thought),
        "changed": value.changed,
        "undo": value.undo,
        "other": None if value.other is None else thought(value.other),
        "left_out": list(value.left_out),
    }


def pair(value: Pair) -> Shape:
    """Two thoughts that are alike, with the figures that say so."""
    return {
        "kept": thought(value.kept.thought),
        "other": thought(value.other.thought),
        "likeness": value.likeness.value,
        "resemblance": round(value.resemblance, 4),
        "containment": round(value.containment, 4),
        "cosine": None if value.cosine is None else round(value.cosine, 4),
        "confidence": round(value.confidence, 4),
    }


def section(value: Section) -> Shape:
    """A section of a thought."""
    return {
        "title": value.title,
        "level": value.level,
        "path": list(value.path),
        "first_line": value.first_line,
        "last_line": value.last_line,
    }


def task(value: Checkbox) -> Shape:
    """A task of a thought."""
    return {
        "line": value.line,
        "text": value.text,
        "done": value.done,
        "section": value.section,
    }


def task_list(value: TaskList) -> Shape:
    """Tasks by thought."""
    return {
        "thoughts": [
            {"thought": thought(each.thought), "tasks": [task(one) for one in each.tasks]}
            for each in value.thoughts
        ],
        "more": value.more,
    }


def ticked(value: Ticked) -> Shape:
    """What ticking a task did."""
    return {
        "thought": thought(value.thought),
        "task": task(value.task),
        "changed": value.changed,
    }


def change(value: Change) -> Shape:
    """That a thought was edited, and by whom."""
    return {
        "thought": thought(value.thought),
        "made": value.made,
        "authors": list(value.authors),
    }


def changes(value: Changes) -> Shape:
    """What was edited last."""
    return {"changes": [change(each) for each in value.changes], "more": value.more}


def remembered(value: Remembered) -> Shape:
    """Where a fact stands now."""
    near = value.near
    return {
        "thought": thought(value.thought),
        "line": value.line,
        "what": value.what.value,
        "text": value.text,
        "near": None if near is None else {"path": near.path, "line": near.line, "text": near.text},
    }


def context(value: Context) -> Shape:
    """What is worth knowing at the start."""
    return {
        "workspace": value.workspace,
        "into": value.into,
        "at": iso(value.at),
        "people": [
            {"name": each.name, "agent": each.agent, "path": each.path} for each in value.people
        ],
        "plans": [
            {
                "thought": thought(each.thought),
                "tasks": [task(one) for one in each.tasks],
                "open": each.open,
            }
            for each in value.plans
        ],
        "decisions": [
            {"thought": thought(each.thought), "gist": each.gist} for each in value.decisions
        ],
        "changes": [change(each) for each in value.changes],
        "more_plans": value.more_plans,
        "more_decisions": value.more_decisions,
        "more_changes": value.more_changes,
    }
