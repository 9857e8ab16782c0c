"""Programs that answer searches in a process of their own, each kept open between questions.

- aimem: this file as a program, which searches through the facade and says how long that took.
- A library of others: ``bench/search_peer.py``, run by the Python it is installed for.
- basic-memory: its server for agents (MCP), spoken to in lines of JSON-RPC. Its time includes the
  way there and back, some tenths of a millisecond.

All times but those of basic-memory are taken around the call, inside the process that makes it.

``python -m bench.search_children FILE``: a line on standard input is a search (:class:`Asked`), a
line on standard output its answer (:class:`Answered`). ``AIMEM_HOME`` says where the index is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from bench.cache import ROOT

LIMIT = 20
"""Hits of a search."""
_KINDS_THERE = {"fulltext": "text", "semantic": "vector", "hybrid": "hybrid"}
"""What basic-memory calls the kinds of search."""


class Restricted(NamedTuple):
    """Which thoughts are looked through; all of them if nothing is said."""

    kind: str = ""
    path: str = ""
    tag: str = ""
    since: int = 0
    """Milliseconds since the Unix epoch."""


class Asked(NamedTuple):
    """A search."""

    text: str
    kind: str = "hybrid"
    """``fulltext``, ``semantic`` or ``hybrid``."""
    restricted: Restricted = Restricted()


class Answered(NamedTuple):
    """What came of a search."""

    ms: float
    hits: int


class Searcher(Protocol):
    """Somebody who answers searches."""

    def can(self, kind: str, restricted: Restricted) -> bool:
        """Whether it is able to search so."""

    def search(self, asked: Asked) -> Answered:
        """Answer one."""

    def memory_mb(self) -> tuple[float, float]:
        """What the process holds now: all, and without the pages of files."""


class Child:
    """A process that answers lines of JSON with lines of JSON. A context manager.

    Raises:
        RuntimeError: when it ends before it has answered.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(os.environ) | {"PYTHONPATH": str(ROOT)} | dict(variables or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, said: object) -> None:
        """Write one line."""
        assert self._process.stdin is not None, "it was asked for"
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Any:  # noqa: ANN401 - what it says is its own
        """Read one line; what is no JSON is passed over."""
        assert self._process.stdout is not None, "it was asked for"
        for line in self._process.stdout:
            try:
                return json.loads(line)
            except ValueError:
                continue
        raise RuntimeError(f"{self._command[0]} ended without an answer")

    def memory_mb(self) -> tuple[float, float]:
        """See :meth:`Searcher.memory_mb`; 0 where the system does not tell."""
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        except OSError:
            return 0.0, 0.0
        said = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
        whole, own = (int(said[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))
        return whole, own

    def close(self) -> None:
        """End the process: politely, then not."""
        assert self._process.stdin is not None, "it was asked for"
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Aimem(Child):
    """aimem's facade in a process of its own.

    Args:
        file: the workspace's.
        variables: where it is at home.
    """

    def __init__(self, file: Path, variables: Mapping[str, str]) -> None:
        super().__init__([sys.executable, "-m", "bench.search_children", str(file)], variables)

    def can(self, kind: str, restricted: Restricted) -> bool:
        """See :meth:`Searcher.can`."""
        return True

    def search(self, asked: Asked) -> Answered:
        """See :meth:`Searcher.search`."""
        self.send(asked)
        return Answered(*self.receive())


class Library(Child):
    """A library of others, by ``bench/search_peer.py``.

    Args:
        python: of the environment it is installed in.
    """

    def __init__(self, python: Path, *words: str) -> None:
        script = Path(__file__).with_name("search_peer.py")
        super().__init__([str(python), str(script), *words], {"PYTHONPATH": ""})

    def can(self, kind: str, restricted: Restricted) -> bool:
        """By meaning, restricted by all but a folder."""
        return kind == "semantic" and not restricted.path

    def search(self, asked: Asked) -> Answered:
        """See :meth:`Searcher.search`."""
        self.send({"text": asked.text, "limit": LIMIT, **asked.restricted._asdict()})
        return Answered(*self.receive())


class BasicMemory(Child):
    """basic-memory's server for agents.

    Args:
        program: its command.
        project: what it calls the folder of notes.
    """

    def __init__(self, program: Path, project: str, variables: Mapping[str, str]) -> None:
        super().__init__([str(program), "mcp"], {"PYTHONPATH": "", **variables})
        self._project = project
        self._number = 0
        self._call(
            "initialize",
            protocolVersion="2025-06-18",
            capabilities={},
            clientInfo={"name": "bench", "version": "1"},
        )
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def can(self, kind: str, restricted: Restricted) -> bool:
        """All kinds, of all notes: what restricts a search here has no like there."""
        return not any(restricted)

    def search(self, asked: Asked) -> Answered:
        """See :meth:`Searcher.search`."""
        arguments = {
            "query": asked.text,
            "project": self._project,
            "search_type": _KINDS_THERE[asked.kind],
            "page_size": LIMIT,
            "output_format": "json",
        }
        started = time.perf_counter()
        found = self._call("tools/call", name="search_notes", arguments=arguments)
        ms = (time.perf_counter() - started) * 1000
        said = found["content"][0]["text"] if found.get("content") else ""
        if found.get("isError") or '"results"' not in said:
            raise RuntimeError(f"basic-memory did not search: {said[:300]}")
        return Answered(ms, len(json.loads(said)["results"]))

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": parameters})
        while True:
            answer = self.receive()
            if isinstance(answer, dict) and answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"basic-memory: {answer['error']}")
                return dict(answer["result"])


def main(file: str) -> int:
    """Answer searches until standard input ends."""
    from aimem_tui.model import Filter
    from aimem_tui.workspace.workspace import Workspace

    with Workspace(Path(file), name="default", author="bench") as workspace:
        for line in sys.stdin:
            text, kind, restricted = json.loads(line)
            only = Restricted(*restricted)
            wanted = Filter(
                kinds=(only.kind,) if only.kind else (),
                path=only.path,
                tags=(only.tag,) if only.tag else (),
                since=only.since or None,
            )
            started = time.perf_counter()
            found = workspace.search(text, wanted, kind=kind, limit=LIMIT)
            ms = (time.perf_counter() - started) * 1000
            if found.kind != kind:
                raise RuntimeError(f"asked for {kind}: {found.said}")
            print(json.dumps((ms, len(found.hits))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
