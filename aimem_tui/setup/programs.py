"""What a template would run on this machine, found without running it.

Hooks are the files that cookiecutter would start. Extensions are Python modules that come with the
template and are imported while it is rendered. Nothing of either happens before a person agreed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

_HOOKS = ("pre_prompt", "pre_gen_project", "post_gen_project")


@dataclass(frozen=True, slots=True)
class Program:
    """A file of a template's that would be run."""

    path: str
    """Relative to the template."""
    lines: int
    size: int
    """Bytes."""
    needed: bool
    """The template cannot be rendered without it."""


def programs(folder: Path) -> list[Program]:
    """The programs of a template, hooks first."""
    hooks = folder / "hooks"
    found = [
        _program(file, folder, needed=False)
        for file in (sorted(hooks.iterdir()) if hooks.is_dir() else ())
        if file.stem in _HOOKS and not file.name.endswith("~")
    ]
    return found + [_program(file, folder, needed=True) for file in _extensions(folder)]


def _program(file: Path, folder: Path, *, needed: bool) -> Program:
    data = file.read_bytes() if file.is_file() else b""
    return Program(file.relative_to(folder).as_posix(), len(data.splitlines()), len(data), needed)


def _extensions(folder: Path) -> list[Path]:
    """The modules of the template's own that its ``_extensions`` name."""
    try:
        context = json.loads((folder / "cookiecutter.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    named = context.get("_extensions") if isinstance(context, dict) else None
    modules = {str(name).split(".")[0] for name in named} if isinstance(named, list) else set()
    found = []
    for module in sorted(modules):
        if (folder / f"{module}.py").exists():
            found.append(folder / f"{module}.py")
        elif (folder / module).is_dir():
            found += sorted((folder / module).rglob("*.py"))
    return found
