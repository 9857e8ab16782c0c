"""What Claude is told of a file that was taken in: facts that its next step may depend on."""

from __future__ import annotations

from aimem_tui.claude.intake import Taken


def about(taken: Taken) -> str:
    """What to know of a file that was taken in; empty if it is as anybody would expect."""
    said = []
    if taken.beside:
        said.append(
            f"In the team's memory another thought has this path, so this file is kept there as"
            f" {taken.path}."
        )
    if taken.behind:
        said.append(
            f"In the team's memory {taken.path} also holds edits that this file lacks, the last"
            f" by {taken.behind}. Both are kept. `aimem show {_quoted(taken.path)}` prints the"
            f" merged text."
        )
    return " ".join(said)


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(path)
