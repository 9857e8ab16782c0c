"""The file ``.aimem.toml`` of a project: which workspace its thoughts are in, and where in it.

It is found from any folder of the project, as git finds its own, and holds nothing but names: what
a stranger's project says can choose among the workspaces of this machine and make or send nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aimem_tui.errors import AimemError, BadInput
from aimem_tui.markdown import paths

FILE_NAME = ".aimem.toml"
_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Project:
    """A folder whose thoughts are in a workspace."""

    root: Path
    """The folder that holds the file."""
    workspace: str = ""
    """The workspace's name; empty: whichever is in use."""
    into: str = ""
    """The folder in the workspace that the project's thoughts go to; empty: the root."""


def project_of(folder: Path) -> Project | None:
    """The project that a folder lies in; None if there is none.

    Raises:
        BadInput: if its file makes no sense, and says what is wrong with it.
    """
    for root in (folder, *folder.parents):
        file = root / FILE_NAME
        try:
            with file.open("rb") as opened:
                data = opened.read(_LARGEST + 1)
        except OSError:
            # Also a folder that may not be looked into, or a thing of that name that is no file.
            continue
        return _read(file, data)
    return None


def write(project: Project) -> Path:
    """Write a project's file; returns where it is.

    Raises:
        OSError: if it cannot be written.
    """
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment("Where aimem keeps this project's thoughts."))
    if project.workspace:
        document.add("workspace", tomlkit.item(project.workspace))
    if project.into:
        document.add("into", tomlkit.item(project.into))
    file = project.root / FILE_NAME
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    return file


def _read(file: Path, data: bytes) -> Project:
    import tomllib

    def wrong(why: str) -> BadInput:
        return BadInput(f"{file} makes no sense.", why=why, hint="Mend it, or remove it.")

    if len(data) > _LARGEST:
        raise wrong("It is far too long.")
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise wrong(str(error)) from error
    for key, value in values.items():
        if key in ("workspace", "into") and not isinstance(value, str):
            raise wrong(f"{key} is no text.")
    into = values.get("into", "").strip("/")
    if into:
        try:
            into = paths.check_path(into)
        except AimemError as error:
            raise wrong(str(error)) from error
    return Project(file.parent, values.get("workspace", "").strip(), into)
