"""Asking the program git about a repository that may be anybody's.

- Only git's plumbing is called, with lists of arguments and never a shell; nothing that is called
  runs hooks, filters, text converters, pagers or other programs that the repository names.
- The environment is cleaned: no ``GIT_*`` of the caller, no system configuration, no prompt, and
  no protocol is allowed, so that a repository with missing objects cannot make git fetch them.
- Names and texts are read between NULs, as bytes.
- git runs in a process group of its own: Ctrl-C is for aimem, which then ends git.
- The history is streamed through temporary files: memory does not grow with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from aimem_tui.bridge.files import SIZE_LIMIT, LeftOut, printable, too_large
from aimem_tui.errors import BadInput, NotFound, ToolFailed

_GLOBAL = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    "-c",
    "core.quotePath=false",
    "-c",
    "i18n.logOutputEncoding=UTF-8",
    # Comparing with renames looks into the index, which starts these.
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
)
_REGULAR = (b"100644", b"100755", b"100664")
_ABSENT = b"000000"
_KINDS = {b"120000": "It is a link.", b"160000": "It is another repository."}
_FORMAT = "%H%x00%P%x00%h%x00%at%x00%an%x00%s"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, without what it changed."""

    name: str
    """Its full hash."""
    parents: tuple[str, ...]
    short: str
    at: int
    """The author's date in milliseconds since the Unix epoch."""
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did to one path."""

    path: bytes
    blob: str
    """The name of the content that it has from then on; empty: none that could be a text."""
    old_path: bytes = b""
    """Where the file was before, if it was renamed."""
    changes: bool = False
    """Whether there was a file at this path before."""
    special: str = ""
    """Why what is there cannot be a text: it is a link, or another repository."""


class Repository:
    """A git repository, seen from a folder: only what lies below it, by paths relative to it.

    Args:
        folder: the top of a work tree, a folder within one, or a bare repository.

    Raises:
        NotFound: if the folder does not exist.
        BadInput: if it is in no repository, or git will not read it.
        ToolFailed: if git is not installed.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            raise ToolFailed(
                "The history cannot be read.",
                why="The program git is not installed.",
                hint="Install git, or import the folder without its history.",
            )
        if not folder.exists():
            raise NotFound(f"There is nothing at {printable(str(folder))}.")
        if not folder.is_dir():
            raise BadInput(f"{printable(str(folder))} is not a folder.")
        self._program = program
        self.folder = folder.resolve()
        """The real path of the folder."""
        asked = self._run("rev-parse", "--git-dir", check=False)
        if asked.returncode != 0:
            raise _not_a_repository(folder, asked.stderr)

    def head(self) -> Commit:
        """The commit that is checked out.

        Raises:
            BadInput: if there is none yet.
        """
        asked = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
        if asked.returncode != 0:
            raise BadInput(f"The repository at {self.folder} has no commits.")
        name = asked.stdout.strip().decode()
        with tempfile.TemporaryFile() as listing:
            self._list(listing, "--max-count=1", name)
            return next(_commits(listing))

    def tree(self, commit: str) -> Iterator[Change]:
        """All files of a commit, each as a change that gives it its content."""
        with tempfile.TemporaryFile() as listing:
            self._run("ls-tree", "-r", "-z", commit, out=listing)
            for record in _between_nuls(listing):
                head, _, path = record.partition(b"\t")
                mode, _, blob = head.split(b" ")
                yield _change(path, mode, blob)

    @contextmanager
    def history(self, head: str, known: Sequence[str]) -> Iterator[History]:
        """The commits that lead to ``head`` and not to ``known`` ones, parents before children.

        Commits are in the order of their dates as far as that goes. Known commits that are not in
        the repository any more are passed over.
        """
        with (
            tempfile.TemporaryFile() as revisions,
            tempfile.TemporaryFile() as listing,
            tempfile.TemporaryFile() as pairs,
            tempfile.TemporaryFile() as changes,
        ):
            revisions.write(f"{head}\n".encode())
            revisions.writelines(f"^{name}\n".encode() for name in known)
            revisions.seek(0)
            self._list(
                listing, "--date-order", "--reverse", "--ignore-missing", "--stdin", given=revisions
            )
            count = 0
            for commit in _commits(listing):
                count += 1
                for parent in commit.parents or ("",):
                    pairs.write(f"{commit.name} {parent}".rstrip().encode() + b"\n")
            pairs.seek(0)
            self._run(
                "diff-tree",
                "--stdin",
                "--always",
                "--root",
                "-r",
                "-z",
                "--raw",
                "--no-abbrev",
                "--find-renames",
                "-l1000",
                "--no-ext-diff",
                "--no-textconv",
                "--relative",
                given=pairs,
                out=changes,
            )
            yield History(count, listing, changes)

    @contextmanager
    def blobs(self) -> Iterator[Blobs]:
        """A way to read contents, one after the other."""
        process = subprocess.Popen(
            [self._program, *_GLOBAL, "cat-file", "--batch"],
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        try:
            yield Blobs(process)
        finally:
            process.kill()
            process.communicate()

    def _list(self, out: IO[bytes], *arguments: str, given: IO[bytes] | None = None) -> None:
        self._run("rev-list", f"--format={_FORMAT}", *arguments, given=given, out=out)

    def _run(
        self,
        *arguments: str,
        given: IO[bytes] | None = None,
        out: IO[bytes] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [self._program, *_GLOBAL, *arguments],
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL if given is None else given,
            stdout=subprocess.PIPE if out is None else out,
            stderr=subprocess.PIPE,
            check=False,
            process_group=0,
        )
        if check and done.returncode != 0:
            raise ToolFailed(
                f"git could not read the repository at {self.folder}.",
                why=_last_line(done.stderr) or f"git {arguments[0]} ended with {done.returncode}.",
            )
        return done


class History:
    """A run of commits, oldest first, with what each of them changed."""

    def __init__(self, count: int, listing: IO[bytes], changes: IO[bytes]) -> None:
        self.count = count
        """How many commits there are."""
        self._listing = listing
        self._changes = changes

    def __iter__(self) -> Iterator[tuple[Commit, list[Change]]]:
        """Each commit with its changes.

        A merge has a change for every path in which it differs from any of its parents, and no
        renames: what the branches did was told by their own commits.
        """
        records = _between_nuls(self._changes)
        next(records, b"")
        for commit in _commits(self._listing):
            # Each comparison begins with the commit's name; the first is read by now.
            changes: list[Change] = []
            for _ in commit.parents or ("",):
                changes += _changes(records, is_merge=len(commit.parents) > 1)
            yield commit, list({change.path: change for change in changes}.values())


class Blobs:
    """A git process that hands out contents by name."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._ask, self._answer = process.stdin, process.stdout

    def read(self, blob: str) -> bytes:
        """The bytes of a content.

        Raises:
            LeftOut: if it is too large, or missing in this clone.
            ToolFailed: if git ended.
        """
        try:
            self._ask.write(blob.encode() + b"\n")
            self._ask.flush()
            head = self._answer.readline().split()
        except BrokenPipeError:
            head = []
        if not head:
            raise ToolFailed("git could not read the repository.", why="It ended early.")
        if len(head) != 3:
            raise LeftOut("It is missing in this clone of the repository.")
        size = int(head[2])
        data = self._take(size, keep=size <= SIZE_LIMIT)
        self._answer.read(1)
        if size > SIZE_LIMIT:
            raise too_large(size)
        return data

    def _take(self, size: int, *, keep: bool) -> bytes:
        parts: list[bytes] = []
        while size > 0:
            part = self._answer.read(min(size, _PIECE))
            if not part:
                raise ToolFailed("git could not read the repository.", why="It ended early.")
            size -= len(part)
            if keep:
                parts.append(part)
        return b"".join(parts)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        # Goes before whatever the repository's own configuration allows.
        "GIT_ALLOW_PROTOCOL": "none",
        "LC_ALL": "C",
    }


def _between_nuls(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    rest = b""
    while piece := file.read(_PIECE):
        *records, rest = (rest + piece).split(b"\0")
        yield from records
    if rest:
        yield rest


def _commits(listing: IO[bytes]) -> Iterator[Commit]:
    listing.seek(0)
    for line in listing:
        if line.startswith(b"commit ") and b"\0" not in line:
            continue
        name, parents, short, at, author, subject = line.rstrip(b"\n").split(b"\0", 5)
        yield Commit(
            name.decode(),
            tuple(parents.decode().split()),
            short.decode(),
            int(at or 0) * 1000,
            author.decode("utf-8", "replace"),
            subject.decode("utf-8", "replace"),
        )


def _changes(records: Iterator[bytes], *, is_merge: bool) -> Iterator[Change]:
    """The changes up to the next commit's name, which is taken, too."""
    for record in records:
        if not record.startswith(b":"):
            return
        _, mode, _, blob, status = record[1:].split(b" ")
        path = next(records)
        if not status.startswith(b"R"):
            yield _change(path, mode, blob, changes=status == b"M" and not is_merge)
        elif is_merge:
            yield Change(path, "")
            yield _change(next(records), mode, blob)
        else:
            yield _change(next(records), mode, blob, old_path=path)


def _change(
    path: bytes, mode: bytes, blob: bytes, *, old_path: bytes = b"", changes: bool = False
) -> Change:
    if mode in _REGULAR:
        return Change(path, blob.decode(), old_path, changes)
    special = "" if mode == _ABSENT else _KINDS.get(mode, "It is not a regular file.")
    return Change(path, "", old_path, changes, special)


def _last_line(error: bytes) -> str:
    lines = error.decode("utf-8", "replace").strip().splitlines()
    return printable(lines[-1].strip()) if lines else ""


def _not_a_repository(folder: Path, error: bytes) -> BadInput:
    name = printable(str(folder))
    if b"dubious ownership" in error:
        return BadInput(
            f"git does not read the repository at {name}.",
            why="It belongs to another user.",
            hint=f"If you trust it: git config --global --add safe.directory {name}.",
        )
    if b"not a git repository" in error:
        return BadInput(f"{name} is not in a git repository.")
    return BadInput(f"git cannot read {name}.", why=_last_line(error))
