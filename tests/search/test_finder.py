"""A search from what was typed to what is shown: fields, scripts, copies, odd queries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.errors import BadInput, NotFound
from aimem_tui.model import Filter
from aimem_tui.search import finder
from aimem_tui.search.passages import MATCH_END, MATCH_START
from aimem_tui.search.query import MAX_TERMS
from aimem_tui.search.saved import SavedSearch
from aimem_tui.workspace.workspace import Workspace
from tests.statements import listening
from tests.workspaces import open_workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with open_workspace(tmp_path_factory.mktemp("finder")) as opened:
        for path, text in {
            "plans/auth.md": "---\nstatus: draft\ntags: [auth, web]\nauthor: ada\n---\n"
            "# Sign in\n\n## Cookies\n\nThe session cookie expires after a week.\n",
            "plans/old.md": "---\nstatus: done\ntags: [auth]\n---\n# Old sign in\n\nA cookie.\n",
            "research/sync-engine.md": "# The sync-engine\n\nIt calls `merge_update` in v1.2.3.\n",
            "notes/other.md": "# Versions\n\nVersion 1, then 2 and 3; sync it, merge an update.\n",
            "notes/japanese.md": "# 計画\n\n東京都の同期計画について。データベースを移す。\n",
            "notes/russian.md": "# Заметка\n\nПоиск заметок без сети и сервера.\n",
            "notes/thai.md": "# ไทย\n\nการค้นหาเอกสารในเครื่อง\n",
        }.items():
            opened.create(path, text)
        yield opened


def found(workspace: Workspace, text: str, **options) -> list[str]:
    return [hit.thought.path for hit in workspace.search(text, **options).hits]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("cookie kind:plan", {"plans/auth.md", "plans/old.md"}),
        ("cookie kind:plans status:draft", {"plans/auth.md"}),
        ("cookie -status:done", {"plans/auth.md"}),
        ("cookie tag:auth tag:web", {"plans/auth.md"}),
        ("cookie -tag:web", {"plans/old.md"}),
        ("cookie status:draft status:done", {"plans/auth.md", "plans/old.md"}),
        ("cookie author:ADA", {"plans/auth.md"}),
        ('cookie path:"plans/old.md"', {"plans/old.md"}),
        ("cookie -path:plans", set()),
        ("cookie since:1h", {"plans/auth.md", "plans/old.md"}),
        ("cookie since:2100-01-01", set()),
        ("tag:web", {"plans/auth.md"}),
        ("-tag:web path:plans", {"plans/old.md"}),
        ("path:plans -week", {"plans/old.md"}),
    ],
)
def test_fields_narrow_what_is_found(workspace: Workspace, text: str, paths: set[str]) -> None:
    assert set(found(workspace, text)) == paths


def test_fields_and_filters_must_both_hold(workspace: Workspace) -> None:
    assert found(workspace, "cookie tag:auth", wanted=Filter(status="done")) == ["plans/old.md"]
    assert found(workspace, "cookie kind:research", wanted=Filter(kinds=("plan",))) == []


def test_what_is_no_field_is_words_and_that_is_said(workspace: Workspace) -> None:
    results = workspace.search("foo:cookie")
    assert "plans/auth.md" in {hit.thought.path for hit in results.hits}
    assert "There is no field foo" in results.said
    assert "no kind poem" in workspace.search("cookie kind:poem").said
    assert "not a time" in workspace.search("cookie since:soon").said


def test_a_field_that_is_being_typed_says_nothing_yet(workspace: Workspace) -> None:
    typed = workspace.search("cookie kind:pl", as_you_type=True, kind="fulltext")
    assert len(typed.hits) == 2
    assert typed.said == ""


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sync-engine", "research/sync-engine.md"),
        ("merge_update", "research/sync-engine.md"),
        ("v1.2.3", "research/sync-engine.md"),
        ("engine", "research/sync-engine.md"),
        ("同期", "notes/japanese.md"),
        ("データベース", "notes/japanese.md"),
        ("東京都の計画", "notes/japanese.md"),
        ("поиска", "notes/russian.md"),
        ("ЗАМЕТКАМИ", "notes/russian.md"),
        ("เอกสาร", "notes/thai.md"),
    ],
)
def test_names_and_words_of_any_script_find_their_text_first(
    workspace: Workspace, text: str, path: str
) -> None:
    hits = workspace.search(text).hits
    assert hits[0].thought.path == path


def test_a_match_inside_a_clause_is_marked(workspace: Workspace) -> None:
    (hit,) = workspace.search("同期").hits
    assert f"{MATCH_START}同期{MATCH_END}" in hit.snippet


def test_exact_words_must_be_there_unless_nothing_has_them(workspace: Workspace) -> None:
    assert found(workspace, '"session cookie" sign') == ["plans/auth.md"]
    assert found(workspace, '"cookie session"') == []
    results = workspace.search('"cookie session" week')
    assert [hit.thought.path for hit in results.hits] == ["plans/auth.md"]
    assert 'Nothing has "cookie session" as it stands.' in results.said


def test_a_hit_says_how_it_came_to_its_place_and_where_it_stands(workspace: Workspace) -> None:
    hit = workspace.search("session cookie expires").hits[0]
    assert (hit.thought.path, hit.heading, hit.why.fulltext) == ("plans/auth.md", "Cookies", 1)
    assert (hit.why.semantic, hit.why.cosine) == (None, None)


def test_who_types_a_name_gets_what_is_called_so(workspace: Workspace) -> None:
    for name in ("Old sign in", "plans/old", "old.md", "OLD"):
        hit = workspace.search(name).hits[0]
        assert hit.thought.path == "plans/old.md"
        assert "title" in {boost.name for boost in hit.why.boosts}


def test_without_an_index_words_are_all_and_that_is_said(workspace: Workspace) -> None:
    for kind in ("hybrid", "semantic"):
        results = workspace.search("cookie", kind=kind)
        assert (results.kind, len(results.hits)) == ("fulltext", 2)
        assert "Nothing is indexed by meaning yet" in results.said
    assert workspace.search("cookie", kind="fulltext").said == ""
    with pytest.raises(BadInput):
        workspace.search("cookie", kind="magic")


def test_copies_are_shown_once(tmp_path: Path) -> None:
    text = "# Title\n\n" + "\n".join(f"Line {n} says something of its own." for n in range(20))
    with open_workspace(tmp_path) as workspace:
        for path, body in {
            "a.md": text,
            "copy/a.md": text,
            "nearly.md": text.replace("Line 7 says", "Line seven tells"),
            "b.md": "# Other\n\nLine 1 says something else, which is about other things.\n",
        }.items():
            workspace.create(path, body)
        hits = workspace.search("line says something").hits
        groups = [{hit.thought.path, *(each.path for each in hit.similar)} for hit in hits]
        assert sorted(map(len, groups)) == [1, 3]
        assert {"b.md"} in groups


def test_related_thoughts_are_near_and_not_the_thought_itself(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        thoughts = {
            name: workspace.create(f"{name}.md", f"# {name}\n\n{text}\n").id
            for name, text in {
                "one": "The relay keeps a ledger of entries and fans them out.",
                "two": "A ledger of entries, kept by a relay; entries are fanned out.",
                "three": "Bread wants flour, water, salt and patience.",
            }.items()
        }
        near = workspace.related(thoughts["one"])
        assert next(each.thought.path for each in near) == "two.md"
        assert "one.md" not in {each.thought.path for each in near}
        workspace.trash(thoughts["two"])
        assert "two.md" not in {each.thought.path for each in workspace.related(thoughts["one"])}
        with pytest.raises(NotFound):
            workspace.related("0" * 32)


odd_queries = st.text(st.characters(), max_size=60) | st.text(
    'ab"-*()^:+{}AND OR NOT NEAR\t\0 kind:tag:since:path:日本', max_size=60
)


@given(odd_queries, st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_answered(workspace: Workspace, text: str, as_you_type: bool) -> None:
    results = workspace.search(text, as_you_type=as_you_type)
    assert results.query == text
    for hit in results.hits:
        assert hit.snippet.count(MATCH_START) == hit.snippet.count(MATCH_END)
        assert "\n" not in hit.snippet


@pytest.mark.parametrize(
    "text",
    [
        "the of and to",
        "AND OR NOT NEAR(a b) col:x *",
        " ".join(f"word{number}" for number in range(10_000)),
        "cookie " * 10_000,
        "x" * 100_000,
        "cookie " + "计" * 20_000,
    ],
)
def test_endless_and_empty_queries_are_answered_with_few_statements(
    workspace: Workspace, text: str
) -> None:
    with listening(workspace) as ran:
        workspace.search(text)
    assert len(ran) < 2 * MAX_TERMS


def test_the_kinds_of_search_are_those_of_the_command_line() -> None:
    assert set(finder.KINDS) == {"hybrid", "fulltext", "semantic"}


def test_searches_are_kept_under_names(tmp_path: Path) -> None:
    with open_workspace(tmp_path) as workspace:
        searches = workspace.saved_searches
        assert searches.all() == []
        searches.save(SavedSearch("stale", "kind:plan status:draft", "fulltext"))
        searches.save(SavedSearch("auth", 'tag:auth "session cookie"'))
        searches.file.write_text("# mine\n" + searches.file.read_text("utf-8"), "utf-8")
        searches.save(SavedSearch("auth", "tag:auth"))
        assert searches.all() == [
            SavedSearch("auth", "tag:auth"),
            SavedSearch("stale", "kind:plan status:draft", "fulltext"),
        ]
        searches.remove("stale")
        assert searches.file.read_text("utf-8").startswith("# mine\n")
        with pytest.raises(NotFound):
            searches.get("stale")
        for bad in (SavedSearch("", "x"), SavedSearch("x", " "), SavedSearch("x" * 99, "x")):
            with pytest.raises(BadInput):
                searches.save(bad)
        searches.file.write_text("not = [toml", "utf-8")
        with pytest.raises(BadInput):
            searches.all()
