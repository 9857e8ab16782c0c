"""What Claude is told when a session starts: where memory is, and what it holds for this project.

Everything is said as a fact. Text that gives orders from outside of a conversation is taken for an
attack, and rightly so; for the same reason what people wrote is only ever quoted by its titles and
tasks, by whoever puts the project's context together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aimem_tui import words

if TYPE_CHECKING:
    from aimem_tui.workspace.project import Project
    from aimem_tui.workspace.workspace import Workspace


def context(workspace: Workspace, project: Project, now: int, limit: int) -> str:
    """What a session should know, in at most ``limit`` characters; needs no document engine.

    Args:
        now: milliseconds since the Unix epoch.
    """
    from aimem_tui.model import Filter
    from aimem_tui.workspace.agents.context import project_context

    here = f", folder {project.into}" if project.into else ""
    thoughts = words.count(workspace.count(Filter(path=project.into)), "thought")
    head = (
        "# Team memory (aimem)\n\n"
        f"This project's memory is the workspace {workspace.name}{here}: {thoughts}, shared with"
        " the team and kept on this machine. The MCP server `aimem` has tools to search, read and"
        " write it; in a shell, `aimem search WORDS` finds and `aimem show PATH` prints a thought."
        " Files written below `thoughts/` and `memory/` become thoughts at once.\n"
    )
    known = project_context(workspace, into=project.into, budget=limit - len(head) - 1, now=now)
    return f"{head}\n{known}".rstrip("\n") if known else head.rstrip("\n")
