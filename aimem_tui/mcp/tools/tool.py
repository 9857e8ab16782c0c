"""A tool: what agents are told of it, what it takes, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aimem_tui.mcp import arguments
from aimem_tui.mcp.arguments import Argument, Given, Text
from aimem_tui.mcp.desk import Call
from aimem_tui.mcp.texts import Answer

THOUGHT = Text("thought", "Path, file name or id.", required=True, most=1_100)
PATH = Text("path", "Only below this folder, or paths like plans/*2026*.", most=1_100)
CURSOR = Text("cursor", "From the answer before, for more.", most=3_000)


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing that agents can do."""

    name: str
    title: str
    said: str
    takes: tuple[Argument, ...]
    does: Callable[[Call, Given], Answer]
    writes: bool = False
    destroys: bool = False
    """Whether it may take away what is there."""
    repeatable: bool = True
    """Whether doing it twice is as good as once."""

    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        return arguments.schema(self.takes)

    def given(self, values: Mapping[str, object]) -> Given:
        """The arguments of a call, checked.

        Raises:
            BadInput: if they cannot be used.
        """
        return arguments.check(self.takes, values)
