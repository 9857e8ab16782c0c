"""Fields leave the line once they are finished, and are named in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimem_tui.search import fields
from aimem_tui.search.query import parse


def test_finished_fields_leave_the_line() -> None:
    line = fields.divide('kind:plan auth path:"a b/" -tag:old tok')
    assert line == fields.Line(("kind:plan", 'path:"a b/"', "-tag:old"), "auth tok")


@pytest.mark.parametrize("text", ["kind:plan", "kind:pl ", "colour:red ", "a:b c", "kind: x"])
def test_what_is_unfinished_or_no_field_stays(text: str) -> None:
    assert fields.divide(text) == fields.Line((), text)


@given(st.text(alphabet='ab:-" kindplantgx', max_size=40))
def test_a_divided_line_looks_for_the_same(text: str) -> None:
    line = fields.divide(text)
    before, after = parse(text), parse(" ".join([*line.fields, line.rest]))
    assert sorted(map(str, before.scope.groups)) == sorted(map(str, after.scope.groups))
    assert before.terms == after.terms


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("kind:plan", "plan"),
        ("-tag:old", "not #old"),
        ('path:"a b/"', "in a b/"),
        ("author:ada", "by ada"),
        ("since:30d", "since 30d"),
        ("status:draft", "status draft"),
    ],
)
def test_a_field_has_a_name(field: str, label: str) -> None:
    assert fields.label(field) == label


def test_values_that_all_workspaces_have_are_known() -> None:
    assert fields.being_typed("auth -kind:pl") == ("kind", "pl")
    assert fields.known_values("kind", "pl") == ["plan"]
    assert fields.known_values("tag", "a") == []
