"""Thoughts that nobody has touched for long and that still say they are going on.

- All tasks are done, and the status says it is going on: the status would be ``done``.
- The status says it is going on, or tasks are open, and nobody has edited it for months: the status
  would be ``stale``. Drafts may rest longer than what is called active.

What says nothing about where it stands is never stale: most notes are meant to stay.
"""

from __future__ import annotations

from typing import NamedTuple

from aimem_tui.model import Lifecycle, Thought

_DAY = 86_400_000
_FINISHED_AFTER = 14
_AFTER = {Lifecycle.ACTIVE: 90, Lifecycle.DRAFT: 180, Lifecycle.NONE: 180}
"""Days without an edit."""


class Stale(NamedTuple):
    """A thought whose status no longer fits."""

    status: str
    """The one that would."""
    why: str
    confidence: float


def judge(thought: Thought, now: int) -> Stale | None:
    """Whether a thought's status no longer fits at a moment in ms; None where it may."""
    lifecycle = thought.lifecycle
    after = _AFTER.get(lifecycle)
    if after is None:
        return None
    days = (now - thought.updated_at) // _DAY
    left = thought.tasks_total - thought.tasks_done
    if thought.tasks_total and not left and lifecycle is not Lifecycle.NONE:
        if days < _FINISHED_AFTER:
            return None
        count = thought.tasks_total
        done = "Its only task is done" if count == 1 else f"All of its {count} tasks are done"
        why = f"{done}, and it is still {thought.status}."
        return Stale("done", why, 0.9)
    if days < after or (lifecycle is Lifecycle.NONE and not left):
        return None
    standing = f"It is {thought.status}" if thought.status else f"It has {_open(left)}"
    also = f", has {_open(left)}" if thought.status and left else ""
    why = f"{standing}{also}, and nobody has edited it for {days} days."
    age = min(1.0, days / (4 * after))
    return Stale("stale", why, round(0.4 + 0.4 * age + (0.1 if left else 0.0), 3))


def _open(count: int) -> str:
    return f"{count} open task" if count == 1 else f"{count} open tasks"
