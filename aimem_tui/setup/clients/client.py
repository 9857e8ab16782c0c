"""What aimem has to know about an agent to connect it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aimem_tui.setup.guide import GUIDE
from aimem_tui.setup.wishes import SectionWish, Wish

SERVER = "aimem"
"""What aimem's server is called in an agent's configuration."""

COMMAND = "aimem"
"""Never a path: these files are shared, and the command is on everybody's ``PATH``."""

ARGUMENTS = ("mcp",)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where things are on this machine."""

    root: Path
    """The project's folder."""
    home: Path
    """The person's home folder."""
    data: Path
    """aimem's data folder."""

    def app_folder(self, name: str) -> Path:
        """The folder in which desktop programs keep what a person sets."""
        if sys.platform == "darwin":
            return self.home / "Library" / "Application Support" / name
        return self.config_folder(name)

    def config_folder(self, name: str) -> Path:
        """The folder in which programs of the shell keep what a person sets."""
        given = os.environ.get("XDG_CONFIG_HOME", "")
        base = Path(given) if given.startswith("/") else self.home / ".config"
        return base / name


@dataclass(frozen=True, slots=True)
class Client:
    """An agent."""

    name: str
    title: str
    """What people call it."""
    signs: Callable[[Surroundings], tuple[Path, ...]]
    """Folders that are there where it is in use."""
    programs: tuple[str, ...]
    """Its commands."""
    wishes: Callable[[str, Surroundings], list[Wish]]
    """What should be added, for a scope."""
    hint: str = ""
    """What a person has to do or know, in a sentence."""

    def is_here(self, surroundings: Surroundings) -> bool:
        """Whether it seems to be in use on this machine."""
        return any(path.exists() for path in self.signs(surroundings)) or any(
            shutil.which(program) for program in self.programs
        )


def guide(file: Path) -> Wish:
    """The section about memory for an agent that reads a file of instructions."""
    return SectionWish(file, GUIDE)


def server() -> dict[str, object]:
    """How the server is started, in the form that most agents share."""
    return {"command": COMMAND, "args": list(ARGUMENTS)}
