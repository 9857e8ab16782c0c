"""Figures are what was measured, and both ways of printing them say the same."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import measure
from bench.measure import Contest, Goal, Machine, Report, Series

values = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=60)
HERE = Machine("Linux", "a processor", 2, 8.0, "3.11.0", {"textual": "8.2.8"})


@given(values, st.integers(1, 100))
def test_a_percentile_is_a_value_that_was_measured_and_covers_its_share(
    measured: list[float], percent: int
) -> None:
    found = measure.percentile(measured, percent)
    assert found in measured
    assert sum(value <= found for value in measured) * 100 >= percent * len(measured)
    below = [value for value in measured if value < found]
    assert len(below) * 100 < percent * len(measured)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        measure.percentile([], 50)


@given(st.integers(1, 5), st.integers(0, 6), st.integers(0, 3))
def test_all_take_turns_and_the_first_runs_do_not_count(
    contestants: int, rounds: int, warmups: int
) -> None:
    ran: list[str] = []

    def contestant(name: str) -> float:
        ran.append(name)
        return float(len(ran))

    names = [f"c{number}" for number in range(contestants)]
    found = measure.in_turns(
        {name: lambda name=name: contestant(name) for name in names}, rounds, warmups=warmups
    )
    assert list(found) == names
    assert all(len(series.values) == rounds for series in found.values())
    for turn in range(rounds + warmups):
        part = ran[turn * contestants : (turn + 1) * contestants]
        assert sorted(part) == sorted(names), "each once a round"
    counted = {value for series in found.values() for value in series.values}
    assert all(value > warmups * contestants for value in counted)


@pytest.mark.parametrize(
    ("goal", "reached", "met"),
    [
        (Goal(10.0), 20.0, False),
        (Goal(20.0), 20.0, True),
        (Goal(10.0, "p50"), 10.0, True),
        (Goal(2.0, "ratio", "peer"), 2.0, True),
        (Goal(1.9, "ratio", "peer"), 2.0, False),
        (Goal(2.0, "ratio", "peer", at_least=True), 2.0, True),
        (Goal(2.1, "ratio", "peer", at_least=True), 2.0, False),
        (Goal(1.0, "ratio", "absent"), None, None),
    ],
)
def test_a_goal_is_met_missed_or_open(goal: Goal, reached: float | None, met: bool | None) -> None:
    ours = Series("aimem", (5.0, 10.0, 20.0))
    contest = Contest("something", "ms", (ours, Series("peer", (5.0,))), (goal,))
    assert contest.reached(goal) == reached
    (row,) = printed_as_json(Report("p", [contest]))["reports"][0]["contests"][0]["goals"]
    assert (row["reached"], row["met"]) == (reached, met)
    verdict = {True: "met", False: "missed", None: "open"}[met]
    assert printed(Report("p", [contest])).rstrip().endswith(f", {verdict}")


@given(values, values)
def test_people_and_programs_read_the_same_figures(ours: list[float], theirs: list[float]) -> None:
    contest = Contest("a thing", "ms", (Series("aimem", tuple(ours)), Series("it", tuple(theirs))))
    report = Report("program", [contest], ["A note."])
    (found,) = printed_as_json(report)["reports"]
    assert (found["program"], found["notes"]) == ("program", ["A note."])
    text = printed(report)
    assert "A note." in text and "a processor" in text and "load 1 before, 2 after" in text
    for series, measured in zip(found["contests"][0]["series"], (ours, theirs), strict=True):
        assert series["samples"] == len(measured)
        assert series["best"] == round(min(measured), 3)
        assert series["best"] <= series["p50"] <= series["p95"]
        assert series["name"] in text


def printed(report: Report) -> str:
    out = io.StringIO()
    measure.write([report], HERE, (1.0, 2.0), out)
    return out.getvalue()


def printed_as_json(report: Report) -> dict:
    out = io.StringIO()
    measure.write_json([report], HERE, (1.0, 2.0), out)
    return json.loads(out.getvalue())
