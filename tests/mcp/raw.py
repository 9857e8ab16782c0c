"""A client that sends whatever it likes, line by line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cli.running import COMMAND, environment
from tests.mcp.clients import PATIENCE_S

INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "raw", "version": "1"},
}


class Raw:
    """A client that sends whatever it likes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}

    def line(self, line: bytes) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, method: str, params: object = None) -> int:
        """Send a request; returns its number."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method}
        self.line(json.dumps(message | ({} if params is None else {"params": params})).encode())
        return self._number

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.line(json.dumps(message).encode())

    def answer(self, number: int) -> dict[str, Any]:
        """The answer to a request; those to others, which may come before it, are kept."""
        assert self.process.stdout is not None
        while number not in self._answers:
            line = self.process.stdout.readline()
            assert line, "the server has ended"
            message = json.loads(line)
            self._answers[message.get("id")] = message
        return self._answers.pop(number)

    def ask(self, method: str, params: object = None) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        return self.answer(self.send(method, params))

    def call(self, tool: str, **arguments: object) -> int:
        """Call a tool; returns the request's number."""
        return self.send("tools/call", {"name": tool, "arguments": arguments})


@contextmanager
def raw(*args: str, greet: bool = True) -> Iterator[Raw]:
    process = subprocess.Popen(
        [*COMMAND, "mcp", *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment({"AIMEM_AUTHOR": "Ada"}),
    )
    client = Raw(process)
    try:
        if greet:
            assert client.ask("initialize", INITIALIZE)["result"]["serverInfo"]["name"] == "aimem"
            client.notify("notifications/initialized", {})
        yield client
    finally:
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()
