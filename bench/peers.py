"""Other programs that do the same work, each in a virtual environment of its own in the cache.

They are installed when first needed, unless ``$AIMEM_BENCH_OFFLINE`` is set. One that cannot be had
here (no package index, no fitting Python, no such program) is absent: the report says so, and the
rest is measured.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import cache

_INSTALL_TIMEOUT_S = 1_200


class Absent(Exception):
    """A peer that is not to be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that was found or installed."""

    name: str
    version: str
    program: Path

    @property
    def label(self) -> str:
        """Name and version, as reports show it."""
        return f"{self.name} {self.version}"


def installed(
    package: str,
    *also: str,
    program: str = "",
    oldest: tuple[int, int] = (3, 11),
    place: str = "",
) -> Peer:
    """A Python program from the package index.

    Args:
        package: its name there, with a bound on its version if it needs one.
        also: requirements that keep it working, where its own are too wide.
        program: the command it brings, where that has another name; ``python`` for a library.
        oldest: the oldest Python it runs on.
        place: the name of its environment, where it needs one besides that of its own name.

    Raises:
        Absent: if it cannot be installed.
    """
    name = re.split(r"[<>=!~]", package)[0]
    root = cache.folder("peers") / (place or name)
    command = root / "bin" / (program or name)
    if not command.is_file():
        if os.environ.get("AIMEM_BENCH_OFFLINE"):
            raise Absent(f"{name} is not installed here, and nothing is to be")
        _install([package, *also], root, oldest)
        if not command.is_file():
            raise Absent(f"{name} brings no command {command.name}")
    return Peer(name, _version(root, name), command)


def on_path(name: str, command: str) -> Peer:
    """A program of the system.

    Raises:
        Absent: if there is none.
    """
    found = shutil.which(command)
    if found is None:
        raise Absent(f"{name} is not installed here (no command {command})")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\d+(\.\d+)+", said)
    return Peer(name, number[0] if number else "", Path(found))


def _install(requirements: list[str], root: Path, oldest: tuple[int, int]) -> None:
    print(f"Installing {requirements[0]} into {root}", file=sys.stderr)
    shutil.rmtree(root, ignore_errors=True)
    try:
        _run([_python(oldest), "-m", "venv", str(root)])
        _run([str(root / "bin" / "pip"), "install", "--quiet", *requirements])
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(root, ignore_errors=True)
        said = getattr(error, "stderr", "") or str(error)
        last = said.strip().splitlines()[-1:] or [""]
        raise Absent(f"{requirements[0]} cannot be installed here: {last[0]}") from error


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S)


def _python(oldest: tuple[int, int]) -> str:
    """A Python that is new enough, this one if it is.

    Raises:
        OSError: if there is none.
    """
    if sys.version_info[:2] >= oldest:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(14, oldest[1] - 1, -1)]
    candidates = [found for name in names if (found := shutil.which(name))]
    for name in names:
        candidates += map(str, Path.home().glob(f".pyenv/versions/*/bin/{name}"))
    for candidate in candidates:
        works = subprocess.run([candidate, "-c", "import venv"], capture_output=True, check=False)
        if works.returncode == 0:
            return candidate
    raise OSError(f"it needs Python {oldest[0]}.{oldest[1]} or newer, and there is none")


def _version(root: Path, package: str) -> str:
    listed = subprocess.run(
        [str(root / "bin" / "pip"), "list", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    try:
        versions = {row["name"].lower(): str(row["version"]) for row in json.loads(listed)}
    except ValueError:
        return ""
    return versions.get(package.lower(), "")
