"""Parts of names: whether they are found, what the tables for them take, and what a key costs.

10,000 thoughts: the notes of ``shared/data``, the long ones cut at their headings, and copies with
paths of their own up to that number. Nothing is embedded: parts of names need no vectors.

Looked for are five to nine letters out of the middle of a word of a title, of a path, and of a name
in a text, of which no more than five thoughts have them there; each is asked for as one types, as
the app does. Beside it stands the same search without parts of names.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest import mock

import apsw

from aimem_tui.index import status
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import Indexer, ModelSource
from aimem_tui.markdown import names
from aimem_tui.search import naming
from aimem_tui.workspace.searching import Searching
from aimem_tui.workspace.workspace import Workspace
from bench.cache import shared_data
from bench.corpus import kept
from bench.measure import Contest, Report, Series, Size
from bench.prose import START, Text

_SOURCES = (
    ("corpora", "til-jbranchaud"),
    ("thoughts", "mem8", "latest"),
    ("thoughts", "actingweb", "latest"),
    ("corpora", "rust-rfcs"),
)
_LONG = 6_000
_SECTION = re.compile(r"(?m)^(?=## )")
_SHOWN = 10
_LIMIT = 50
_RAREST = 5
_WORDS: dict[str, Callable[[_Row], list[str]]] = {
    "title": lambda row: re.findall(r"\w{7,}", row.title),
    "path": lambda row: re.findall(r"[\w-]{9,}", row.path),
    "name in a text": lambda row: [each for each in names.in_text(row.body) if len(each) >= 8],
}


class _Row(NamedTuple):
    thought: str
    title: str
    path: str
    body: str

    def says(self, where: str, part: str) -> bool:
        """Whether a part stands there, in whatever letters."""
        text = {"title": self.title, "path": self.path}.get(where, self.body)
        return part.lower() in text.lower()


class _Asked(NamedTuple):
    part: str
    thoughts: frozenset[str]


class _Answers(NamedTuple):
    found: float
    """The share of thoughts that are among the first ten."""
    milliseconds: tuple[float, ...]


def run(size: Size) -> Report:
    """Look for parts of names."""
    report = Report("naming")
    if not shared_data().is_dir():
        report.notes.append("Parts of names: not measured, there are no shared corpora.")
        return report
    number = size.pick(10_000, 100)
    found = kept(f"naming-{number}", _texts(number))
    index_file = found.root / "index.db"
    with found.open() as workspace, IndexFile(index_file) as index:
        status.pause(index)
        Indexer(workspace.database, index, ModelSource.of("")).run()
        report.contests += [
            _size("titles and paths, in the workspace", workspace.database.read(), "names"),
            _size("names in texts, in the index", index.read(), "names_1"),
        ]
        report.contests.append(
            Contest("the workspace", "MB", (Series("aimem", (found.file.stat().st_size / 1e6,)),))
        )
        workspace.searching.close()
        with mock.patch.object(
            workspace, "_searching", Searching(workspace.database, workspace.clock, index_file)
        ):
            for where, asked in _questions(workspace, size.pick(100, 5)).items():
                report.contests += _contests(workspace, where, asked)
            workspace.searching.close()
    return report


def _contests(workspace: Workspace, where: str, asked: Sequence[_Asked]) -> list[Contest]:
    ours = _ask(workspace, asked)
    with mock.patch.object(naming, "parts", lambda *_: naming.Parts()):
        without = _ask(workspace, asked)
    return [
        Contest(
            f"a part of a {where} is found",
            "share",
            (Series("aimem", (ours.found,)), Series("without them", (without.found,))),
        ),
        Contest(
            f"a search for a part of a {where}",
            "ms",
            (Series("aimem", ours.milliseconds), Series("without them", without.milliseconds)),
        ),
    ]


def _ask(workspace: Workspace, asked: Sequence[_Asked]) -> _Answers:
    found = 0.0
    times: list[float] = []
    for part, thoughts in asked:
        started = time.perf_counter()
        results = workspace.search(part, kind="fulltext", limit=_LIMIT, as_you_type=True)
        times.append((time.perf_counter() - started) * 1000)
        # Copies stand behind the one that is shown.
        first = {each.id for hit in results.hits[:_SHOWN] for each in (hit.thought, *hit.similar)}
        found += len(thoughts & first) / len(thoughts)
    return _Answers(found / len(asked), tuple(times))


def _questions(workspace: Workspace, number: int) -> dict[str, list[_Asked]]:
    rows = [
        _Row(*row)
        for row in workspace.database.read().execute(
            "SELECT thoughts.id, texts.title, texts.path, body FROM texts JOIN thoughts USING (n)"
        )
    ]
    draw = Random("parts")
    asked: dict[str, list[_Asked]] = {}
    for where, words_of in _WORDS.items():
        asked[where] = []
        while len(asked[where]) < number:
            words = words_of(draw.choice(rows))
            part = _part(draw.choice(words), draw) if words else ""
            if names.in_words(part) != [part]:
                continue
            having = frozenset(row.thought for row in rows if row.says(where, part))
            if 1 <= len(having) <= _RAREST:
                asked[where].append(_Asked(part, having))
    return asked


def _part(word: str, draw: Random) -> str:
    """Some letters out of the middle of a word."""
    length = min(len(word) - 2, draw.randint(5, 9))
    start = draw.randint(1, len(word) - length - 1)
    return word[start : start + length]


def _size(what: str, connection: apsw.Connection, table: str) -> Contest:
    size: int = connection.execute(
        "SELECT sum(pgsize) FROM dbstat WHERE name LIKE ? ESCAPE '\\'",
        (table.replace("_", r"\_") + r"\_%",),
    ).get
    return Contest(what, "MB", (Series("aimem", (size / 1e6,)),))


def _texts(number: int) -> Iterator[Text]:
    real = [*_real()]
    draw = Random("copies")
    for place in range(number):
        path, body = real[place] if place < len(real) else draw.choice(real)
        if place >= len(real):
            path = path.replace(".md", f"-{place}.md")
        yield Text(path, body, "ann", int(START.timestamp() * 1000) + 60_000 * place)


def _real() -> Iterator[tuple[str, str]]:
    for source in _SOURCES:
        root = shared_data().joinpath(*source)
        for file in sorted(root.rglob("*.md")):
            text = file.read_text(encoding="utf-8", errors="replace")
            path = f"{source[1]}/{file.relative_to(root)}"
            yield from [(path, text)] if len(text) < _LONG else _sections(Path(path), text)


def _sections(path: Path, text: str) -> Iterator[tuple[str, str]]:
    for place, part in enumerate(_SECTION.split(text)):
        heading = part.partition("\n")[0] if part.startswith("## ") else "top"
        name = re.sub(r"[^\w-]+", "-", heading.removeprefix("## ").lower())[:40]
        yield f"{path.with_suffix('')}/{place}-{name}.md", part
