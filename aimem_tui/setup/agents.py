"""Which agents there are to connect in a project, and what that project is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aimem_tui.errors import Refused
from aimem_tui.setup.clients.client import Surroundings
from aimem_tui.setup.clients.names import CLIENTS
from aimem_tui.setup.clients.table import TABLE
from aimem_tui.setup.connecting import Wanted
from aimem_tui.setup.wishes import FileWish
from aimem_tui.workspace import project
from aimem_tui.workspace.discovery import Source, sources

_ALWAYS_SUGGESTED = "claude"


def project_root(folder: Path) -> Path:
    """The project that a folder lies in: where ``.aimem.toml`` or ``.git`` is, else itself."""
    for name in (project.FILE_NAME, ".git"):
        for each in (folder, *folder.parents):
            if (each / name).exists():
                return each
    return folder


def suggested(surroundings: Surroundings) -> list[str]:
    """The agents that seem to be in use here; Claude Code is suggested always."""
    return [
        name for name in CLIENTS if name == _ALWAYS_SUGGESTED or TABLE[name].is_here(surroundings)
    ]


def wanted(
    clients: Sequence[str], scope: str, surroundings: Surroundings, made: project.Project
) -> list[Wanted]:
    """All that should be there for some agents.

    Args:
        scope: ``local``, ``user`` or ``project``.
        made: the project's workspace, and the folder in it.

    Raises:
        Refused: if an agent has nothing to add for this scope.
    """
    found = []
    for name in clients:
        wishes = TABLE[name].wishes(scope, surroundings)
        if not wishes:
            raise Refused(
                f"{TABLE[name].title}: there is nothing to add for the scope {scope}.",
                hint="Leave --scope out.",
            )
        found += [Wanted(name, wish) for wish in wishes]
    if scope != "user":
        file = surroundings.root / project.FILE_NAME
        found.append(Wanted("", FileWish(file, project_text(made))))
    return found


def project_text(made: project.Project) -> str:
    """The text of ``.aimem.toml``; as it is there, if it says the same already."""
    from aimem_tui.setup.surroundings import private_folder

    file = made.root / project.FILE_NAME
    if file.is_file() and project.project_of(made.root) == made:
        return file.read_text(encoding="utf-8")
    with private_folder() as folder:
        written = project.write(project.Project(folder, made.workspace, made.into))
        return written.read_text(encoding="utf-8")


def hints(clients: Sequence[str], scope: str, root: Path) -> list[str]:
    """What a person has to do or know about the agents they connect."""
    found = [TABLE[name].hint for name in clients if TABLE[name].hint]
    private = ".claude/settings.local.json"
    if "claude" in clients and scope == "local" and _may_be_committed(root, private):
        found.append(f"{private} names a folder of this machine: keep it out of git.")
    return found


def _may_be_committed(root: Path, path: str) -> bool:
    """Whether a file is in a git repository that does not ignore it."""
    import subprocess

    try:
        ran = subprocess.run(
            ["git", "check-ignore", "--quiet", "--", path],
            cwd=root,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return ran.returncode == 1


def thoughts_to_import(root: Path, home: Path) -> list[Source]:
    """Folders of markdown that belong to this project: its own, and Claude Code's memory of it."""
    import re

    own = re.sub(r"[^A-Za-z0-9]", "-", str(root))
    return [
        source
        for source in sources(root, home)
        if source.path.is_relative_to(root) or source.path.parent.name == own
    ]
