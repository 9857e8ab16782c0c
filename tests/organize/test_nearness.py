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


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.integers(1, 4), st.floats(0.05, 0.95))
def test_all_neighbours_at_once_are_those_that_each_has(
    thoughts: int, seed: int, limit: int, least: float
) -> None:
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((thoughts, 4)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    animals = ["ant", "bee", "cat", "dog", "elk", "fox"]
    written = [f"{animals[at % 6]} {animals[at % 4]}" for at in range(thoughts)]
    for nearness in (
        VectorNearness([*range(thoughts)], rows),
        WordNearness(lambda: enumerate(written)),
    ):
        together = dict(nearness.neighbours(limit, least))
        for one in range(thoughts):
            # What lies at the bound may be on either side of it.
            near = [each for each in nearness.nearest(one, limit) if each.cosine >= least + 1e-4]
            cosines = [round(each.cosine, 4) for each in together.get(one, [])]
            assert cosines[: len(near)] == [round(each.cosine, 4) for each in near]
            assert one not in {each.thought for each in together.get(one, [])}
            assert len(cosines) <= limit


def test_neighbours_are_found_across_the_parts_that_are_computed_at_once(monkeypatch) -> None:
    monkeypatch.setattr("aimem_tui.organize.meaning._PRODUCT", 14)
    rows = np.eye(7, dtype=np.float32)
    rows[6] = rows[1]
    found = dict(VectorNearness([*range(7)], rows).neighbours(5, 0.8))
    assert found == {1: [Near(6, 1.0)], 6: [Near(1, 1.0)]}
