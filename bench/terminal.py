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
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@dataclass(frozen=True, slots=True)
class Echo:
    """What a key caused."""

    first: float
    """Seconds until the first byte of output; infinity if there was none."""
    last: float
    """Seconds until the last byte of output; 0 if there was none."""
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
        cwd: Path | None = None,
    ) -> None:
        """Start ``argv`` in a terminal of a size; ``env`` is added to this program's own.

        Raises:
            OSError: if there is no pty to be had, or no such program.
        """
        self.output = bytearray()
        """Everything the program has written so far."""
        self._end, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = time.perf_counter()
        try:
            self._program = subprocess.Popen(
                argv,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env={**os.environ, **_COLOURS, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError:
            os.close(self._end)
            raise
        finally:
            os.close(theirs)

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
        return self._program.pid

    def read(self, timeout: float) -> bytes:
        """What the program writes next, within ``timeout`` seconds; nothing if it is silent."""
        ready, _, _ = select.select([self._end], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            # So Linux reports that the program has let go of the terminal.
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

    def settle(self, silence: float = 0.3, timeout: float = 30.0) -> None:
        """Read until nothing has come for ``silence`` seconds, but no longer than ``timeout``."""
        end = time.perf_counter() + timeout
        while self.read(silence) and time.perf_counter() < end:
            pass

    def press(self, key: bytes, silence: float = 0.1, timeout: float = 10.0) -> Echo:
        """Type ``key``, and tell what came of it until nothing came for ``silence`` seconds.

        If nothing comes at all, that takes ``timeout`` seconds.
        """
        before = len(self.output)
        first = last = 0.0
        start = time.perf_counter()
        os.write(self._end, key)
        while self.read(silence if last else timeout):
            last = time.perf_counter() - start
            first = first or last
        return Echo(first or float("inf"), last, len(self.output) - before)

    def resident_bytes(self) -> int:
        """The memory the program holds: its resident set."""
        if (statm := Path(f"/proc/{self.pid}/statm")).exists():
            return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, text=True, check=True
        )
        return int(told.stdout) * 1024

    def close(self) -> None:
        """End the program, politely at first, and let go of the terminal."""
        if self._end < 0:
            return
        self._program.terminate()
        end = time.perf_counter() + 2.0
        # A program that waits for somebody to read does not end.
        while self._program.poll() is None and time.perf_counter() < end:
            self.read(0.02)
        self._program.kill()
        self._program.wait()
        os.close(self._end)
        self._end = -1
