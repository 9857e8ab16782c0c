"""Huge and odd texts and searches: sensible answers, for work that is bounded in figures.

Work is counted, not timed: the statements that all connections run, the steps of SQLite's machine
(each row that is looked at takes some), the terms of a query, the strings that are embedded, and
the bytes of an answer.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import apsw
import numpy as np
import pytest

from aimem_tui.cli import shapes
from aimem_tui.index.check import check
from aimem_tui.index.file import IndexFile
from aimem_tui.index.job import Done, Indexer, ModelSource
from aimem_tui.model import Filter, SearchResults
from aimem_tui.model.limits import TEXT_LIMIT
from aimem_tui.search import matching
from aimem_tui.search.passages import MATCH_END, MATCH_START
from aimem_tui.search.query import MAX_TERMS, parse
from aimem_tui.store.tokenizer import TOKENIZE
from aimem_tui.workspace.searching import Searching
from crdt.textdiff import Splice
from tests.search.languages import SPACED, UNSPACED
from tests.workspaces import open_workspace

STATEMENTS = 4 * MAX_TERMS
STEPS = 100 * matching.RANKED
HIT_BYTES = 3_000
SNIPPET = 700
DIMENSIONS = 32


class Strings:
    """A model that costs nothing: each string has a direction of its own, near those that begin
    with the same word."""

    dimensions = DIMENSIONS

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return np.stack([self.embed_one(text) for text in texts])

    def embed_one(self, text: str) -> np.ndarray:
        """The unit vector of one string."""
        first, *_ = text.split(maxsplit=1) or [""]
        drawn = [_direction(first), 0.5 * _direction(text)]
        return (sum(drawn) / np.linalg.norm(sum(drawn))).astype(np.float32)


def _direction(text: str) -> np.ndarray:
    vector = np.random.default_rng(crc32(text.encode())).standard_normal(DIMENSIONS)
    return vector / np.linalg.norm(vector)


@dataclass(slots=True, eq=False)
class Work:
    """What was asked of all databases."""

    statements: int = 0
    steps: int = 0


class Memory:
    """A workspace with an index; what is asked of both is counted."""

    def __init__(self, folder: Path, counted: list[Work]) -> None:
        self.model = Strings()
        self.counted = counted
        self.index = IndexFile(folder / "index.db")
        self.workspace = open_workspace(folder)
        self.searching = Searching(
            self.workspace.database, self.workspace.clock, folder / "index.db"
        )
        self.searching._embed_with = lambda _model: self.model  # type: ignore[assignment]

    def close(self) -> None:
        """Close all files."""
        self.searching.close()
        self.workspace.close()
        self.index.close()

    def run(self) -> Done:
        """Index what is new."""
        source = ModelSource("strings", "", lambda: self.model)
        done = Indexer(
            self.workspace.database, self.index, source, clock=self.workspace.clock
        ).run()
        assert done is not None
        return done

    def search(
        self, text: str, *, kind: str = "hybrid", limit: int = 20, as_you_type: bool = False
    ) -> SearchResults:
        """Search; whatever it is, its answer and the work for it are bounded."""
        with self.working() as work:
            results = self.searching.search(
                text, Filter(), kind=kind, limit=limit, as_you_type=as_you_type
            )
        assert work.statements <= STATEMENTS
        assert work.steps <= STEPS
        answer = json.dumps(shapes.search(results), ensure_ascii=False)
        assert len(answer.encode(errors="replace")) <= limit * HIT_BYTES + 4 * len(text) + 2_000
        assert len(results.hits) <= limit
        for hit in results.hits:
            assert len(hit.snippet) <= SNIPPET
            assert hit.snippet.count(MATCH_START) == hit.snippet.count(MATCH_END)
            assert "\n" not in hit.snippet
        return results

    def paths(self, text: str, **options) -> list[str]:
        """The paths that a search finds."""
        return [hit.thought.path for hit in self.search(text, **options).hits]

    @contextmanager
    def working(self) -> Iterator[Work]:
        """What is asked of all databases meanwhile."""
        work = Work()
        self.counted.append(work)
        yield work
        self.counted.remove(work)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    """Those who count the work of every connection that is opened from now on."""
    counting: list[Work] = []

    def listen(connection: apsw.Connection) -> None:
        # A statement that is kept and run again goes on counting.
        before: dict[int, int] = {}

        def began(_cursor: apsw.Cursor, _sql: str, _values: object) -> bool:
            for work in counting:
                work.statements += 1
            return True

        def ended(event: dict) -> None:
            steps = event["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]
            known = before.get(event["id"], 0)
            before[event["id"]] = steps
            for work in counting:
                work.steps += steps - known if steps >= known else steps

        connection.exec_trace = began
        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, ended)

    monkeypatch.setattr(apsw, "connection_hooks", [*apsw.connection_hooks, listen])
    return counting


@pytest.fixture
def memory(tmp_path: Path, counted: list[Work]) -> Iterator[Memory]:
    made = Memory(tmp_path, counted)
    yield made
    made.close()


def prose(seed: int, size: int) -> str:
    """About so many characters in paragraphs and sections."""
    drawn = random.Random(seed)
    words = [f"{chr(97 + n % 26)}{n:x}" for n in range(3_000)]
    parts: list[str] = []
    length = 0
    while length < size:
        head = f"## Part {len(parts)}\n\n" if len(parts) % 4 == 0 else ""
        parts.append(head + " ".join(drawn.choices(words, k=90)) + ".")
        length += len(parts[-1]) + 2
    return "\n\n".join(parts) + "\n"


# One huge text


@pytest.mark.parametrize(
    "size", [200_000, pytest.param(5_000_000, marks=pytest.mark.heavy)], ids=["200 KB", "5 MB"]
)
def test_a_huge_thought_is_found_by_each_of_its_parts_for_the_work_of_a_small_one(
    memory: Memory, size: int
) -> None:
    body = prose(1, size)
    at = [len(body) * part // 10 for part in (1, 5, 9)]
    places = [body.index("\n\n", start) for start in at]
    text = "# Huge\n\n" + body
    for number, place in reversed(list(enumerate(places))):
        place += len("# Huge\n\n")
        text = f"{text[:place]} needle{number} stands here.{text[place:]}"
    assert len(text.encode()) < TEXT_LIMIT
    huge = memory.workspace.create("huge.md", text)
    memory.workspace.create("small.md", "# Small\n\nneedle0 and nothing else.\n")
    done = memory.run()
    assert done.embedded <= len(text) / 300
    for number in range(len(places)):
        for kind in ("fulltext", "hybrid"):
            (hit, *_) = [
                hit
                for hit in memory.search(f"needle{number}", kind=kind).hits
                if hit.thought.id == huge.id
            ]
            assert f"{MATCH_START}needle{number}{MATCH_END}" in hit.snippet
            assert hit.line == text[: text.index(f"needle{number}")].count("\n")
    memory.workspace.edit_text(huge.id, lambda said: [_word_in_the_middle(said)])
    done = memory.run()
    assert 1 <= done.embedded <= 3, "an edit embeds what it changed"


def _word_in_the_middle(text: str) -> Splice:
    at = text.index(" ", len(text) // 2)
    return Splice(at, at, " inserted")


def test_one_endless_line_is_cut_into_passages_that_all_end(memory: Memory) -> None:
    memory.workspace.create("base64.md", "needle " + "QUJD" * 60_000 + " haystack")
    memory.workspace.create("words.md", "lorem " * 40_000 + "haystack")
    done = memory.run()
    assert done.embedded <= 2_500
    assert set(memory.paths("haystack")) == {"base64.md", "words.md"}
    assert memory.paths("needle")[0] == "base64.md"
    memory.search("QUJD" * 5_000)


# Very many small ones


@pytest.mark.parametrize(
    "count", [500, pytest.param(10_000, marks=pytest.mark.heavy)], ids=["500", "10,000"]
)
def test_tiny_thoughts_are_found_for_work_that_does_not_grow_with_their_number(
    memory: Memory, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    with memory.workspace.database.write():
        for number in range(count):
            text = f"common word{number % 50} unique{number}\n" if number % 10 else ""
            memory.workspace.create(f"{number % 20}/{number}.md", text)
    done = memory.run()
    assert done.thoughts == count
    assert done.embedded == len(set(memory.model.texts)) <= count
    assert memory.run() == Done(0, 0, 0)
    assert check(memory.workspace.database, memory.index, Strings()) == []
    for kind in ("fulltext", "semantic", "hybrid"):
        found = memory.search("common", kind=kind)
        assert len(found.hits) == 20
        assert found.total <= 1_000
    assert memory.paths("unique7", kind="fulltext")[0] == "7/7.md"
    assert len(memory.paths("path:7/ common")) > 0
    assert all(path.startswith("7/") for path in memory.paths("path:7/ common"))
    monkeypatch.setattr(matching, "RANKED", 300)
    for text in ("common", "common word7", '"common word7"', "-unique8 word7", "word7 unique7"):
        with memory.working() as work:
            assert memory.paths(text, kind="fulltext")
        assert work.steps <= 100_000
    for part in ("c", "co", "common w", "common word7"):
        assert memory.paths(part, as_you_type=True)


# Languages


def test_a_word_is_found_in_each_of_a_hundred_languages(memory: Memory) -> None:
    with memory.workspace.database.write():
        for name, water in SPACED.items():
            memory.workspace.create(f"spaced/{name}.md", f"# {name}\n\nA {water} {name}.\n")
        for name, water in UNSPACED.items():
            memory.workspace.create(f"clauses/{name}.md", f"# {name}\n\n{name}{water}{name}。\n")
    memory.run()
    for name, water in SPACED.items():
        for form in ("NFC", "NFD"):
            asked = unicodedata.normalize(form, water)
            assert f"spaced/{name}.md" in memory.paths(asked, kind="fulltext", limit=40), name
    for name, water in UNSPACED.items():
        assert f"clauses/{name}.md" in memory.paths(water, kind="fulltext", limit=40), name
    assert memory.paths("हिन्दी")[0] == "spaced/हिन्दी.md"
    assert check(memory.workspace.database, memory.index, Strings()) == []


@pytest.mark.parametrize(
    ("text", "word", "other"),
    [
        ("मुझे पानी चाहिए", "पानी", "यह मेरा पेन है"),
        ("নদীর জল ঠান্ডা", "জল", "জেলে মাছ ধরে"),
        ("நான் தண்ணீர் குடிக்கிறேன்", "தண்ணீர்", "தணணர"),
        ("ฉันดื่มน้ำทุกวัน", "น้ำ", "นาทุกวัน"),
        ("ខ្ញុំផឹកទឹករាល់ថ្ងៃ", "ទឹក", "តកខគ"),
    ],
    ids=["Devanagari", "Bengali", "Tamil", "Thai", "Khmer"],
)
def test_vowels_that_are_marks_tell_words_apart(
    memory: Memory, text: str, word: str, other: str
) -> None:
    memory.workspace.create("it.md", f"# It\n\n{text}\n")
    memory.workspace.create("other.md", f"# Other\n\n{other}\n")
    memory.run()
    assert memory.paths(word, kind="fulltext") == ["it.md"]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("شكراً جزيلا", "شكرا"),
        ("한국어는 어렵다", "한국어"),
        ("한국어를 배운다", "한국어는"),
        ("물건을 샀다", "물건"),
        ("Привет, задачами занят", "задача"),
        ("❤️love", "love"),
    ],
)
def test_what_is_hung_on_a_word_does_not_hide_it(memory: Memory, written: str, asked: str) -> None:
    memory.workspace.create("it.md", f"# It\n\n{written}\n")
    memory.run()
    assert memory.paths(asked, kind="fulltext") == ["it.md"]


# What looks like no text


def test_what_looks_binary_is_searched_like_any_other_text(memory: Memory) -> None:
    drawn = random.Random(3)
    for name in ("noise.txt", "noise.md"):
        raw = bytes(drawn.randrange(1, 256) for _ in range(40_000)).decode("latin-1")
        memory.workspace.create(name, f"{raw[:20_000]} needle {raw[20_000:]}")
    memory.workspace.create("escapes.md", "# t\n\nred \x1b[31m zebra \x07 \x9b0m end\n")
    memory.workspace.create("marks.md", f"# t\n\n{MATCH_START * 50} giraffe {MATCH_END * 50}\n")
    done = memory.run()
    assert done.embedded <= 1_500
    assert set(memory.paths("needle", kind="fulltext")) == {"noise.txt", "noise.md"}
    assert memory.paths("zebra")[0] == "escapes.md"
    assert memory.paths("giraffe")[0] == "marks.md"
    for query in ("\x1b[31m", "\x01\x02", "ÿþ", "\ufffd" * 500):
        memory.search(query)


# Odd searches


@pytest.fixture
def small(memory: Memory) -> Memory:
    for name, text in {
        "near": "NEAR(a b) is a function. a AND OR is nothing.",
        "column": "col: is a prefix, title: x another.",
        "quote": 'He said "unbalanced quote and left.',
        "stop": "To be or not to be, that is the question of it.",
        "emoji": "Ship it 👍🏽 now 🚀 done.",
        "one": "One thought among others: cookies, sessions.",
    }.items():
        memory.workspace.create(f"{name}.md", f"# {name}\n\n{text}\n")
    memory.run()
    return memory


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("NEAR(", "near.md"),
        ("NEAR(a b, 3)", "near.md"),
        ("a AND OR", "near.md"),
        ("function)", "near.md"),
        ("((function", "near.md"),
        ("^function +nothing", "near.md"),
        ("col:", "column.md"),
        ("{title} : prefix", "column.md"),
        ("title:prefix", "column.md"),
        ("pre\0fix prefix", "column.md"),
        ('"unbalanced quote', "quote.md"),
        ('unbalanced" quote', "quote.md"),
        ('""" unbalanced', "quote.md"),
        ("prefix*", "column.md"),
        ("🚀 done", "emoji.md"),
        ("to be or not to be", "stop.md"),
        ("-nowhere question", "stop.md"),
    ],
)
def test_signs_of_the_engines_language_are_signs(small: Memory, asked: str, first: str) -> None:
    assert small.paths(asked, kind="fulltext")[0] == first
    assert first in small.paths(asked)


