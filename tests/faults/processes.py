"""Processes of a test: what they say is kept, waited for, and shown when something fails.

Each is ended by its own id. A wait is for something that happens and gives up after
``PATIENCE_S``; then it says what was waited for and what the process has said last.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from tests.cli.running import ROOT, environment

PATIENCE_S = 40.0
TAIL_LINES = 25

T = TypeVar("T")


class Program:
    """A Python module that runs as a process of its own.

    Args:
        name: what a test calls it.
        terminal: whether its standard error is a terminal.
    """

    def __init__(
        self, name: str, *arguments: str, env: Mapping[str, str], terminal: bool = False
    ) -> None:
        self.name = name
        self.out: list[str] = []
        self.err = ""
        self._read_to = 0
        self._news = threading.Condition()
        terminal_end = -1
        if terminal:
            here, terminal_end = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=terminal_end if terminal else subprocess.PIPE,
            start_new_session=True,
        )
        if terminal:
            os.close(terminal_end)
        else:
            assert self.process.stderr is not None
            here = os.dup(self.process.stderr.fileno())
            self.process.stderr.close()
        self._readers = [
            threading.Thread(target=self._read_out, daemon=True),
            threading.Thread(target=self._read_err, args=(here,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def next(self, wanted: Callable[[str], T | None], what: str, seconds: float = PATIENCE_S) -> T:
        """The next line of its output of which something is wanted; lines before it are passed."""
        return self._wait(lambda: self._scan(wanted), what, seconds)

    def until_said(self, wanted: Callable[[str], T | None], what: str) -> T:
        """What is wanted of its standard error, once it is there."""
        return self._wait(lambda: wanted(self.err), what, PATIENCE_S)

    def tell(self, line: str) -> None:
        """A line on its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it without a chance to do anything more."""
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal and wait for its end; returns the exit code."""
        if self.running:
            self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} does not end.\n{self.tail()}") from None
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        return code

    def tail(self) -> str:
        """What it has said last, for people."""
        status = "runs" if self.running else f"has ended with {self.process.returncode}"
        lines = [*self.out[-TAIL_LINES:], *self.err.splitlines()[-TAIL_LINES:]]
        return "\n".join([f"--- {self.name} {status}", *lines])

    def _scan(self, wanted: Callable[[str], T | None]) -> T | None:
        while self._read_to < len(self.out):
            line = self.out[self._read_to]
            self._read_to += 1
            found = wanted(line)
            if found is not None:
                return found
        return None

    def _wait(self, look: Callable[[], T | None], what: str, seconds: float) -> T:
        found: T | None = None

        def over() -> bool:
            nonlocal found
            found = look()
            return found is not None or not any(reader.is_alive() for reader in self._readers)

        with self._news:
            self._news.wait_for(over, seconds)
        assert found is not None, f"waited in vain for {what}.\n{self.tail()}"
        return found

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.out.append(line.decode(errors="replace").rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _read_err(self, descriptor: int) -> None:
        while True:
            try:
                data = os.read(descriptor, 1 << 16)
            except OSError:
                # A terminal whose other end was closed.
                data = b""
            if not data:
                break
            with self._news:
                self.err += data.decode(errors="replace")
                self._news.notify_all()
        os.close(descriptor)
        with self._news:
            self._news.notify_all()


def until(what: str, true: Callable[[], T], seconds: float = PATIENCE_S) -> T:
    """Look until something is so that nobody tells of, such as in another process's file."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"waited in vain for {what}."
        time.sleep(0.05)
    return found
