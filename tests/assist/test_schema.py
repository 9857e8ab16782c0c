"""Answers are held to the schema they were asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.assist import prompts, schema

SCHEMAS = {
    "answer": prompts.ANSWER,
    "tags": prompts.TAGS,
    "title": prompts.TITLE,
    "summary": prompts.SUMMARY,
    "duplicate": prompts.DUPLICATE,
}
FITTING: dict[str, Any] = {
    "answer": {"known": True, "answer": "a [1]", "citations": [{"passage": 1, "quote": "q"}]},
    "tags": {"tags": ["a"]},
    "title": {"title": "A"},
    "summary": {"summary": "S."},
    "duplicate": {"same": "unsure", "why": ""},
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_answer_that_fits_has_no_problem(name: str) -> None:
    assert schema.problem(FITTING[name], SCHEMAS[name]) == ""


@pytest.mark.parametrize("name", SCHEMAS)
@given(value=json_values)
def test_any_value_is_judged_without_an_error(name: str, value: object) -> None:
    if schema.problem(value, SCHEMAS[name]) == "":
        assert isinstance(value, dict)
        assert set(value) == set(SCHEMAS[name]["properties"])


@pytest.mark.parametrize("name", SCHEMAS)
@given(data=st.data())
def test_with_any_field_taken_away_changed_or_added_it_does_not_fit(
    name: str, data: st.DataObject
) -> None:
    fitting = FITTING[name]
    field = data.draw(st.sampled_from(sorted(fitting)))
    missing = {key: value for key, value in fitting.items() if key != field}
    assert schema.problem(missing, SCHEMAS[name]) == f"{field} is missing"
    assert "not asked for" in schema.problem({**fitting, "extra": 1}, SCHEMAS[name])
    assert schema.problem({**fitting, field: None}, SCHEMAS[name]).startswith(field)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"tags": "a"}, "tags is no array"),
        ({"tags": ["a", 1]}, "tags[1] is no string"),
        ({"tags": [""]}, "tags[0] is too short"),
        ({"tags": ["x" * 61]}, "tags[0] is too long"),
        ({"tags": ["a"] * 9}, "tags is too long"),
        ([], "the answer is no object"),
    ],
)
def test_the_problem_is_named_where_it_is(value: object, says: str) -> None:
    assert schema.problem(value, prompts.TAGS) == says


def test_true_is_no_number_and_a_bound_is_a_bound() -> None:
    number = {"type": "integer", "minimum": 1, "maximum": 9}
    assert schema.problem(True, number) == "the answer is no integer"
    assert schema.problem(9, number) == ""
    assert schema.problem(10, number) == "the answer is out of bounds"
    assert schema.problem("maybe", prompts.DUPLICATE["properties"]["same"]) != ""


def test_a_keyword_that_is_not_known_is_our_mistake_and_not_passed_over() -> None:
    with pytest.raises(ValueError, match="pattern"):
        schema.problem("a", {"type": "string", "pattern": "a+"})


def is_bound(keyword: str, _value: object) -> bool:
    return keyword in schema.BOUNDS


def test_bounds_can_be_left_out_all_the_way_down_and_nothing_else_is() -> None:
    short = schema.without(prompts.ANSWER, is_bound)
    text = json.dumps(short)
    assert not any(f'"{bound}"' in text for bound in schema.BOUNDS)
    inner = short["properties"]["citations"]["items"]
    assert inner["required"] == ["passage", "quote"]
    assert inner["additionalProperties"] is False


def test_a_field_may_be_called_like_a_keyword() -> None:
    named = {"type": "object", "properties": {"maximum": {"type": "integer", "maximum": 3}}}
    assert schema.without(named, is_bound)["properties"] == {"maximum": {"type": "integer"}}


def test_a_line_end_inside_a_string_is_read_as_one() -> None:
    assert schema.read('{"a": "one\ntwo"}') == {"a": "one\ntwo"}


@pytest.mark.parametrize("text", ["", "{", "{} {}", "NaN", "[" * 200_000])
def test_what_is_no_json_is_an_error_of_one_kind(text: str) -> None:
    with pytest.raises(ValueError):
        schema.read(text)
