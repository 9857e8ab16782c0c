"""What indexing means for who writes: how soon an edit is found, and what a key costs meanwhile.

- A paragraph of a thought is written anew, in a workspace that is indexed, while the app's indexing
  runs beside. Its words are searched for at once. A question about it, which has none of its words,
  is asked again and again until that thought is the first answer.
- The app is typed in, in a terminal, on a thought of 100 KB in the middle of a workspace with
  thousands of passages that wait: with indexing switched on, and switched off, in turns. A key
  counts to the first byte that it draws.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, Self
from unittest import mock

from aimem_tui import ui_state
from aimem_tui.errors import NotFound
from aimem_tui.index import status
from aimem_tui.index.file import IndexFile
from aimem_tui.paths import Home
from aimem_tui.ui_state import UiState
from aimem_tui.workspace.indexing import Indexing
from aimem_tui.workspace.workspace import Workspace
from bench import prose
from bench.cache import ROOT
from bench.corpus import Corpus, kept
from bench.keystroke import DESCRIBED, Typist
from bench.measure import Contest, Goal, Report, Series, Size, milliseconds, percentile
from bench.search_index import Filled
from bench.search_texts import Notes
from bench.startup import app_command
from bench.terminal import Terminal
from crdt.textdiff import Splice

_PATH = "bench/edited.md"
_EDITS = {
    "The kitten sleeps on the radiator all afternoon.": "a young cat napping in a warm place",
    "Bring sunscreen and towels, the sea is calm this week.": "packing for a beach holiday",
    "Knead the dough for ten minutes and let it rise twice.": "how to bake bread",
    "The orchestra rehearses Mahler on Thursday evening.": "classical music concert practice",
    "The ferry to the island leaves at noon.": "when does the boat depart",
    "Her knee hurts since she ran the marathon.": "sports injury of a jogger",
}
"""What is written, and a question about it that shares no telling word with it."""
_MEANT_S = 2.0
_WAIT_S = 60.0
"""After so long it is taken for not found, and that is the time that counts."""
_POLL_S = 0.02
_LENGTH = 100_000
_WAITING = 4_000
_KEY_MS = 5.0
_UNDER_WAY_S = 6.0


class _Settings(NamedTuple):
    """The settings that keep the app's indexing on."""

    def get(self, key: str) -> str:
        """The value in force."""
        return "on" if key == "index.background" else ""

    def renewed(self) -> Self:
        """The same."""
        return self


def edited(report: Report, filled: Filled, size: Size) -> None:
    """How soon an edited paragraph is found."""
    words, meaning = [], []
    with (
        mock.patch.dict(os.environ, AIMEM_HOME=str(filled.corpus.root)),
        filled.corpus.open() as workspace,
        _indexing(workspace, filled.home),
    ):
        thought = _edited_thought(workspace)
        _wait(lambda: not workspace.search("one", kind="semantic").unindexed)
        for number, (said, question) in enumerate(list(_EDITS.items())[: size.pick(6, 1)]):
            word = f"zq{time.time_ns():x}{number}"
            _write(workspace, thought, f"{said} {word}.")
            started = time.perf_counter()
            words.append(milliseconds(partial(_by_words, workspace, thought, word)))
            if not _wait(partial(_is_first, workspace, thought, question)):
                report.notes.append(f"Not found by its meaning: {said}")
            meaning.append(time.perf_counter() - started)
    name = f"{filled.passages:,} passages, an edited paragraph is found"
    report.contests += [
        Contest(f"{name} by its words", "ms", (Series("aimem", tuple(words)),)),
        Contest(
            f"{name} by its meaning", "s", (Series("aimem", tuple(meaning)),), (Goal(_MEANT_S),)
        ),
    ]


