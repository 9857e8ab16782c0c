"""Where a place goes when the text around it changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.widgets.editor.carets import ByteSelection, Caret, OtherCarets, Step
from aimem_tui.widgets.people import PERSON_COLORS
from crdt.adapter import Change


@pytest.mark.parametrize(
    ("place", "goes", "behind"),
    [(0, 0, 0), (4, 4, 4), (5, 5, 5), (6, 5, 5), (7, 5, 5), (8, 8, 8), (20, 20, 20)],
)
def test_a_replacement_takes_places_along(place: int, goes: int, behind: int) -> None:
    step = Step.of(Change(5, 3, "日"))
    assert step.move(place) == goes
    assert step.move(place, behind=True) == behind


def test_who_types_moves_behind_and_others_stay() -> None:
    step = Step.of(Change(5, 0, "ab"))
    assert step.move(5) == 5
    assert step.move(5, behind=True) == 7
    assert step.move(6) == 8


@given(
    st.text("ab日", max_size=30),
    st.floats(0, 1),
    st.floats(0, 1),
    st.text("xé", max_size=3),
    st.floats(0, 1),
)
def test_a_place_outside_a_change_keeps_its_text(
    text: str, low: float, high: float, new: str, where: float
) -> None:
    start, stop = sorted((round(low * len(text)), round(high * len(text))))
    at = round(where * len(text))
    change = Change(len(text[:start].encode()), len(text[start:stop].encode()), new)
    after = (text[:start] + new + text[stop:]).encode()
    moved = Step.of(change).move(len(text[:at].encode()))
    assert 0 <= moved <= len(after)
    if at <= start:
        assert after[:moved] == text[:at].encode()
    if at > stop or (at == stop and stop > start):
        assert after[moved:] == text[at:].encode()


def test_a_selection_follows_both_its_ends() -> None:
    steps = [Step(0, 0, 5), Step(10, 2, 0)]
    assert ByteSelection(3, 9).move(steps) == ByteSelection(8, 12)
    assert ByteSelection.caret(4) == ByteSelection(4, 4)


@pytest.mark.parametrize("selection", [ByteSelection(3, 9), ByteSelection(9, 3)])
def test_a_selection_takes_in_nothing_at_its_edges(selection: ByteSelection) -> None:
    for behind in (True, False):
        moved = selection.move([Step(9, 0, 1), Step(3, 0, 2)], behind=behind)
        assert sorted(moved) == [5, 11]
        assert (moved.anchor < moved.head) == (selection.anchor < selection.head)


def test_other_carets_follow_and_keep_their_names_up_only_if_they_moved() -> None:
    others = OtherCarets()
    ada, ben = Caret("Ada", "A", 0, 5, 5), Caret("Ben", "B", 1, 9, 7)
    others.show([ada, ben], 10.0)
    others.follow([Step(0, 0, 2)])
    assert [(shown.caret.head, shown.caret.anchor) for shown in others] == [(7, 7), (11, 9)]
    others.show([Caret("Ada", "A", 0, 7, 7), Caret("Ben", "B", 1, 12, 12)], 20.0)
    assert [shown.named_until for shown in others] == [10.0, 20.0]
    others.show([], 30.0)
    assert not len(others)


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_black_is_legible_on_every_persons_colour() -> None:
    assert len(set(PERSON_COLORS)) == 8
    for color in PERSON_COLORS:
        assert (luminance(color) + 0.05) / 0.05 >= 4.5
