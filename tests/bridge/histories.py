"""Building git repositories for tests: from recorded histories, or step by step."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Version:
    """A file as it was after a commit."""

    path: str
    content: bytes
    at: str
    """ISO 8601 with the zone."""
    author: str
    subject: str


@dataclass(frozen=True)
class Planned:
    """A commit to be made: its parents (earlier places in the list) and its whole tree."""

    parents: tuple[int, ...]
    tree: Mapping[str, str]
    at: int
    """Seconds since the Unix epoch."""


class Repo:
    """A real git repository in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("git") is None:
            pytest.skip("git is not installed")
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, given: bytes = b"", **environment: str) -> str:
        """Run git in the repository and return what it prints."""
        return self.git_bytes(*arguments, given=given, **environment).decode()

    def git_bytes(self, *arguments: str, given: bytes = b"", **environment: str) -> bytes:
        """The same, as bytes."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-c", "core.autocrlf=false", *arguments],
            cwd=self.folder,
            env=clean | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull} | environment,
            input=given,
            capture_output=True,
            check=True,
        )
        return done.stdout

    def write(self, path: str, content: bytes | str) -> None:
        """Put a file into the work tree."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def build(self, commits: Sequence[Planned]) -> list[str]:
        """Make commits of any shape at once; HEAD is the last. Returns their hashes."""
        lines: list[bytes] = []

        def data(content: str) -> None:
            raw = content.encode()
            lines.extend([b"data %d\n" % len(raw), raw, b"\n"])

        for number, commit in enumerate(commits, start=1):
            lines.append(b"commit refs/heads/made\nmark :%d\n" % number)
            who = f"Writer {number} <w@example.org> {commit.at} +0000\n"
            lines.append(f"author {who}committer {who}".encode())
            data(f"commit {number}")
            for word, parent in zip((b"from", b"merge", b"merge"), commit.parents, strict=False):
                lines.append(b"%s :%d\n" % (word, parent + 1))
            lines.append(b"deleteall\n")
            for path, content in commit.tree.items():
                lines.append(f"M 100644 inline {path}\n".encode())
                data(content)
            if not commit.parents:
                # The next commit without a parent must not continue this branch.
                lines.append(b"reset refs/heads/made\n")
        marks = self.folder / ".git" / "marks"
        self.git(
            "fast-import", "--quiet", "--force", f"--export-marks={marks}", given=b"".join(lines)
        )
        by_mark = dict(line.split() for line in marks.read_text().splitlines())
        names = [by_mark[f":{number}"] for number in range(1, len(commits) + 1)]
        self.git("update-ref", "HEAD", names[-1])
        return names

    def commit(
        self,
        subject: str = "a commit",
        *,
        at: str = "2025-01-01T12:00:00+00:00",
        author: str = "Ann",
    ) -> str:
        """Commit all that is in the work tree; returns the commit's hash."""
        self.git("add", "--all", "--force", ".")
        self.git(
            "commit",
            "--quiet",
            "--allow-empty",
            "--no-verify",
            "--cleanup=verbatim",
            "--allow-empty-message",
            "-m",
            subject,
            GIT_AUTHOR_NAME=author,
            GIT_AUTHOR_EMAIL="someone@example.org",
            GIT_AUTHOR_DATE=at,
            GIT_COMMITTER_NAME=author,
            GIT_COMMITTER_EMAIL="someone@example.org",
            GIT_COMMITTER_DATE=at,
        )
        return self.git("rev-parse", "HEAD").strip()


def rebuild(corpus: Path, repo: Repo) -> list[Version]:
    """Make a repository of a recorded history; returns every version that a commit of it made."""
    manifest = json.loads((corpus / "manifest.json").read_text(encoding="utf-8"))
    versions: list[Version] = []
    for commit, events in groupby(manifest, key=lambda event: event["commit"]):
        first = None
        for event in events:
            first = first or event
            path = event["path"]
            if event["status"] == "D":
                (repo.folder / path).unlink(missing_ok=True)
                continue
            found = sorted((corpus / "history").glob(f"{path}.versions/*_{commit[:8]}*"))
            if not found:
                continue
            content = found[0].read_bytes()
            repo.write(path, content)
            versions.append(
                Version(path, content, event["date"], event["author"], event["subject"])
            )
        assert first is not None
        repo.commit(first["subject"], at=first["date"], author=first["author"])
    return versions
