"""What a text's vector is, and that it is the text's alone."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimem_tui.embedding.model import Embedder, ModelChoice, Stopped

SENTENCES = (
    "How do two machines agree when both edited the same note?",
    "Concurrent edits of one document are merged without conflicts.",
    "The recipe asks for two spoons of sugar.",
)
LANGUAGES = (
    "日本語の文章です。",
    "Привет, мир",
    "مرحبا بالعالم",
    "नमस्ते",
    "naïve café",
    "🧠📝",
    "שלום",
)
WORDS = (
    *("merge", "replica", "token", "the", "of", "café", "日本", "`x=1`", "v1.2.3", "foo_bar"),
    *("!?", "\n", "# -", "\t", ""),
)

texts = st.one_of(
    st.text(st.characters(), max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join),
    st.lists(st.sampled_from(WORDS), min_size=200, max_size=700).map(" ".join),
)


@settings(max_examples=10)
@given(st.lists(texts, min_size=1, max_size=8))
def test_a_text_has_the_same_vector_alone_and_in_any_company(
    embedder: Embedder, some: list[str]
) -> None:
    together = embedder.embed(some)
    alone = np.stack([embedder.embed_one(text) for text in some])
    assert together.shape == (len(some), embedder.dimensions)
    assert (together * alone).sum(axis=1).min() >= 0.9999


def test_a_short_text_among_long_ones_keeps_its_vector(embedder: Embedder) -> None:
    company = [f"{word} " * 70 for word in WORDS] + list(SENTENCES) * 20
    random.Random(3).shuffle(company)
    vectors = embedder.embed(company)
    for sentence in SENTENCES:
        alone = embedder.embed_one(sentence)
        for place in (place for place, text in enumerate(company) if text == sentence):
            assert float(vectors[place] @ alone) >= 0.9999


@settings(max_examples=40)
@given(texts)
def test_any_text_at_all_has_a_unit_vector(embedder: Embedder, text: str) -> None:
    vector = embedder.embed_one(text)
    assert vector.dtype == np.float32
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800", "\ufeff", "\u200b" * 50, *LANGUAGES])
def test_odd_texts_have_a_unit_vector(embedder: Embedder, text: str) -> None:
    assert float(np.linalg.norm(embedder.embed_one(text))) == pytest.approx(1, abs=1e-5)


def test_no_texts_have_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_what_is_near_in_meaning_is_near_in_numbers(embedder: Embedder) -> None:
    question, answer, other = embedder.embed(SENTENCES)
    assert question @ answer > 0.4
    assert question @ other < 0.15


def test_the_cosines_are_those_of_the_published_weights(embedder: Embedder) -> None:
    published = [0.5774, 0.1460, -0.0183]  # computed with the float32 weights
    first, second, third = embedder.embed(SENTENCES)
    ours = [first @ second, first @ third, second @ third]
    assert ours == pytest.approx(published, abs=0.005)


def test_the_numbers_do_not_change_with_the_libraries(embedder: Embedder) -> None:
    # Else CODE_VERSION has to: vectors that are kept are compared with new ones.
    vector = embedder.embed_one("This is an example sentence")
    recorded = [0.0665957, 0.0615013, 0.0509506, 0.0788104, 0.0382613, 0.0043732]
    assert vector[:6].tolist() == pytest.approx(recorded, abs=2e-5)


def test_a_text_is_cut_at_the_longest_the_model_takes(embedder: Embedder) -> None:
    page = "one two three four five six seven eight nine ten " * 60
    assert embedder.count_tokens([page])[0] > embedder.max_tokens
    whole = embedder.embed_one(page)
    assert np.array_equal(whole, embedder.embed_one(page + "Something else at the end. " * 50))
    assert not np.array_equal(whole, embedder.embed_one("Something else first. " + page))


def test_counting_tokens_leaves_the_cut_as_it_is(embedder: Embedder) -> None:
    page = "word " * 2_000
    before = embedder.embed_one(page)
    assert embedder.count_tokens(["", "hello world", page]) == [2, 4, 2_002]
    assert np.array_equal(embedder.embed_one(page), before)


def test_a_line_without_end_is_looked_at_only_in_its_beginning(embedder: Embedder) -> None:
    assert np.array_equal(
        embedder.embed_one("a b" + " " * 20_000 + "c"), embedder.embed_one("a b" + " " * 5_000_000)
    )


def test_work_ends_at_the_next_batch_once_it_is_told_to_stop(embedder: Embedder) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    with pytest.raises(Stopped):
        embedder.embed(["many words in one text " * 40] * 10, stop=stop)
    assert asked == 3


def test_a_model_loaded_for_one_text_gives_the_same_vectors(embedder: Embedder) -> None:
    once = Embedder(ModelChoice.bundled(), once=True)
    assert once.identity == embedder.identity
    vectors = zip(once.embed(SENTENCES), embedder.embed(SENTENCES), strict=True)
    assert min(float(one @ other) for one, other in vectors) >= 0.9999
