"""How synchronising stands, as values to show, and the words for it.

Everything here is immutable: the engine makes a new state whenever something changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from aimem_tui import words


class Phase(Enum):
    """How one connection stands."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    CATCHING_UP = "catching up"
    IN_STEP = "in step"
    REFUSED = "refused"
    """It ended for a reason that only a person can change; nothing is tried until then."""
    DEGRADED = "degraded"
    """Connected, and one of the two sides cannot store just now."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went over a remote's connections since the start, in frames and in bytes of frames."""

    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.frames_sent + other.frames_sent,
            self.frames_received + other.frames_received,
            self.bytes_sent + other.bytes_sent,
            self.bytes_received + other.bytes_received,
        )


@dataclass(frozen=True, slots=True)
class LinkState:
    """How things stand with one remote. Counts are changes, since the start of the engine."""

    name: str
    url: str
    phase: Phase = Phase.OFFLINE
    received: int = 0
    """Changes that came from there, and were stored."""
    sent: int = 0
    """Changes that went there."""
    to_come: int = 0
    """About how many are on their way here."""
    problem: str = ""
    """What is wrong, in one sentence or two; empty when all is well."""
    last_seen: int | None = None
    """When it was last connected, ms since the Unix epoch; None: not since the start."""
    read_only: bool = False
    """It takes no changes from here."""
    acknowledged: int = 0
    """Up to which own change it has all on disk, as far as it has said."""
    attempts: int = 0
    """How many connections in a row have come to nothing."""
    complete: bool = False
    """Each side has all that the other has, on disk."""
    traffic: Traffic = Traffic()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is in the workspace just now, on one device."""

    replica: str
    name: str
    color: str
    """As they chose it; empty for none."""
    agent: bool = False
    """Not a person but a program that works for one."""
    thought: str = ""
    """The id of the thought they look at; empty for none."""
    anchor: object = None
    head: object = None
    """Where their selection begins and where their cursor is: Yjs relative positions as JSON
    values, or None."""
    via: tuple[str, ...] = ()
    """The replicas of the machines that have passed this on, beginning with theirs."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """How synchronising stands."""

    links: tuple[LinkState, ...] = ()
    own_seq: int = 0
    """How many changes were ever made here."""
    sent_seq: int = 0
    """Up to which of them all have gone to at least one other copy."""
    durable_seq: int = 0
    """Up to which of them all are on disk in at least one other copy."""
    oldest_undurable_ms: int = 0
    """When the oldest that is not was made, ms since the Unix epoch; 0 for none."""
    people: tuple[Person, ...] = ()
    notice: str = ""
    """Something that a person should know once, such as that this copy goes on under a new name."""
    elsewhere: bool = False
    """Another program on this machine keeps this workspace in step."""

    @property
    def waiting(self) -> int:
        """How many own changes no other copy has on disk yet."""
        return max(0, self.own_seq - self.durable_seq)

    @property
    def connected(self) -> bool:
        """Whether any remote is connected."""
        return any(
            link.phase in (Phase.IN_STEP, Phase.CATCHING_UP, Phase.DEGRADED) for link in self.links
        )


def in_words(state: SyncState) -> str:
    """Where the person's own work is, in a sentence: saved here, sent, or durable elsewhere."""
    edits = words.count(state.waiting, "edit")
    if not state.links and not state.elsewhere:
        return "Saved here."
    if not state.connected and not state.elsewhere:
        refused = [link for link in state.links if link.phase is Phase.REFUSED]
        standing = f"Refused by {refused[0].name}" if refused else "Offline"
        if any(link.phase is Phase.CONNECTING for link in state.links) and not refused:
            standing = "Connecting"
        return f"{standing}, {edits} waiting." if state.waiting else f"{standing}, nothing waiting."
    if not state.waiting:
        names = [link.name for link in state.links if link.acknowledged >= state.own_seq]
        return f"Durable on {names[0]}." if names and state.own_seq else "In step."
    if any(link.phase is Phase.DEGRADED for link in state.links):
        return f"{edits} waiting, the other side cannot save just now."
    if not state.links:
        return f"Saved here, {edits} waiting."
    if all(link.read_only for link in state.links):
        return f"{edits} only here, you may read but not write there."
    if state.sent_seq >= state.own_seq:
        return "Sent."
    return f"Sending, {edits} waiting."


def link_in_words(link: LinkState, now: int) -> str:
    """How things stand with one remote.

    Args:
        now: ms since the Unix epoch.
    """
    moved = f"{link.received:,} received, {link.sent:,} sent"
    seen = "" if link.last_seen is None else f"Last connected {words.when(link.last_seen, now)}."
    match link.phase:
        case Phase.IN_STEP:
            return f"In step, {moved}."
        case Phase.CATCHING_UP:
            to_come = f", {link.to_come:,} to come" if link.to_come else ""
            return f"Catching up, {moved}{to_come}."
        case Phase.CONNECTING:
            return "Connecting."
        case Phase.DEGRADED:
            return link.problem or "It cannot save just now."
        case Phase.REFUSED:
            return link.problem or "Refused."
        case Phase.OFFLINE:
            return " ".join(part for part in ("Offline.", link.problem, seen) if part)
