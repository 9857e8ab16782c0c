"""JSON files of other people are edited by a few characters, and back to the same bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import BadInput
from aimem_tui.setup import json_text
from aimem_tui.setup.json_scan import meaning, parse

KEYS = st.sampled_from(["a", "b", "mcpServers", "hooks", "é", 'quo"te', "x y"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just(1.5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
PATHS = st.lists(KEYS, min_size=1, max_size=3)


@st.composite
def blanks(draw: st.DrawFn) -> str:
    """White space and comments, as people leave them between two signs."""
    pieces = [" ", "\n", "\t", "  ", "\r\n", "// note\n", "/* note */", '/* "a": {} */', "//\n"]
    return "".join(draw(st.lists(st.sampled_from(pieces), max_size=3)))


@st.composite
def texts(draw: st.DrawFn, value: Any) -> str:
    """One of the many ways to write a value, comments and trailing commas among them."""

    def write(value: Any) -> str:
        if not isinstance(value, dict | list) or draw(st.integers(0, 3)) == 0:
            indent = draw(st.sampled_from([None, 2, 4, "\t"]))
            return json.dumps(value, indent=indent, ensure_ascii=draw(st.booleans()))
        pairs = (
            [
                f"{json.dumps(key)}{draw(blanks())}:{draw(blanks())}{write(v)}"
                for key, v in value.items()
            ]
            if isinstance(value, dict)
            else [write(v) for v in value]
        )
        parts = [f"{draw(blanks())}{pair}{draw(blanks())}" for pair in pairs]
        inner = ",".join(parts)
        if parts and draw(st.booleans()):
            inner += f",{draw(blanks())}"
        if not parts:
            inner = draw(blanks())
        return "{" + inner + "}" if isinstance(value, dict) else "[" + inner + "]"

    return draw(blanks()) + write(value) + draw(blanks())


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A text whose value is an object, and that object."""
    value = draw(st.dictionaries(KEYS, VALUES, max_size=4))
    return draw(texts(value)), value


def at(value: Any, path: list[str]) -> Any:
    """What is at a path."""
    for key in path:
        value = value[key]
    return value


@given(documents())
def test_a_text_means_what_was_written(document: tuple[str, dict[str, Any]]) -> None:
    text, value = document
    assert meaning(text, parse(text)) == value


@given(documents(), PATHS, VALUES, st.booleans())
def test_what_is_added_is_there_the_rest_unchanged_and_taken_out_it_is_as_before(
    document: tuple[str, dict[str, Any]], path: list[str], new: Any, element: bool
) -> None:
    text, before = document
    try:
        edited = json_text.add(text, path, new, element=element)
    except BadInput:
        found: Any = before
        for key in path:
            if not isinstance(found, dict) or key not in found:
                break
            found = found[key]
        assert not isinstance(found, dict) or (element and not isinstance(found, list))
        return
    after = meaning(edited.text, parse(edited.text))
    if edited.state != "added":
        assert edited.text == text
        return
    there = at(after, path)
    assert new in there if element else there == new
    assert edited.added is not None
    assert json_text.add(edited.text, path, new, element=element).state == "there"
    back = json_text.take_out(edited.text, edited.added)
    assert (back.state, back.text) == ("removed", text)


@given(documents(), PATHS, VALUES)
def test_a_value_that_was_replaced_comes_back(
    document: tuple[str, dict[str, Any]], path: list[str], new: Any
) -> None:
    text, _ = document
    try:
        kept = json_text.add(text, path, new)
        edited = json_text.add(text, path, new, replace=True)
    except BadInput:
        return
    if kept.state == "differs":
        assert kept.text == text
        assert edited.state == "added"
        assert edited.added is not None
        assert json_text.take_out(edited.text, edited.added).text == text


@given(documents(), st.lists(st.tuples(PATHS, VALUES), min_size=2, max_size=4))
def test_several_additions_come_out_in_reverse(
    document: tuple[str, dict[str, Any]], wanted: list[tuple[list[str], Any]]
) -> None:
    text, _ = document
    now, done = text, []
    for path, value in wanted:
        try:
            edited = json_text.add(now, path, value)
        except BadInput:
            continue
        if edited.added is not None:
            done.append(edited.added)
        now = edited.text
    for added in reversed(done):
        now = json_text.take_out(now, added).text
    assert now == text


def test_a_member_is_written_as_its_neighbours_are() -> None:
    text = '{\n\t// mine\n\t"a": 1, // one\n\t"b": {\n\t\t"c": 2 // two\n\t}\n}\n'
    edited = json_text.add(text, ["b", "d"], {"e": [1]})
    assert edited.text == (
        '{\n\t// mine\n\t"a": 1, // one\n\t"b": {\n\t\t"c": 2, // two\n\t\t"d": {\n\t\t\t"e": [\n'
        "\t\t\t\t1\n\t\t\t]\n\t\t}\n\t}\n}\n"
    )
    assert json_text.add('{"a": 1}', ["b"], 2).text == '{"a": 1, "b": 2}'
    assert json_text.add("{}", ["b"], 2).text == '{\n  "b": 2\n}'
    assert json_text.add("", ["b", "c"], 2).text == '{\n  "b": {\n    "c": 2\n  }\n}\n'
    assert (
        json_text.add('{\r\n    "a": 1\r\n}', ["b"], 2).text
        == '{\r\n    "a": 1,\r\n    "b": 2\r\n}'
    )


def test_what_others_added_beside_and_behind_stays() -> None:
    edited = json_text.add('{\n  "a": 1\n}\n', ["m", "aimem"], {"x": 1})
    assert edited.added is not None
    beside = json_text.add(edited.text, ["m", "other"], {"y": 2}).text
    beside = json_text.add(beside, ["z"], True).text
    left = json_text.take_out(beside, edited.added)
    assert left.state == "removed"
    assert json.loads(left.text) == {"a": 1, "m": {"other": {"y": 2}}, "z": True}


def test_what_people_changed_stays_and_is_told() -> None:
    edited = json_text.add("{}", ["m", "aimem"], {"args": ["mcp"]})
    assert edited.added is not None
    changed = edited.text.replace('"mcp"', '"mcp", "--read-only"')
    left = json_text.take_out(changed, edited.added)
    assert (left.state, left.text) == ("differs", changed)
    assert json_text.take_out('{"m": {}}', edited.added).state == "gone"
    assert json_text.renew(changed, edited.added, {"args": []}).state == "differs"
    newer = json_text.renew(edited.text, edited.added, {"args": []})
    assert newer.added is not None
    assert json.loads(newer.text) == {"m": {"aimem": {"args": []}}}
    assert json_text.take_out(newer.text, newer.added).text == "{}"


@pytest.mark.parametrize(
    "text",
    ["[", "{,}", '{"a" 1}', '{"a": 1 "b": 2}', "nul", "{} {}", "{'a': 1}", "{" * 500, '{"a": 01}'],
)
def test_what_is_not_json_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(BadInput, match="not JSON"):
        json_text.add("\n" + text, ["a"], 1)


def test_a_list_where_an_object_has_to_be_is_refused() -> None:
    with pytest.raises(BadInput, match=r"enabledPlugins is not an object"):
        json_text.add('{"enabledPlugins": ["a"]}', ["enabledPlugins", "aimem@aimem"], True)
