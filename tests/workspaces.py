"""Workspaces for tests: in a folder that goes away, with a clock that is moved by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aimem_tui.workspace.workspace import Workspace

START = 1_761_000_000_000


@dataclass(slots=True)
class Clock:
    """Milliseconds since the Unix epoch; each look at it moves it on by ``step``."""

    now: int = START
    step: int = 1

    def __call__(self) -> int:
        self.now += self.step
        return self.now


def open_workspace(
    folder: Path, *, author: str = "ann", clock: Clock | None = None, durable: bool = False
) -> Workspace:
    """A workspace in ``folder``; not durable, it spares the disk and is as good as any other."""
    workspace = Workspace(
        folder / "workspace.db", name="test", author=author, clock=clock or Clock()
    )
    if not durable:
        with workspace.database.write() as connection:
            pass
        connection.execute("PRAGMA synchronous = OFF")
    return workspace
