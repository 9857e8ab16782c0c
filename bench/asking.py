"""Whether memory knows when it knows: questions over real notes, without a language model.

The notes are a corpus of ``shared/data``, brought in and indexed by the product's own commands and
kept in the cache. The questions are those of ``tests/assist/questions.toml``: half of them have an
answer in a note that is named there, half have none. The bounds of
:mod:`aimem_tui.assist.knowing` were set on the part called ``first``; the figures are those of
``second``.

``hard`` are questions of the second kind about what the notes do write about, made afterwards.

- by words: as it is before anything is indexed by meaning.
- by meaning: with the index.
"""

from __future__ import annotations

import os
import subprocess
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest import mock

from aimem_tui.paths import Home
from aimem_tui.workspace import asking
from aimem_tui.workspace.registry import file_of
from aimem_tui.workspace.workspace import Workspace
from bench import cache
from bench.cache import ROOT
from bench.measure import Contest, Report, Series, Size
from bench.startup import app_command

_NOTES = ("corpora", "til-jbranchaud")
_QUESTIONS = ROOT / "tests" / "assist" / "questions.toml"


class _Asked(NamedTuple):
    """What came of the questions of one part."""

    known: float
    unknown: float
    hard: float
    found: float
    """Shares: of questions with an answer those where memory says that it knows; of those without
    one, and of the hard ones, those where it says that it does not; of those with one those whose
    note is among the passages."""
    times: tuple[float, ...]
    """Milliseconds a question."""


def run(size: Size) -> Report:
    """Ask all questions, by words and by meaning."""
    report = Report("asking")
    notes = cache.shared_data().joinpath(*_NOTES)
    if not notes.is_dir():
        report.notes.append("Questions: not measured, there are no shared corpora.")
        return report
    home = cache.folder("asking", "quick" if size.quick else "full")
    _command(home, "import", str(notes / "zsh" if size.quick else notes))
    _command(home, "index", "run")
    with TemporaryDirectory() as elsewhere:
        # The index is looked for where aimem is at home; there is none.
        asked = {"by words": _ask(home, Path(elsewhere))}
    asked["by meaning"] = _ask(home, home)
    for how, (known, unknown, hard, found, times) in asked.items():
        report.contests += [
            Contest(f"says that it knows what it knows, {how}", "share", (_ours(known),)),
            Contest(f"says that it does not know the rest, {how}", "share", (_ours(unknown),)),
            Contest(f"says that it does not know the hard ones, {how}", "share", (_ours(hard),)),
            Contest(f"the note with the answer is shown, {how}", "share", (_ours(found),)),
            Contest(f"a question, {how}", "ms", (Series("aimem", times),)),
        ]
    return report


def _ours(share: float) -> Series:
    return Series("aimem", (share,))


def _ask(kept: Path, home: Path) -> _Asked:
    every = tomllib.loads(_QUESTIONS.read_text(encoding="utf-8"))
    questions, hard = every["second"], every["hard"]["unanswerable"]
    known = found = 0
    times: list[float] = []
    file = file_of(Home(kept, kept, kept), "default")
    with (
        mock.patch.dict(os.environ, AIMEM_HOME=str(home)),
        Workspace(file, name="default", author="bench") as workspace,
    ):
        # The first question loads what all others find loaded.
        asking.ask(workspace, "Is anybody there?")
        for question, path in questions["answerable"]:
            started = time.perf_counter()
            answer = asking.ask(workspace, question)
            times.append((time.perf_counter() - started) * 1000)
            known += answer.known
            found += any(each.thought.path == path for each in answer.passages)
        unknown = _unknown(workspace, questions["unanswerable"])
        hard_unknown = _unknown(workspace, hard)
    asked = len(questions["answerable"])
    return _Asked(known / asked, unknown, hard_unknown, found / asked, tuple(times))


def _unknown(workspace: Workspace, questions: Sequence[str]) -> float:
    answers = [asking.ask(workspace, question) for question in questions]
    return sum(not answer.known for answer in answers) / len(answers)


def _command(home: Path, *words: str) -> None:
    environment = os.environ | {"AIMEM_HOME": str(home)}
    subprocess.run([*app_command(), *words], env=environment, check=True, capture_output=True)
