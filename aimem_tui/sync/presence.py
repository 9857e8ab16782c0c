"""Who is in the workspace just now, as JSON between machines and as values here.

The JSON is ``{"replica", "user": {"name", "color"}, "agent", "thought", "cursor": {"anchor",
"head"}, "via"}`` and is kept under the replica's id; a relay puts the number of a connection before
that. ``via`` lists the replicas of the machines that have passed it on (``gossip``).
What others send is not trusted: what does not fit is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aimem_tui.sync.state import Person

LARGEST = 4_096
"""Bytes that the protocol carries."""
_ID = re.compile(r"[0-9a-f]{32}")
_LONGEST_NAME = 64
_LONGEST_WAY = 16


@dataclass(frozen=True, slots=True)
class PresenceState:
    """Where the person at this machine is."""

    name: str
    color: str = ""
    agent: bool = False
    thought: str = ""
    anchor: object = None
    head: object = None

    def to_bytes(self, replica: str, via: Sequence[str] = ()) -> bytes:
        """The JSON that others are sent; without the cursor where it would be too large.

        Args:
            replica: the person's machine.
            via: the machines that have passed it on.
        """
        value: dict[str, object] = {
            "replica": replica,
            "user": {"name": self.name[:_LONGEST_NAME], "color": self.color[:_LONGEST_NAME]},
            "agent": self.agent,
        }
        if self.thought:
            value["thought"] = self.thought
        if via:
            value["via"] = [*via]
        if self.head is None:
            return _packed(value)
        with_cursor = _packed({**value, "cursor": {"anchor": self.anchor, "head": self.head}})
        return with_cursor if len(with_cursor) <= LARGEST else _packed(value)


def read(state: bytes) -> Person | None:
    """What somebody else has said; None where it makes no sense."""
    try:
        value = json.loads(state)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    replica, user = value.get("replica"), value.get("user")
    if not isinstance(replica, str) or not _ID.fullmatch(replica) or not isinstance(user, dict):
        return None
    thought, cursor, via = value.get("thought"), value.get("cursor"), value.get("via", [])
    if not isinstance(via, list) or len(via) > _LONGEST_WAY:
        return None
    if not all(isinstance(one, str) and _ID.fullmatch(one) for one in via):
        return None
    cursor = cursor if isinstance(cursor, dict) else {}
    return Person(
        replica=replica,
        name=_line(user.get("name")) or "somebody",
        color=_line(user.get("color")),
        agent=value.get("agent") is True,
        thought=thought if isinstance(thought, str) and _ID.fullmatch(thought) else "",
        anchor=cursor.get("anchor"),
        head=cursor.get("head"),
        via=tuple(via),
    )


def people(heard: Iterable[Person], own: str) -> tuple[Person, ...]:
    """Everybody else, each device once, by name.

    Args:
        heard: what was said, the latest last. What came straight counts more than what others
            have passed on.
        own: this machine's replica.
    """
    straight_last = sorted(heard, key=lambda person: -len(person.via))
    latest = {person.replica: person for person in straight_last if person.replica != own}
    return tuple(sorted(latest.values(), key=lambda person: (person.name, person.replica)))


def _packed(value: dict[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _line(value: object) -> str:
    """A text from elsewhere as one short line."""
    if not isinstance(value, str):
        return ""
    kept = "".join(c for c in value[: 4 * _LONGEST_NAME] if c.isprintable())
    return " ".join(kept.split())[:_LONGEST_NAME]