@pytest.mark.parametrize(
    "asked",
    [
        "*",
        "(((",
        ")",
        '"',
        '""',
        "!!! ??? …",
        "-",
        "👍",
        "👨\u200d👩\u200d👧",
        "\0",
        "- -- ---",
        "。、",
    ],
)
def test_where_there_is_no_word_nothing_is_found_and_that_is_said(
    small: Memory, asked: str
) -> None:
    for kind in ("fulltext", "semantic", "hybrid"):
        results = small.search(asked, kind=kind)
        assert results.hits == ()
        assert results.said == "There is no word in it to look for."
    assert small.search(asked, as_you_type=True).said == ""
    assert small.search("  ").said == ""


WORDS = [f"word{number}" for number in range(10_000)]
ENDLESS: dict[str, Callable[[], str]] = {
    "10,000 words": lambda: " ".join(WORDS),
    "one word 10,000 times": lambda: "cookies " * 10_000,
    "exact words": lambda: '"' + " ".join(WORDS) + '"',
    "many exact words": lambda: " ".join(f'"{" ".join(WORDS[n : n + 99])}"' for n in range(99)),
    "an exclusion": lambda: '-"' + " ".join(WORDS) + '" cookies',
    "many exclusions": lambda: " ".join(f"-{word}" for word in WORDS) + " cookies",
    "a name": lambda: "_".join(WORDS),
    "names": lambda: " ".join("_".join(WORDS[n : n + 20]) for n in range(0, 2_000, 20)),
    "dots": lambda: "a1." * 50_000,
    "one word of 100,000 letters": lambda: "x" * 100_000,
    "a clause without blanks": lambda: "计划书类" * 10_000,
    "Cyrillic": lambda: " ".join(f"слово{chr(0x430 + n % 30)}{n}" for n in range(10_000)),
    "Korean": lambda: " ".join(chr(0xAC00 + n) * 3 for n in range(10_000)),
    "fields": lambda: " ".join(f"tag:t{number}" for number in range(2_000)),
    "a field": lambda: "kind:" + "x" * 100_000,
    "a glob": lambda: "path:" + "*a" * 2_000,
    "quotation marks": lambda: '"' * 50_000,
    "signs": lambda: "(*^:-" * 20_000,
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("as_you_type", [False, True], ids=["asked", "typed"])
def test_an_endless_search_is_bounded_in_what_is_looked_for(
    small: Memory, name: str, as_you_type: bool
) -> None:
    asked = ENDLESS[name]()
    query = parse(asked, as_you_type=as_you_type)
    looked_for = [*query.terms, *query.phrases, *query.excluded]
    assert len(looked_for) <= 2 * MAX_TERMS
    assert sum(len(term.split()) for term in looked_for) <= 500
    assert len(" ".join(query.said)) <= 500
    connection = small.workspace.database.read()
    match = matching.plan(connection, "fulltext", query).match
    assert len(match) <= 10_000
    results = small.search(asked, as_you_type=as_you_type)
    assert len(results.said) <= 600


def test_what_is_not_read_of_a_long_search_is_said(small: Memory) -> None:
    assert "10,000 characters" in small.search("cookies " * 10_000).said
    assert small.search("cookies " * 1_000).said == ""


# Tables


def test_every_table_takes_words_apart_alike(memory: Memory) -> None:
    memory.run()
    tables = {
        memory.workspace.database.read(): "fulltext",
        memory.index.read(): "words_1",
    }
    for connection, table in tables.items():
        made = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).get
        assert f'tokenize = "{TOKENIZE}"' in str(made)


def test_words_of_all_scripts_are_found_in_a_workspace_from_before(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        workspace.create("it.md", "# It\n\nฉันดื่มน้ำทุกวัน\n")
        with workspace.database.write() as connection:
            connection.execute(
                "DROP TABLE fulltext;"
                "CREATE VIRTUAL TABLE fulltext USING fts5 (title, path, body, content = 'texts',"
                " content_rowid = 'n', tokenize = 'porter unicode61 remove_diacritics 2',"
                " prefix = '1 2 3');"
                "INSERT INTO fulltext (fulltext) VALUES ('rebuild');"
                "PRAGMA user_version = 2"
            )
        assert workspace.search("น้ำ", kind="fulltext").hits == ()
    with open_workspace(tmp_path) as workspace:
        (hit,) = workspace.search("น้ำ", kind="fulltext").hits
        assert hit.thought.path == "it.md"
        workspace.create("other.md", "# Other\n\nน้ำ\n")
        assert len(workspace.search("น้ำ", kind="fulltext").hits) == 2
