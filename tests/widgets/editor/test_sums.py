"""Running totals stay right through every edit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.widgets.editor.sums import Sums

numbers = st.lists(st.integers(0, 9), max_size=30)
many = numbers.flatmap(lambda few: st.sampled_from([few, few * 100]))
splice = st.tuples(st.floats(0, 1), st.floats(0, 1), many)


def model_find(values: list[int], running: int) -> tuple[int, int]:
    at = max((at for at in range(len(values)) if sum(values[:at]) <= running), default=0)
    return at, running - sum(values[:at])


@given(many, st.lists(splice, max_size=5), st.floats(0, 1))
def test_sums_are_those_of_a_list(
    values: list[int], splices: list[tuple[float, float, list[int]]], where: float
) -> None:
    sums = Sums(values)
    for low, high, new in splices:
        start, stop = sorted((round(low * len(values)), round(high * len(values))))
        values = [*values[:start], *new, *values[stop:]]
        sums.splice(start, stop, new)
        at = round(where * len(values))
        assert list(sums) == values
        assert len(sums) == len(values)
        assert sums.total == sum(values)
        assert sums.before(at) == sum(values[:at])
        assert sums.find(round(where * (sums.total + 2))) == model_find(
            values, round(where * (sums.total + 2))
        )
        if at < len(values):
            assert sums[at] == values[at]
