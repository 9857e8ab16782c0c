"""A terminal for programs under measurement: a pty that reads what a program draws, with clocks.

Latency is counted from the write of a key to the first byte that comes back, as a person sees it;
bytes are all that the key caused, as a slow line feels it. Only where there are ptys (not on
Windows).
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Echo:
    """What a key caused."""

    first: float
    """Seconds until the first byte of output; infinity if there was none."""
    last: float
    """Seconds until the last byte of output."""
    size: int
    """Bytes of output."""


class Terminal:
    """A program in a terminal of its own. A context manager: the program ends with it."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start ``argv`` in a terminal of a size; ``env`` is added to this program's own.

        Raises:
            OSError: if there is no pty to be had.
        """
        self.output = bytearray()
        """Everything the program has written so far."""
        self.started = time.perf_counter()
        self._child, self._file = pty.fork()
        if self._child == 0:
            _become(argv, dict(os.environ) | _PLAIN | dict(env or {}))
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._child

    def read(self, timeout: float) -> bytes:
        """What the program writes next, within ``timeout`` seconds; nothing if it is silent."""
        ready, _, _ = select.select([self._file], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self._file, 1 << 16)
        except OSError:
            # Linux reports the program's end as an error.
            return b""
        self.output += data
        return data

    def wait_for(self, pattern: bytes, timeout: float = 30.0) -> float:
        """Seconds from the start until the output matches ``pattern``, a regular expression.

        Raises:
            TimeoutError: if it does not; the message ends with what was written last.
        """
        end = time.perf_counter() + timeout
        while not re.search(pattern, self.output):
            if time.perf_counter() > end:
                raise TimeoutError(f"no {pattern!r} in {bytes(self.output[-2000:])!r}")
            self.read(0.05)
        return time.perf_counter() - self.started

    def settle(self, silence: float = 0.2, timeout: float = 30.0) -> None:
        """Read until nothing has come for ``silence`` seconds."""
        end = time.perf_counter() + timeout
        while self.read(silence) and time.perf_counter() < end:
            pass

    def press(self, key: bytes, silence: float = 0.1, timeout: float = 10.0) -> Echo:
        """Type ``key``, and tell what came of it until ``silence`` seconds were silent."""
        before = len(self.output)
        start = time.perf_counter()
        os.write(self._file, key)
        first, last = float("inf"), start
        while self.read(timeout if first == float("inf") else silence):
            last = time.perf_counter()
            first = min(first, last - start)
        return Echo(first, last - start, len(self.output) - before)

    def resident_bytes(self) -> int:
        """The memory the program holds (resident set), on Linux."""
        pages = Path(f"/proc/{self._child}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        """End the program, politely at first, and let go of the terminal."""
        if self._child <= 0:
            return
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self._child, signal_number)
            except ProcessLookupError:
                break
            if self._ended(1.0):
                break
        os.close(self._file)
        self._child = 0

    def _ended(self, within: float) -> bool:
        end = time.perf_counter() + within
        while time.perf_counter() < end:
            if os.waitpid(self._child, os.WNOHANG) != (0, 0):
                return True
            # A program that waits for its output to be read does not end.
            self.read(0.02)
        return False


_PLAIN = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "RUST_BACKTRACE": "0"}


def _become(argv: Sequence[str], env: dict[str, str]) -> None:
    """Turn this process, a fork, into the program. Never returns."""
    try:
        os.execvpe(argv[0], list(argv), env)
    finally:
        os._exit(127)
