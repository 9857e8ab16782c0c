"""Any agent that reads ``AGENTS.md``, with the shell alone. Described at https://agents.md."""

from __future__ import annotations

from aimem_tui.setup.clients.client import Client, Surroundings, guide
from aimem_tui.setup.wishes import Wish


def _wishes(scope: str, surroundings: Surroundings) -> list[Wish]:
    return [] if scope == "user" else [guide(surroundings.root / "AGENTS.md")]


CLIENT = Client(
    "agents",
    "Agents that read AGENTS.md",
    lambda surroundings: (surroundings.root / "AGENTS.md",),
    (),
    _wishes,
)
