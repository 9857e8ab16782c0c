"""Getting a template repository with git, from places that nobody vouches for.

- git is called with lists of arguments and never a shell, asks for no password, and runs no hook
  of a template folder. Only https and ssh are allowed, and files where a local path was named.
- An address with a password or token in it is refused: arguments can be seen by other programs.
- One commit is fetched. The fetch is stopped at a size, and what the commit holds is added up
  before any of it is written out.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from aimem_tui.bridge.files import printable
from aimem_tui.errors import BadInput, NotFound, ToolFailed, Unreachable
from aimem_tui.setup.sources import Repository

SIZE_LIMIT = 100 * 1024 * 1024
"""Bytes that a repository may bring, packed and unpacked each."""
FILE_LIMIT = 20_000
TIME_LIMIT = 300.0
"""Seconds."""
_LOOK_EVERY = 0.1

_SAFE = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "advice.detachedHead=false",
    "-c",
    "init.defaultBranch=main",
)


def fetch(repository: Repository, into: Path, *, size_limit: int = SIZE_LIMIT) -> Path:
    """Fetch one commit of a repository and check it out.

    Args:
        into: a private folder; the repository is put into a folder of its own name below it.

    Returns: that folder.

    Raises:
        BadInput: if the address is not allowed, or the repository is too large.
        NotFound: if it has no such branch, tag or commit.
        Unreachable: if it cannot be fetched.
        ToolFailed: if git is missing or fails.
    """
    check_address(repository)
    if shutil.which("git") is None:
        raise ToolFailed("git is not installed.", why="It fetches templates from repositories.")
    folder = into / _name(repository.url)
    folder.mkdir(parents=True)
    git = _Git(folder, local=repository.local, size_limit=size_limit)
    git.run("init", "--quiet", "--template=")
    git.run("remote", "add", "--", "origin", repository.url)
    wanted = repository.ref or "HEAD"
    git.watched("fetch", "--quiet", "--depth=1", "--no-tags", "origin", wanted)
    git.refuse_large_tree()
    git.run("checkout", "--quiet", "--detach", "FETCH_HEAD")
    return folder


def check_address(repository: Repository) -> None:
    """Refuse an address that is not allowed, or that holds a secret.

    Raises:
        BadInput: says which, without repeating a secret.
    """
    if repository.local:
        return
    address = repository.url
    if "://" not in address:
        return
    try:
        parts = urlsplit(address)
        secret = bool(parts.password) or (parts.scheme.lower() == "https" and bool(parts.username))
    except ValueError:
        raise BadInput("The template's address cannot be read.") from None
    if parts.scheme.lower() not in ("https", "ssh"):
        raise BadInput(
            f"Templates are not fetched over {printable(parts.scheme)}.",
            why="It is not encrypted, or can start programs.",
            hint="Use https or ssh.",
        )
    if secret:
        raise BadInput(
            "The template's address holds a password or token.",
            why="Other programs on this machine could see it.",
            hint="Leave it out; git asks its credential helper, or use ssh.",
        )
    if not parts.hostname or parts.hostname.startswith("-"):
        raise BadInput("The template's address names no machine.")


def _name(url: str) -> str:
    """The folder that git would clone into."""
    name = re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^\w.-]", "_", name).strip(".") or "template"


class _Git:
    def __init__(self, folder: Path, *, local: bool, size_limit: int) -> None:
        self._folder = folder
        self._size_limit = size_limit
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        for key in ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_CONFIG_GLOBAL"):
            if key in os.environ:
                kept[key] = os.environ[key]
        self._environment = {
            **kept,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": "file" if local else "https:ssh",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "LC_ALL": "C",
        }

    def run(self, *arguments: str) -> bytes:
        process = self._started(arguments)
        try:
            out, said = process.communicate(timeout=TIME_LIMIT)
        except BaseException:
            _end(process)
            raise
        if process.returncode:
            raise ToolFailed(f"git {arguments[0]} failed.", why=_sentence(said))
        return out

    def watched(self, *arguments: str) -> None:
        """Run a command that brings data, and end it at the size limit."""
        process = self._started(arguments)
        until = time.monotonic() + TIME_LIMIT
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    _, said = process.communicate(timeout=_LOOK_EVERY)
                    break
                if _size(self._folder) > self._size_limit:
                    raise self._too_large()
                if time.monotonic() > until:
                    raise Unreachable("The template's repository took too long.")
        except BaseException:
            _end(process)
            raise
        if _size(self._folder) > self._size_limit:
            raise self._too_large()
        if process.returncode:
            if b"couldn't find remote ref" in said or b"not our ref" in said:
                raise NotFound(
                    "The template's repository has no such branch, tag or commit.",
                    hint="A commit is named by its full hash.",
                )
            raise Unreachable("The template's repository cannot be fetched.", why=_sentence(said))

    def refuse_large_tree(self) -> None:
        listed = self.run("ls-tree", "-r", "-l", "-z", "FETCH_HEAD").rstrip(b"\0").split(b"\0")
        # Each is "mode type hash size", a tab and the path; what is no file has no size.
        columns = [entry.partition(b"\t")[0].split() for entry in listed]
        sizes = [int(found[3]) for found in columns if len(found) == 4 and found[3].isdigit()]
        if len(listed) > FILE_LIMIT or sum(sizes) > self._size_limit:
            raise self._too_large()

    def _started(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        try:
            # A session of its own: no terminal to ask for a password on, and Ctrl-C is for aimem.
            return subprocess.Popen(
                ["git", *_SAFE, *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolFailed("git cannot be started.", why=f"{error.strerror or error}.") from error

    def _too_large(self) -> BadInput:
        return BadInput(
            "The template's repository is too large.",
            why=f"It brings more than {self._size_limit // 1_048_576} MB or {FILE_LIMIT:,} files.",
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _size(folder: Path) -> int:
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(at) / name).lstat().st_size
    return total


def _sentence(said: bytes) -> str:
    """The last thing git said, on one line, without the address's password should it have one."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith(("fatal:", "error:"))), "")
    told = re.sub(r"//[^/@\s]+@", "//", (told or "".join(lines[-1:])).partition(": ")[2] or told)
    told = printable(told).strip()
    return told if told.endswith((".", "?")) or not told else f"{told}."
