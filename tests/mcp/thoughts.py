"""The thoughts that tests of the server begin with."""

from __future__ import annotations

from aimem_tui.workspace.workspace import Workspace

PLAN = """---
status: draft
tags: [auth]
---
# Auth plan

Tokens are kept for a day.

## Steps

- [ ] Rotate the signing key
- [ ] Write the migration

## Open questions

Who may revoke?
"""


def fill(workspace: Workspace) -> None:
    """Make a plan, something that links to it, and something else."""
    workspace.create("plans/auth.md", PLAN)
    workspace.create("research/tokens.md", "# Tokens\n\nSee [the plan](../plans/auth.md).\n")
    workspace.create("notes/lunch.md", "# Lunch\n\nSoup on Mondays.\n")
