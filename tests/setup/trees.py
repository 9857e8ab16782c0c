"""Trees of files in tests: what they hold, and templates written for one test."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, str | bytes]


def make(folder: Path, tree: Tree) -> Path:
    """Write files; a name that ends with ``*`` is made runnable, one with ``@`` is a link."""
    for name, content in tree.items():
        path = folder / name.rstrip("*@")
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("@"):
            path.symlink_to(content)
            continue
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if name.endswith("*"):
            path.chmod(0o755)
    return folder


def snapshot(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, tuple[str, bytes]]:
    """Everything below a folder: kind with permissions, and content or target."""
    found = {}
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in without]
        for name in (*folders, *names):
            path = Path(at) / name
            mode = path.lstat().st_mode
            what = f"{stat.filemode(mode)}"
            data = b""
            if path.is_symlink():
                what, data = "link", os.fsencode(path.readlink())
            elif path.is_file():
                data = path.read_bytes()
            found[str(path.relative_to(folder))] = (what, data)
    return found


def cookiecutter(template: str, output: Path, *arguments: str, cwd: Path | None = None) -> None:
    """Run the cookiecutter command itself."""
    output.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", template),
            *("--no-input", "--output-dir", str(output), *arguments),
        ],
        check=True,
        capture_output=True,
        cwd=cwd,
    )


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody with a name, and return what it prints."""
    who = {"NAME": "Ada", "EMAIL": "ada@example.org"}
    names = {f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who}
    ran = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **names, "GIT_CONFIG_NOSYSTEM": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout


def commit_all(folder: Path) -> str:
    """Make a folder a repository with one more commit; returns its hash."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all of it")
    return git(folder, "rev-parse", "HEAD").strip()
