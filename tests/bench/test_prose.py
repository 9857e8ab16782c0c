"""What is measured on is the same on every machine, and is like what people write."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from itertools import pairwise

from aimem_tui.markdown import paths
from aimem_tui.markdown.describe import describe
from aimem_tui.model import Kind
from bench import prose
from bench.prose import Writer
from bench.questions import questions
from bench.words import TEAM_WORDS

COUNT = 400
DIGEST = (
    "import hashlib; from bench.prose import Writer; w = Writer();"
    " print(hashlib.sha256(repr([w.text(n) for n in range(30)]).encode()).hexdigest())"
)


def test_every_process_makes_the_same_texts() -> None:
    writer = Writer()
    here = repr([writer.text(number) for number in range(30)])
    run = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()
    assert Writer(seed=2).text(0) != writer.text(0)


def test_the_texts_are_thoughts_of_all_kinds_at_paths_of_their_own() -> None:
    writer = Writer()
    texts = [writer.text(number) for number in range(COUNT)]
    assert len({text.path for text in texts}) == COUNT
    assert all(paths.check_path(text.path) == text.path for text in texts)
    described = [describe(text.path, text.body) for text in texts]
    assert {each.kind for each in described} == {*Kind} - {Kind.FILE}
    assert any(each.tags for each in described)
    assert any(each.tasks for each in described)
    assert any(each.links for each in described)
    assert all(text.at < later.at for text, later in pairwise(texts))


def test_some_words_are_in_most_texts_and_most_words_in_few() -> None:
    writer = Writer()
    holds: Counter[str] = Counter()
    for number in range(COUNT):
        holds.update(set(writer.text(number).body.lower().split()))
    assert holds["the"] > 0.9 * COUNT
    assert 0.05 * COUNT < holds[TEAM_WORDS[60]] < 0.6 * COUNT
    few = sum(count <= 3 for count in holds.values())
    assert few > 0.5 * len(holds)


def test_a_document_has_the_size_that_was_asked_for() -> None:
    for size in (1_000, 50_000):
        text = prose.markdown(size)
        assert 0.8 * size <= len(text.encode()) <= size
        assert text.endswith("\n")


def test_the_searches_are_the_same_each_time_and_of_every_sort() -> None:
    asked = questions(6, COUNT)
    assert asked == questions(6, COUNT)
    assert all(len(listed) >= 6 for listed in asked.values())
    assert all(question.words.strip() for listed in asked.values() for question in listed)
    typed = [question.words for question in asked["as one types"]]
    assert len(typed[0]) == 1
    assert typed[1].startswith(typed[0])
    assert any(question.wanted.path or question.wanted.tags for question in asked["filtered"])
