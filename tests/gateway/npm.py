"""Programs in JavaScript, with the stock Yjs clients that ``node/package.json`` names.

The packages are installed once per machine, into a cache folder of whoever runs the tests, each in
the exact version and without running anything that they bring along.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "node"

# Tests have a home of their own; the cache, and how npm is set up, are in that of who runs them.
_HOME = Path.home()
CACHE = Path(os.environ.get("XDG_CACHE_HOME", _HOME / ".cache")) / "aimem-tests"


def environment() -> dict[str, str]:
    """For node and npm."""
    return os.environ | {"HOME": str(_HOME)}


def install(name: str, wanted: bytes) -> tuple[Path | None, str]:
    """The folder with what a ``package.json`` wants, or why there is none.

    Args:
        name: what the folder's name begins with.
        wanted: the whole ``package.json``.
    """
    if sys.platform == "win32":
        return None, "not on Windows"
    import fcntl

    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        return None, "no node"
    folder = CACHE / f"{name}-{hashlib.sha256(wanted).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "package.json").write_bytes(wanted)
            flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
            run = subprocess.run(
                [npm, "install", "--silent", *flags],
                cwd=folder,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            if run.returncode != 0:
                return None, "npm cannot install"
            (folder / "installed").touch()
    return folder, ""


@functools.cache
def _installed() -> tuple[Path | None, str]:
    return install("node", (PROGRAMS / "package.json").read_bytes())


def node_packages() -> Path:
    """A folder whose ``node_modules`` holds the packages; skips the test where it cannot be had."""
    folder, why_not = _installed()
    if folder is None:
        pytest.skip(why_not)
    return folder


def program(name: str) -> list[str]:
    """The command that runs one of the programs in ``node``.

    Node looks for packages beside the program, so a copy is put beside them.
    """
    folder = node_packages()
    target = folder / name
    text = (PROGRAMS / name).read_bytes()
    if not target.exists() or target.read_bytes() != text:
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(text)
        temporary.replace(target)
    return ["node", str(target)]


def answers(name: str, lines: str) -> list[str]:
    """What a program that reads lines and answers each with a line says."""
    run = subprocess.run(
        program(name),
        input=lines,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return run.stdout.removesuffix("\n").split("\n")
