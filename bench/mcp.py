"""Agents' servers: what aimem's costs to start, to hold, to ask and to write to, beside two others.

- Every server holds the same texts and is spoken to over pipes, line by line, by one client. The
  clock runs from a request to its answer; of the start, from the process to the greeting.
- basic-memory has them as files and its index of words (for one by meaning it needs a Python that
  loads extensions of SQLite); the reference memory server has each text as an entity with its
  paragraphs as observations. What is not ready after a while is left out, and that is said.
- aimem searches by words where nothing is indexed by meaning, as here, with its usual eight hits;
  basic-memory is asked for as many. The reference server has no limit to its answers.
- Tokens are characters divided by four: of what a model is shown of an answer, and of the list of
  tools, which every session pays for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from bench import peers
from bench.cache import ROOT
from bench.corpus import corpus, texts
from bench.measure import Contest, Goal, Report, Series, Size
from bench.questions import questions
from bench.relay.servers import node_modules
from bench.startup import app_command

_START_MS, _SEARCH_MS, _EDIT_MS = 1_000.0, 100.0, 50.0
_SORTS = ("one rare word", "one middling word", "two words", "a question")
_READY_S = 900
_MARKED = 8
_MARKER = "zyzzyvafinder"
_HITS = 8
_REFERENCE = "@modelcontextprotocol/server-memory"
_REFERENCE_VERSION = "2026.8.31"
_HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class NotReady(Exception):
    """A server that did not have all texts in time."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A server over some texts, before it is started."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    search: Callable[[str], tuple[str, dict[str, object]]]
    """The call that looks for words."""
    append: Callable[[str, str], tuple[str, dict[str, object]]]
    """The call that adds a line to the text of a path."""
    is_ready: Callable[[Server], bool]


class Server:
    """A server that runs, as its client sees it."""

    def __init__(self, kept: Kept) -> None:
        started = time.perf_counter()
        self.process = subprocess.Popen(
            kept.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ) | dict(kept.environment),
        )
        self._number = 0
        self.ask("initialize", _HELLO)
        self.start_ms = (time.perf_counter() - started) * 1000
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, params: object) -> dict[str, Any]:
        """A request and its result.

        Raises:
            RuntimeError: if it answers with an error, or ends.
        """
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            message = json.loads(line)
            if message.get("id") == self._number and "method" not in message:
                if "result" not in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message["result"]
                return result
        raise RuntimeError(f"{method}: the server has ended")

    def call(self, tool: str, arguments: dict[str, object]) -> str:
        """What a model is shown of a tool's answer.

        Raises:
            RuntimeError: if the tool failed.
        """
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        text = "\n".join(each.get("text", "") for each in result["content"])
        if result.get("isError"):
            raise RuntimeError(f"{tool}: {text[:500]}")
        return text

    def resident_mb(self) -> float:
        """The memory that its process holds; 0 where the system does not tell."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except OSError:
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """End it."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _send(self, message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()


@dataclass(slots=True)
class Found:
    """What one server was measured at."""

    name: str
    starts: list[float]
    memory: list[float]
    searches: list[float]
    search_tokens: list[float]
    edits: list[float]
    tools: list[float]


def run(size: Size) -> Report:
    """Measure all servers at all sizes."""
    report = Report("mcp")
    for thoughts in size.sizes or ((300,) if size.quick else (1_000, 10_000, 100_000)):
        found = []
        for make in (_aimem, _basic_memory, _reference):
            with TemporaryDirectory(prefix="aimem-bench-") as scratch:
                try:
                    found.append(_measured(make(Path(scratch), thoughts), thoughts, size))
                except (peers.Absent, NotReady) as why:
                    report.notes.append(f"{thoughts:,} thoughts: {why}.")
        report.contests += _contests(found, thoughts)
    return report


def _contests(found: Sequence[Found], thoughts: int) -> list[Contest]:
    def contest(
        what: str, unit: str, values: Callable[[Found], list[float]], *goals: Goal
    ) -> Contest:
        series = tuple(Series(each.name, tuple(values(each))) for each in found)
        return Contest(f"{what}, {thoughts:,} thoughts", unit, series, goals)

    return [
        contest("start to greeting", "ms", lambda each: each.starts, Goal(_START_MS)),
        contest("memory after searching", "MB", lambda each: each.memory),
        contest("search", "ms", lambda each: each.searches, Goal(_SEARCH_MS)),
        contest("answer to a search", "tokens", lambda each: each.search_tokens),
        contest("adding a line", "ms", lambda each: each.edits, Goal(_EDIT_MS)),
        contest("list of tools", "tokens", lambda each: each.tools),
    ]


