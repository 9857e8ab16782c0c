"""Kind, lifecycle and tags: what the folders, properties and words of a thought make it.

The words people use are free; the tables here say how they are understood.

A status is read from its start: its first three words, then two, then one are looked up, so that
``complete (merged)`` and ``Done - see PR 12`` are done, while ``partially complete`` is not.
A status that is in no table is ACTIVE: somebody cares where the thought stands and does not call
it finished, a draft or obsolete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aimem_tui.model import Kind, Lifecycle

_KIND_OF_FOLDER = {
    "plans": Kind.PLAN,
    "plan": Kind.PLAN,
    "research": Kind.RESEARCH,
    "prs": Kind.PR,
    "pr": Kind.PR,
    "pull-requests": Kind.PR,
    "tickets": Kind.TICKET,
    "ticket": Kind.TICKET,
    "issues": Kind.TICKET,
    "decisions": Kind.DECISION,
    "decision": Kind.DECISION,
    "adrs": Kind.DECISION,
    "adr": Kind.DECISION,
    "memory": Kind.MEMORY,
    "memories": Kind.MEMORY,
}
_MEMORY_FILES = {
    "claude.md", "claude.local.md", "memory.md", "agents.md", "agents.override.md", "gemini.md"
}  # fmt: skip
_KIND_OF_WORD = _KIND_OF_FOLDER | {
    "implementation-plan": Kind.PLAN,
    "pr-description": Kind.PR,
    "pr-discussion": Kind.PR,
    "pull-request": Kind.PR,
    "issue": Kind.TICKET,
    "note": Kind.NOTE,
    "notes": Kind.NOTE,
}

_STATUSES = {
    Lifecycle.DRAFT: (
        "draft, drafting, wip, work in progress, proposed, proposal, planning, planned, pending, "
        "idea, todo, to do, not started, new, backlog, outline, rough, sketch, rfc, deferred"
    ),
    Lifecycle.ACTIVE: (
        "active, in progress, inprogress, ongoing, started, open, ready, approved, current, "
        "revised, revising, analysis, in review, review, reviewing, needs review, "
        "needs human review, blocked, paused, on hold, living"
    ),
    Lifecycle.DONE: (
        "done, complete, completed, completion, finished, final, finalized, finalised, "
        "implemented, merged, closed, resolved, fixed, shipped, released, deployed, delivered, "
        "landed, verified, validated, accepted, decided, answered, comprehensive, success, ✅, ✔, ☑"
    ),
    Lifecycle.OBSOLETE: (
        "obsolete, deprecated, stale, superseded, replaced, abandoned, archived, "
        "archive, outdated, retired, cancelled, canceled, rejected, declined, dropped, withdrawn, "
        "wontfix, won t fix, invalid, duplicate, historical, expired, no longer needed, ❌"
    ),
}
_LIFECYCLE_OF_WORDS = {
    words: lifecycle for lifecycle, table in _STATUSES.items() for words in table.split(", ")
}
_WORD = re.compile(r"[^\W\d_]+|[✅✔☑❌]")


def kind_of_path(path: str) -> Kind | None:
    """The kind that the folders and the name say; the part nearest to the end decides."""
    *folders, name = path.lower().split("/")
    if name in _MEMORY_FILES:
        return Kind.MEMORY
    return next(
        (_KIND_OF_FOLDER[folder] for folder in reversed(folders) if folder in _KIND_OF_FOLDER), None
    )


def kind_of_words(words: Iterable[str]) -> Kind | None:
    """The first kind that is named: by a ``type`` property, or by a tag."""
    names = (re.sub(r"[\s_]+", "-", word.strip().lower()) for word in words)
    return next((_KIND_OF_WORD[name] for name in names if name in _KIND_OF_WORD), None)


def lifecycle_of(status: str) -> Lifecycle:
    """Where a thought with this status stands; NONE where it says nothing."""
    if not status.strip():
        return Lifecycle.NONE
    words = _WORD.findall(status.lower())
    if len(words) > 1 and words[0] in "✅✔☑❌":
        words = words[1:]
    for count in (3, 2, 1):
        lifecycle = _LIFECYCLE_OF_WORDS.get(" ".join(words[:count]))
        if lifecycle is not None:
            return lifecycle
    return Lifecycle.ACTIVE


def first_value(found: Mapping[str, str | list[str]], *keys: str) -> str:
    """The first of these properties that says something, a list joined by commas; else ``""``.

    The case of the key does not count where no key is written exactly so.
    """
    if not found:
        return ""
    folded = {key.lower(): value for key, value in found.items()}
    for key in keys:
        value = found.get(key) or folded.get(key) or ""
        written = value if isinstance(value, str) else ", ".join(value)
        if written.strip():
            return written.strip()
    return ""
