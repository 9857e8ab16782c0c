"""Searching finds what was asked for, the best first, and shows where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aimem_tui.model import Filter, SearchHit
from aimem_tui.search import fulltext, matching
from aimem_tui.search.passages import MATCH_END, MATCH_START
from aimem_tui.workspace.workspace import Workspace
from tests.workspaces import open_workspace

MARKS = MATCH_START + MATCH_END


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path) as opened:
        yield opened


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    for path, text in {
        "plans/sync.md": "# Sync over websockets\n\nThe relay stores and forwards.\n",
        "plans/other.md": "# Other plan\n\nIt mentions websockets once, far below.\n",
        "websockets/empty.md": "# Nothing\n",
        "research/relay.md": "---\ntags: [net]\nstatus: done\n---\n# Relay\nRelays, servers.\n",
        "café.md": "# Café\n\nCrème brûlée at the CAFÉ. 日本語 text and naïve words.\n",
    }.items():
        workspace.create(path, text)
    return workspace


def found(workspace: Workspace, text: str, **options) -> list[str]:
    return [hit.thought.path for hit in workspace.search(text, **options).hits]


def hit_of(workspace: Workspace, text: str, path: str) -> SearchHit:
    (hit,) = (hit for hit in workspace.search(text).hits if hit.thought.path == path)
    return hit


def test_title_counts_most_then_path_then_text(filled: Workspace) -> None:
    assert found(filled, "websockets") == ["plans/sync.md", "websockets/empty.md", "plans/other.md"]
    scores = [hit.score for hit in filled.search("websockets").hits]
    assert scores == sorted(scores, reverse=True)


def test_all_words_come_before_some_words(filled: Workspace) -> None:
    assert found(filled, "relay forwards") == ["plans/sync.md", "research/relay.md"]
    assert found(filled, "forwards nonsense") == ["plans/sync.md"]
    assert found(filled, "nonsense") == []


def test_word_forms_case_and_accents_do_not_matter(filled: Workspace) -> None:
    assert found(filled, "RELAYING") == found(filled, "relay")
    for text in ("cafe", "CAFÉ", "creme brulee", "naive"):
        assert found(filled, text) == ["café.md"]
    assert found(filled, "日本語") == ["café.md"]


def test_a_phrase_is_found_as_it_stands(filled: Workspace) -> None:
    assert found(filled, '"stores and forwards"') == ["plans/sync.md"]
    assert found(filled, '"forwards and stores"') == []


def test_what_is_excluded_does_not_come(filled: Workspace) -> None:
    assert found(filled, "websockets -relay") == ["websockets/empty.md", "plans/other.md"]
    assert found(filled, "relay servers -forwards") == ["research/relay.md"]
    assert found(filled, "-relay") == []


def test_a_beginning_is_enough_while_typing(filled: Workspace) -> None:
    assert found(filled, "forwar") == []
    assert found(filled, "forwar", as_you_type=True) == ["plans/sync.md"]
    assert found(filled, "forwar ", as_you_type=True) == []
    assert len(found(filled, "websock", as_you_type=True)) == 3


def test_filters_narrow_what_is_found(filled: Workspace) -> None:
    assert found(filled, "relay", wanted=Filter(path="research")) == ["research/relay.md"]
    assert found(filled, "relay", wanted=Filter(tags=("net",))) == ["research/relay.md"]
    assert found(filled, "relay", wanted=Filter(kinds=("plan",))) == ["plans/sync.md"]
    assert found(filled, "relay", wanted=Filter(status="done", author="ben")) == []


def test_the_trash_is_left_out_unless_asked_for(filled: Workspace) -> None:
    thought = filled.get("plans/sync.md")
    filled.trash(thought.id)
    assert "plans/sync.md" not in found(filled, "relay")
    assert found(filled, "relay", wanted=Filter(trashed=True)) == ["plans/sync.md"]
    filled.purge(thought.id)
    assert found(filled, "relay", wanted=Filter(trashed=True)) == []


def test_the_total_counts_all_and_stops_counting(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with workspace.database.write():
        for number in range(30):
            workspace.create(f"{number}.md", "common word")
    results = workspace.search("common", limit=10)
    assert (len(results.hits), results.total, results.query) == (10, 30, "common")
    assert workspace.search("common", limit=50).total == 30
    monkeypatch.setattr(fulltext, "COUNT_LIMIT", 20)
    assert workspace.search("common", limit=10).total == 20


def test_a_snippet_marks_the_matches_and_says_the_line(filled: Workspace) -> None:
    hit = hit_of(filled, "forwards relay", "plans/sync.md")
    assert hit.line == 2
    assert f"{MATCH_START}relay{MATCH_END}" in hit.snippet
    assert f"{MATCH_START}forwards{MATCH_END}" in hit.snippet
    assert "\n" not in hit.snippet
    only_in_path = hit_of(filled, "websockets", "websockets/empty.md")
    assert (only_in_path.line, MATCH_START in only_in_path.snippet) == (0, False)


def test_a_snippet_of_a_long_text_is_short_and_says_that_it_is_a_part(
    workspace: Workspace,
) -> None:
    lines = [f"line {number} of filler words" for number in range(400)]
    lines[250] = "the needle is here"
    workspace.create("long.md", "\n".join(lines))
    (hit,) = workspace.search("needle").hits
    assert hit.line == 250
    assert hit.snippet.startswith("… ")
    assert hit.snippet.endswith(" …")
    assert len(hit.snippet) < 400


WORDS = ["alpha", "beta", "gamma", "日本", "é", "👍", "\n", "\n\n", "# ", "- ", "`x`", "delta."]


@given(st.lists(st.sampled_from(WORDS), max_size=60), st.sampled_from(WORDS[:3]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_text_its_words_are_found_where_they_stand(
    workspace: Workspace, words: list[str], wanted: str
) -> None:
    text = " ".join(words)
    thoughts = [*workspace.thoughts()]
    handout = workspace.hand_out(thoughts[0].id if thoughts else workspace.create("a.txt", "").id)
    workspace.take_back(handout, text)
    hits = workspace.search(wanted).hits
    assert bool(hits) == (wanted in words)
    for hit in hits:
        assert hit.snippet.count(MATCH_START) == hit.snippet.count(MATCH_END) > 0
        assert wanted in text.split("\n")[hit.line]
        plain = re.sub(f"[{MARKS}…]", "", hit.snippet)
        assert "".join(plain.split()) in "".join(text.split())


def test_search_follows_every_change(workspace: Workspace) -> None:
    thought = workspace.create("a.md", "before")
    assert found(workspace, "before") == ["a.md"]
    workspace.take_back(workspace.hand_out(thought.id), "after")
    assert found(workspace, "before") == []
    assert found(workspace, "after") == ["a.md"]
    workspace.move(thought.id, "elsewhere/b.md")
    assert found(workspace, "elsewhere") == ["elsewhere/b.md"]
    workspace.restore_revision(thought.id, 1)
    assert found(workspace, "before") or found(workspace, "after")


def test_marks_that_stand_in_a_text_do_no_harm(workspace: Workspace) -> None:
    workspace.create("a.md", f"odd {MATCH_START}signs{MATCH_END} around {MATCH_END}needle")
    (hit,) = workspace.search("needle").hits
    assert hit.snippet.count(MATCH_START) == hit.snippet.count(MATCH_END) == 1


@pytest.mark.parametrize("ranked", [1, 3, 9, 30, 100])
def test_words_that_many_thoughts_hold_find_the_same_thoughts(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, ranked: int
) -> None:
    for number in range(12):
        title = "# common\n" if number == 4 else ""
        workspace.create(f"{number % 3}/{number}.md", f"{title}common word {number}\n")
    monkeypatch.setattr(matching, "RANKED", ranked)
    everything = workspace.search("common", limit=50)
    assert sorted(hit.thought.path for hit in everything.hits) == sorted(
        thought.path for thought in workspace.thoughts()
    )
    assert everything.total == 12
    assert everything.hits[0].thought.path == "1/4.md", "a title counts most"
    scores = [hit.score for hit in everything.hits]
    assert scores == sorted(scores, reverse=True)
    for hit in everything.hits:
        assert MATCH_START in hit.snippet
    few = found(workspace, "common", wanted=Filter(path="2"), limit=3)
    assert len(few) == 3
    assert all(path.startswith("2/") for path in few)
    assert len(found(workspace, "common", limit=5)) == 5
