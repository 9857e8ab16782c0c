"""Search by words, by meaning and by both, at 10,000, 100,000 and 500,000 passages.

Parts, each with a file of its own (``bench/search_*.py``):

- warm: searches through the facade in a process that has searched before, each one for the first
  time, so a search by meaning is embedded; with and without what restricts it. Everybody is asked
  the same, in turns.
- cold: the command line, from the start of its process to its end.
- what it takes: bytes on disk, memory of the process that has searched.
- how soon an edited paragraph is found, at each size.
- how many passages a second are indexed, and what a key costs meanwhile.
- words alone in 100,000 thoughts that were never indexed, beside ripgrep.

Sizes are chosen with ``--size``, once for each; else they are 10,000 and 100,000. At the first run
of a size its workspace is made, and what the others make of it: see the durations in
``docs/benchmarks.md``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path

from bench import peers, search_live, search_peers, search_rate, search_words
from bench.cache import ROOT
from bench.measure import Contest, Goal, Report, Series, Size, in_turns, milliseconds
from bench.prose import START
from bench.search_children import Aimem, Asked, Restricted, Searcher
from bench.search_index import Filled, filled
from bench.search_texts import Notes, Searches
from bench.startup import app_command
from bench.words import TAGS, TEAM_WORDS

SIZES = (10_000, 100_000)
KINDS = ("fulltext", "semantic", "hybrid")
_QUICK_SIZE, _QUICK_NOTES = 100, 20
_HYBRID_MS = {100_000: 60.0, 500_000: 200.0}
_COLD_SEMANTIC_MS = 1_000.0
_BASIC_MEMORY_MOST = 15_000
"""Passages up to which basic-memory is filled: it takes half an hour for 10,000."""
_RECENT_SHARE = 0.15
_WARMING = 5
_DAY_MS = 86_400_000


def run(size: Size) -> Report:
    """Measure everything at each size."""
    report = Report("search")
    notes = Notes(_QUICK_NOTES if size.quick else None)
    for passages in size.sizes or ((_QUICK_SIZE,) if size.quick else SIZES):
        _tell(f"{passages:,} passages")
        found = filled(passages, notes)
        _at_a_size(report, found, notes, size)
        _tell("an edit until it is found")
        search_live.edited(report, found, size)
    _tell("the rate of indexing")
    search_rate.measure(report, notes, size)
    _tell("keys")
    search_live.typed(report, notes, size)
    _tell("words alone")
    search_words.measure(report, size)
    report.notes += [
        "Vectors are made up but for those of twenty thoughts and of all searches; passages, words"
        " and everything that is stored are the product's own.",
        "Chroma got aimem's passages with their vectors and embedded each search itself;"
        " basic-memory cut and embedded the same thoughts itself. All with the same weights.",
    ]
    return report


def _tell(part: str) -> None:
    """Say how far a long run has come."""
    print(f"Measuring {part}", file=sys.stderr)


class _Others:
    """Who is there to be asked at a size; what is missing is noted."""

    def __init__(self, report: Report, found: Filled) -> None:
        self.chroma: search_peers.Chroma | None = None
        self.notebook: search_peers.Notebook | None = None
        self.ripgrep: peers.Peer | None = None
        name = f"{found.passages:,} passages"
        try:
            self.ripgrep = peers.on_path("ripgrep", "rg")
        except peers.Absent as absent:
            report.notes.append(f"{name}: ripgrep was not measured: {absent}.")
        try:
            self.chroma = search_peers.chroma(found)
            report.notes.append(f"{name}: Chroma was filled in {self.chroma.seconds:,.0f} s.")
        except peers.Absent as absent:
            report.notes.append(f"{name}: Chroma was not measured: {absent}.")
        if found.passages > _BASIC_MEMORY_MOST:
            report.notes.append(f"{name}: basic-memory was not measured, to fill it takes hours.")
            return
        try:
            self.notebook = search_peers.notebook(found)
            report.notes.append(
                f"{name}: basic-memory was filled in {self.notebook.seconds:,.0f} s."
            )
        except peers.Absent as absent:
            report.notes.append(f"{name}: basic-memory was not measured: {absent}.")


def _at_a_size(report: Report, found: Filled, notes: Notes, size: Size) -> None:
    name = f"{found.passages:,} passages"
    report.notes.append(
        f"{name}: {found.corpus.thoughts:,} thoughts, {found.corpus.bytes_of_text / 1e6:,.0f} MB;"
        f" entered in {found.corpus.seconds:,.0f} s, their passages indexed in"
        f" {found.seconds:,.0f} s (without what embedding them would take)."
    )
    others = _Others(report, found)
    searches = Searches(notes, name)
    _tell(f"{name}, warm")
    _warm(report, name, found, others, searches, size)
    if others.ripgrep is not None:
        _by_words(report, name, found, others.ripgrep, searches, size)
    _tell(f"{name}, cold")
    _cold(report, name, found, others, searches, size)
    _on_disk(report, name, found, others)
    if others.chroma is not None:
        share = others.chroma.recall(found, [searches.any() for _ in range(20)])
        report.notes.append(f"{name}: Chroma finds {share:.1%} of the 20 nearest, aimem all.")


def _warm(
    report: Report,
    name: str,
    found: Filled,
    others: _Others,
    searches: Searches,
    size: Size,
) -> None:
    with ExitStack() as stack:
        asked: dict[str, Searcher] = {
            "aimem": stack.enter_context(Aimem(found.corpus.file, found.corpus.environment))
        }
        if (chroma := others.chroma) is not None:
            asked[chroma.peer.label] = stack.enter_context(chroma.opened())
        if (notebook := others.notebook) is not None:
            asked[notebook.peer.label] = stack.enter_context(notebook.opened())
        for kind in KINDS:
            for restriction, restricted in _restrictions(found).items():
                able = {who: each for who, each in asked.items() if each.can(kind, restricted)}
                rounds = size.pick(40 if any(restricted) else 100, 1)
                series, empty = _asked_in_turns(able, kind, restricted, searches, rounds)
                what = f"{name}, {kind}, {restriction}, warm"
                goals = () if any(restricted) or kind != "hybrid" else _warm_goals(found)
                report.contests.append(Contest(what, "ms", series, goals))
                report.notes += [
                    f"{what}: {who} had no answer to {count} of {rounds}."
                    for who, count in empty.items()
                    if count and not any(restricted)
                ]
        held = {who: each.memory_mb() for who, each in asked.items()}
    for place, what in enumerate(("memory after searching", "of that, without pages of files")):
        series = tuple(Series(who, (each[place],)) for who, each in held.items())
        report.contests.append(Contest(f"{name}, {what}", "MB", series))


def _asked_in_turns(
    able: Mapping[str, Searcher],
    kind: str,
    restricted: Restricted,
    searches: Searches,
    rounds: int,
) -> tuple[tuple[Series, ...], dict[str, int]]:
    """Returns: how long each took, and how many searches it had no answer to."""
    texts = [searches.any() for _ in range(rounds + _WARMING)]
    turn = dict.fromkeys(able, 0)
    empty = dict.fromkeys(able, 0)

    def search(who: str) -> float:
        answered = able[who].search(Asked(texts[turn[who]], kind, restricted))
        empty[who] += turn[who] >= _WARMING and not answered.hits
        turn[who] += 1
        return answered.ms

    contestants = {who: partial(search, who) for who in able}
    series = in_turns(contestants, rounds, warmups=_WARMING)
    return tuple(series.values()), empty


def _restrictions(found: Filled) -> Mapping[str, Restricted]:
    last = int(START.timestamp() * 1000) + found.corpus.thoughts * 9 * 60_000
    first = int(START.timestamp() * 1000)
    return {
        "all": Restricted(),
        "kind": Restricted(kind="plan"),
        "path": Restricted(path=TEAM_WORDS[3]),
        "tag": Restricted(tag=TAGS[0]),
        "since": Restricted(since=last - int((last - first) * _RECENT_SHARE)),
    }


def _warm_goals(found: Filled) -> tuple[Goal, ...]:
    near = (ms for at, ms in _HYBRID_MS.items() if abs(found.passages - at) < at // 10)
    return tuple(map(Goal, near))


def _by_words(
    report: Report,
    name: str,
    found: Filled,
    ripgrep: peers.Peer,
    searches: Searches,
    size: Size,
) -> None:
    sorts: Mapping[str, Callable[[], str]] = {
        "one rare word": searches.rare_word,
        "one common word": searches.common_word,
        "two words": searches.two_words,
    }
    with Aimem(found.corpus.file, found.corpus.environment) as aimem:
        for sort, make in sorts.items():
            texts: Iterator[str] = iter([make() for _ in range(2 * size.pick(21, 2))])

            def ours(texts: Iterator[str] = texts) -> float:
                return aimem.search(Asked(next(texts), "fulltext")).ms

            def theirs(texts: Iterator[str] = texts) -> float:
                words = next(texts).split()
                return milliseconds(lambda: search_words.look_through(ripgrep, words, found.files))

            series = in_turns({"aimem": ours, ripgrep.label: theirs}, size.pick(20, 1))
            report.contests.append(
                Contest(f"{name}, fulltext, {sort}, warm", "ms", tuple(series.values()))
            )


def _cold(
    report: Report, name: str, found: Filled, others: _Others, searches: Searches, size: Size
) -> None:
    rounds = size.pick(15, 1)
    for kind in KINDS:
        texts = [searches.any() for _ in range(rounds + 1)]
        ours = [*app_command(), "search", "--json", "--type", kind]
        home = found.corpus.environment | {"PYTHONPATH": str(ROOT)}
        contestants = {
            "aimem": _process(texts, home, [*ours, "--"]),
            "aimem, of one kind": _process(texts, home, [*ours, "--kind", "plan", "--"]),
        }
        if (chroma := others.chroma) is not None and kind == "semantic":
            contestants[chroma.peer.label] = _process(texts, {"PYTHONPATH": ""}, chroma.command())
        if (notebook := others.notebook) is not None:
            contestants[notebook.peer.label] = _process(
                texts, search_peers.variables(notebook.home), notebook.command(kind)
            )
        series = in_turns(contestants, rounds)
        goals = (Goal(_COLD_SEMANTIC_MS),) if kind == "semantic" else ()
        what = f"{name}, {kind}, a cold process"
        report.contests.append(Contest(what, "ms", tuple(series.values()), goals))


def _process(
    texts: Sequence[str], more: Mapping[str, str], command: Sequence[str]
) -> Callable[[], float]:
    """What starts a command, a text behind it, another one each time."""
    turn = cycle(texts)
    return lambda: milliseconds(lambda: _quietly([*command, next(turn)], more))


def _on_disk(report: Report, name: str, found: Filled, others: _Others) -> None:
    index, file = found.home.index_file, found.corpus.file
    sizes = {
        "aimem, the index": _megabytes(index) + _megabytes(index.with_name(f"{index.name}-wal")),
        "aimem, the workspace": _megabytes(file),
        "the texts": found.corpus.bytes_of_text / 1e6,
    }
    if others.chroma is not None:
        sizes[others.chroma.peer.label] = _megabytes(others.chroma.folder)
    if others.notebook is not None:
        sizes[others.notebook.peer.label] = _megabytes(others.notebook.home / "config")
    series = tuple(Series(who, (size,)) for who, size in sizes.items())
    report.contests.append(Contest(f"{name}, on disk", "MB", series))


def _megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(each.stat().st_size for each in files if each.is_file()) / 1e6


def _quietly(command: list[str], more: Mapping[str, str]) -> None:
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(os.environ) | dict(more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ended.stderr.decode()}")
