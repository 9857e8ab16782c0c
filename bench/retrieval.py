"""What search finds: SciFact's 300 test questions, through the product's own path.

- Each abstract is a markdown file, its title a heading. They are imported with ``aimem import`` and
  indexed with ``aimem index run``; the workspace stays in the cache, so only the first run is slow.
- Questions are asked in one process, as the app asks them; a few also with ``aimem search --json``,
  which must say the same.
- nDCG@10 as BEIR has it: gains by the judgements, discounted by log2 of the place, over the best
  order there could be. Recall@100 beside it. Nothing was tuned on the questions of this part.
- bm25s ranks the same texts (title and abstract) in the same run, with its defaults, English
  stop-words and Snowball's stems.
- Published figures (BEIR, Anserini, SPLADE++, the models' cards) stand beside; they are of fp32
  models on a GPU, and BM25's over title and text.
"""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from aimem_tui.paths import Home
from aimem_tui.workspace import registry
from aimem_tui.workspace.workspace import Workspace
from bench import cache, peers
from bench.cache import ROOT, shared_data
from bench.measure import Contest, Goal, Report, Series, Size
from bench.startup import app_command

KINDS = ("fulltext", "semantic", "hybrid")
GOALS = {"fulltext": 69.0, "semantic": 65.0, "hybrid": 74.0}
PUBLISHED = {
    "fulltext": {"BM25, two fields": 66.47, "BM25, one field": 67.89, "SPLADE++": 70.36},
    "semantic": {"all-MiniLM-L6-v2, fp32": 64.51, "bge-base": 74.08},
    "hybrid": {"SPLADE++": 70.36, "bge-base": 74.08},
}
_DEPTH = 100
_EDITION = 1


class Question(NamedTuple):
    """A question and which texts answer it how well."""

    text: str
    answers: Mapping[str, int]


def run(size: Size) -> Report:
    """Ask all questions in all ways."""
    report = Report("retrieval")
    source = shared_data() / "retrieval" / "scifact"
    if not source.is_dir():
        report.notes.append("SciFact is not on this machine.")
        return report
    asked = questions(source, "test")[: size.pick(300, 3)]
    root = _workspace(source, size)
    home = Home(config=root, data=root, state=root / "state")
    os.environ["AIMEM_HOME"] = str(root)
    with Workspace(registry.file_of(home, "default"), name="default", author="bench") as workspace:
        for kind in KINDS:
            found = {"aimem": [_found(workspace, question, kind) for question in asked]}
            if kind == "fulltext":
                found |= _by_bm25s(source, asked, size, report)
            report.contests += _contests(kind, asked, found)
    for kind in KINDS:
        for number in range(0, len(asked), size.pick(100, 2)):
            _compare(asked[number], kind, root, report)
    return report


