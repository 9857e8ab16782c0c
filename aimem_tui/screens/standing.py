"""What the top line says of how safe the text is.

- What is less safe is said at once; what is safer, once it has stayed so for a moment. So the line
  never says too much, and does not flicker with each key.
- What is on its way for a moment only is "Sending.": counting keys would be noise.
- An age is said where it matters: how long the oldest edit waits, or else when the open thought was
  edited last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from aimem_tui import words

if TYPE_CHECKING:
    from aimem_tui.store.writer import WriterState
    from aimem_tui.sync.state import SyncState

SAVING_MS = 500
"""What is on disk within this time is not worth a word: a line that changes twice for each key is
most of what goes to the terminal."""
SENDING_MS = 2_000
"""What is durable within this time is just being sent."""
CALM_MS = 600
"""For so long nothing must have waited before it is said that all is well."""
OLD_MS = 60_000
"""From this age on it is said how long an edit waits."""


class Words(NamedTuple):
    """How safe the text is, in words without a full stop."""

    said: str
    brief: str
    trouble: bool = False


class Notice(NamedTuple):
    """Something to say once."""

    title: str
    said: str
    grave: bool = False
    """Only a person can change it."""


@dataclass(slots=True)
class Standing:
    """What is known of how safe the text is; brought up to date as news come."""

    sync: SyncState | None = None
    """None while nothing is synced."""
    stopped: bool = False
    """Syncing has ended because of a defect."""
    waited_at: int = -CALM_MS
    """When something was last seen to wait, in the clock's ms."""

    def edited(self, now: int) -> None:
        """Something was written, of which nobody else can know yet."""
        self.waited_at = now

    def in_words(self, writing: WriterState, edited_at: int | None, now: int) -> Words:
        """What to say.

        Args:
            writing: how the edits here come to the disk.
            edited_at: when the open thought was edited last, in ms; None if none is open.
            now: ms since the Unix epoch.
        """
        if writing.trouble:
            return Words(writing.trouble, writing.trouble, trouble=True)
        if writing.pending and now - writing.oldest > SAVING_MS:
            return Words("Saving", "Saving")
        age = "" if edited_at is None else words.when(edited_at, now)
        if self.sync is None:
            if self.stopped:
                said = "Saved here, syncing has ended"
                return Words(said, said, trouble=True)
            # At rest and without others there is nothing that a person need know.
            return Words(f"Saved here · {age}", "Saved here") if age else Words("", "")
        return self._with_others(self.sync, age, now)

    def restless(self, now: int) -> bool:
        """Whether to say it again soon, because it will be another word by itself."""
        return self.sync is not None and now - self.waited_at <= CALM_MS

    def _with_others(self, sync: SyncState, age: str, now: int) -> Words:
        from aimem_tui.sync.state import in_words

        reached = sync.connected or sync.elsewhere
        waits_ms = 0
        if sync.waiting:
            self.waited_at = now
            waits_ms = now - (sync.oldest_undurable_ms or now)
        if reached and waits_ms < SENDING_MS and now - self.waited_at < CALM_MS:
            return Words("Sending", "Sending")
        said = in_words(sync).rstrip(".")
        if sync.elsewhere and not sync.links and sync.own_seq:
            # Another program does it; whether that one is connected is not known here.
            waiting = f"Saved here, {words.count(sync.waiting, 'edit')} waiting"
            said = waiting if sync.waiting else "Durable elsewhere"
        alone = not sync.links and not sync.elsewhere
        if sync.waiting and waits_ms > OLD_MS and not alone:
            said += f" · oldest {words.when(sync.oldest_undurable_ms, now)}"
        elif age and (alone or not sync.waiting):
            said += f" · {age}"
        return Words(said, _brief(sync))


def to_tell(before: SyncState | None, now: SyncState) -> list[Notice]:
    """What a person should hear once of what has changed."""
    from aimem_tui.sync.state import Phase

    told = {} if before is None else {link.name: link for link in before.links}
    notices = []
    for link in now.links:
        was = told.get(link.name)
        same = was is not None and (was.phase, was.problem) == (link.phase, link.problem)
        if same:
            continue
        if link.phase is Phase.REFUSED:
            said = f"{link.problem} F3 shows it."
            notices.append(Notice(f"Not in step with {link.name}", said, grave=True))
        elif link.phase is Phase.DEGRADED:
            said = f"{link.problem} What you write is saved here and goes there later."
            notices.append(Notice(f"{link.name} is in trouble", said))
    if now.notice and (before is None or before.notice != now.notice):
        notices.append(Notice("Sync", now.notice))
    return notices


def of_renewal(why: str) -> str:
    """What to say of a file that took a new name when it was opened.

    Args:
        why: ``copied`` or ``restored``.
    """
    what = {
        "copied": "This workspace was copied or moved here.",
        "restored": "An older state of this workspace was put back.",
    }.get(why, "This workspace is not where it was.")
    return f"{what} It goes on under a new name among its copies, and nothing is lost."


def _brief(sync: SyncState) -> str:
    """The same in a word or two."""
    from aimem_tui.sync.state import Phase

    waiting = f", {sync.waiting:,} waiting" if sync.waiting else ""
    phases = {link.phase for link in sync.links}
    if not sync.links:
        if sync.elsewhere and not sync.waiting and sync.own_seq:
            return "Durable"
        return f"Saved here{waiting if sync.elsewhere else ''}"
    if not sync.connected and not sync.elsewhere:
        refused, connecting = Phase.REFUSED in phases, Phase.CONNECTING in phases
        return ("Refused" if refused else "Connecting" if connecting else "Offline") + waiting
    if not sync.waiting:
        durable = any(link.acknowledged >= sync.own_seq for link in sync.links)
        return "Durable" if durable and sync.own_seq else "In step"
    if Phase.DEGRADED in phases or all(link.read_only for link in sync.links):
        return f"Only here{waiting}"
    return "Sent" if sync.sent_seq >= sync.own_seq else f"Sending{waiting}"
