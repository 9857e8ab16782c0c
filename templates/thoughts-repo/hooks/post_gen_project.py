"""Finishes the new folder: takes out what was not asked for, links, and makes the repository.

- Runs in the new folder, with the standard library alone; git is called without a shell.
- Takes out only files that the template wrote, and folders only while empty: where the template is
  rendered a second time over thoughts that are in use, those stay.
- Links are relative. Where the system makes none, they are left out and that is said.
- Without git or without a name for commits the rest still stands, and what to do is said.
- Never pushes, and never touches a repository that is there already.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GIVEN: dict[str, Any] = json.loads({{cookiecutter | jsonify | jsonify}})  # noqa: F821
USERNAME = str(GIVEN["username"])
THOUGHTS = Path("thoughts")
SCRIPTS = ("sync-thoughts.sh", "sync-thoughts.ps1", "sync-thoughts.bat")
# aimem init renders elsewhere. Here it says where the folder goes in the end; the rest it tells.
AIMEM_INIT = os.environ.get("AIMEM_INIT_TARGET", "")
# Where git itself has started this, they would lead to another repository.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
}


def say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


def unwanted() -> Iterator[Path]:
    """The files that the switches leave out."""
    own = [THOUGHTS / USERNAME / name for name in ("notes", "tickets", "archive")]
    if not GIVEN["create_user_directory"]:
        yield from (folder / ".gitkeep" for folder in own)
    if not GIVEN["include_global_directory"]:
        yield THOUGHTS / "global" / "shared" / ".gitkeep"
    if not (GIVEN["include_global_directory"] and GIVEN["create_user_directory"]):
        yield THOUGHTS / "global" / USERNAME / ".gitkeep"
    if not GIVEN["include_sync_scripts"]:
        yield from map(Path, SCRIPTS)


def take_out(file: Path) -> None:
    """Remove a file, and its folders as far up as that leaves them empty."""
    file.unlink(missing_ok=True)
    for folder in file.parents[:-1]:
        if not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def link() -> None:
    """Link the folders of thoughts into one, for tools that look into one folder only."""
    for name in ("shared", USERNAME, "global"):
        place = THOUGHTS / "searchable" / name
        if not (THOUGHTS / name).is_dir() or os.path.lexists(place):
            continue
        try:
            place.symlink_to(Path("..") / name, target_is_directory=True)
        except (OSError, NotImplementedError):
            say("This system makes no symbolic links here, so thoughts/searchable has none.")
            return


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def make_repository() -> None:
    """A repository on the branch main with its first commit, and a remote if one was given."""
    slug = GIVEN["project_slug"]
    if os.path.lexists(".git"):
        return
    if shutil.which("git") is None:
        say("There is no git here, so this is no repository yet. Later: git init")
        return
    around = AIMEM_INIT or ".."
    inside = git("-C", around, "rev-parse", "--is-inside-work-tree").stdout.strip() == "true"
    made = git("-c", "init.defaultBranch=main", "init", "--quiet")
    if made.returncode:
        say("git made no repository:", made.stderr.strip())
        return
    # An older git does not know that setting.
    git("symbolic-ref", "HEAD", "refs/heads/main")
    if inside:
        say(f"It lies inside another repository. There, put {slug}/ into .gitignore.")
    remote = GIVEN["__remote"]
    if remote and (remote.startswith("-") or git("remote", "add", "origin", remote).returncode):
        say(f"No remote was added: {remote} is not an address.")
    commit_all()


def commit_all() -> None:
    message = " ".join(f"Start {GIVEN['project_name']}".split())
    git("add", "--all")
    if Path(SCRIPTS[0]).exists():
        # Windows has no such bit, and the others need it.
        git("update-index", "--chmod=+x", SCRIPTS[0])
    # A name that git makes up from the machine's is nobody's.
    if git("-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT").returncode:
        say(
            "git does not know your name, so nothing is committed yet. In the new folder:",
            '  git config --global user.name "Your Name"',
            '  git config --global user.email "you@example.com"',
            '  git commit -m "Start"',
        )
        return
    done = git("commit", "--quiet", f"--message={message}")
    if done.returncode:
        say("Nothing is committed yet. git says:", (done.stderr or done.stdout).strip())


def main() -> None:
    for file in unwanted():
        take_out(file)
    script = Path(SCRIPTS[0])
    if script.exists():
        script.chmod(0o755)
    if GIVEN["include_searchable_links"]:
        link()
    if GIVEN["__git"]:
        make_repository()
    if not AIMEM_INIT:
        say(f"{GIVEN['project_name']} is in {GIVEN['project_slug']}. Begin with its README.md.")


if __name__ == "__main__":
    main()
