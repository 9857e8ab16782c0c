"""Thoughts as resources: ``aimem://thought/plans%2Fauth.md``, those edited last in a list."""

from __future__ import annotations

from urllib.parse import quote, unquote

from aimem_tui.errors import NotFound
from aimem_tui.mcp.desk import Call
from aimem_tui.model import Filter, Thought

TEMPLATE = "aimem://thought/{path}"
_BEGINNING = TEMPLATE.partition("{")[0]
_LISTED = 30
_LIMIT = 100_000
"""Characters of a text that are given at most; the tool for reading gives the rest."""


def address(thought: Thought) -> str:
    """The address of a thought."""
    return _BEGINNING + quote(thought.path, safe="/")


def recent(call: Call) -> list[Thought]:
    """The thoughts that are listed: those edited last."""
    found = {
        each.id: each
        for wanted in call.access.filters(Filter())
        for each in call.workspace.thoughts(wanted, order="updated", limit=_LISTED)
    }
    newest = sorted(call.access.kept(found.values()), key=lambda each: -each.updated_at)
    return newest[:_LISTED]


def read(call: Call, uri: str) -> tuple[Thought, str]:
    """The thought at an address, and its text.

    Raises:
        NotFound: if there is none.
    """
    if not uri.startswith(_BEGINNING) or len(uri) > 4_000:
        raise NotFound("There is no such resource.", hint=f"Addresses are {TEMPLATE}.")
    thought = call.access.find(call.workspace, unquote(uri.removeprefix(_BEGINNING)))
    text = call.workspace.text(thought.id)
    if len(text) > _LIMIT:
        line = text.count("\n", 0, _LIMIT) + 1
        text = f"{text[:_LIMIT]}\n\n(Cut at line {line}; read_thought gives the rest.)\n"
    return thought, text