def questions(source: Path, part: str) -> list[Question]:
    """The questions of a part of a set in BEIR's layout that have an answer."""
    with (source / "queries.jsonl").open(encoding="utf-8") as lines:
        texts = {each["_id"]: each["text"] for each in map(json.loads, lines)}
    answers: dict[str, dict[str, int]] = {}
    with (source / "qrels" / f"{part}.tsv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            if int(row["score"]) > 0:
                answers.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    return [Question(texts[each], answers[each]) for each in answers]


def ndcg(ranked: Sequence[str], answers: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain (Järvelin, Kekäläinen, 2002) of a ranking."""
    gain = sum(
        answers.get(each, 0) / math.log2(place + 2) for place, each in enumerate(ranked[:depth])
    )
    best = sorted(answers.values(), reverse=True)[:depth]
    return gain / sum(each / math.log2(place + 2) for place, each in enumerate(best))


def recall(ranked: Sequence[str], answers: Mapping[str, int], depth: int = _DEPTH) -> float:
    """How many of the answers are among the first."""
    return len(answers.keys() & set(ranked[:depth])) / len(answers)


def _contests(
    kind: str, asked: Sequence[Question], found: Mapping[str, Sequence[list[str]]]
) -> list[Contest]:
    def series(measure: Callable[[Sequence[str], Mapping[str, int]], float]) -> list[Series]:
        return [
            Series(who, (100 * fmean(map(measure, rankings, [each.answers for each in asked])),))
            for who, rankings in found.items()
        ]

    published = [Series(name, (value,)) for name, value in PUBLISHED[kind].items()]
    goal = Goal(GOALS[kind], "p50", at_least=True)
    return [
        Contest(f"SciFact, {kind}", "nDCG@10, %", (*series(ndcg), *published), (goal,)),
        Contest(f"SciFact, {kind}", "recall@100, %", tuple(series(recall))),
    ]


def _by_bm25s(
    source: Path, asked: Sequence[Question], size: Size, report: Report
) -> dict[str, list[list[str]]]:
    """The rankings of bm25s, by its name; nothing if it is not to be had."""
    try:
        peer = peers.installed("bm25s<1", "PyStemmer", program="python")
    except peers.Absent as absent:
        report.notes.append(f"bm25s was not measured: {absent}.")
        return {}
    texts = _abstracts(source, size)
    given = {
        "texts": [f"{each['title']}\n{each['text']}" for each in texts],
        "questions": [question.text for question in asked],
    }
    with TemporaryDirectory(prefix="aimem-bench-") as scratch:
        file = Path(scratch) / "given.json"
        file.write_text(json.dumps(given), encoding="utf-8")
        script = str(Path(__file__).with_name("search_peer.py"))
        said = subprocess.run(
            [str(peer.program), script, "bm25s", "rank", str(file), str(_DEPTH)],
            env=dict(os.environ) | {"PYTHONPATH": ""},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            encoding="utf-8",
        ).stdout
    ranked: list[list[int]] = json.loads(said.strip().splitlines()[-1])
    return {peer.label: [[texts[place]["_id"] for place in places] for places in ranked]}


def _abstracts(source: Path, size: Size) -> list[dict[str, str]]:
    with (source / "corpus.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line) for line in lines]
    return texts[: size.pick(len(texts), 200)]


def _found(workspace: Workspace, question: Question, kind: str) -> list[str]:
    results = workspace.search(question.text, kind=kind, limit=_DEPTH)
    if results.kind != kind or results.unindexed:
        raise RuntimeError(f"asked for {kind}: {results.said or 'not all is indexed'}")
    return [_name(hit.thought.path) for hit in results.hits]


def _compare(question: Question, kind: str, root: Path, report: Report) -> None:
    """See that the command line finds what the facade finds."""
    arguments = ["search", "--json", "--type", kind, "--limit", "10", "--", question.text]
    hits = json.loads(_aimem(root, *arguments))["hits"]
    home = Home(config=root, data=root, state=root / "state")
    with Workspace(registry.file_of(home, "default"), name="default", author="bench") as workspace:
        ours = _found(workspace, question, kind)[:10]
    if [_name(hit["thought"]["path"]) for hit in hits] != ours:
        report.notes.append(f"The command line finds something else, {kind}: {question.text}")


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")


def _workspace(source: Path, size: Size) -> Path:
    """A home whose workspace has every abstract, indexed."""
    root = cache.folder() / f"scifact-{size.pick(0, 200)}-{_EDITION}"
    if not (root / "texts").is_dir():
        with cache.made_whole(root) as unfinished:
            texts = unfinished / "texts"
            texts.mkdir()
            for each in _abstracts(source, size):
                body = f"# {each['title']}\n\n{each['text']}\n"
                (texts / f"{each['_id']}.md").write_text(body, encoding="utf-8")
            _aimem(unfinished, "import", str(texts))
    # Again each time: what the index is made of may have changed, and else it takes a moment.
    _aimem(root, "index", "run")
    return root


def _aimem(root: Path, *arguments: str) -> str:
    variables = dict(os.environ) | {
        "AIMEM_HOME": str(root),
        "AIMEM_WORKSPACE": "default",
        "AIMEM_AUTHOR": "bench",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [*app_command(), *arguments],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