def _measured(kept: Kept, thoughts: int, size: Size) -> Found:
    found = Found(kept.name, [], [], [], [], [], [])
    asked = questions(size.pick(25, 2), thoughts)
    searches = [question.words for sort in _SORTS for question in asked[sort]]
    draw = Random("edits")
    paths = [text.path for text in texts(thoughts)]
    with _running(kept) as server:
        _wait(kept, server, size.pick(_READY_S, 60))
    for _ in range(size.pick(10, 1)):
        with _running(kept) as server:
            found.starts.append(server.start_ms)
    with _running(kept) as server:
        _wait(kept, server, size.pick(_READY_S, 60))
        tools = server.ask("tools/list", {})["tools"]
        found.tools.append(len(json.dumps(tools, separators=(",", ":"))) / 4)
        for turn in range(2):
            for words in searches:
                call = kept.search(words)
                milliseconds, answer = _timed(server, call)
                if turn:
                    found.searches.append(milliseconds)
                    found.search_tokens.append(len(answer) / 4)
        found.memory.append(server.resident_mb())
        for number in range(size.pick(100, 3)):
            call = kept.append(draw.choice(paths), f"- Line {number} of the benchmark.")
            found.edits.append(_timed(server, call)[0])
    return found


def _timed(server: Server, call: tuple[str, dict[str, object]]) -> tuple[float, str]:
    started = time.perf_counter()
    answer = server.call(*call)
    return (time.perf_counter() - started) * 1000, answer


@contextmanager
def _running(kept: Kept) -> Iterator[Server]:
    server = Server(kept)
    try:
        yield server
    finally:
        server.close()


def _wait(kept: Kept, server: Server, patience: int) -> None:
    end = time.monotonic() + patience
    while not kept.is_ready(server):
        if time.monotonic() > end:
            raise NotReady(f"{kept.name} was not ready after {patience} s")
        time.sleep(1.0)


def _aimem(scratch: Path, thoughts: int) -> Kept:
    whole = corpus(thoughts)
    shutil.copytree(whole.root, scratch / "home")
    return Kept(
        "aimem",
        [*app_command(), "mcp"],
        {**whole.environment, "AIMEM_HOME": str(scratch / "home"), "PYTHONPATH": str(ROOT)},
        lambda words: ("search_thoughts", {"query": words, "limit": _HITS}),
        lambda path, line: ("append_to_thought", {"thought": path, "content": line}),
        lambda _: True,
    )


def _basic_memory(scratch: Path, thoughts: int) -> Kept:
    peer = peers.installed("basic-memory", oldest=(3, 12))
    notes = scratch / "notes"
    step = max(1, thoughts // _MARKED)
    for number, text in enumerate(texts(thoughts)):
        file = notes / text.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.body, encoding="utf-8")
        if number % step == 0:
            # Of its own, as it may not have taken in the end of a long text.
            marker = file.with_name(f"marker-{number}.md")
            marker.write_text(f"# Marker {number}\n\n{_MARKER}\n", encoding="utf-8")

    def is_ready(server: Server) -> bool:
        arguments: dict[str, object] = {"query": _MARKER, "page_size": 2 * _MARKED}
        try:
            return server.call("search_notes", arguments).count("permalink:") >= _MARKED
        except RuntimeError:
            return False

    return Kept(
        peer.label,
        [str(peer.program), "mcp"],
        {
            "HOME": str(scratch),
            "BASIC_MEMORY_HOME": str(notes),
            "BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED": "false",
            "PYTHONPATH": "",
        },
        lambda words: ("search_notes", {"query": words, "page_size": _HITS}),
        lambda path, line: (
            "edit_note",
            {
                "identifier": path.removesuffix(".md"),
                "operation": "append",
                "content": line,
            },
        ),
        is_ready,
    )


def _reference(scratch: Path, thoughts: int) -> Kept:
    folder = node_modules("server-memory", {_REFERENCE: _REFERENCE_VERSION})
    file = scratch / "memory.jsonl"
    with file.open("w", encoding="utf-8") as opened:
        for text in texts(thoughts):
            said = [part for part in text.body.split("\n\n") if part.strip()]
            kind = text.path.partition("/")[0]
            entity = {"type": "entity", "name": text.path, "entityType": kind, "observations": said}
            opened.write(json.dumps(entity) + "\n")
    return Kept(
        f"server-memory {_REFERENCE_VERSION}",
        ["node", str(folder / "node_modules" / _REFERENCE / "dist" / "index.js")],
        {"MEMORY_FILE_PATH": str(file)},
        lambda words: ("search_nodes", {"query": words}),
        lambda path, line: (
            "add_observations",
            {"observations": [{"entityName": path, "contents": [line]}]},
        ),
        lambda _: True,
    )