def typed(report: Report, notes: Notes, size: Size) -> None:
    """What a key costs while the app indexes, and while it does not."""
    corpus = kept(f"search-typing-{len(notes.real)}", notes.texts(size.pick(_WAITING, 60)))
    keys: dict[str, list[float]] = {"on": [], "off": []}
    growth, embedded = [], 0
    for _ in range(size.pick(5, 1)):
        found = {}
        for background in keys:
            found[background], done = _typed(corpus, background, size.pick(10, 1), size)
            keys[background] += found[background]
            embedded += done
        growth.append(percentile(found["on"], 95) - percentile(found["off"], 95))
    report.contests += [
        Contest(
            "a key in the app, to its first byte",
            "ms",
            (
                Series("aimem, while it indexes", tuple(keys["on"])),
                Series("aimem, idle", tuple(keys["off"])),
            ),
        ),
        Contest(
            "by how much more its p95 is while it indexes, each round",
            "ms",
            (Series("aimem", tuple(growth)),),
            (Goal(_KEY_MS, "p50"),),
        ),
    ]
    report.notes.append(f"While keys were typed {embedded:,} passages were embedded.")


@contextmanager
def _indexing(workspace: Workspace, home: Home) -> Iterator[None]:
    indexing = Indexing(workspace, home, _Settings(), lambda: None)
    indexing.begin()
    try:
        yield
    finally:
        indexing.end()


def _edited_thought(workspace: Workspace) -> str:
    try:
        thought = workspace.get(_PATH)
    except NotFound:
        return workspace.create(_PATH, "# Edited\n\nNothing yet.\n").id
    # What an earlier run left there is not to be found before it is written.
    _write(workspace, thought.id, "Nothing yet.")
    return thought.id


def _write(workspace: Workspace, thought: str, paragraph: str) -> None:
    def change(present: str) -> list[Splice]:
        at = present.index("\n\n") + 2
        return [Splice(at, len(present), f"{paragraph}\n")]

    workspace.edit_text(thought, change)


def _by_words(workspace: Workspace, thought: str, word: str) -> None:
    hits = workspace.search(word, kind="fulltext").hits
    if [hit.thought.id for hit in hits] != [thought]:
        raise RuntimeError(f"{word} is not found by its words")


def _is_first(workspace: Workspace, thought: str, question: str) -> bool:
    hits = workspace.search(question, kind="semantic", limit=1).hits
    return bool(hits) and hits[0].thought.id == thought


def _wait(for_it: Callable[[], bool]) -> bool:
    """Whether it came about in time."""
    end = time.perf_counter() + _WAIT_S
    while not for_it():
        if time.perf_counter() > end:
            return False
        time.sleep(_POLL_S)
    return True


def _typed(corpus: Corpus, background: str, words: int, size: Size) -> tuple[list[float], int]:
    """Returns: milliseconds a key, and how many passages were embedded meanwhile."""
    with TemporaryDirectory(prefix="aimem-bench-") as folder:
        root = Path(folder) / "home"
        shutil.copytree(corpus.root, root)
        settings = f'[index]\nbackground = "{background}"\n'
        home = Home(config=root, data=root, state=root / "state")
        home.settings_file.write_text(settings, encoding="utf-8")
        text = prose.markdown(size.pick(_LENGTH, 1_000))
        file = root / corpus.file.relative_to(corpus.root)
        with Workspace(file, name="default", author="bench") as made:
            thought = made.create("bench.md", text)
        state = UiState(thought=thought.id, line=text.count("\n") // 2, welcomed=True)
        ui_state.save(home.state / "screen-default.json", state)
        variables = corpus.environment | {"AIMEM_HOME": str(root)}
        with Terminal(app_command(), columns=120, rows=40, env=variables, cwd=ROOT) as terminal:
            terminal.wait_for(DESCRIBED, timeout=120)
            terminal.settle(1.0)
            # The row of the open thought is the chosen one: this goes into its text.
            terminal.press(b"\r", silence=1.0)
            # All is read by then, and what is read is being embedded.
            time.sleep(size.pick(int(_UNDER_WAY_S), 0))
            typist = Typist(terminal)
            typist.word()
            typist.forget()
            before = _waiting(home.index_file)
            for _ in range(words):
                typist.word()
            done = before - _waiting(home.index_file)
        return typist.first, done


def _waiting(file: Path) -> int:
    if not file.is_file():
        return 0
    with IndexFile(file) as index:
        return sum(space.waiting for space in status.read(index).spaces)
