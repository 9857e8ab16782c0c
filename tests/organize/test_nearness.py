"""Nearness is the plain cosine, by vectors as by words, of all thoughts or of some."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.organize.lexical import WordNearness
from aimem_tui.organize.meaning import VectorNearness
from aimem_tui.organize.ports import Near

texts = st.lists(
    st.lists(st.sampled_from(["ant", "bee", "cat", "dog", "elk", "fox"]), max_size=8).map(" ".join),
    min_size=1,
    max_size=9,
)


def plain(found: list[Near]) -> list[tuple[int, float]]:
    return [(near.thought, round(near.cosine, 4)) for near in found]


@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 2**32 - 1), st.data())
def test_by_vectors_the_nearest_are_those_of_a_plain_scan(
    thoughts: int, passages: int, seed: int, data: st.DataObject
) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((thoughts * passages, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    owners = [10 + at // passages for at in range(len(rows))]
    nearness = VectorNearness(owners, rows)
    means = rows.reshape(thoughts, passages, 8).sum(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    among = data.draw(st.none() | st.sets(st.integers(10, 10 + thoughts)))
    limit = data.draw(st.integers(1, 5))
    expected = sorted(
        (
            (10 + at, round(float(means[at] @ means[0]), 4))
            for at in range(1, thoughts)
            if among is None or 10 + at in among
        ),
        key=lambda each: -each[1],
    )[:limit]
    found = plain(nearness.nearest(10, limit, among))
    assert [cosine for _, cosine in found] == [cosine for _, cosine in expected]
    for other, cosine in found:
        assert abs((nearness.cosine(10, other) or 0.0) - cosine) < 1e-3
    assert nearness.nearest(99, limit) == []
    assert nearness.cosine(10, 99) is None


@given(texts)
def test_by_words_nearness_is_mutual_and_bounded(written: list[str]) -> None:
    nearness = WordNearness(lambda: enumerate(written))
    for one in range(len(written)):
        near = nearness.nearest(one, 20)
        assert [n.cosine for n in near] == sorted((n.cosine for n in near), reverse=True)
        for other in near:
            assert other.thought != one
            mutual = nearness.cosine(other.thought, one)
            assert mutual is not None
            assert abs(mutual - other.cosine) < 1e-5
            assert 0 < other.cosine < 1 + 1e-5
        some = set(range(0, len(written), 2))
        assert plain(nearness.nearest(one, 20, some)) == [
            each for each in plain(near) if each[0] in some
        ]


@given(texts)
def test_a_group_of_one_is_as_near_as_its_member(written: list[str]) -> None:
    nearness = WordNearness(lambda: enumerate(written))
    groups = {str(at): [at] for at in range(len(written))}
    for one in range(len(written)):
        for name, cosine in nearness.likeness(one, groups).items():
            assert abs(cosine - (nearness.cosine(one, int(name)) or 0.0)) < 1e-5
