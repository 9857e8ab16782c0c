"""The terminal that measures programs shows what they write and ends them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("not on Windows", allow_module_level=True)

from bench.terminal import Terminal

ECHO = """
import os, sys, tty
tty.setraw(0)
size = os.get_terminal_size()
print(f"{size.columns}x{size.lines} {os.environ['TERM']} {os.environ.get('EXTRA')}", flush=True)
while key := os.read(0, 1):
    if key != b"q":
        os.write(1, key * 3)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("on", flush=True)
time.sleep(99)
"""


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_program_finds_a_terminal_of_the_size_asked_for() -> None:
    with Terminal(python(ECHO), columns=33, rows=7, env={"EXTRA": "x"}) as terminal:
        assert terminal.wait_for(rb"33x7 xterm-256color x") > 0


def test_a_key_is_answered_for_in_bytes_and_seconds() -> None:
    with Terminal(python(ECHO)) as terminal:
        terminal.wait_for(b"120x40")
        terminal.settle(0.1)
        echo = terminal.press(b"a")
        assert echo.size == 3
        assert 0 < echo.first <= echo.last
        assert terminal.output.endswith(b"aaa")
        silent = terminal.press(b"q", timeout=0.2)
        assert (silent.first, silent.last, silent.size) == (float("inf"), 0, 0)


def test_waiting_for_what_does_not_come_ends() -> None:
    with Terminal(python(ECHO)) as terminal, pytest.raises(TimeoutError, match="120x40"):
        terminal.wait_for(b"120x40")
        terminal.wait_for(b"never", timeout=0.2)


def test_a_program_that_does_not_want_to_end_ends() -> None:
    with Terminal(python(STUBBORN)) as terminal:
        terminal.wait_for(b"on")
        pid = terminal.pid
    terminal.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Terminal([str(tmp_path / "nothing")])


def test_the_memory_of_a_program_is_known() -> None:
    with Terminal(python(ECHO)) as terminal:
        terminal.wait_for(b"120x40")
        assert 1_000_000 < terminal.resident_bytes() < 1_000_000_000
