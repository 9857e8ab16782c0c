"""How good suggestions are, on real notes, and what they cost.

Notes come from ``shared/data`` (see :func:`bench.cache.shared_data`) into a workspace through the
product's own import. All that can be tuned was chosen on one half of the notes; the figures are
those of the other half.

- Tags: the folder of a note is its tag. One half has its tags, the other has none, and gets them
  suggested. Beside: the most frequent tags, and the nearest centroid of weighted words (tf-idf).
- Tags of a team: thoughts with several tags each, one at a time without its own.
- Duplicates: edited copies of notes among all notes of a half (:mod:`bench.copies`). Beside: a
  cosine of 0.90 alone. False alarms are pairs that are reported among texts that nobody copied.
- Summaries: of thoughts that hold a summary, with that taken out, how much of its words the
  suggested one has (ROUGE-1, F). Beside: the first sentences.
- Time: a workspace of 10,000 thoughts.

Vectors are made with the model that comes along, once, and kept in the cache.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from math import log, sqrt
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from aimem_tui.markdown.frontmatter import properties, remove_property, tags_of
from aimem_tui.model import ImportOptions
from aimem_tui.organize import extracts
from aimem_tui.organize.duplicates import NEAR, likeness_of
from aimem_tui.organize.meaning import VectorNearness
from aimem_tui.organize.organizer import Organizer, Wanted
from aimem_tui.organize.shingles import RunTable, compare, runs_of
from aimem_tui.organize.suggestion import SuggestionKind
from aimem_tui.organize.tokens import body_of, is_telling, words_of
from aimem_tui.workspace.ordering import Ordering
from aimem_tui.workspace.workspace import Workspace
from bench import cache, memory
from bench.copies import EDITORS, copies
from bench.corpus import corpus
from bench.measure import Contest, Goal, Report, Series, Size
from crdt.textdiff import apply

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]

_COPIED = 120
"""Notes of a half that are copied."""

_LARGE = 10_000
_SHARE = "share"


class Note(NamedTuple):
    """A text of a collection."""

    name: str
    text: str


def run(size: Size) -> Report:
    """Measure suggestions, and what they cost."""
    report = Report("organize")
    data = cache.shared_data()
    til = _notes(data / "corpora" / "til-jbranchaud", size)
    if til:
        half = _half(til, "halves")
        report.contests += _tags(half, vectors([note.text for note in half]))
        half = _half(til, "choose")
        rows = vectors([note.text for note in half])
        report.contests += _copied(half, rows, size)
        report.contests.append(_alarms("short notes", half, rows))
    else:
        report.notes.append("Notes: not measured, there are no shared corpora.")
    team = [
        note
        for folder in ("mem8", "actingweb")
        for note in _notes(data / "thoughts" / folder / "latest", size)
    ]
    if team:
        report.contests += _team_tags(team)
        report.contests += _summaries(team)
    rfcs = _notes(data / "corpora" / "rust-rfcs", size)
    if rfcs:
        report.contests.append(_alarms("long documents", rfcs, vectors([n.text for n in rfcs])))
    papers = data / "retrieval" / "scifact" / "corpus.jsonl"
    if papers.is_file() and not size.quick:
        lines = [json.loads(line) for line in papers.read_text(encoding="utf-8").splitlines()]
        texts = [Note(each["title"], f"{each['title']}\n{each['text']}") for each in lines]
        report.contests.append(_alarms("abstracts", texts, None))
    report.contests += _cost(size.pick(_LARGE, 200), report)
    return report


def vectors(texts: Sequence[str]) -> Rows:
    """A vector for each text, from the cache if they were made before."""
    import numpy as np

    digest = blake2b("\0".join(texts).encode(errors="replace"), digest_size=12).hexdigest()
    file = cache.folder("vectors") / f"{digest}.npy"
    if file.is_file():
        return np.asarray(np.load(file), dtype=np.float32)
    from aimem_tui.embedding.model import Embedder, ModelChoice

    rows = Embedder(ModelChoice.bundled()).embed(texts)
    np.save(file, rows)
    return rows


# Tags


def _tags(notes: Sequence[Note], rows: Rows) -> list[Contest]:
    """Notes whose folder is their tag, every second one without it."""
    truth = [note.name.partition("/")[0] for note in notes]
    known = {at for at in range(len(notes)) if at % 2 == 0}
    files = {
        f"n{at:05}.md": f"---\ntags: [{truth[at]}]\n---\n{note.text}" if at in known else note.text
        for at, note in enumerate(notes)
    }
    with _workspace(files) as workspace:
        at_of = {thought.id: int(thought.name[1:6]) for thought in workspace.thoughts()}
        rated: dict[str, dict[int, list[str]]] = {}
        given: dict[int, tuple[str, ...]] = {}
        for name, nearness in (("aimem", _nearness(workspace, at_of, rows)), ("by words", None)):
            organizer = Organizer(workspace.database.read(), 0, nearness=nearness)
            rated[name] = {
                at: [each.tag for each in organizer.rated_tags(thought)]
                for thought, at in at_of.items()
                if at not in known
            }
            if nearness is not None:
                wanted = Wanted((SuggestionKind.TAGS,), limit=len(notes))
                given = {
                    at_of[each.thought]: each.proposal
                    for each in organizer.listing(wanted).suggestions
                }
    frequent = [tag for tag, _ in Counter(truth[at] for at in known).most_common()]
    hidden = sorted(set(range(len(notes))) - known)
    rated["tf-idf centroids"] = _centroids(notes, truth, known, hidden)
    rated["most frequent"] = dict.fromkeys(hidden, frequent)
    right: dict[str, Callable[[list[str], str], float]] = {
        "first tag": lambda found, tag: float(found[:1] == [tag]),
        "first three tags": lambda found, tag: float(tag in found[:3]),
        "precision of three tags, of which one can be right": lambda found, tag: (
            float(tag in found[:3]) / 3
        ),
    }
    contests = []
    for what, score in right.items():
        scores = {
            name: {at: score(found[at], truth[at]) for at in hidden}
            for name, found in rated.items()
        }
        contests.append(_shares(f"tags, {what}", {n: _mean(s.values()) for n, s in scores.items()}))
        contests.append(
            _shares(
                f"tags, {what}, each tag alike", {n: _macro(s, truth) for n, s in scores.items()}
            )
        )
    best = [given[at][0] == truth[at] for at in hidden if given.get(at)]
    contests.append(
        _shares(
            "tags that are listed: the first is right, and notes that get any",
            {"aimem": _mean(map(float, best)), "notes with any": len(best) / max(1, len(hidden))},
        )
    )
    return contests


def _team_tags(notes: Sequence[Note]) -> list[Contest]:
    """Thoughts with several tags each, one at a time without them; of copies only one counts."""
    tagged: dict[frozenset[int], Note] = {}
    for note in notes:
        if len(tags_of(properties(note.text))) > 1:
            tagged.setdefault(runs_of(words_of(body_of(note.text))), note)
    chosen = [*tagged.values()]
    if len(chosen) < 2:
        return []
    truth = [{tag.casefold() for tag in tags_of(properties(note.text))} for note in chosen]
    bare = [_without(note.text, "tags") for note in chosen]
    rows = vectors(bare)
    found: dict[str, list[list[str]]] = defaultdict(list)
    for hidden in range(len(chosen)):
        files = {
            f"n{at:05}.md": bare[at] if at == hidden else note.text
            for at, note in enumerate(chosen)
        }
        with _workspace(files) as workspace:
            at_of = {thought.id: int(thought.name[1:6]) for thought in workspace.thoughts()}
            about = next(thought for thought, at in at_of.items() if at == hidden)
            for name, nearness in (
                ("aimem", _nearness(workspace, at_of, rows)),
                ("by words", None),
            ):
                organizer = Organizer(workspace.database.read(), 0, nearness=nearness)
                found[name].append([each.tag.casefold() for each in organizer.rated_tags(about)])
        used = Counter(tag for at, tags in enumerate(truth) if at != hidden for tag in tags)
        found["most frequent"].append([tag for tag, _ in used.most_common()])
    reachable = [
        {tag for tag in tags if any(tag in other for at, other in enumerate(truth) if at != own)}
        for own, tags in enumerate(truth)
    ]
    return [
        _shares(
            f"a team's tags, {len(chosen)} thoughts, precision of three",
            {
                name: _mean(len(set(tags[:3]) & truth[at]) / 3 for at, tags in enumerate(lists))
                for name, lists in found.items()
            },
        ),
        _shares(
            "a team's tags, of those that another thought has, found among five",
            {
                name: _mean(
                    len(set(tags[:5]) & reachable[at]) / min(5, len(reachable[at]))
                    for at, tags in enumerate(lists)
                    if reachable[at]
                )
                for name, lists in found.items()
            },
        ),
    ]


def _centroids(
    notes: Sequence[Note], truth: Sequence[str], known: set[int], hidden: Sequence[int]
) -> dict[int, list[str]]:
    """The tags whose notes, taken together, have words most like a note's."""
    counts = [Counter(filter(is_telling, words_of(note.text))) for note in notes]
    holders = Counter(word for at in known for word in counts[at])

    def weighed(count: Counter[str]) -> dict[str, float]:
        raw = {
            word: (1 + log(times)) * log(len(known) / holders[word])
            for word, times in count.items()
            if holders[word]
        }
        length = sqrt(sum(weight * weight for weight in raw.values())) or 1.0
        return {word: weight / length for word, weight in raw.items()}

    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for at in known:
        sums[truth[at]].update(weighed(counts[at]))
    lengths = {tag: sqrt(sum(w * w for w in words.values())) for tag, words in sums.items()}
    found = {}
    for at in hidden:
        own = weighed(counts[at])
        likeness = {
            tag: sum(weight * words[word] for word, weight in own.items()) / lengths[tag]
            for tag, words in sums.items()
        }
        found[at] = sorted(likeness, key=lambda tag: (-likeness[tag], tag))
    return found


