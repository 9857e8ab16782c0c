"""From a key to what it draws: time to the first and the last byte, and how many bytes.

Three programs in terminals of 120 by 40, each with the same made-up markdown and the caret in its
middle: the app, opened on that thought; the app's editor alone, bound to a document; Textual's text
area. They type in turns, a word at a time with a pause behind it, as people do; in the pauses the
app commits, describes and indexes the text. A key counts all that comes until 80 ms were silent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from aimem_tui import ui_state
from aimem_tui.paths import Home
from aimem_tui.ui_state import UiState
from aimem_tui.workspace import registry
from aimem_tui.workspace.workspace import Workspace
from bench import prose
from bench.cache import ROOT
from bench.measure import Contest, Goal, Report, Series, Size
from bench.startup import app_command
from bench.terminal import Terminal

APP, EDITOR, STOCK = "aimem, the app", "aimem, its editor alone", "Textual's TextArea"
SIZES = {"1 KB": 1_000, "100 KB": 100_000, "1 MB": 1_000_000}

_WORDS = 15
_WORD = b"session"
_SILENCE_S = 0.08
_PAUSE_S = 1.0
DESCRIBED = rb"ln \d+ .{1,20}words"
"""What the bottom line says once a text is there and was looked through."""
_BELL = rb"[^t]\x07"
"""The bell. Textual names pointers with a sequence that ends like it: ``default`` and a bell."""
_GOAL_SIZE = "1 MB"
_GOAL_MS = 15.0
_GOAL_BYTES = 499.0


@dataclass(slots=True)
class Typist:
    """A terminal that is typed in, and what came of it."""

    terminal: Terminal
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)

    def word(self) -> None:
        """Type a word and a blank, then pause."""
        for key in [bytes([letter]) for letter in _WORD] + [b" "]:
            echo = self.terminal.press(key, silence=_SILENCE_S)
            if echo.size:
                self.first.append(echo.first * 1000)
                self.last.append(echo.last * 1000)
            self.bytes.append(echo.size)
        self.terminal.settle(_PAUSE_S, timeout=3 * _PAUSE_S)

    def forget(self) -> None:
        """What was typed so far was for warming up."""
        self.first.clear()
        self.last.clear()
        self.bytes.clear()


def run(size: Size) -> Report:
    """Type in all three programs at every size."""
    report = Report("keystroke")
    sizes = dict(list(SIZES.items())[:1]) if size.quick else SIZES
    for name, length in sizes.items():
        with TemporaryDirectory(prefix="aimem-bench-") as folder:
            report.contests += _contests(name, length, Path(folder), size.pick(_WORDS, 1))
    return report


def _contests(name: str, length: int, folder: Path, words: int) -> list[Contest]:
    text = prose.markdown(length)
    file = folder / "text.md"
    file.write_text(text, encoding="utf-8")
    with ExitStack() as stack:
        typists = {
            APP: Typist(stack.enter_context(_app(text, folder))),
            EDITOR: Typist(stack.enter_context(_widget("aimem", file))),
            STOCK: Typist(stack.enter_context(_widget("textual", file))),
        }
        for turn in range(words + 1):
            for typist in typists.values():
                typist.word()
                if turn == 0:
                    typist.forget()
    is_goal = name == _GOAL_SIZE
    return [
        Contest(
            f"{name}, key to first byte",
            "ms",
            tuple(Series(who, tuple(typist.first)) for who, typist in typists.items()),
            (Goal(_GOAL_MS),) if is_goal else (),
        ),
        Contest(
            f"{name}, key to last byte",
            "ms",
            tuple(Series(who, tuple(typist.last)) for who, typist in typists.items()),
        ),
        Contest(
            f"{name}, output of a key",
            "bytes",
            tuple(Series(who, tuple(typist.bytes)) for who, typist in typists.items()),
            (Goal(_GOAL_BYTES),) if is_goal else (),
        ),
    ]


@contextmanager
def _app(text: str, folder: Path) -> Iterator[Terminal]:
    """The app with one thought, opened in its middle, the caret in the text."""
    root = folder / "home"
    home = Home(config=root, data=root, state=root / "state")
    with Workspace(registry.file_of(home, "default"), name="default", author="bench") as made:
        thought = made.create("bench.md", text)
    state = UiState(thought=thought.id, line=text.count("\n") // 2, welcomed=True)
    ui_state.save(home.state / "screen-default.json", state)
    variables = {"AIMEM_HOME": str(root), "AIMEM_AUTHOR": "bench", "AIMEM_WORKSPACE": "default"}
    with Terminal(app_command(), columns=120, rows=40, env=variables, cwd=ROOT) as terminal:
        terminal.wait_for(DESCRIBED, timeout=120)
        terminal.settle(1.0)
        # The row of the open thought is the chosen one: this goes into its text.
        terminal.press(b"\r", silence=1.0)
        yield terminal


@contextmanager
def _widget(contestant: str, file: Path) -> Iterator[Terminal]:
    command = [sys.executable, "-m", "bench.editor_app", contestant, str(file)]
    with Terminal(command, columns=120, rows=40, cwd=ROOT) as terminal:
        terminal.wait_for(_BELL, timeout=120)
        terminal.settle(1.0)
        yield terminal
