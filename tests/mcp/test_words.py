"""The small parts: names of agents, arguments, cursors, what was done already."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import AimemError, BadInput
from aimem_tui.markdown import edits
from aimem_tui.mcp import arguments, repeats, texts
from aimem_tui.mcp.arguments import Flag, Number, Text, Texts
from aimem_tui.mcp.tools import TOOLS
from aimem_tui.workspace.agents import names
from crdt.textdiff import Splice, apply


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ((None, "claude-code"), "Claude Code"),
        (("Claude Code", "claude-code"), "Claude Code"),
        ((None, "cursor-vscode"), "Cursor"),
        (("", "some-agent"), "some-agent"),
        (("Nightly", None, "claude-code"), "Nightly"),
        ((), "an agent"),
        (("\x1b[31m\n\u202e", " "), "[31m"),
        (("a" * 100,), "a" * 40),
    ],
)
def test_agents_have_names_for_people(said: tuple[str | None, ...], name: str) -> None:
    assert names.agent_name(*said) == name


@given(st.lists(st.text() | st.none(), max_size=3))
def test_an_agents_name_is_one_printable_line(said: list[str | None]) -> None:
    name = names.agent_name(*said)
    assert name and name.isprintable() and len(name) <= names.LONGEST
    assert name == " ".join(name.split())


SOME = (
    Text("name", "A name.", required=True, most=5),
    Text("kind", "", choices=("a", "b")),
    Number("limit", "", default=3, most=9),
    Flag("all", ""),
    Texts("tags", "", most=2, longest=3),
)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 12)
    | st.floats(allow_nan=False)
    | st.text(max_size=7)
    | st.lists(st.text(max_size=4) | st.integers(0, 1), max_size=3)
)


@given(st.dictionaries(st.sampled_from([*(each.name for each in SOME), "other"]), VALUES))
def test_what_is_taken_is_what_the_schema_says(given_values: dict[str, object]) -> None:
    schema = arguments.schema(SOME)
    jsonschema.Draft202012Validator.check_schema(schema)
    # Null is as good as nothing, and a text of blanks says nothing.
    sent = {name: value for name, value in given_values.items() if value is not None}
    blank = isinstance(sent.get("name"), str) and not str(sent["name"]).strip()
    fits = jsonschema.Draft202012Validator(schema).is_valid(sent) and not blank
    fits = fits and not (set(given_values) - {each.name for each in SOME})
    try:
        taken = arguments.check(SOME, given_values)
    except BadInput as error:
        assert not fits
        assert error.hint
    else:
        assert fits
        assert taken.number("limit") == sent.get("limit", 3)


def test_every_tool_has_a_sound_schema() -> None:
    for tool in TOOLS.values():
        schema = tool.schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False
        # Some models' interfaces refuse these at the top.
        assert not {"oneOf", "anyOf", "allOf", "not"} & set(schema)
        for name, each in schema["properties"].items():
            assert each["type"] in ("string", "integer", "boolean", "array"), (tool.name, name)
            bounded = {"string": "maxLength", "integer": "maximum", "array": "maxItems"}
            if each["type"] in bounded and "enum" not in each:
                assert bounded[each["type"]] in each, (tool.name, name)


@given(
    st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), max_size=3)
)
def test_a_cursor_gives_back_what_it_was_made_of(parts: list[str]) -> None:
    if not "".join(parts):
        return
    assert texts.parts_of(texts.cursor(*parts), len(parts)) == parts


@given(st.text(min_size=1, max_size=30))
def test_a_cursor_that_is_none_is_refused(nonsense: str) -> None:
    try:
        assert 0 <= texts.offset_of(nonsense, 500) <= 500
    except AimemError as error:
        assert "cursor" in error.what


@given(st.lists(st.text(max_size=50)), st.integers(1, 200))
def test_what_is_shown_fits(rows: list[str], budget: int) -> None:
    kept = texts.fitting(rows, budget)
    assert kept == rows[: len(kept)]
    assert len(kept) <= 1 or sum(len(each) + 1 for each in kept) <= budget
    assert kept or not rows


WORDS = st.lists(st.sampled_from(["one", "two", "three", "\n"]), max_size=8).map(" ".join)


@given(WORDS, WORDS, WORDS)
def test_replacing_twice_changes_nothing_more(before: str, old: str, new: str) -> None:
    text = f"{before} {old} end"
    try:
        once = apply(text, edits.replace_exact(text, old, new))
    except AimemError:
        return
    if old in new and old != new:
        assert repeats.is_replaced(once, old, new) or once.count(old) != once.count(new)


def test_lines_that_were_added_are_known_again() -> None:
    lately, long_ago = (lambda: True), (lambda: False)
    text = "# A\n\n- one\n- a line that tells\n- three\n"
    end = [Splice(len(text), len(text), "- three\n")]
    assert repeats.is_added(text, "- three", end, long_ago)
    elsewhere = [Splice(len(text), len(text), "- a line that tells\n")]
    assert repeats.is_added(text, "- a line that tells", elsewhere, lately)
    assert not repeats.is_added(text, "- a line that tells", elsewhere, long_ago)
    assert not repeats.is_added(text, "- one", [Splice(len(text), len(text), "- one\n")], lately)
    assert not repeats.is_added(text, "- on", [Splice(5, 5, "- on\n")], lately)
    assert not repeats.is_added(text, "three", end, lately)
