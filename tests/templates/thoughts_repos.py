"""Thoughts' repositories as the tests need them: rendered, cloned, and looked into."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

from cookiecutter.main import cookiecutter

from tests.own_files import ROOT

TEMPLATES = ROOT / "templates"
TEMPLATE = TEMPLATES / "thoughts-repo"
PAYLOAD = TEMPLATE / "{{cookiecutter.project_slug}}"
SWITCHES = (
    "create_user_directory",
    "include_global_directory",
    "include_sync_scripts",
    "include_searchable_links",
)
COMBINATIONS = [
    dict(zip((*SWITCHES, "sync_method"), values, strict=True))
    for values in product(
        (True, False), (True, False), (True, False), (True, False), ("git", "none")
    )
]


def label(combination: dict[str, Any]) -> str:
    on = [name.removeprefix("include_") for name in SWITCHES if combination[name]]
    return " ".join([*on, combination["sync_method"]])


def variables(template: Path) -> dict[str, Any]:
    """The public variables of a template with their defaults, in order."""
    read = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
    return {name: value for name, value in read.items() if not name.startswith("_")}


def render(folder: Path, template: Path = TEMPLATE, **options: Any) -> Path:
    """Render with plain cookiecutter; ``options`` are its own two, or else variables."""
    known = {"config_file", "overwrite_if_exists"}
    given = {name: value for name, value in options.items() if name not in known}
    rest = {name: value for name, value in options.items() if name in known}
    made = cookiecutter(
        str(template),
        no_input=True,
        extra_context=given,
        output_dir=str(folder),
        default_config="config_file" not in rest,
        **rest,
    )
    return Path(made)


def git(folder: Path, *arguments: str, status: int = 0) -> str:
    """What git prints; fails unless it ends with ``status``."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == status, f"git {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.rstrip("\n")


def tree(folder: Path) -> dict[str, str]:
    """Every file with its text, and every link with where it leads, without the repository."""
    found = {}
    for at, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(at) / name).is_symlink()]
        folders[:] = [name for name in folders if name != ".git" and name not in links]
        for path in (Path(at) / name for name in (*names, *links)):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found[name] = f"-> {path.readlink()}"
            else:
                found[name] = path.read_bytes().decode("utf-8")
    return found
