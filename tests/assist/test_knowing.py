"""Whether memory knows, judged without a language model."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.assist import knowing
from aimem_tui.model import ImportOptions
from aimem_tui.workspace import asking
from tests.shared_data import shared_data
from tests.workspaces import open_workspace

QUESTIONS = Path(__file__).with_name("questions.toml")


def known(question: str, passages: list[str], cosine: float | None, *unknown: str) -> bool:
    return knowing.comes_near(question, passages, cosine, lambda word: word not in unknown)


def test_where_nothing_is_found_memory_does_not_know() -> None:
    assert not known("How?", [], None)
    assert not known("How?", [], 0.9)


def test_a_passage_that_is_near_in_meaning_is_enough_and_one_far_away_is_not() -> None:
    assert known("How do I nap?", ["Sleeping."], 0.7, "nap")
    assert not known("How do I nap?", ["Nap."], 0.2)


def test_in_between_a_word_that_memory_never_heard_of_decides() -> None:
    assert known("How do I set Kafka up?", ["Queues."], 0.5)
    assert not known("How do I set Kafka up?", ["Queues."], 0.5, "kafka")


def test_without_vectors_the_words_decide() -> None:
    passages = ["# Sleeping\n\nThe command caffeinate keeps a Mac awake."]
    assert known("Which command keeps a Mac awake?", passages, None)
    assert not known("Which command keeps a Mac awake?", passages, None, "mac")
    assert not known("Which invoice did the Mac printer send?", passages, None)


def test_endings_and_fillers_do_not_count() -> None:
    assert knowing.telling_words("How do I list the databases?") == ("list", "databases")
    assert knowing.share(("listing", "database"), ["It lists databases."]) == 1.0


def test_scripts_without_spaces_are_compared_in_pairs() -> None:
    words = knowing.telling_words("刷新令牌有效期多久")
    assert "令牌" in words
    assert knowing.share(words, ["刷新令牌的有效期是三十天"]) > 0.5


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3), st.floats(-1, 1))
def test_any_question_is_judged(question: str, passages: list[str], cosine: float) -> None:
    for given_cosine in (None, cosine):
        knowing.comes_near(question, passages, given_cosine, lambda _word: True)
    assert 0 <= knowing.share(knowing.telling_words(question), passages or [""]) <= 1


@pytest.mark.heavy
def test_over_real_notes_it_is_right_far_more_often_than_not(tmp_path: Path) -> None:
    notes = shared_data("corpora", "til-jbranchaud")
    questions = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["second"]
    with open_workspace(tmp_path) as workspace:
        workspace.import_folder(notes, ImportOptions(author="ann"))
        yes = [asking.ask(workspace, question) for question, _ in questions["answerable"]]
        no = [asking.ask(workspace, question) for question in questions["unanswerable"]]
    found = [
        any(passage.thought.path == path for passage in answer.passages)
        for answer, (_, path) in zip(yes, questions["answerable"], strict=True)
    ]
    # By words alone, as nothing is indexed here. Measured: docs/assist.md.
    assert sum(answer.known for answer in yes) >= 0.8 * len(yes)
    assert sum(not answer.known for answer in no) >= 0.8 * len(no)
    assert sum(found) >= 0.8 * len(found)
