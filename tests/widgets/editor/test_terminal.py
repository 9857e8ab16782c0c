"""What a key sends over the line to the terminal is small, however long the text is."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("not on Windows", allow_module_level=True)

from bench.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]
RIGHT, LEFT, UP, DOWN, BACKSPACE, UNDO = (
    b"\x1b[C",
    b"\x1b[D",
    b"\x1b[A",
    b"\x1b[B",
    b"\x7f",
    b"\x1a",
)


PARAGRAPH = (
    "We replace the *session* cookie with **short-lived** tokens; see [the notes](notes/oidc.md)\n"
    "and `relay.check` for how the relay tests them at the door, again in band, and at the end.\n"
    "\n"
    "- [ ] staging, with one team #auth\n"
    "- [x] production, in [[plans/rollout]]\n"
    "\n"
)


@pytest.fixture(scope="module", params=[1_000, 1_000_000], ids=["1 KB", "1 MB"])
def terminal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Terminal]:
    """An editor with a text of a size, the caret at the beginning of a line in its middle."""
    file = tmp_path_factory.mktemp("text") / "plan.md"
    file.write_text(PARAGRAPH * (request.param // len(PARAGRAPH) + 1), encoding="utf-8")
    program = [sys.executable, "-m", "bench.editor_app", "aimem", str(file)]
    with Terminal(program, columns=120, rows=40, cwd=ROOT) as terminal:
        terminal.wait_for(rb"session")
        terminal.settle(0.5)
        yield terminal


def test_typing_sends_little(terminal: Terminal) -> None:
    sizes = [terminal.press(key).size for key in (b"a", b" ", b"b", "é".encode(), b"*", BACKSPACE)]
    assert max(sizes) < 500
    assert min(sizes) > 0


def test_moving_the_caret_sends_little(terminal: Terminal) -> None:
    sizes = [terminal.press(key).size for key in (RIGHT, LEFT, DOWN, UP, RIGHT)]
    assert max(sizes) < 500
    assert min(sizes) > 0


def test_typing_in_a_row_full_of_colours_sends_little(terminal: Terminal) -> None:
    for key in (UP, UP, UP, DOWN):
        terminal.press(key)
    assert terminal.press(b"x").size < 500
    assert terminal.press(UNDO).size < 500


def test_a_new_line_sends_no_more_than_a_screen(terminal: Terminal) -> None:
    assert terminal.press(b"\r").size < 16_000
