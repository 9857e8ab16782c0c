"""Search by words in 100,000 thoughts without an index, beside ripgrep on the same thoughts.

This is what is there before anything was indexed: the full text in the workspace's own file.

- Through the facade, as the app and an agent do, in a process that has searched before. As one
  types means 50 hits, as the app asks for; else 20.
- ripgrep lists the files that hold the words, in any letter case, unranked and without passages;
  several words are searched one after the other, each in the files that held the ones before.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench import cache, peers
from bench.corpus import Corpus, corpus
from bench.measure import Contest, Goal, Report, Series, Size, milliseconds
from bench.questions import Question, questions

_GOAL_MS = 30.0
_TYPED_LIMIT = 50
_PEER_SORTS = ("one rare word", "one middling word", "one common word", "two words", "exact words")


def measure(report: Report, size: Size) -> None:
    """Search in all ways."""
    found = corpus(size.pick(100_000, 300))
    asked = questions(size.pick(30, 1), found.thoughts)
    warm = _warm(found, asked, size.pick(3, 1))
    everything = tuple(value for series in warm.values() for value in series.values)
    name = f"{found.thoughts:,} thoughts by words"
    goal = Goal(_GOAL_MS)
    report.contests.append(
        Contest(f"{name}, all searches", "ms", (Series("aimem", everything),), (goal,))
    )
    try:
        ripgrep = peers.on_path("ripgrep", "rg")
    except peers.Absent as absent:
        report.notes.append(f"ripgrep was not measured: {absent}.")
        beside: dict[str, Series] = {}
    else:
        files = _exported(found)
        beside = {
            sort: Series(
                ripgrep.label,
                tuple(
                    milliseconds(partial(look_through, ripgrep, _spoken(question), files))
                    for question in asked[sort][: size.pick(10, 1)]
                ),
            )
            for sort in _PEER_SORTS
        }
    for sort, series in warm.items():
        others = (beside[sort],) if sort in beside else ()
        report.contests.append(Contest(f"{name}, {sort}", "ms", (series, *others), (goal,)))


def look_through(ripgrep: peers.Peer, words: Sequence[str], files: Path) -> None:
    """Have ripgrep list the files below a folder that have all of some words."""
    base = [str(ripgrep.program), "-l", "-i", "-F", "--no-ignore", "-0"]
    hits = subprocess.run([*base, "-e", words[0], str(files)], capture_output=True, check=False)
    for word in words[1:]:
        if not hits.stdout:
            return
        hits = subprocess.run(
            ["xargs", "-0", *base, "-e", word], input=hits.stdout, capture_output=True, check=False
        )


def _warm(found: Corpus, asked: dict[str, list[Question]], rounds: int) -> dict[str, Series]:
    values: dict[str, list[float]] = {sort: [] for sort in asked}
    with found.open() as workspace:

        def search(question: Question) -> float:
            limit = _TYPED_LIMIT if question.as_you_type else 20
            started = time.perf_counter()
            workspace.search(
                question.words, question.wanted, limit=limit, as_you_type=question.as_you_type
            )
            return (time.perf_counter() - started) * 1000

        for turn in range(-1, rounds):
            for sort, listed in asked.items():
                for question in listed:
                    value = search(question)
                    if turn >= 0:
                        values[sort].append(value)
    return {sort: Series("aimem", tuple(each)) for sort, each in values.items()}


def _exported(found: Corpus) -> Path:
    """The workspace as a folder of files, written once."""
    from aimem_tui.model import ExportOptions

    target = cache.folder() / f"files-of-{found.root.name}"
    if not target.is_dir():
        with cache.made_whole(target) as unfinished, found.open() as workspace:
            workspace.export(unfinished / "files", ExportOptions())
    return target / "files"


def _spoken(question: Question) -> list[str]:
    """What ripgrep looks for: each word, or the exact words."""
    if question.words.startswith('"'):
        return [question.words.strip('"')]
    return question.words.split()