# Duplicates


def _copied(notes: Sequence[Note], rows: Rows, size: Size) -> list[Contest]:
    """How many of the edited copies are found among all notes, for each way of editing."""
    import numpy as np

    texts = [note.text for note in notes]
    chosen = range(0, len(notes), max(1, len(notes) // size.pick(_COPIED, 5)))
    runs = [runs_of(words_of(body_of(text))) for text in texts]
    contests = []
    for name, edited in copies(texts, list(chosen)).items():
        edited_rows = vectors(edited)
        all_rows = np.concatenate([rows, edited_rows])
        all_runs = runs + [runs_of(words_of(body_of(text))) for text in edited]
        worth = _candidates(all_runs, all_rows)
        by_words = _candidates(all_runs, None)
        pairs = {(at, len(notes) + place) for place, at in enumerate(chosen)}
        cosines = {pair: float(all_rows[pair[0]] @ all_rows[pair[1]]) for pair in pairs}
        contests.append(
            _shares(
                f"copies found, {name}",
                {
                    "aimem": _mean(
                        float(pair in worth and _is_one(all_runs, pair, cosines[pair]))
                        for pair in pairs
                    ),
                    "by words": _mean(
                        float(pair in by_words and _is_one(all_runs, pair, None)) for pair in pairs
                    ),
                    "cosine 0.90": _mean(float(cosine >= 0.9) for cosine in cosines.values()),
                },
            )
        )
        if size.quick:
            break
    assert size.quick or len(contests) == len(EDITORS), "each way of editing is measured"
    return contests


def _alarms(what: str, notes: Sequence[Note], rows: Rows | None) -> Contest:
    """Pairs that are reported among texts that nobody copied, of 1,000 texts."""
    runs = [runs_of(words_of(body_of(note.text))) for note in notes]
    found: dict[str, float] = {}
    if rows is not None:
        worth = _candidates(runs, rows)
        reported = [p for p in worth if _is_one(runs, p, float(rows[p[0]] @ rows[p[1]]))]
        found["aimem"] = 1000 * len(reported) / len(notes)
    reported = [pair for pair in _candidates(runs, None) if _is_one(runs, pair, None)]
    found["by words"] = 1000 * len(reported) / len(notes)
    if rows is not None:
        near = sum(float(rows[one] @ rows[other]) >= 0.9 for one, other in worth)
        found["cosine 0.90"] = 1000 * near / len(notes)
    contest = _shares(f"pairs reported among {len(notes):,} {what}", found, "of 1,000")
    return contest


def _candidates(runs: Sequence[frozenset[int]], rows: Rows | None) -> set[tuple[int, int]]:
    table = RunTable()
    for at, each in enumerate(runs):
        table.add(at, each)
    found = set(table.pairs(6))
    if rows is not None:
        nearness = VectorNearness(range(len(runs)), rows)
        for at in range(len(runs)):
            for near in nearness.nearest(at, 5):
                if near.cosine >= NEAR:
                    found.add((min(at, near.thought), max(at, near.thought)))
    return found


def _is_one(runs: Sequence[frozenset[int]], pair: tuple[int, int], cosine: float | None) -> bool:
    return likeness_of(compare(runs[pair[0]], runs[pair[1]]), cosine) is not None


# Titles and summaries


def _summaries(notes: Sequence[Note]) -> list[Contest]:
    """Suggested summaries beside those that thoughts hold, which are taken out before."""
    section = re.compile(
        r"^## (?:Executive )?(?:Summary|Overview)[ \t]*\n+(.*?)(?=^#{1,6} |\Z)", re.M | re.S
    )
    scores: defaultdict[str, list[float]] = defaultdict(list)
    seen: set[str] = set()
    for note in notes:
        match = section.search(note.text)
        if match is None or len(words_of(match[1])) < 15 or match[1] in seen:
            continue
        seen.add(match[1])
        text = note.text[: match.start()] + note.text[match.end() :]
        told = match[1][:400]
        title = re.search(r"^# (.*)", text, re.M)
        scores["aimem"].append(_rouge(extracts.summary_for(title[1] if title else "", text), told))
        paragraphs = [
            part
            for part in re.split(r"\n\s*\n", body_of(text))
            if part.strip() and part.lstrip()[0] not in "#|-*`>"
        ]
        lead = " ".join(" ".join(paragraphs).split())[: extracts.SUMMARY_LENGTH]
        scores["first sentences"].append(_rouge(lead, told))
    if not scores["aimem"]:
        return []
    what = f"summaries of {len(scores['aimem'])} thoughts, words of the written one (F)"
    return [_shares(what, {name: _mean(each) for name, each in scores.items()})]


def _rouge(suggested: str, written: str) -> float:
    """ROUGE-1, F (Lin 2004), over telling words."""
    one = Counter(filter(is_telling, words_of(suggested)))
    other = Counter(filter(is_telling, words_of(written)))
    shared = (one & other).total()
    return 2 * shared / max(1, one.total() + other.total())


# Cost


def _cost(thoughts: int, report: Report) -> list[Contest]:
    """How long listings take in a large workspace, and what they hold in memory."""
    found = corpus(thoughts)
    contests = []
    with found.open() as workspace:
        for kind in SuggestionKind:
            ordering = Ordering(workspace)
            held = memory.forget_peak_mb()
            started = time.process_time()
            ordering.suggestions([kind], limit=10)
            took = 1000 * (time.process_time() - started)
            contests.append(
                Contest(
                    f"{kind.value}, {thoughts:,} thoughts, by words, time of one processor",
                    "ms",
                    (Series("aimem", (took,)),),
                    (Goal(30_000, "p50"),),
                )
            )
            report.notes.append(f"{kind.value}: {memory.peak_mb() - held:.0f} MB more at most.")
    return contests


# Inside


@contextmanager
def _workspace(files: dict[str, str]) -> Iterator[Workspace]:
    with TemporaryDirectory(prefix="aimem-bench-") as scratch:
        folder = Path(scratch) / "notes"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        file = Path(scratch) / "workspace.db"
        with Workspace(file, name="bench", author="bench") as workspace:
            workspace.import_folder(folder, ImportOptions(author="bench"))
            workspace.catch_up()
            yield workspace


def _nearness(workspace: Workspace, at_of: dict[str, int], rows: Rows) -> VectorNearness:
    numbers = dict(workspace.database.read().execute("SELECT id, n FROM thoughts WHERE shown"))
    owners = [int(str(numbers[thought])) for thought in at_of]
    return VectorNearness(owners, rows[[*at_of.values()]])


def _notes(folder: Path, size: Size) -> list[Note]:
    files = sorted(folder.rglob("*.md"))
    notes = [
        Note(
            file.relative_to(folder).as_posix(), file.read_text(encoding="utf-8", errors="replace")
        )
        for file in files
    ]
    return notes[:60] if size.quick else notes


def _half(notes: Sequence[Note], seed: str) -> list[Note]:
    """The half on which nothing was chosen; tags and duplicates have seeds of their own."""
    order = [note for note in notes if "/" in note.name]
    Random(seed).shuffle(order)
    return order[len(order) // 2 :]


def _without(text: str, key: str) -> str:
    return apply(text, remove_property(text, key))


def _shares(what: str, values: dict[str, float], unit: str = _SHARE) -> Contest:
    return Contest(what, unit, tuple(Series(name, (value,)) for name, value in values.items()))


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / max(1, len(numbers))


def _macro(scores: dict[int, float], truth: Sequence[str]) -> float:
    """The mean over tags of the mean over the notes of each."""
    by_tag: defaultdict[str, list[float]] = defaultdict(list)
    for at, score in scores.items():
        by_tag[truth[at]].append(score)
    return _mean([_mean(each) for each in by_tag.values()])
