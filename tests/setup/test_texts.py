"""TOML tables and marked sections go into people's files and out again, to the byte."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.errors import BadInput
from aimem_tui.setup import marked, toml_text

PATH = ("mcp_servers", "aimem")
TABLE: dict[str, object] = {"command": "aimem", "args": ["mcp"]}
LINES = st.sampled_from(
    ["# a comment", "", "  ", "model = 'x'", "n = 1_000 # odd   spacing", "d = 2026-11-22"]
)
TABLES = st.sampled_from(
    ["[mcp_servers.other]\ncommand = 'y'", "[a.b]\nc = 1", "[[list]]\nx = 1\n[[list]]\nx = 2", ""]
)


@st.composite
def toml_texts(draw: st.DrawFn) -> str:
    """A configuration as people write it."""
    top = list(dict.fromkeys(draw(st.lists(LINES, max_size=4))))
    tables = draw(st.lists(TABLES, unique=True, max_size=3))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    text = "\n".join([*top, *tables]).replace("\n", ends)
    return draw(st.sampled_from(["", "\ufeff"])) + text + draw(st.sampled_from(["", ends]))


@given(toml_texts())
def test_a_table_goes_in_and_out_and_the_rest_stays(text: str) -> None:
    before = tomllib.loads(text.removeprefix("\ufeff"))
    edited = toml_text.add(text, PATH, TABLE)
    assert edited.added is not None
    assert edited.text.startswith(text)
    after = tomllib.loads(edited.text.removeprefix("\ufeff"))
    assert after["mcp_servers"].pop("aimem") == TABLE
    assert {k: v for k, v in after.items() if v} == {k: v for k, v in before.items() if v}
    assert toml_text.add(edited.text, PATH, TABLE).state == "there"
    back = toml_text.take_out(edited.text, edited.added)
    assert (back.state, back.text) == ("removed", text)


def test_a_table_of_somebody_elses_stays_unless_told_and_comes_back() -> None:
    text = "a = 1\n\n[mcp_servers.aimem]\ncommand = 'mine' # why\n\n[z]\nb = 2\n"
    kept = toml_text.add(text, PATH, TABLE)
    assert (kept.state, kept.text) == ("differs", text)
    edited = toml_text.add(text, PATH, TABLE, replace=True)
    assert edited.added is not None
    assert tomllib.loads(edited.text)["mcp_servers"]["aimem"] == TABLE
    back = toml_text.take_out(edited.text, edited.added)
    assert tomllib.loads(back.text) == tomllib.loads(text)


def test_a_table_that_was_changed_stays() -> None:
    edited = toml_text.add("a = 1\n", PATH, TABLE)
    assert edited.added is not None
    changed = edited.text.replace('"mcp"', '"mcp", "--read-only"')
    left = toml_text.take_out(changed, edited.added)
    assert (left.state, left.text) == ("differs", changed)
    moved = edited.text.replace("[mcp_servers.aimem]\n", "[mcp_servers.aimem] # mine\n")
    assert tomllib.loads(toml_text.take_out(moved, edited.added).text) == {"a": 1}
    assert toml_text.take_out("a = 1\n", edited.added).state == "gone"


@pytest.mark.parametrize(
    "text", ["mcp_servers = 3", "mcp_servers = { other = {} }", "a = ", "[a]\n[a]\n"]
)
def test_a_file_that_cannot_take_a_table_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        toml_text.add(text, PATH, TABLE)


@given(st.text(alphabet="# ab\n\r`é", max_size=40), st.booleans())
def test_a_section_goes_in_and_out(text: str, windows: bool) -> None:
    text = text.replace("\r", "")
    if windows:
        text = text.replace("\n", "\r\n")
    edited = marked.add(text, "## Title\n\nbody\n")
    assert edited.added is not None
    assert edited.text.startswith(text)
    assert marked.add(edited.text, "## Title\n\nbody\n").state == "there"
    assert marked.take_out(edited.text, edited.added).text == text
    more = edited.text + "\nmore\n"
    assert marked.take_out(more, edited.added).text == text + "\nmore\n"


def test_a_newer_section_takes_the_place_of_the_old_one_and_a_changed_one_stays() -> None:
    first = marked.add("# Mine\n", "old")
    newer = marked.add(first.text, "new", earlier=first.added)
    assert newer.text == first.text.replace("old", "new")
    assert newer.added is not None
    assert marked.take_out(newer.text, newer.added).text == "# Mine\n"
    changed = first.text.replace("old", "old, and mine")
    assert marked.add(changed, "new", earlier=first.added).state == "differs"
    assert first.added is not None
    assert marked.take_out(changed, first.added).state == "differs"
    assert marked.take_out("# Mine\n", first.added).state == "gone"
